import { hostname } from 'node:os';
import packageJson from '../../package.json' with { type: 'json' };
import { decodeEntry, keysUnder, type EtcdStore, type Keys } from '../../pkg/store/index.js';
import type { StoredCluster } from '../../api/v1/index.js';
import { ApiServer } from '../../pkg/apiserver/index.js';
import { NotFoundError, SystemClock, type Clock } from '../../pkg/base/index.js';
import { formatHostPort, type Options } from '../../pkg/config/index.js';
import { RunnableGroups, type Runnable, type RunnableGroup } from '../../pkg/controller/index.js';
import { eventLogOf, events as eventCollection } from '../../pkg/events/index.js';
import { WatchedWorldCache } from '../../pkg/informer/index.js';
import { createLogger, type Logger } from '../../pkg/log/index.js';
import { createManagerMetrics, observeEtcd, type ManagerMetrics } from '../../pkg/metrics/index.js';
import { cluster as clusterCollection } from '../../pkg/objects/index.js';
import { createSealer, type Sealer } from '../../pkg/pki/index.js';
import { CertificateRenewal } from './certificate-renewal.js';
import { ensureCertificate, type OwnCertificate } from './certificates.js';
import { managerCore } from './core.js';
import { EtcdCredentials } from './etcd-credentials.js';
import { EtcdHealth } from './etcd-health.js';
import { onceEtcdAnswers, openEtcd, readEtcdTls, requireGoodEtcd } from './etcd.js';
import { ManagerHealth } from './manager-health.js';
import { observability } from './observability.js';
import { ForecastPlanner } from './planner.js';
import type { runOptions } from './options.js';
import { StateFolder } from './state-folder.js';
import { collectCluster, collectRollouts } from './world-metrics.js';

type RunOptions = Options<typeof runOptions>;

/** How long each group may take to end; together under five seconds. */
const STOP_MS = { leader: 1_500, serving: 2_000, caches: 500, observability: 500 } as const;

/**
 * Builds a manager, bottom up, and lets it work until it is asked to end.
 * Errors: whatever it cannot live with; a manager that was restarted is a clean one.
 */
export async function runManager(options: RunOptions, signal: AbortSignal): Promise<void> {
  const clock = new SystemClock();
  const log = createLogger({ level: options.logLevel, name: 'swarm-manager' });
  const metrics = createManagerMetrics();
  const health = new ManagerHealth();
  const folder = new StateFolder(options.stateDir);
  const sealer = createSealer(await folder.loadKey());
  const store = await openEtcd(options, { clock, observer: observeEtcd(metrics.of.etcd) });
  const ground: Ground = { options, clock, log, metrics, health, folder, sealer, store };
  try {
    await new RunnableGroups({ groups: groupsOf(ground), clock, log }).run(signal);
    log.info({}, 'manager ended');
  } finally {
    await store.close();
  }
}

/** What every part of the manager stands on. */
interface Ground {
  readonly options: RunOptions;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: ManagerMetrics;
  readonly health: ManagerHealth;
  readonly folder: StateFolder;
  readonly sealer: Sealer;
  readonly store: EtcdStore;
}

/** Probes first, so that a manager that waits for etcd can say so. */
function groupsOf(ground: Ground): readonly RunnableGroup[] {
  const { options, metrics, health } = ground;
  return [
    {
      name: 'observability',
      runnables: [
        observability({
          listen: options.metricsListen,
          metrics,
          health,
          version: packageJson.version,
        }),
      ],
      stopTimeoutMs: STOP_MS.observability,
    },
    {
      name: 'etcd',
      runnables: [new EtcdCredentials({ ...ground, read: () => readEtcdTls(options) })],
      stopTimeoutMs: STOP_MS.observability,
    },
    {
      name: 'manager',
      runnables: [managerOn(ground)],
      stopTimeoutMs: STOP_MS.leader + STOP_MS.serving + STOP_MS.caches,
    },
  ];
}

/** The manager itself, once etcd answers and the cluster is there. */
function managerOn(ground: Ground): Runnable {
  const { clock, log } = ground;
  return {
    name: 'manager',
    run: async (signal, ready) => {
      const keys = keysUnder(ground.options.etcdPrefix);
      const found = await onceEtcdAnswers(() => findCluster(ground, keys, signal), {
        clock,
        log,
        signal,
      });
      const own = await ensureCertificate({ ...ground, cluster: found });
      const parts = assemble({ ...ground, keys, cluster: found, own });
      await new RunnableGroups({ groups: parts, clock, log }).run(signal, ready);
    },
  };
}

async function findCluster(
  { store, log }: Ground,
  keys: Keys,
  signal: AbortSignal,
): Promise<StoredCluster> {
  await requireGoodEtcd(store, log, signal);
  const entry = await store.get(keys.cluster, { signal });
  if (!entry) {
    throw new NotFoundError(
      `there is no cluster at ${keys.cluster}: run swarm-manager init, or restore, first`,
    );
  }
  const { modRevision, createRevision } = entry;
  const { value } = decodeEntry(entry);
  return clusterCollection.decode(value, { key: '', modRevision, createRevision });
}

interface Cluster extends Ground {
  readonly keys: Keys;
  readonly cluster: StoredCluster;
  readonly own: OwnCertificate;
}

function assemble(ground: Cluster): readonly RunnableGroup[] {
  const base = { ...ground, log: ground.log.child({ managerId: ground.own.managerId }) };
  const { options, metrics, own } = base;
  const startedAt = base.clock.now().toISOString();
  const core = managerCore({
    ...base,
    managerId: own.managerId,
    hostname: hostname(),
    address: formatHostPort(options.advertise),
    softwareVersion: packageJson.version,
    startedAt,
    leaderStopMs: STOP_MS.leader,
  });
  const { cache, world, recorder, presence, leading } = core;
  const eventCache = eventsCache(base);
  const clusterId = base.cluster.metadata.uid;
  const etcd = new EtcdHealth({ ...base, events: recorder, clusterId });
  const server = new ApiServer({
    ...base,
    world,
    events: recorder,
    eventLog: eventLogOf(eventCache),
    managerId: own.managerId,
    startedAt,
    clusterId,
    storeTroubles: () => etcd.troubles,
    version: packageJson.version,
    credentials: own.credentials,
    planner: new ForecastPlanner({ ...base, world }),
    listen: options.listen,
    metrics: metrics.of.api,
  });
  const renewal = new CertificateRenewal({ ...base, world, server });
  etcd.collect(metrics.of.etcd);
  collectCluster(metrics.of.cluster, world, base.clock);
  collectRollouts(metrics.of.rollout, world);
  // By our own cache: what we see there, others do, too.
  const isRegistered = () => presence.isPresent && world.managers.get(own.managerId) !== undefined;
  base.health.watch({ cache, server, isRegistered, etcd });
  return [
    { name: 'caches', runnables: [cache, eventCache, etcd], stopTimeoutMs: STOP_MS.caches },
    {
      name: 'serving',
      runnables: [recorder, server, presence, renewal],
      stopTimeoutMs: STOP_MS.serving,
    },
    { name: 'leading', runnables: [leading], stopTimeoutMs: STOP_MS.leader },
  ];
}

/** Events live beside the world, so that its watch does not carry them. */
function eventsCache({ store, keys, clock, log }: Cluster): WatchedWorldCache {
  return new WatchedWorldCache({
    store,
    root: keys.eventsRoot,
    collections: [eventCollection],
    clock,
    log: log.child({ cache: 'events' }),
  });
}
