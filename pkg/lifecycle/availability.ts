import type { StoredTaskStatus } from '../../api/v1/index.js';
import { instantMs, type TaskView } from './task-view.js';

/** The task is in service: it runs, and its readiness probe, where it has one, has passed. */
export function isReady({ state, status }: TaskView): boolean {
  // An agent that knows no readiness says nothing of it.
  return state === 'running' && status?.ready !== false;
}

/**
 * When the task counts as available (milliseconds since 1970): it has been in service for at least
 * `minReadyMs`. In the future while that time is not over; undefined while it is not in service.
 */
export function availableAtMs(view: TaskView, minReadyMs: number): number | undefined {
  if (!isReady(view)) return undefined;
  if (minReadyMs === 0) return 0;
  return (inServiceSinceMs(view) ?? 0) + minReadyMs;
}

/** When it came into service last, by the managers' clock (milliseconds since 1970); undefined while it is not. */
export function inServiceSinceMs(view: TaskView): number | undefined {
  return isReady(view) ? instantMs(view.status?.readyAt ?? view.status?.appliedAt) : undefined;
}

/** When it first came into service, by the managers' clock (milliseconds since 1970); undefined when it never did. */
export function servedSinceMs({ status }: TaskView): number | undefined {
  const at = status?.servedAt;
  return at === undefined ? undefined : instantMs(at);
}

/** What is kept of a status whatever becomes of its task. */
export type TaskPast = Pick<StoredTaskStatus, 'runningAt' | 'servedAt'>;

/** Reads it. A manager that knew no `servedAt` stored since when the task was in service last. */
export function pastOf(
  status: Pick<StoredTaskStatus, keyof TaskPast | 'readyAt'> | undefined,
): TaskPast {
  const servedAt = status?.servedAt ?? status?.readyAt;
  return {
    ...(status?.runningAt !== undefined && { runningAt: status.runningAt }),
    ...(servedAt !== undefined && { servedAt }),
  };
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
