import type { PendingReason } from '../../api/v1/index.js';
import { instantMs, type TaskView, type UnplacedView } from '../../pkg/lifecycle/index.js';
import type { ScheduleResult, UnplacedTask } from '../../pkg/scheduler/index.js';
import { earlier, type TaskChange, type TaskPlan } from './plan-changes.js';

/** A reason that keeps changing (a counter in it) is written at most this often per task. */
const REASON_PERIOD_MS = 1_000;

/**
 * When a restart that is held back gets its node. Normally a successor is prepared during its wait, so that
 * the wait costs nothing. One that follows several failures in a row is not: preparing is where a bad
 * image fails, and would fail again at once, back-off or not. Undefined: at any time, as for one whose wait
 * is over.
 */
export function placeAtMs({ task: { spec } }: TaskView): number | undefined {
  const { desiredState, failures, startAt } = spec;
  const isHeldBack = desiredState === 'ready' && failures > 1 && startAt !== undefined;
  return isHeldBack ? instantMs(startAt) : undefined;
}

/** The scheduler's decisions and what is stored. */
export interface PlacementInput {
  readonly tasks: readonly UnplacedView[];
  readonly result: ScheduleResult;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Placements, and reasons where they are new. */
export function planPlacement({ tasks, result, now }: PlacementInput): TaskPlan {
  const views = new Map(tasks.map((view) => [view.task.metadata.uid, view]));
  const changes: TaskChange[] = [];
  let lookAgainAt: number | undefined;
  for (const { taskId, nodeId, resources } of result.placements) {
    const task = views.get(taskId);
    if (task) changes.push({ kind: 'place-task', task, nodeId, ...(resources && { resources }) });
  }
  for (const unplaced of result.unplaced) {
    const task = views.get(unplaced.taskId);
    if (!task || isSameReason(task.task.spec.pending, unplaced)) continue;
    const writeAt = instantMs(task.task.spec.pending?.since) + REASON_PERIOD_MS;
    if (writeAt > now) lookAgainAt = earlier(lookAgainAt, writeAt);
    else changes.push({ kind: 'explain-task', task, pending: pendingOf(unplaced, now) });
  }
  return { changes, lookAgainAt };
}

function pendingOf({ reason, counts }: UnplacedTask, now: number): PendingReason {
  return {
    message: reason,
    filters: counts.map(({ filter, count, message }) => ({ filter, nodes: count, message })),
    since: new Date(now).toISOString(),
  };
}

function isSameReason(stored: PendingReason | undefined, found: UnplacedTask): boolean {
  if (stored?.message !== found.reason || stored.filters.length !== found.counts.length) {
    return false;
  }
  return found.counts.every(({ filter, count, message }, index) => {
    const known = stored.filters[index];
    return known?.filter === filter && known.nodes === count && known.message === message;
  });
}
