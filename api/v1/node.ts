import { Type, type Static } from 'typebox';
import { Applied } from './applied.js';
import type { HistoryLost } from './history.js';
import { Condition, ObjectMeta, Timestamp, type StoredMeta } from './common.js';

const closed = { additionalProperties: false } as const;

/** What an operator wants of a node. Its labels are `metadata.labels`. */
export const NodeSpec = Type.Object(
  {
    role: Type.Enum(['worker', 'manager'], {
      description: 'By which token it joined; it cannot be changed yet.',
    }),
    availability: Type.Enum(['active', 'pause', 'drain'], {
      default: 'active',
      description: 'pause: no new tasks. drain: no new tasks and running ones move elsewhere.',
    }),
    drainMode: Type.Optional(
      Type.Enum(['gentle', 'force'], {
        default: 'gentle',
        description:
          'Of a drain. gentle: tasks go on until others have taken their place, as `disruption` of their service says. force: they stop at once.',
      }),
    ),
  },
  { ...closed, description: 'What an operator wants of the node.' },
);
export type NodeSpec = Static<typeof NodeSpec>;

/** What a node says of itself when it opens a session. */
export const NodeDescription = Type.Object({
  hostname: Type.String(),
  os: Type.String(),
  architecture: Type.String(),
  cpuNano: Type.Integer({ minimum: 0, description: 'CPUs in billionths.' }),
  memoryBytes: Type.Integer({ minimum: 0 }),
  engineVersion: Type.String(),
  engineApiVersion: Type.String(),
  engineId: Type.String(),
  engineLabels: Type.Record(Type.String(), Type.String()),
  plugins: Type.Object({
    volume: Type.Array(Type.String()),
    network: Type.Array(Type.String()),
    log: Type.Array(Type.String()),
  }),
  genericResources: Type.Record(Type.String(), Type.Integer(), {
    description: 'By kind; named ones are counted here, too.',
  }),
  namedResources: Type.Optional(
    Type.Record(Type.String(), Type.Array(Type.String()), {
      description: 'Ids by kind of the generic resources that have names.',
    }),
  ),
  kernelVersion: Type.String(),
  storageDriver: Type.Optional(
    Type.String({ description: 'What the engine keeps images and containers with.' }),
  ),
  operatingSystem: Type.String(),
  agentVersion: Type.String(),
});
export type NodeDescription = Static<typeof NodeDescription>;

/** The session of a node as its manager sees it. */
export const NodeSession = Type.Object({
  epoch: Type.Integer({
    minimum: 0,
    description: 'Grows with each session; fences reports of older ones.',
  }),
  managerId: Type.String(),
  managerStartedAt: Type.Optional(
    Type.String({
      description: 'Which run of that manager holds it: as in the record of the manager.',
    }),
  ),
  open: Type.Boolean(),
  reason: Type.String({ description: 'Why it is closed, such as "heartbeat failure".' }),
  changedAt: Timestamp,
});
export type NodeSession = Static<typeof NodeSession>;

/** ready: takes tasks. unknown: not heard of, nothing restarted yet. lost: its tasks are replaced. */
export const NODE_STATES = ['ready', 'unknown', 'lost'] as const;
export type NodeState = (typeof NODE_STATES)[number];

/** What was found about a node. */
export const NodeStatus = Type.Object({
  state: Type.Enum([...NODE_STATES]),
  reason: Type.String(),
  since: Timestamp,
  address: Type.String({ description: 'Where the manager sees the node.' }),
  description: Type.Optional(NodeDescription),
  session: Type.Optional(NodeSession),
  certificateExpiresAt: Type.Optional(Timestamp),
  tasks: Type.Optional(
    Type.Object(
      { running: Type.Integer(), wanted: Type.Integer() },
      { description: 'Counted by the server.' },
    ),
  ),
  conditions: Type.Array(Condition),
});
export type NodeStatus = Static<typeof NodeStatus>;

/** A host with a Docker Engine and an agent. */
export const Node = Type.Object(
  {
    apiVersion: Type.Literal('swarm/v1'),
    kind: Type.Literal('Node'),
    metadata: ObjectMeta,
    spec: NodeSpec,
    status: Type.Optional(NodeStatus),
    applied: Type.Optional(Applied),
  },
  { ...closed, description: 'A host with a Docker Engine and an agent.' },
);
export type Node = Static<typeof Node>;

/** The desired half as stored, at key nodes/<id>. `metadata.name` is the hostname, `metadata.uid` the id. */
export interface StoredNode {
  readonly apiVersion: 'swarm/v1';
  readonly kind: 'Node';
  readonly metadata: StoredMeta;
  readonly spec: NodeSpec;
  readonly applied?: Applied;
}

/** What the session's manager stores, at key node-status/<id>. */
export interface StoredNodeStatus {
  readonly nodeId: string;
  readonly address: string;
  readonly description: NodeDescription;
  readonly session: NodeSession;
  readonly certificateExpiresAt?: string;
  /** False when the agent vouched that its engine does not answer. */
  readonly engineHealthy: boolean;
  readonly engineMessage?: string;
  /** Set while the node believes that the store lost history: it is frozen. */
  readonly historyLost?: HistoryLost;
  readonly version: number;
}

/** The leader's verdict, at key node-health/<id>. */
export interface StoredNodeHealth {
  readonly nodeId: string;
  readonly state: NodeState;
  readonly reason: string;
  readonly since: string;
  /** Session epoch the verdict rests on. */
  readonly epoch: number;
  readonly version: number;
}
