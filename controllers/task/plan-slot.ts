import {
  byAge,
  hasEnded,
  instantMs,
  isLive,
  restartDelayMs,
  type TaskView,
} from '../../pkg/lifecycle/index.js';
import { earlier, type TaskChange, type TaskPlan } from './plan-changes.js';
import { planHistory } from './plan-history.js';
import { endCauseOf, isAnyStopping, planEnd, type SlotTask } from './plan-restart.js';

/** How long a successor waits at most for the task it replaces to stop (swarm-semantics 2.6). */
const MAX_STOP_WAIT_MS = 60_000;

/** Everything about one slot, read at one store revision. */
export interface SlotSnapshot {
  /** `gone`: there is no such service any more. `deleting`: nothing new is made. */
  readonly service: 'present' | 'deleting' | 'gone';
  /** All tasks of the slot, in any order. */
  readonly tasks: readonly SlotTask[];
  /** Tasks kept per slot, the live one included. */
  readonly historyLimit: number;
  /** Milliseconds since 1970, the leader's wall clock. */
  readonly now: number;
}

/** Restarts, starts, removals and history of one slot. Pure: same snapshot, same plan. */
export function planSlot(snapshot: SlotSnapshot): TaskPlan {
  const { service, tasks, now } = snapshot;
  const expelled = service === 'gone' ? tasks.filter((task) => !isToBeRemoved(task)) : [];
  const ended = service === 'present' ? endings(snapshot) : [];
  const busy = new Set<TaskView>([...expelled, ...ended.map(({ task }) => task)]);
  const starts = service === 'present' ? planStarts(tasks, busy, now) : { changes: [] };
  const orphans = tasks.filter((task) => !busy.has(task) && isOrphan(task));
  for (const { task } of starts.changes) busy.add(task);
  for (const task of orphans) busy.add(task);
  const arriving = ended.filter(({ successor }) => successor !== undefined).length;
  return {
    changes: [
      ...expelled.map((task) => ({ kind: 'remove-task', task }) as const),
      ...ended,
      ...starts.changes,
      ...orphans.map((task) => ({ kind: 'orphan-task', task }) as const),
      ...planHistory({ tasks, busy, arriving, limit: snapshot.historyLimit }),
    ],
    lookAgainAt: earlier(starts.lookAgainAt, moveInstant(snapshot)),
  };
}

/** When others may take the place of a task on a lost node, if that is still to come. */
function moveInstant({ service, tasks, now }: SlotSnapshot): number | undefined {
  if (service !== 'present') return undefined;
  return tasks
    .filter((task) => task.standing === 'lost' && isLive(task) && !hasEnded(task))
    .map(({ replaceableAt }) => replaceableAt)
    .filter((at) => at !== undefined && at > now)
    .reduce(earlier, undefined);
}

type Ending = Extract<TaskChange, { kind: 'end-task' }>;

/**
 * Of several live tasks that ended, the newest has a successor, and none while one of them lives: a slot holds
 * one live task, or two while an update starts one beside the other. That the new one is tried again is the
 * update's decision then.
 */
function endings({ tasks, now }: SlotSnapshot): readonly Ending[] {
  const live = tasks.filter(isLive).sort(byAge);
  const found = live.flatMap((task) => {
    const cause = endCauseOf(task, now);
    return cause === undefined ? [] : [{ task, cause }];
  });
  const hasOthers = found.length < live.length;
  return found.map(({ task, cause }, index): Ending => {
    const isLast = !hasOthers && index === found.length - 1;
    if (!isLast) return { kind: 'end-task', task, cause };
    return planEnd({ task, cause, slotTasks: tasks, now }) as Ending;
  });
}

/** Prepared tasks start when their time has come and what they replace has stopped. */
function planStarts(
  tasks: readonly SlotTask[],
  busy: ReadonlySet<TaskView>,
  now: number,
): TaskPlan {
  const mustWait = isAnyStopping(tasks);
  const changes: TaskChange[] = [];
  let lookAgainAt: number | undefined;
  for (const task of tasks) {
    if (busy.has(task) || task.task.spec.desiredState !== 'ready') continue;
    const startMs = startInstant(task, mustWait, now);
    const desiredState = task.isOfJob ? 'complete' : 'running';
    const beside = tasks.filter((other) => other !== task && isLive(other) && !hasEnded(other));
    if (startMs <= now) changes.push({ kind: 'start-task', task, desiredState, beside });
    else lookAgainAt = earlier(lookAgainAt, startMs);
  }
  return { changes, lookAgainAt };
}

/**
 * The latest instant at which it starts, as things stand. Both waits run at the same time. Stamps are those of
 * whoever led: one whose clock was ahead makes nobody wait longer than was meant, and one whose clock was
 * behind does not let a task start before this leader has waited itself for what still stops.
 */
function startInstant(
  { task: { spec }, policy, waitedMs = 0 }: SlotTask,
  mustWait: boolean,
  now: number,
): number {
  const { startAt, failures, replaces = '' } = spec;
  const longestMs = restartDelayMs(failures, policy, replaces) - waitedMs;
  const heldUntil = startAt === undefined ? 0 : Math.min(instantMs(startAt), now + longestMs);
  return mustWait ? Math.max(heldUntil, now + MAX_STOP_WAIT_MS - waitedMs) : heldUntil;
}

function isToBeRemoved({ task }: SlotTask): boolean {
  return task.spec.desiredState === 'remove';
}

/** Told to stop, and its node was removed before it could say that it did. */
function isOrphan(task: SlotTask): boolean {
  return task.task.spec.desiredState === 'shutdown' && task.standing === 'gone' && !hasEnded(task);
}
