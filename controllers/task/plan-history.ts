import { byAge, isDone, isLive, type TaskView } from '../../pkg/lifecycle/index.js';
import type { TaskChange } from './plan-changes.js';
import { isOver, type SlotTask } from './plan-restart.js';

/** What trimming rests on. */
export interface HistoryInput {
  /** All tasks of one slot. */
  readonly tasks: readonly SlotTask[];
  /** Those of them that change in another way in the same moment. */
  readonly busy: ReadonlySet<TaskView>;
  /** Tasks that are about to be created in the slot. */
  readonly arriving: number;
  /** The cluster's limit per slot, live tasks included. */
  readonly limit: number;
}

/**
 * Deletes what is to be removed and has stopped, and of the rest the oldest ended tasks beyond the limit
 * (swarm-semantics 2.9). The newest task stays whatever the limit is: from it follows whether the slot is
 * to be filled again.
 */
export function planHistory(input: HistoryInput): readonly TaskChange[] {
  const { tasks, busy, arriving } = input;
  const leaving = tasks.filter((task) => !busy.has(task) && isRemovable(task));
  const staying = tasks.filter((task) => !leaving.includes(task)).sort(byAge);
  const surplus = staying.length + arriving - limitOf(staying, input.limit);
  const trimmed = (arriving > 0 ? staying : staying.slice(0, -1))
    .filter((task) => !busy.has(task) && (!isLive(task) || isDone(task)) && isOver(task))
    .slice(0, Math.max(0, surplus));
  return [...leaving, ...trimmed].map((task) => ({ kind: 'delete-task', task }));
}

/** Enough history to count the attempts of the restart policy. */
function limitOf(tasks: readonly SlotTask[], limit: number): number {
  const { maxAttempts = 0 } = tasks.at(-1)?.policy ?? {};
  return maxAttempts > 0 ? maxAttempts + 1 : limit;
}

/**
 * Told to go and no longer running, or told to stop before it ever got a node. What a job gave up stays
 * though nothing ran: it tells that there has been a try, and since when.
 */
function isRemovable(task: SlotTask): boolean {
  if (isLive(task)) return false;
  const isKept = task.isOfJob === true && task.task.spec.desiredState !== 'remove';
  if (task.task.spec.nodeId === undefined) return !isKept;
  return task.task.spec.desiredState === 'remove' && isOver(task);
}
