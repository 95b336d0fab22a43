import type { PendingReason } from '../../api/v1/index.js';
import { instantMs, type TaskView, type TemplateDemand } from '../../pkg/lifecycle/index.js';
import type { ScheduleResult, TaskGroup, UnplacedTask } from '../../pkg/scheduler/index.js';
import { earlier, type TaskChange, type TaskPlan } from './plan-changes.js';

/** A reason that keeps changing (a counter in it) is written at most this often per task. */
const REASON_PERIOD_MS = 1_000;

/** A task that waits for a node, with what its revision asks of one. */
export interface UnplacedView extends TaskView {
  readonly demand: TemplateDemand;
}

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

/** Failures by node of one service revision. */
export type FailuresOf = (
  serviceUid: string,
  revision: number,
) => ReadonlyMap<string, number> | undefined;

/** Tasks that are equal in all that placement looks at, in one group each; oldest first. */
export function groupsOf(
  tasks: readonly UnplacedView[],
  failuresOf: FailuresOf,
): readonly TaskGroup[] {
  const groups = new Map<string, UnplacedView[]>();
  for (const view of tasks) {
    const { serviceUid, revision } = view.task.spec;
    const key = `${serviceUid}/${revision}`;
    const known = groups.get(key);
    if (known) known.push(view);
    else groups.set(key, [view]);
  }
  return [...groups.values()].flatMap((members) => groupOf(members.sort(inOrder), failuresOf));
}

function groupOf(members: readonly UnplacedView[], failuresOf: FailuresOf): readonly TaskGroup[] {
  const [first] = members;
  if (!first) return [];
  const { serviceUid, revision } = first.task.spec;
  const group: TaskGroup = {
    ...first.demand,
    serviceId: serviceUid,
    revision,
    position: instantMs(first.task.metadata.createdAt),
    tasks: members.map(({ task }) => ({
      id: task.metadata.uid,
      preassignedNodeId: task.spec.forNode,
    })),
    recentFailures: failuresOf(serviceUid, revision),
  };
  return [group];
}

/** By age, then by slot: of tasks that were made together the lower numbers go first. */
function inOrder(a: UnplacedView, b: UnplacedView): number {
  const [one, two] = [a.task, b.task];
  if (one.metadata.createdAt !== two.metadata.createdAt) {
    return one.metadata.createdAt < two.metadata.createdAt ? -1 : 1;
  }
  return one.spec.slot - two.spec.slot || (one.metadata.uid < two.metadata.uid ? -1 : 1);
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
  for (const { taskId, nodeId } of result.placements) {
    const task = views.get(taskId);
    if (task) changes.push({ kind: 'place-task', task, nodeId });
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
