import { Type, type Static } from 'typebox';
import { Timestamp } from './common.js';
import { HistoryLost, HistoryMark, StoreFacts } from './history.js';
import { NodeDescription } from './node.js';
import { RevisionTemplate } from './service-revision.js';
import { AssignedResources, DESIRED_STATES, TaskReport } from './task.js';

/** Why this protocol: DESIGN 7. The agent opens every connection; NDJSON down, batches up. */

/** A node asks to join. */
export const JoinRequest = Type.Object({
  token: Type.String({ minLength: 1 }),
  csr: Type.String({ minLength: 1, description: 'PEM certificate request.' }),
  hostname: Type.String({ minLength: 1, maxLength: 253 }),
  availability: Type.Optional(Type.Enum(['active', 'pause', 'drain'])),
});
export type JoinRequest = Static<typeof JoinRequest>;

/** What a node needs to be one. */
export const JoinResponse = Type.Object({
  nodeId: Type.String(),
  clusterId: Type.String(),
  role: Type.Enum(['worker', 'manager']),
  certificate: Type.String({ description: 'PEM.' }),
  caCertificate: Type.String({ description: 'PEM.' }),
  managers: Type.Array(Type.String(), { description: 'Addresses of all managers.' }),
});
export type JoinResponse = Static<typeof JoinResponse>;

/** A certificate for the caller's identity and a key it already holds. */
export const RenewRequest = Type.Object({ csr: Type.String({ minLength: 1 }) });
export type RenewRequest = Static<typeof RenewRequest>;
export const RenewResponse = Type.Object({
  certificate: Type.String(),
  caCertificate: Type.String(),
});
export type RenewResponse = Static<typeof RenewResponse>;

/** Opens a session: the answer is an NDJSON stream of SessionMessage. */
export const SessionRequest = Type.Object({
  description: NodeDescription,
  engineHealthy: Type.Boolean(),
  engineMessage: Type.Optional(Type.String()),
  /** The newest write that the node has seen. */
  historyMark: Type.Optional(HistoryMark),
  historyLost: Type.Optional(HistoryLost),
});
export type SessionRequest = Static<typeof SessionRequest>;

/** One task as its node needs it. */
export const Assignment = Type.Object({
  taskId: Type.String(),
  name: Type.String({ description: 'service.slot, or service.nodeId for global services.' }),
  service: Type.String(),
  serviceUid: Type.String(),
  serviceLabels: Type.Record(Type.String(), Type.String()),
  slot: Type.Integer(),
  desiredState: Type.Enum([...DESIRED_STATES]),
  assignedResources: Type.Optional(AssignedResources),
  /** Key of the template in `templates`: service uid and revision. */
  template: Type.String(),
});
export type Assignment = Static<typeof Assignment>;

/** What a manager tells a node. The first message is `open`, the second `assignments` with complete: true. */
export const SessionMessage = Type.Union([
  Type.Object({
    type: Type.Literal('open'),
    sessionId: Type.String(),
    epoch: Type.Integer(),
    clusterId: Type.String(),
    nodeId: Type.String(),
    heartbeatMs: Type.Integer(),
    managers: Type.Array(Type.String()),
    /** The store as it was when it took this session; the node judges by it whether it is the one it knows. */
    store: StoreFacts,
  }),
  Type.Object({
    type: Type.Literal('assignments'),
    /** True: this is the whole set, what is not in it must go. False: changes to the last one. */
    complete: Type.Boolean(),
    /** Position in the sequence; a gap means the session must be opened again. */
    sequence: Type.Integer(),
    /** Revision of the store the set was read at. */
    revision: Type.Integer(),
    /** The newest write at that revision. */
    mark: Type.Optional(HistoryMark),
    set: Type.Array(Assignment),
    /** Task ids no longer assigned: their containers are removed. */
    removed: Type.Array(Type.String()),
    /** Templates not sent before in this session, by key. */
    templates: Type.Record(Type.String(), RevisionTemplate),
  }),
  Type.Object({
    type: Type.Literal('logs'),
    /** Where to push the answer: POST /v1/session/streams/<streamId>. */
    streamId: Type.String(),
    taskId: Type.String(),
    follow: Type.Boolean(),
    tail: Type.Integer({ description: '-1 means all.' }),
    since: Type.String({ description: 'Timestamp or empty.' }),
  }),
  Type.Object({ type: Type.Literal('cancel'), streamId: Type.String() }),
  Type.Object({
    type: Type.Literal('ping'),
    revision: Type.Integer(),
    mark: Type.Optional(HistoryMark),
  }),
  Type.Object({
    type: Type.Literal('managers'),
    managers: Type.Array(Type.String(), {
      description: 'Addresses of all managers of now, in place of those told before.',
    }),
  }),
  Type.Object({
    type: Type.Literal('close'),
    reason: Type.String({
      description: 'Such as "manager stops", "replaced by a newer session", "node removed".',
    }),
    /** True when the node was removed from the cluster. It asks for another session, and believes that answer. */
    removed: Type.Boolean(),
  }),
]);
export type SessionMessage = Static<typeof SessionMessage>;

/** Heartbeat and status reports of one session, in one request. Latest report per task only. */
export const StatusReport = Type.Object({
  sessionId: Type.String(),
  engineHealthy: Type.Boolean(),
  engineMessage: Type.Optional(Type.String()),
  /** Missing when the node believes the store. */
  historyLost: Type.Optional(HistoryLost),
  /** Present when it changed. */
  description: Type.Optional(NodeDescription),
  tasks: Type.Array(Type.Object({ taskId: Type.String(), report: TaskReport }), { maxItems: 1000 }),
});
export type StatusReport = Static<typeof StatusReport>;

/** Reports that were refused for good (unknown task, not this node's, backwards); the rest is stored. */
export const StatusResponse = Type.Object({
  heartbeatMs: Type.Integer(),
  refused: Type.Array(Type.Object({ taskId: Type.String(), reason: Type.String() })),
  leave: Type.Optional(
    Type.Literal(true, {
      description:
        'This manager has not heard the store for a while: go on with another one, if one takes you.',
    }),
  ),
});
export type StatusResponse = Static<typeof StatusResponse>;

/** One line of a task's output, as streamed to clients in NDJSON. */
export const LogLine = Type.Object({
  taskId: Type.String(),
  task: Type.String(),
  node: Type.String(),
  stream: Type.Enum(['stdout', 'stderr', 'system']),
  at: Type.Optional(Timestamp),
  line: Type.String({
    description: 'Without the line end. Stream `system`: a notice, such as a node out of reach.',
  }),
});
export type LogLine = Static<typeof LogLine>;
