/** Amounts a node has or a task reserves. All are whole numbers; absent kinds are 0. */
export interface Resources {
  /** Billionths of a CPU: 1 CPU = 1e9. */
  readonly cpuNano: number;
  readonly memoryBytes: number;
  /** Generic resources by kind, e.g. `{ gpu: 2 }`. Named ones are given as their number. */
  readonly generic?: Readonly<Record<string, number>> | undefined;
}

/** Generic resources that a task was given, by kind: the ids of named ones, the number of others. */
export type AssignedResources = Readonly<Record<string, readonly string[] | number>>;

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
  /** Ids by kind of generic resources that have names; `resources.generic` counts them, too. */
  readonly namedResources?: Readonly<Record<string, readonly string[]>> | undefined;
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
  /** What it was given when it was placed: never recomputed, and nobody else's until it ended. */
  readonly assigned?: AssignedResources | undefined;
  readonly hostPorts?: readonly HostPort[] | undefined;
  /** Other services whose tasks must not come near it: its own required anti-affinities. */
  readonly avoids?: readonly Avoidance[] | undefined;
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

/** How the nodes that pass are ranked: the emptiest first, the fullest first, or by lot. */
export type Strategy = 'spread' | 'binpack' | 'random';

/** A constraint that should hold, and how much that matters beside others of the kind. */
export interface SoftConstraint {
  readonly constraint: string;
  readonly weight: number;
}

/** At most so many active tasks of the service on all nodes of one value of an attribute. */
export interface MaxPer {
  /** An attribute as in constraints, e.g. `node.labels.rack`. */
  readonly key: string;
  readonly max: number;
}

/** Another service (or the same) whose tasks should be near, or far. */
export interface AffinityTerm {
  /** Its name, for messages. */
  readonly service: string;
  /** Its id; absent when there is no such service. */
  readonly serviceId?: string | undefined;
  /** Near is what has the same value of this attribute. Default `node.id`: the same node. */
  readonly topology?: string | undefined;
  /** Absent: required. */
  readonly weight?: number | undefined;
}

/** A required anti-affinity as the other service has to heed it. */
export interface Avoidance {
  /** Name of the service whose tasks are to stay away. */
  readonly service: string;
  /** Name of the service that wants it. */
  readonly by: string;
  readonly topology: string;
}

/** Pending tasks of one service revision: equal in all that placement looks at. */
export interface TaskGroup {
  readonly serviceId: string;
  /** By which anti-affinities of others name it. */
  readonly serviceName?: string | undefined;
  readonly revision: number;
  /** Groups of a higher priority are placed first. Default 0. */
  readonly priority?: number | undefined;
  /** Its tasks may send tasks of a lower priority away; see {@link planPreemption}. Default false. */
  readonly mayPreempt?: boolean | undefined;
  /** Place in the queue among groups of one priority, smaller first, e.g. the create-revision of the oldest pending task. */
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
  /** The same per value of other attributes. A key that does not parse fails every node. */
  readonly maxPer?: readonly MaxPer[] | undefined;
  /** Required ones are filters, weighted ones rank nodes. */
  readonly affinity?: readonly AffinityTerm[] | undefined;
  readonly antiAffinity?: readonly AffinityTerm[] | undefined;
  /** Those that do not parse are ignored, as preferences are. */
  readonly soft?: readonly SoftConstraint[] | undefined;
  /** Default `spread`. */
  readonly strategy?: Strategy | undefined;
  readonly plugins?: readonly Plugin[] | undefined;
  /** Failures of this service revision by node id in the caller's window; from 5 on a node ranks lower. */
  readonly recentFailures?: ReadonlyMap<string, number> | undefined;
}

/** A decision: this task runs on this node. */
export interface Placement {
  readonly taskId: string;
  readonly nodeId: string;
  /** The generic resources it gets; to be recorded on the task. Absent when it reserves none. */
  readonly resources?: AssignedResources;
}

/** The filters in the order in which they are asked. */
export const FILTER_NAMES = [
  'ready',
  'resources',
  'plugins',
  'constraints',
  'platform',
  'host-ports',
  'max-replicas',
  'max-per',
  'affinity',
  'anti-affinity',
] as const;
export type FilterName = (typeof FILTER_NAMES)[number];

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
