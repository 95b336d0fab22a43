import { Type, type Static } from 'typebox';
import { ObjectMeta, Timestamp, type StoredMeta } from './common.js';

/**
 * Observed states in order; a task only goes forward (swarm-semantics 2.1). `new` to `assigned` follow from
 * the desired half, `accepted` and later are reported by the node.
 */
export const TASK_STATES = [
  'new',
  'pending',
  'assigned',
  'accepted',
  'preparing',
  'ready',
  'starting',
  'running',
  'complete',
  'shutdown',
  'failed',
  'rejected',
  'orphaned',
] as const;
/** How far a task really got. */
export type TaskState = (typeof TASK_STATES)[number];

/** How far a task should get; only goes forward too. `complete` is what tasks of jobs are told. */
export const DESIRED_STATES = ['ready', 'running', 'complete', 'shutdown', 'remove'] as const;
export type DesiredState = (typeof DESIRED_STATES)[number];

const RANK = new Map<string, number>(TASK_STATES.map((state, index) => [state, index]));
const DESIRED_RANK = new Map<string, number>(DESIRED_STATES.map((state, index) => [state, index]));

/** Position of an observed state; greater is later. */
export const stateRank = (state: TaskState): number => RANK.get(state) ?? 0;
/** Position of a desired state; greater is later. */
export const desiredRank = (state: DesiredState): number => DESIRED_RANK.get(state) ?? 0;
/** The task has ended, well or badly: observed beyond running. */
export const isTerminal = (state: TaskState): boolean => stateRank(state) > stateRank('running');
/** The task is meant to run now or soon, be it for ever or to its end. */
export const isWanted = (desired: DesiredState): boolean =>
  desiredRank(desired) <= desiredRank('complete');

/** Why a task has no node yet. */
export const PendingReason = Type.Object({
  message: Type.String({
    description: 'Such as "0/5 nodes: 3 insufficient memory, 2 constraint".',
  }),
  filters: Type.Array(
    Type.Object({ filter: Type.String(), nodes: Type.Integer(), message: Type.String() }),
  ),
  since: Timestamp,
});
export type PendingReason = Static<typeof PendingReason>;

/** Generic resources that a task was given, by kind: the ids of named ones, the number of others. */
export const AssignedResources = Type.Record(
  Type.String(),
  Type.Union([Type.Array(Type.String()), Type.Integer({ minimum: 0 })]),
  {
    description:
      'Generic resources it was given with its node, by kind: ids of named ones, else their number. Nobody else has them until it ended.',
  },
);
export type AssignedResources = Static<typeof AssignedResources>;

/** Desired state of a task; written by controllers only. */
export const TaskSpec = Type.Object({
  service: Type.String(),
  serviceUid: Type.String(),
  revision: Type.Integer({ minimum: 1, description: 'The service revision it runs.' }),
  slot: Type.Integer({
    minimum: 0,
    description: 'From 1; 0 for a task of a global service or job.',
  }),
  forNode: Type.Optional(
    Type.String({
      description: 'The node a task of a global service is meant for, from its creation.',
    }),
  ),
  nodeId: Type.Optional(
    Type.String({ description: 'The node it runs on. Written once, by placement.' }),
  ),
  assignedResources: Type.Optional(AssignedResources),
  desiredState: Type.Enum([...DESIRED_STATES]),
  startAt: Type.Optional(
    Type.String({ description: 'A restart that is held back begins then (leader clock).' }),
  ),
  restarts: Type.Integer({
    minimum: 0,
    description: 'Restarts of this slot and revision before this task.',
  }),
  failures: Type.Integer({
    minimum: 0,
    description: 'Failures in a row soon after the start, before this task; drives the back-off.',
  }),
  lastFailure: Type.Optional(
    Type.String({
      description: 'How the last of these failures ended, in a word or two: "exit code 1".',
    }),
  ),
  replaces: Type.Optional(Type.String({ description: 'Task it restarts.' })),
  updates: Type.Optional(
    Type.String({ description: 'Task of another revision whose place an update gives it.' }),
  ),
  moves: Type.Optional(
    Type.String({
      description:
        'Task whose place it takes, because the node of that is drained, lost, or too full.',
    }),
  ),
  attempt: Type.Optional(
    Type.Integer({
      minimum: 1,
      description: 'The update or rollback of the service in which its slot was filled last.',
    }),
  ),
  tryingSince: Type.Optional(
    Type.String({
      description: 'Of a job: when its slot was first tried in this run, when not by this task.',
    }),
  ),
  pending: Type.Optional(PendingReason),
});
export type TaskSpec = Static<typeof TaskSpec>;

/** A port of the node that leads into the container. */
export const PublishedPort = Type.Object({
  target: Type.Integer(),
  published: Type.Integer(),
  protocol: Type.String(),
});
export type PublishedPort = Static<typeof PublishedPort>;

/** Why a running task is not in service. */
export const Unready = Type.Object({
  reason: Type.String({
    description:
      'CamelCase word: ReadinessPending, ReadinessFailed, Stopping, or Unhealthy (it is being stopped for that).',
  }),
  message: Type.String({ description: 'What the probe got to see, for people.' }),
  since: Timestamp,
});
export type Unready = Static<typeof Unready>;

/** What the node reports of a task. */
export const TaskReport = Type.Object({
  state: Type.Enum([...TASK_STATES]),
  at: Timestamp,
  message: Type.String({ description: 'What happens now, such as "pulling image: 42 %".' }),
  reason: Type.Optional(
    Type.String({
      description: 'CamelCase word for a failure, such as ImageNotFound or ExitCode.',
    }),
  ),
  error: Type.Optional(Type.String({ description: 'Why it failed or is being retried.' })),
  containerId: Type.Optional(Type.String()),
  pid: Type.Optional(Type.Integer()),
  exitCode: Type.Optional(Type.Integer()),
  startedAt: Type.Optional(Timestamp),
  finishedAt: Type.Optional(Timestamp),
  health: Type.Optional(Type.Enum(['starting', 'healthy', 'unhealthy'])),
  ready: Type.Optional(
    Type.Boolean({ description: 'While it runs: whether it is in service. Missing means yes.' }),
  ),
  readySince: Type.Optional(
    Type.String({ ...Timestamp, description: 'In service since, by the clock of the node.' }),
  ),
  unready: Type.Optional(Unready),
  ports: Type.Optional(Type.Array(PublishedPort)),
});
export type TaskReport = Static<typeof TaskReport>;

/** A task: one run of a service's template in one slot. Never moved; a replacement is a new task. */
export const Task = Type.Object(
  {
    apiVersion: Type.Literal('swarm/v1'),
    kind: Type.Literal('Task'),
    metadata: ObjectMeta,
    spec: TaskSpec,
    status: Type.Optional(TaskReport),
  },
  {
    description:
      'One run of a service template in one slot. Never moved; a replacement is a new task.',
  },
);
export type Task = Static<typeof Task>;

/** The desired half as stored, at key tasks/<uid>. `metadata.name` is service.slot or service.nodeId. */
export interface StoredTask {
  readonly apiVersion: 'swarm/v1';
  readonly kind: 'Task';
  readonly metadata: StoredMeta;
  readonly spec: TaskSpec;
  /**
   * The store's revision at which the task was created, as the store knows it; not part of what is written.
   * Orders tasks whatever the clocks of those who created them said.
   */
  readonly createRevision?: number;
}

/** The observed half as stored, at key task-status/<uid>. */
export interface StoredTaskStatus extends TaskReport {
  readonly taskId: string;
  readonly nodeId: string;
  /** Epoch of the node session that reported it; a report under an older one is refused. */
  readonly epoch: number;
  /** Set by the manager that stored it: one clock for restart decisions. */
  readonly appliedAt: string;
  /** When it was first seen running, by the same clock; kept when it ends. */
  readonly runningAt?: string;
  /** In service since, by the same clock; missing while it is not. */
  readonly readyAt?: string;
  /** When it first came into service, by the same clock; kept whatever becomes of it. */
  readonly servedAt?: string;
  readonly version: number;
}

/** The state to act on: what the node reported, else what follows from the desired half. */
export function observedState(task: StoredTask, status: TaskReport | undefined): TaskState {
  if (status) return status.state;
  return task.spec.nodeId === undefined ? 'pending' : 'assigned';
}

/** Whether a task waits for the instant of its restart. `nowMs`: milliseconds since 1970. */
export function isHeldBack(spec: TaskSpec, state: TaskState, nowMs: number): boolean {
  const { startAt, desiredState } = spec;
  if (startAt === undefined || !isWanted(desiredState)) return false;
  return stateRank(state) < stateRank('starting') && Date.parse(startAt) > nowMs;
}

/** As {@link isHeldBack}, because those before it failed: what is shown as the state `backoff`. */
export const isBackingOff = (spec: TaskSpec, state: TaskState, nowMs: number): boolean =>
  spec.failures > 0 && isHeldBack(spec, state, nowMs);
