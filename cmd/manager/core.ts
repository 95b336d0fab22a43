import { container, type DependencyContainer } from 'tsyringe';
import { Clock } from '../../pkg/base/index.js';
import {
  FencedWriter,
  GuardedWriter,
  leaderOnly,
  type Runnable,
} from '../../pkg/controller/index.js';
import { LeaseElection, LeasePresence } from '../../pkg/election/index.js';
import { EventRecorder, StoreEventRecorder } from '../../pkg/events/index.js';
import { WatchedWorldCache } from '../../pkg/informer/index.js';
import { Logger } from '../../pkg/log/index.js';
import {
  ManagerMetrics,
  collectCache,
  observeCache,
  observeLeadership,
} from '../../pkg/metrics/index.js';
import { World, allCollections, worldOf } from '../../pkg/objects/index.js';
import type { Keys, Store } from '../../pkg/store/index.js';
import { controllersOf, registerReconcilers } from './controllers.js';
import { KeysToken } from './tokens.js';

/** What the core of a manager is made of. */
export interface CoreOptions {
  readonly store: Store;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: ManagerMetrics;
  readonly managerId: string;
  readonly hostname: string;
  /** `host:port` of its API. */
  readonly address: string;
  readonly softwareVersion: string;
  /** When it was started: tells this run of the manager from others. ISO 8601. */
  readonly startedAt: string;
  /** How long the leader's work may take to end. */
  readonly leaderStopMs: number;
}

/** A manager without its API and its certificate: what it knows, and what it does when it leads. */
export interface ManagerCore {
  readonly cache: WatchedWorldCache;
  readonly world: World;
  readonly recorder: StoreEventRecorder;
  readonly presence: LeasePresence;
  /** Stands for election; runs the controllers in every term that it wins. */
  readonly leading: Runnable;
}

/** Puts the core together; nothing runs yet. The simulation does the same. */
export function managerCore(options: CoreOptions): ManagerCore {
  const { store, keys, clock, log, leaderStopMs } = options;
  const presence = presenceOf(options);
  const cache = worldCache(options, presence);
  const world = worldOf(cache);
  const recorder = new StoreEventRecorder({ store, keys, clock, log });
  const scopeOf = controllersOf(processScope({ ...options, world, recorder }));
  const election = electionOf(options);
  const leading = leaderOnly({ election, scopeOf, clock, log, stopTimeoutMs: leaderStopMs });
  return { cache, world, recorder, presence, leading };
}

/** What controllers may ask for, in the order of the levels. A child, because tests run several managers. */
function processScope(
  parts: CoreOptions & { readonly world: World; readonly recorder: EventRecorder },
): DependencyContainer {
  const scope = container.createChildContainer();
  scope.registerInstance<Clock>(Clock, parts.clock);
  scope.registerInstance<Logger>(Logger, parts.log);
  scope.registerInstance<ManagerMetrics>(ManagerMetrics, parts.metrics);
  scope.registerInstance(KeysToken, parts.keys);
  scope.registerInstance<GuardedWriter>(GuardedWriter, new FencedWriter(parts.store));
  scope.registerInstance<World>(World, parts.world);
  scope.registerInstance<EventRecorder>(EventRecorder, parts.recorder);
  registerReconcilers(scope);
  return scope;
}

function presenceOf(options: CoreOptions): LeasePresence {
  const { store, keys, clock, log, managerId } = options;
  const { hostname, address, softwareVersion, startedAt } = options;
  return new LeasePresence({
    store,
    key: keys.manager(managerId),
    lastingKey: keys.knownManager(managerId),
    value: { id: managerId, hostname, address, softwareVersion, startedAt },
    clock,
    log,
  });
}

function electionOf(options: CoreOptions): LeaseElection {
  const { store, keys, clock, log, managerId, address, metrics } = options;
  return new LeaseElection({
    store,
    key: keys.leader,
    identity: { managerId, address },
    clock,
    log,
    observer: observeLeadership(metrics.of.leader),
  });
}

/** A wait for a revision that nothing under our keys made (an event's) is ended by a write of our own. */
function worldCache(options: CoreOptions, presence: LeasePresence): WatchedWorldCache {
  const { store, keys, clock, log, metrics } = options;
  const cache = new WatchedWorldCache({
    store,
    root: keys.root,
    collections: allCollections,
    clock,
    log,
    observer: observeCache(metrics.of.cache),
    nudge: (signal) => presence.touch(signal),
  });
  collectCache(metrics.of.cache, cache);
  return cache;
}
