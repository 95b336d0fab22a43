/** Amounts a node has or a task reserves. All are whole numbers; absent kinds are 0. */
export interface Resources {
  /** Billionths of a CPU: 1 CPU = 1e9. */
  readonly cpuNano: number;
  readonly memoryBytes: number;
  /** Generic resources by kind, e.g. `{ gpu: 2 }`. Named ones are given as their number. */
  readonly generic?: Readonly<Record<string, number>> | undefined;
}

/** What an engine plugin provides. */
export type PluginType = 'Volume' | 'Network' | 'Log';

/** An engine plugin: reported by a node, or needed by a task. */
export interface Plugin {
  readonly type: PluginType;
  readonly name: string;
}

/** An operating system and architecture in any spelling; an absent or empty part means any. */
export interface Platform {
  readonly os?: string | undefined;
  readonly architecture?: string | undefined;
}

/** Ports of different protocols do not get in each other's way. */
export type PortProtocol = 'tcp' | 'udp' | 'sctp';

/** A fixed port that a task occupies on its host. */
export interface HostPort {
  readonly protocol: PortProtocol;
  readonly port: number;
}

/** Everything placement may ask about a node. Readonly: hand over a new object to change a node. */
export interface SchedulingNode {
  readonly id: string;
  readonly hostname: string;
  /** IP address of the node, without port; empty or absent when unknown. */
  readonly address?: string | undefined;
  readonly role: 'manager' | 'worker';
  /** Operating system and architecture as the engine reports them, e.g. `linux`, `x86_64`. */
  readonly os: string;
  readonly architecture: string;
  /** Version of its kernel, e.g. `6.1.0-18-amd64`. */
  readonly kernel?: string | undefined;
  readonly engineVersion?: string | undefined;
  /** What the engine keeps images and containers with, e.g. `overlay2`. */
  readonly storageDriver?: string | undefined;
  readonly availability: 'active' | 'pause' | 'drain';
  readonly ready: boolean;
  /** A few words that many nodes can share, e.g. `heartbeat lost`. Default `not ready`. */
  readonly reasonNotReady?: string | undefined;
  readonly nodeLabels: Readonly<Record<string, string>>;
  readonly engineLabels: Readonly<Record<string, string>>;
  /** What the node has in total, not what is left. */
  readonly resources: Resources;
  /** Absent when the engine has not described itself: then no plugin is thought missing. */
  readonly plugins?: readonly Plugin[] | undefined;
}

/**
 * A task that holds something on a node: from being assigned until it is observed to have ended.
 * A task that ended must be removed; one that was only told to stop keeps its resources and ports.
 */
export interface PlacedTask {
  readonly taskId: string;
  readonly serviceId: string;
  readonly nodeId: string;
  readonly reservations?: Resources | undefined;
  readonly hostPorts?: readonly HostPort[] | undefined;
  /** True while the task is wanted (desired running or completed): then it counts for spreading. */
  readonly countsForSpread: boolean;
}

/** A task that waits for a node. */
export interface PendingTask {
  readonly id: string;
  /** Set for tasks of global services: this node or none. */
  readonly preassignedNodeId?: string | undefined;
}

/** Spreads tasks evenly over the values of a node attribute; several nest, the first is the outermost. */
export interface SpreadPreference {
  /** An attribute as in constraints, e.g. `node.labels.az`. */
  readonly spread: string;
}

/** Pending tasks of one service revision: equal in all that placement looks at. */
export interface TaskGroup {
  readonly serviceId: string;
  readonly revision: number;
  /** Place in the queue, smaller first, e.g. the create-revision of the oldest pending task. */
  readonly position: number;
  /** Placed in this order: when there is room for some only, the first ones get it. */
  readonly tasks: readonly PendingTask[];
  readonly reservations?: Resources | undefined;
  /** Constraint expressions, all of which must hold. One that does not parse fails every node. */
  readonly constraints?: readonly string[] | undefined;
  /** Preferences that do not parse are ignored: a preference never keeps a task from running. */
  readonly preferences?: readonly SpreadPreference[] | undefined;
  /** Platforms of the image; none or empty means any. */
  readonly platforms?: readonly Platform[] | undefined;
  readonly hostPorts?: readonly HostPort[] | undefined;
  /** Most active tasks of the service on one node; 0 or absent means no limit. */
  readonly maxReplicasPerNode?: number | undefined;
  readonly plugins?: readonly Plugin[] | undefined;
  /** Failures of this service revision by node id in the caller's window; from 5 on a node ranks lower. */
  readonly recentFailures?: ReadonlyMap<string, number> | undefined;
}

/** A decision: this task runs on this node. */
export interface Placement {
  readonly taskId: string;
  readonly nodeId: string;
}

/** The filters in the order in which they are asked. */
export type FilterName =
  'ready' | 'resources' | 'plugins' | 'constraints' | 'platform' | 'host-ports' | 'max-replicas';

/** How many nodes failed a filter first, for one reason. */
export interface FilterCount {
  readonly filter: FilterName;
  readonly count: number;
  readonly message: string;
}

/** A task without a node, and why. */
export interface UnplacedTask {
  readonly taskId: string;
  /** E.g. `0/5 nodes: 3 insufficient memory, 2 constraint node.labels.disk == ssd`. */
  readonly reason: string;
  /** The same for programs, highest count first; every node is in one of the counts. */
  readonly counts: readonly FilterCount[];
}

/** Every task that was asked about is in exactly one of the two lists. */
export interface ScheduleResult {
  readonly placements: readonly Placement[];
  readonly unplaced: readonly UnplacedTask[];
}

/** What a node says to a group of tasks. */
export interface NodeVerdict {
  readonly nodeId: string;
  readonly hostname: string;
  readonly ok: boolean;
  /** The first filter that failed; absent when `ok`. */
  readonly filter?: FilterName;
  readonly message: string;
}
