import type { StoredCluster, StoredService, StoredTask } from '../../api/v1/index.js';
import { cronJobController, CronJobReconciler } from '../../controllers/cron-job/index.js';
import { jobController, JobReconciler } from '../../controllers/job/index.js';
import { nodeHealthController, NodeHealthReconciler } from '../../controllers/node-health/index.js';
import { serviceController, ServiceReconciler } from '../../controllers/service/index.js';
import {
  enforcementController,
  EnforcementReconciler,
  placementController,
  PlacementReconciler,
  slotController,
  SlotReconciler,
} from '../../controllers/task/index.js';
import type { Clock } from '../../pkg/base/index.js';
import {
  ControllerRunner,
  FencedWriter,
  type ControllerObserver,
  type GuardedWriter,
} from '../../pkg/controller/index.js';
import type { EventRecorder, EventReport } from '../../pkg/events/index.js';
import { WatchedWorldCache } from '../../pkg/informer/index.js';
import { taskView, type TaskView } from '../../pkg/lifecycle/index.js';
import { nullLogger, type Logger } from '../../pkg/log/index.js';
import { allCollections, puts, worldOf, type World } from '../../pkg/objects/index.js';
import { keysUnder, type Store } from '../../pkg/store/index.js';
import { BUILT_AT } from '../builders/objects.js';
import { FakeTerm } from './fake-term.js';

/** What a {@link ControlPlane} is made of. */
export interface ControlPlaneOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log?: Logger;
  readonly observer?: ControllerObserver;
  /** Stands between controllers and store, such as one that crashes. */
  readonly wrapWriter?: (writer: GuardedWriter) => GuardedWriter;
}

/** Remembers what it is told. */
export class RecordedEvents implements EventRecorder {
  readonly reports: EventReport[] = [];

  record(report: EventReport): void {
    this.reports.push(report);
  }

  /** Messages of the events with this reason. */
  messages(reason: string): readonly string[] {
    return this.reports.filter((each) => each.reason === reason).map(({ message }) => message);
  }
}

/** The leader's half of a manager: one world cache and all controllers, on any store. */
export class ControlPlane {
  readonly keys = keysUnder('/test');
  readonly world: World;
  readonly events = new RecordedEvents();
  private readonly cache: WatchedWorldCache;
  private readonly stopping = new AbortController();
  private cacheRun: Promise<void> = Promise.resolve();
  private term: { readonly end: () => Promise<void> } | undefined;

  constructor(private readonly options: ControlPlaneOptions) {
    const { store, clock, log = nullLogger } = options;
    this.cache = new WatchedWorldCache({
      store,
      root: this.keys.root,
      collections: allCollections,
      clock,
      log,
      random: () => 0.5,
    });
    this.world = worldOf(this.cache);
  }

  /** Makes the cluster object and the manager's key unless they are there, and fills the cache. */
  async start(spec: StoredCluster['spec'] = {}): Promise<void> {
    const { store } = this.options;
    if (!(await store.get(this.keys.cluster))) await this.initialise(spec);
    this.cacheRun = this.cache.run(this.stopping.signal);
    await this.cache.synced;
  }

  /** Begins a term as leader with all controllers. */
  async lead(): Promise<void> {
    const { store, clock, log = nullLogger, observer, wrapWriter } = this.options;
    const epoch = await this.acquireLeadership();
    const term = new FakeTerm(epoch, this.keys.leader);
    const fenced = new FencedWriter(store);
    const writer = wrapWriter ? wrapWriter(fenced) : fenced;
    const parts = { world: this.world, keys: this.keys, writer, clock, events: this.events };
    const pairs = [
      [serviceController, new ServiceReconciler(parts)],
      [jobController, new JobReconciler(parts)],
      [cronJobController, new CronJobReconciler(parts)],
      [placementController, new PlacementReconciler(parts)],
      [slotController, new SlotReconciler(parts)],
      [enforcementController, new EnforcementReconciler(parts)],
      [nodeHealthController, new NodeHealthReconciler(parts)],
    ] as const;
    const runs = pairs.map(([definition, reconciler]) =>
      new ControllerRunner({
        definition,
        reconciler,
        world: this.cache,
        term,
        clock,
        log,
        random: () => 0.5,
        ...(observer && { observer }),
      }).run(this.stopping.signal),
    );
    this.term = {
      end: async () => {
        term.end('the test ends it');
        await Promise.all(runs);
      },
    };
  }

  /** Ends the term, as a crash or the loss of the lease does. */
  async resign(): Promise<void> {
    await this.term?.end();
    this.term = undefined;
  }

  async stop(): Promise<void> {
    await this.resign();
    this.stopping.abort();
    await this.cacheRun;
  }

  /** Writes a service, as the API does: metadata follow the one that is stored. */
  async apply(service: StoredService): Promise<void> {
    const { store, clock } = this.options;
    const { name } = service.metadata;
    const stored = this.world.services.get(name);
    const now = clock.now().toISOString();
    const metadata = {
      ...service.metadata,
      generation: (stored?.metadata.generation ?? 0) + 1,
      createdAt: stored?.metadata.createdAt ?? now,
      updatedAt: now,
    };
    const revision = await store.commit({
      compare: [],
      operations: [puts.service(this.keys, { ...service, metadata })],
    });
    await this.cache.waitForRevision(revision);
  }

  /** Asks for a service's deletion, as the API does. */
  async delete(name: string): Promise<void> {
    const service = this.world.services.get(name);
    if (!service) return;
    const deletingAt = this.options.clock.now().toISOString();
    await this.apply({ ...service, metadata: { ...service.metadata, deletingAt } });
  }

  /** All tasks of a service, both halves. */
  tasksOf(service: string): readonly TaskView[] {
    return this.world.tasks
      .list()
      .filter(({ spec }) => spec.service === service)
      .map((task: StoredTask) => taskView(task, this.world.taskStatuses.get(task.metadata.uid)));
  }

  private async initialise(spec: StoredCluster['spec']): Promise<void> {
    const cluster: StoredCluster = {
      apiVersion: 'swarm/v1',
      kind: 'Cluster',
      metadata: {
        name: 'default',
        uid: 'cluster',
        version: 0,
        generation: 1,
        createdAt: BUILT_AT,
        updatedAt: BUILT_AT,
        labels: {},
      },
      spec,
      security: { caCertificate: '', caKey: SEALED, workerToken: SEALED, managerToken: SEALED },
    };
    const manager = {
      id: 'm1',
      hostname: 'm1',
      address: '10.0.0.1:2377',
      softwareVersion: '0.1.0',
      startedAt: BUILT_AT,
    };
    await this.options.store.commit({
      compare: [],
      operations: [
        puts.cluster(this.keys, cluster),
        { kind: 'put', key: this.keys.manager('m1'), value: manager },
      ],
    });
  }

  /** A new leader key for each term: its create revision is the fence. */
  private async acquireLeadership(): Promise<number> {
    const { store } = this.options;
    await store.commit({ compare: [], operations: [{ kind: 'delete', key: this.keys.leader }] });
    const value = { managerId: 'm1', address: '10.0.0.1:2377' };
    const operations = [{ kind: 'put', key: this.keys.leader, value } as const];
    return store.commit({ compare: [], operations });
  }
}

/** Nothing here opens it. */
const SEALED = {
  v: 1,
  alg: 'A256GCM',
  keyId: '',
  dataKey: { nonce: '', ciphertext: '', tag: '' },
  nonce: '',
  ciphertext: '',
  tag: '',
} as const;
