import { isDeepStrictEqual } from 'node:util';
import {
  isJob,
  type ServiceStatus,
  type StoredService,
  type StoredServiceStatus,
  type UpdateState,
} from '../../api/v1/index.js';
import { Pacer, type Clock, type PacerOptions } from '../../pkg/base/index.js';
import type {
  GuardedWriter,
  ReconcileContext,
  ReconcileResult,
  Reconciler,
} from '../../pkg/controller/index.js';
import type { EventRecorder } from '../../pkg/events/index.js';
import { atVersion, NodeLosses, puts, remove, type World } from '../../pkg/objects/index.js';
import { packTransactions, type Keys, type TxnPart } from '../../pkg/store/index.js';
import { partOf } from './apply.js';
import { planService, type ServicePlan, type ServiceSnapshot } from './plan.js';
import type { ServiceChange } from './plan-changes.js';
import { recordChanges, recordTransitions } from './service-events.js';
import { snapshotOf } from './snapshot.js';

/** What a {@link ServiceReconciler} is made of. */
export interface ServiceReconcilerOptions {
  readonly world: World;
  readonly keys: Keys;
  readonly writer: GuardedWriter;
  readonly clock: Clock;
  readonly events: EventRecorder;
  /** Told of what becomes of updates. */
  readonly rollouts?: RolloutObserver;
}

/** Counts what becomes of updates. */
export interface RolloutObserver {
  /** An update or a rollback came to this state. */
  cameTo(state: UpdateState): void;
}

/**
 * While tasks start by the hundred, most of what happens to a service is status: the more tasks it has, the
 * less each of them changes, and the more a look costs.
 */
const relaxed = (tasks: number): PacerOptions => ({
  minIntervalMs: Math.min(250, Math.max(50, 2.5 * tasks)),
  costFactor: 10,
  maxIntervalMs: 2_000,
});
/** An update waits for tasks, so it is looked at at once unless that is expensive. */
const EAGER = { minIntervalMs: 0, costFactor: 2, maxIntervalMs: 500 };
/** Transactions under way at once: the store works while the next ones travel. */
const PARALLEL_COMMITS = 4;
/** A store that lost history is looked at by a person; nothing is deleted meanwhile. */
const HISTORY_CHECK_MS = 30_000;

/**
 * When a service was last looked at. Only a matter of pace: forgetting it, as with every new leader, costs
 * one look more.
 */
interface Pace {
  readonly version: number;
  readonly pacer: Pacer;
}

/** Tasks for every slot or node, one revision after the other, and a status that says how it goes. */
export class ServiceReconciler implements Reconciler {
  private readonly paces = new Map<string, Pace>();
  /** Made anew for each term, so this is when it began. */
  private readonly leadingSince: number;
  private readonly losses: NodeLosses;

  constructor(private readonly options: ServiceReconcilerOptions) {
    this.leadingSince = options.clock.now().getTime();
    this.losses = new NodeLosses(options.world, options.clock);
  }

  async reconcile(name: string, context: ReconcileContext): Promise<ReconcileResult> {
    const { world, clock } = this.options;
    const service = world.services.get(name);
    if (!service) {
      this.paces.delete(name);
      await this.deleteRemains(name, context);
      return {};
    }
    if (isJob(service.spec)) return {}; // the job controller's
    const waitMs = this.waitMs(service);
    if (waitMs > 0) return { requeueAfterMs: waitMs };
    if (service.metadata.deletingAt !== undefined && world.cache.historyBreak) {
      return { requeueAfterMs: HISTORY_CHECK_MS };
    }
    const startedMs = clock.monotonicMs();
    const now = clock.now();
    const { leadingSince, losses } = this;
    const time = { now: now.toISOString(), leadingSince, losses };
    const snapshot = snapshotOf(world, service, time);
    const plan = this.allowed(planService(snapshot));
    this.notePace(snapshot, plan, startedMs);
    try {
      await this.apply(snapshot, plan, context);
    } catch (error) {
      this.paces.delete(name); // what failed is tried again without waiting for its turn
      throw error;
    }
    const { lookAgainAt } = plan;
    return lookAgainAt === undefined
      ? {}
      : { requeueAfterMs: Math.max(0, lookAgainAt - now.getTime()) };
  }

  /** What seems gone in a store that lost history may be there: nothing is removed for it. */
  private allowed(plan: ServicePlan): ServicePlan {
    if (!this.options.world.cache.historyBreak) return plan;
    return { ...plan, changes: plan.changes.filter(removesNothing) };
  }

  /** A changed spec never waits. */
  private waitMs({ metadata: { name, version } }: StoredService): number {
    const pace = this.paces.get(name);
    if (pace?.version !== version) return 0;
    return pace.pacer.waitMs(this.options.clock.monotonicMs());
  }

  private notePace(
    { service, tasks }: ServiceSnapshot,
    { updating }: ServicePlan,
    startedMs: number,
  ): void {
    const { name, version, deletingAt } = service.metadata;
    const isAwaited = updating || deletingAt !== undefined;
    const pacer = new Pacer(isAwaited ? EAGER : relaxed(tasks.length));
    pacer.ran(startedMs, this.options.clock.monotonicMs());
    this.paces.set(name, { version, pacer });
  }

  /** The status goes with the first changes: tasks of an update never come before the record of it. */
  private async apply(
    snapshot: ServiceSnapshot,
    plan: ServicePlan,
    context: ReconcileContext,
  ): Promise<void> {
    const { service, now, status: before } = snapshot;
    const { keys, events } = this.options;
    const changes = plan.changes.map((change) => partOf(change, { keys, service, now }));
    const isGone = plan.changes.some(({ kind }) => kind === 'delete-service');
    const isNews = !isGone && (before === undefined || !isSame(before, plan.status));
    if (changes.length > 0) {
      context.log.info({ changes: changes.length }, 'applying service plan');
    }
    const parts = isNews ? [this.statusPart(service, plan.status), ...changes] : changes;
    await this.commitAll(parts, context);
    recordChanges(events, service, plan);
    if (!isNews) return;
    const state = recordTransitions(events, service, before, plan.status);
    if (state !== undefined) this.options.rollouts?.cameTo(state);
  }

  private statusPart({ metadata }: StoredService, status: ServiceStatus): TxnPart {
    const { keys } = this.options;
    const { name, uid, version } = metadata;
    return {
      compare: [atVersion(keys.service(name), version)],
      operations: [puts.serviceStatus(keys, name, { ...status, serviceUid: uid })],
    };
  }

  /**
   * Several transactions when one does not hold everything. The first, which may bring the revision that
   * the others build on, goes alone; a service that goes is the last of all, so nothing overtakes there.
   */
  private async commitAll(parts: readonly TxnPart[], context: ReconcileContext): Promise<void> {
    const [first, ...rest] = packTransactions(parts);
    if (!first) return;
    await this.options.writer.commit(first, context);
    const atOnce = rest.some(deletesSomething) ? 1 : PARALLEL_COMMITS;
    for (let start = 0; start < rest.length; start += atOnce) {
      const commits = rest
        .slice(start, start + atOnce)
        .map((txn) => this.options.writer.commit(txn, context));
      // All of them have ended before the key may run again, whichever failed.
      await Promise.allSettled(commits);
      await Promise.all(commits);
    }
  }

  /** A service that was deleted by hand leaves these; its tasks are the task controller's. */
  private async deleteRemains(name: string, context: ReconcileContext): Promise<void> {
    const { world, keys } = this.options;
    if (world.services.isInvalid(name) || world.cache.historyBreak) return;
    const status = world.serviceStatuses.get(name);
    const statusKey = keys.serviceStatus(name);
    const parts = world.serviceRevisions
      .list()
      .filter(({ service, serviceUid }) => service === name && !this.hasTasks(serviceUid))
      .map(({ revision, metadata: { version } }): TxnPart => {
        const key = keys.serviceRevision(name, revision);
        return { compare: [atVersion(key, version)], operations: [remove(key)] };
      });
    if (status) {
      const compare = [atVersion(statusKey, status.version)];
      parts.push({ compare, operations: [remove(statusKey)] });
    }
    const nameIsFree = atVersion(keys.service(name), 0);
    await this.commitAll(
      parts.map((part) => ({ ...part, compare: [nameIsFree, ...part.compare] })),
      context,
    );
  }

  private hasTasks(serviceUid: string): boolean {
    return this.options.world.tasks.byIndex('service', serviceUid).length > 0;
  }
}

const deletesSomething = ({ operations }: TxnPart): boolean =>
  operations.some(({ kind }) => kind === 'delete');

function removesNothing(change: ServiceChange): boolean {
  if (change.kind === 'delete-revision' || change.kind === 'delete-service') return false;
  return change.kind !== 'set-desired-state' || change.desiredState !== 'remove';
}

function isSame(stored: StoredServiceStatus, found: ServiceStatus): boolean {
  const { version: _version, serviceUid: _uid, ...before } = stored;
  return isDeepStrictEqual(before, found);
}
