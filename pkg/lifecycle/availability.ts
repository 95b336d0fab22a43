import { instantMs, type TaskView } from './task-view.js';

/**
 * When the task counts as available (milliseconds since 1970): it runs, and its health check, where it has
 * one, has passed, for at least `minReadyMs`. In the future while that time is not over; undefined while it does not run.
 */
export function availableAtMs({ state, status }: TaskView, minReadyMs: number): number | undefined {
  if (state !== 'running') return undefined;
  return minReadyMs === 0 ? 0 : instantMs(status?.appliedAt) + minReadyMs;
}

/** The task serves: updates count on it. `now` in milliseconds since 1970. */
export function isAvailable(view: TaskView, now: number, minReadyMs: number): boolean {
  const at = availableAtMs(view, minReadyMs);
  return at !== undefined && at <= now;
}

/** When it began to run, by the managers' clock (milliseconds since 1970); undefined when it never did. */
export function runningSinceMs({ state, status }: TaskView): number | undefined {
  const at = state === 'running' ? status?.appliedAt : status?.runningAt;
  return at === undefined ? undefined : instantMs(at);
}
