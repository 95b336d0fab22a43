import {
  isTerminal,
  isWanted,
  observedState,
  type StoredTask,
  type StoredTaskStatus,
  type TaskState,
} from '../../api/v1/index.js';

/** Both halves of a task, and the state that follows from them. */
export interface TaskView {
  readonly task: StoredTask;
  /** Undefined until its node has reported something. */
  readonly status?: StoredTaskStatus | undefined;
  readonly state: TaskState;
}

/** Puts the halves of a task together. */
export function taskView(task: StoredTask, status: StoredTaskStatus | undefined): TaskView {
  return { task, status, state: observedState(task, status) };
}

/** The task is meant to run, now or soon. */
export const isLive = ({ task }: TaskView): boolean => isWanted(task.spec.desiredState);

/** A task of a job that has ended well: nothing is to be done about it any more, though it is still wanted. */
export const isDone = ({ task, state }: TaskView): boolean =>
  state === 'complete' && task.spec.desiredState === 'complete';

/** The task has ended, well or badly. */
export const hasEnded = ({ state }: TaskView): boolean => isTerminal(state);

/** The task ended by itself and not well. */
export const hasFailed = ({ state }: TaskView): boolean =>
  state === 'failed' || state === 'rejected';

/**
 * Oldest first, among tasks of one slot: as the store knows it, or else by what is written about them. A
 * rollback goes back in revisions, but on in attempts.
 */
export function byAge(a: TaskView, b: TaskView): number {
  const [one, two] = [a.task, b.task];
  return (
    byCreation(one, two) ||
    (one.spec.attempt ?? 0) - (two.spec.attempt ?? 0) ||
    one.spec.revision - two.spec.revision ||
    compareText(one.metadata.createdAt, two.metadata.createdAt) ||
    one.spec.restarts - two.spec.restarts ||
    compareText(one.metadata.uid, two.metadata.uid)
  );
}

/** As the store knows it; 0 when it was not asked. */
function byCreation(one: StoredTask, two: StoredTask): number {
  if (one.createRevision === undefined || two.createRevision === undefined) return 0;
  return one.createRevision - two.createRevision;
}

/** The instant in milliseconds since 1970 that a stored stamp names; 0 for one that cannot be read. */
export function instantMs(stamp: string | undefined): number {
  const ms = stamp === undefined ? 0 : Date.parse(stamp);
  return Number.isNaN(ms) ? 0 : ms;
}

/** When the end of the task was stored, by the managers' clock; its creation when nothing was reported. */
export function endedAtMs({ task, status }: TaskView): number {
  return instantMs(status?.appliedAt ?? task.metadata.createdAt);
}

/** For how long its container ran, by the node's own clock; 0 when it never did. */
export function ranMs({ status }: TaskView): number {
  if (status?.startedAt === undefined) return 0;
  return Math.max(0, instantMs(status.finishedAt ?? status.at) - instantMs(status.startedAt));
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
