import { clusterWrites } from '../../../pkg/apiserver/resources/cluster-writes.js';
import type { MutableKind } from '../../../pkg/apiserver/resources/mutable-kind.js';
import { removeNode } from '../../../pkg/apiserver/resources/node-removal.js';
import { nodeResource } from '../../../pkg/apiserver/resources/node-resource.js';
import { nodeWrites } from '../../../pkg/apiserver/resources/node-writes.js';
import { ObjectWriter } from '../../../pkg/apiserver/resources/object-writer.js';
import { clusterResource } from '../../../pkg/apiserver/resources/other-resources.js';
import { serviceResource } from '../../../pkg/apiserver/resources/service-resource.js';
import { serviceWrites } from '../../../pkg/apiserver/resources/service-writes.js';
import { NodeSessions } from '../../../pkg/apiserver/sessions/node-sessions.js';
import { RunnableGroups, type Runnable } from '../../../pkg/controller/index.js';
import type { Logger } from '../../../pkg/log/index.js';
import { createManagerMetrics } from '../../../pkg/metrics/index.js';
import type { World } from '../../../pkg/objects/index.js';
import type { Keys } from '../../../pkg/store/index.js';
import { managerCore, type ManagerCore } from '../../../cmd/manager/core.js';
import type { EtcdObserver, SimEtcd } from '../etcd/sim-etcd.js';
import { SimStore } from '../etcd/sim-store.js';
import type { SimHost } from '../machines/sim-host.js';
import { SimProcess } from '../machines/sim-process.js';
import type { Timeline } from '../machines/timeline.js';

/** What the managers of one world share. */
export interface ManagerWorld {
  readonly timeline: Timeline;
  readonly etcd: SimEtcd;
  readonly keys: Keys;
  readonly clusterId: string;
  readonly observer: EtcdObserver;
  logOf(process: SimProcess): Logger;
  /** A manager's program has ended by itself. */
  onExit(manager: SimManager, error: unknown): void;
}

/** What a manager serves: its API without HTTP. */
export interface ManagerService {
  readonly sessions: NodeSessions;
  readonly world: World;
  readonly writer: ObjectWriter;
  readonly kinds: {
    readonly services: MutableKind;
    readonly nodes: MutableKind;
    readonly clusters: MutableKind;
  };
  removeNode(nodeId: string, force: boolean): Promise<unknown>;
}

/** For calls that nobody cuts short: one for each, as whatever listens to it lives as long as it does. */
const never = (): AbortSignal => new AbortController().signal;

/** A manager on a host of its own: the program that cmd/manager wires, but for HTTP and certificates. */
export class SimManager {
  process: SimProcess;
  /** While it serves. */
  service: ManagerService | undefined;
  core: ManagerCore | undefined;
  /** How long it stays away after it has ended. */
  restMs = 0;
  private starts = 0;
  private stopping = new AbortController();

  constructor(
    readonly id: string,
    readonly host: SimHost,
    private readonly around: ManagerWorld,
  ) {
    this.process = this.newProcess();
  }

  get address(): string {
    return `${this.host.name}:2377`;
  }

  start(): void {
    if (this.starts > 0 && !this.process.isDead) return;
    this.process = this.newProcess();
    this.starts += 1;
    this.stopping = new AbortController();
    const { process } = this;
    process.after(0, () => void this.run(process));
  }

  /** SIGKILL. */
  kill(): void {
    this.process.kill();
    this.service = undefined;
    this.core = undefined;
  }

  /** SIGTERM; started again when it has ended and this time is over. */
  stop(restMs: number): void {
    const { stopping } = this;
    this.restMs = restMs;
    this.process.after(0, () => {
      stopping.abort(new Error('SIGTERM'));
    });
  }

  private newProcess(): SimProcess {
    const name = `${this.id}.${String(this.starts + 1)}`;
    return new SimProcess(name, this.host, this.around.timeline);
  }

  private async run(process: SimProcess): Promise<void> {
    let failure: unknown;
    try {
      await this.work(process);
    } catch (error) {
      failure = error;
    }
    this.kill();
    this.around.onExit(this, failure);
  }

  private async work(process: SimProcess): Promise<void> {
    const { etcd, observer, keys } = this.around;
    const { clock } = process;
    const log = this.around.logOf(process);
    const store = new SimStore({ etcd, process, observer });
    const startedAt = clock.now().toISOString();
    const core = managerCore({
      store,
      keys,
      clock,
      log,
      metrics: createManagerMetrics(),
      managerId: this.id,
      hostname: this.host.name,
      address: this.address,
      softwareVersion: '0.1.0',
      startedAt,
      leaderStopMs: 1_500,
    });
    this.core = core;
    const { cache, recorder, presence, leading } = core;
    const api = this.api({ core, store, log, process, startedAt });
    const groups = [
      { name: 'caches', runnables: [cache], stopTimeoutMs: 500 },
      { name: 'serving', runnables: [recorder, api, presence], stopTimeoutMs: 2_000 },
      { name: 'leading', runnables: [leading], stopTimeoutMs: 1_500 },
    ];
    await new RunnableGroups({ groups, clock, log }).run(this.stopping.signal);
  }

  private api({ core, store, log, process, startedAt }: ApiParts): Runnable {
    const { keys, clusterId } = this.around;
    const { world, recorder: events } = core;
    const common = { world, store, keys, clock: process.clock, log };
    const holder = { managerId: this.id, startedAt, clusterId };
    const sessions = new NodeSessions({ ...common, ...holder, events });
    const nodes = nodeResource(world);
    return {
      name: 'api',
      run: async (signal, ready) => {
        const running = sessions.run(signal);
        this.service = {
          sessions,
          world,
          writer: new ObjectWriter({ ...common, cache: world.cache }),
          kinds: {
            services: serviceWrites(serviceResource(world)),
            nodes: nodeWrites(nodes),
            clusters: clusterWrites(clusterResource(world, () => [])),
          },
          removeNode: (nodeId, force) =>
            removeNode(
              { ...common, resource: nodes },
              { nodeId, force, version: undefined, dryRun: false, signal: never() },
            ),
        };
        ready();
        await running;
        this.service = undefined;
        sessions.closeAll();
      },
    };
  }
}

interface ApiParts {
  readonly core: ManagerCore;
  readonly store: SimStore;
  readonly log: Logger;
  readonly process: SimProcess;
  readonly startedAt: string;
}
