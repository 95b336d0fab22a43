import { isBackingOff, isHeldBack, type Task } from '../../../api/v1/index.js';
import { formatAge } from './age.js';
import { stateOf } from './words.js';

/** Whether it waits for the instant of its restart. */
export const isWaiting = (task: Task, now: Date): boolean =>
  isHeldBack(task.spec, stateOf(task), now.getTime());

const isBackoff = (task: Task, now: Date): boolean =>
  isBackingOff(task.spec, stateOf(task), now.getTime());

/** The state to show: `backoff` for a task that is held back because those before it failed. */
export function shownState(task: Task, now: Date): string {
  return isBackoff(task, now) ? 'backoff' : stateOf(task);
}

/** `next try in 12s (failure 4 in a row, exit code 1)`; empty unless it is held back after failures. */
export function backoffWords(task: Task, now: Date): string {
  if (!isBackoff(task, now)) return '';
  const { startAt = '', failures, lastFailure } = task.spec;
  const count = failures === 1 ? 'after a failure' : `failure ${String(failures)} in a row`;
  const why = lastFailure === undefined ? '' : `, ${lastFailure}`;
  return `next try in ${formatAge(Date.parse(startAt) - now.getTime())} (${count}${why})`;
}
