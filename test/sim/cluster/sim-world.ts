import type { StoredCluster } from '../../../api/v1/index.js';
import type { NodeCredentials } from '../../../pkg/agent/index.js';
import type { Logger } from '../../../pkg/log/index.js';
import { puts } from '../../../pkg/objects/index.js';
import { keysUnder } from '../../../pkg/store/index.js';
import type { FakeContainer } from '../../fakes/fake-container.js';
import { aNode } from '../../builders/objects.js';
import { SimEtcd, type EtcdObserver } from '../etcd/sim-etcd.js';
import { realTurn, type Surroundings } from '../machines/ambient.js';
import { Network, type Latency } from '../machines/network.js';
import { Random } from '../machines/random.js';
import { SimHost, type HostClock } from '../machines/sim-host.js';
import { SimProcess } from '../machines/sim-process.js';
import { Timeline } from '../machines/timeline.js';
import { Trace } from '../machines/trace.js';
import { traceLogger } from './trace-logger.js';
import { SimEngine } from './sim-engine.js';
import { SimManager, type ManagerService } from './sim-manager.js';
import { SimNode } from './sim-node.js';

/** How a world begins. */
export interface WorldShape {
  readonly seed: number;
  readonly managers: number;
  readonly nodes: readonly NodeShape[];
  readonly cluster: StoredCluster['spec'];
  readonly latency: Latency;
  /** Members of etcd. */
  readonly members: number;
  /** The first machines are each a manager, a node and a member of etcd; else everything has its own. */
  readonly isTogether: boolean;
  /** Of machines, in order: managers, then nodes. */
  readonly clocks: readonly HostClock[];
}

/** What a node is like. */
export interface NodeShape {
  readonly labels: Readonly<Record<string, string>>;
  readonly engineLabels: Readonly<Record<string, string>>;
  readonly cpus: number;
  readonly memoryGib: number;
  /** Names of its GPUs. */
  readonly gpus: readonly string[];
}

/** Who is told of what happens in a world. */
export interface WorldObserver extends EtcdObserver {
  /** A container has begun to run or has ended. */
  ran(node: SimNode, container: FakeContainer): void;
  /** A program said something that it only says when it is broken. */
  complained(who: string, what: string): void;
}

const CLUSTER_ID = 'simulated';
/** A supervisor starts a program again after this. */
const RESTART_MS = 1_000;

/** A whole cluster: etcd, managers and nodes, each a machine of its own, on one time line. */
export class SimWorld {
  readonly timeline = new Timeline(realTurn);
  readonly keys = keysUnder('/swarm');
  readonly trace: Trace;
  readonly network: Network;
  readonly etcd: SimEtcd;
  readonly managers: readonly SimManager[];
  readonly nodes: SimNode[] = [];
  /** What people and supervisors do is done from here. */
  readonly people: SimProcess;
  private readonly ambient: Random;
  private readonly machines: readonly SimHost[];
  private readonly running = new SimHost('nowhere');

  constructor(
    readonly shape: WorldShape,
    private readonly credentials: NodeCredentials,
    private readonly observer: WorldObserver,
    isRecording: boolean,
  ) {
    const { timeline } = this;
    const { seed } = shape;
    this.trace = new Trace(() => timeline.nowMs, isRecording);
    this.ambient = Random.of(seed, 'ambient');
    this.network = new Network(timeline, seed, shape.latency);
    this.machines = Array.from({ length: shape.managers + shape.nodes.length }, (_, index) => {
      const isManager = index < shape.managers;
      const name = isManager ? `m${String(index + 1)}` : `n${String(index + 1 - shape.managers)}`;
      return new SimHost(name, shape.clocks[index]);
    });
    const etcdHosts = Array.from({ length: shape.members }, (_, index) => {
      const isShared = shape.isTogether && index < shape.managers;
      const shared = isShared ? this.machines[index] : undefined;
      return shared ?? new SimHost(`e${String(index + 1)}`);
    });
    this.etcd = new SimEtcd(etcdHosts, this.network, timeline, seed);
    this.etcd.memory.onChange((change) => {
      observer.changed(change);
    });
    this.people = new SimProcess('people', new SimHost('people'), timeline);
    this.managers = Array.from({ length: shape.managers }, (_, index) => this.newManager(index));
    for (const [index, node] of shape.nodes.entries()) this.addNode(index, node);
  }

  /** What code of this world finds around it. */
  get surroundings(): Surroundings {
    const { timeline, ambient } = this;
    const host = () => timeline.running?.host ?? this.running;
    return {
      random: ambient.next,
      bytes: (count) => ambient.bytes(count),
      wallMs: () => host().wallMs(timeline.nowMs),
      monotonicMs: () => host().monotonicMs(timeline.nowMs),
      after: (ms, work) => {
        const happening = timeline.after(ms, work, timeline.running);
        return () => {
          happening.cancel();
        };
      },
    };
  }

  /** Writes what `swarm-manager init` and joining write, and starts every program. */
  start(): void {
    const { etcd, keys, shape } = this;
    const members = this.nodes.map(({ id, host }, index) => {
      const node = aNode(id, { labels: shape.nodes[index]?.labels ?? {} });
      return puts.node(keys, { ...node, metadata: { ...node.metadata, name: host.name } });
    });
    const operations = [puts.cluster(keys, theCluster(shape.cluster)), ...members];
    etcd.memory.commit({ compare: [], operations });
    for (const manager of this.managers) manager.start();
    for (const node of this.nodes) node.start();
  }

  managerAt = (address: string): SimManager | undefined =>
    this.managers.find((manager) => manager.address === address);

  node(id: string): SimNode | undefined {
    return this.nodes.find((node) => node.id === id);
  }

  /** The machine is alone, as after the loss of its power. */
  unplug(host: SimHost): void {
    for (const other of this.hosts) {
      this.network.cut(host, other);
      this.network.cut(other, host);
    }
  }

  plug(host: SimHost): void {
    for (const other of this.hosts) {
      this.network.mend(host, other);
      this.network.mend(other, host);
    }
  }

  /** Every machine, once. */
  get hosts(): readonly SimHost[] {
    const used = [...this.managers, ...this.nodes].map(({ host }) => host);
    return [...new Set([...used, ...this.etcd.hosts])];
  }

  /** A call of a person to one manager; what it answers is for the trace. */
  ask(
    manager: SimManager,
    what: string,
    call: (service: ManagerService) => Promise<unknown>,
  ): void {
    const { people, network, trace } = this;
    const work = () => {
      const { service } = manager;
      if (!service) return;
      call(service).then(
        () => {
          trace.note(manager.id, `did: ${what}`);
        },
        (error: unknown) => {
          trace.note(manager.id, `did not: ${what}`, () => `did not: ${what}: ${String(error)}`);
        },
      );
    };
    network.send({ from: people.host, to: manager.process, work });
  }

  private machine(index: number): SimHost {
    const found = this.machines[index];
    if (!found) throw new RangeError(`there is no machine ${String(index)}`);
    return found;
  }

  private newManager(index: number): SimManager {
    const id = `m${String(index + 1)}`;
    const host = this.machine(index);
    const { timeline, etcd, keys, observer } = this;
    return new SimManager(id, host, {
      timeline,
      etcd,
      keys,
      observer,
      clusterId: CLUSTER_ID,
      logOf: (process) => this.logOf(process),
      onExit: (manager, error) => {
        this.trace.note(manager.id, 'exited', () => `exited: ${String(error)}`);
        this.people.after(RESTART_MS + manager.restMs, () => {
          manager.start();
        });
        manager.restMs = 0;
      },
    });
  }

  private addNode(index: number, shape: NodeShape): void {
    const id = `n${String(index + 1)}`;
    const { managers, isTogether } = this.shape;
    const isShared = isTogether && index < managers;
    const host = this.machine(isShared ? index : managers + index);
    const { timeline, network, observer, credentials } = this;
    const engine = new SimEngine({
      host,
      timeline,
      seed: this.shape.seed,
      resources: {
        cpuNano: shape.cpus * 1e9,
        memoryBytes: shape.memoryGib * 2 ** 30,
        genericResources: shape.gpus.map((name) => ({ kind: 'gpu', type: 'named', name })),
      },
      engineLabels: shape.engineLabels,
      onRun: (container) => {
        observer.ran(node, container);
      },
    });
    const node = new SimNode(id, host, engine, {
      timeline,
      network,
      clusterId: CLUSTER_ID,
      credentials,
      managers: this.managers.map(({ address }) => address),
      managerAt: this.managerAt,
      logOf: (process) => this.logOf(process),
      onLeft: ({ id: who }) => {
        this.trace.note(who, 'left the cluster');
      },
    });
    this.nodes.push(node);
  }

  private logOf(process: SimProcess): Logger {
    return traceLogger(process.name, this.trace, (what) => {
      this.observer.complained(process.name, what);
    });
  }
}

function theCluster(spec: StoredCluster['spec']): StoredCluster {
  const sealed = {
    v: 1,
    alg: 'A256GCM',
    keyId: '',
    dataKey: { nonce: '', ciphertext: '', tag: '' },
    nonce: '',
    ciphertext: '',
    tag: '',
  } as const;
  const at = '2026-01-01T00:00:00.000Z';
  return {
    apiVersion: 'swarm/v1',
    kind: 'Cluster',
    metadata: {
      name: 'default',
      uid: CLUSTER_ID,
      version: 0,
      generation: 1,
      createdAt: at,
      updatedAt: at,
      labels: {},
    },
    spec,
    security: { caCertificate: '', caKey: sealed, workerToken: sealed, managerToken: sealed },
  };
}
