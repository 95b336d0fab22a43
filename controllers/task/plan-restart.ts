import type { EffectiveRestartPolicy } from '../../api/v1/index.js';
import {
  endedAtMs,
  hasEnded,
  isLive,
  isUnreachable,
  mayRestart,
  successionOf,
  type EndCause,
  type NodeStanding,
  type TaskView,
} from '../../pkg/lifecycle/index.js';
import type { Successor, TaskChange } from './plan-changes.js';

/** A task of a slot with what its restart depends on. */
export interface SlotTask extends TaskView {
  /** Of the task's own revision. */
  readonly policy: EffectiveRestartPolicy;
  /** Of its node; undefined while it has none. */
  readonly standing?: NodeStanding | undefined;
  /** For how long this leader has seen it wait for its start, by its own clock. Default 0. */
  readonly waitedMs?: number | undefined;
  /** The job controller decides what follows it, and what becomes of it when it has ended. */
  readonly isOfJob?: boolean | undefined;
  /**
   * Of a task of a job on a lost node: from when on others may take its place (milliseconds since 1970).
   * Undefined: it keeps it. To end it would help nobody, and kill its container when the node is back.
   */
  readonly replaceableAt?: number | undefined;
}

/**
 * Why a live task must not stay as it is; undefined when it may. What a drained or lost node means for tasks
 * of services is decided for all of a service together, by the service controller.
 */
export function endCauseOf(task: SlotTask, now: number): EndCause | undefined {
  if (task.state === 'orphaned') return 'node-lost';
  if (hasEnded(task)) return task.isOfJob ? undefined : 'ended';
  // A global task belongs to its node: what becomes of it there is the service controller's decision.
  if (task.task.spec.slot === 0) return undefined;
  if (task.standing === 'gone') return 'node-lost';
  return task.isOfJob ? endCauseOfJob(task, now) : undefined;
}

function endCauseOfJob(
  { standing, replaceableAt = Infinity }: SlotTask,
  now: number,
): EndCause | undefined {
  if (standing === 'lost') return replaceableAt <= now ? 'node-lost' : undefined;
  return standing === 'draining' ? 'node-drained' : undefined;
}

/** Nothing of it runs, or nobody can ever tell us that it stopped. */
export function isOver(task: SlotTask): boolean {
  if (hasEnded(task) || task.task.spec.nodeId === undefined) return true;
  return task.standing !== undefined && isUnreachable(task.standing);
}

/** A task of the slot was told to stop and may still run: nothing may start there yet. */
export const isAnyStopping = (slotTasks: readonly SlotTask[]): boolean =>
  slotTasks.some((task) => !isLive(task) && !isOver(task));

/** What a restart rests on. */
export interface RestartInput {
  readonly task: SlotTask;
  readonly cause: EndCause;
  /** All tasks of the slot. */
  readonly slotTasks: readonly SlotTask[];
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Ends a live task, with a successor in the same slot when the policy wants one (swarm-semantics 2.6). The
 * successor is prepared at once and starts after the wait, when the old task has stopped.
 */
export function planEnd({ task, cause, slotTasks, now }: RestartInput): TaskChange {
  const end = { kind: 'end-task', task, cause } as const;
  if (task.isOfJob) return end;
  if (!mayFollow(task) || !mayRestart(task, task.policy, slotTasks)) return end;
  return { ...end, successor: successor({ task, cause, slotTasks, now }) };
}

function successor({ task, cause, slotTasks, now }: RestartInput): Successor {
  const { delayMs, ...counters } = successionOf(task, cause, task.policy);
  // The end was stamped by another machine's clock: the wait is never longer than the delay.
  const startMs = Math.min(now, endedAtMs(task)) + delayMs;
  if (delayMs > 0 && startMs > now) {
    return { desiredState: 'ready', startAt: new Date(startMs).toISOString(), ...counters };
  }
  // What it replaces may itself have been waiting for one that still stops.
  const mayStart = isOver(task) && !isAnyStopping(slotTasks);
  return { desiredState: mayStart ? 'running' : 'ready', ...counters };
}

/** A global task has no successor on a node that takes none; a new one comes when the node does again. */
function mayFollow({ task, standing }: SlotTask): boolean {
  return task.spec.slot !== 0 || standing === undefined || standing === 'available';
}
