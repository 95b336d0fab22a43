import type { EffectiveRestartPolicy } from '../../api/v1/index.js';
import { endedAtMs, instantMs, ranMs, type TaskView } from './task-view.js';

/**
 * Why a live task needs a successor: it ended by itself, its node drains or is lost (or removed), the node does
 * not suit it any more, or a task of a higher priority needs its place. Only the first is the task's own doing:
 * it alone counts as an attempt and as a failure, and it alone waits.
 */
export type EndCause = 'ended' | 'node-drained' | 'node-lost' | 'node-unsuitable' | 'preempted';

/** What the successor of a task inherits. */
export interface Succession {
  /** Wait between the end of the old task and the start of the new one. */
  readonly delayMs: number;
  readonly restarts: number;
  readonly failures: number;
  /** How the last of the failures ended, in a word or two; undefined without any. */
  readonly lastFailure?: string;
}

/** A back-off never begins below this, whatever the policy's delay. */
const BACKOFF_BASE_MS = 1_000;
/** Part of a back-off by which it is moved back or forth, so that slots do not start in step. */
const JITTER = 0.1;

/**
 * True when the restart policy lets a task of this slot follow `last` (swarm-semantics 2.6). It depends on
 * stored tasks only, so everybody comes to the same answer at any time. `slotTasks`: all of the slot.
 */
export function mayRestart(
  last: TaskView,
  policy: EffectiveRestartPolicy,
  slotTasks: readonly TaskView[],
): boolean {
  if (policy.condition === 'none') return false;
  if (policy.condition === 'on-failure' && last.state === 'complete') return false;
  if (policy.maxAttempts === 0 || !endedByItself(last)) return true;
  return attempts(last, policy.windowMs, slotTasks) < policy.maxAttempts;
}

/** The successor's counters and wait. `failures` counts ends soon after the start, one after the other. */
export function successionOf(
  last: TaskView,
  cause: EndCause,
  policy: EffectiveRestartPolicy,
): Succession {
  const { restarts, failures, lastFailure } = last.task.spec;
  if (cause !== 'ended' || !endedByItself(last)) {
    return { delayMs: 0, restarts, failures, ...(lastFailure !== undefined && { lastFailure }) };
  }
  const inARow = ranMs(last) >= policy.resetAfterMs ? 0 : failures + 1;
  return {
    delayMs: restartDelayMs(inARow, policy, last.task.metadata.uid),
    restarts: restarts + 1,
    failures: inARow,
    ...(inARow > 0 && { lastFailure: endWords(last) }),
  };
}

/** `exit code 1`, `OOMKilled`, `ImageNotFound`: enough to know where to look. */
function endWords({ state, status }: TaskView): string {
  const { reason, exitCode } = status ?? {};
  if (reason !== undefined && reason !== 'ExitCode') return reason;
  return exitCode === undefined ? state : `exit code ${exitCode}`;
}

/**
 * The wait after the n-th failure in a row: the policy's delay after the first (and after a task that ran
 * long), then doubling from `max(delay, 1 s)` up to the policy's `maxDelay`, moved by up to 10 % by `seed`.
 */
export function restartDelayMs(
  failures: number,
  { delayMs, maxDelayMs }: EffectiveRestartPolicy,
  seed: string,
): number {
  if (failures <= 1) return delayMs;
  const cap = Math.max(delayMs, maxDelayMs);
  const step = Math.min(cap, Math.max(delayMs, BACKOFF_BASE_MS) * 2 ** Math.min(failures - 1, 40));
  return Math.round(step * (1 + JITTER * (2 * fractionOf(seed) - 1)));
}

function endedByItself({ state }: TaskView): boolean {
  return state === 'complete' || state === 'failed' || state === 'rejected';
}

/** Restarts of the slot and revision so far; with a window, only those within it before the end of `last`. */
function attempts(last: TaskView, windowMs: number, slotTasks: readonly TaskView[]): number {
  const { revision, restarts } = last.task.spec;
  if (windowMs === 0) return restarts;
  const end = endedAtMs(last);
  const recent = slotTasks.filter(({ task }) => {
    const createdAt = instantMs(task.metadata.createdAt);
    return task.spec.revision === revision && createdAt > end - windowMs && createdAt <= end;
  });
  // A task that only moved to another node carries the number of the one before it.
  return new Set(recent.map(({ task }) => task.spec.restarts).filter((count) => count > 0)).size;
}

/** A fixed number from 0 up to 1 for each text (FNV-1a). */
function fractionOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) / 2 ** 32;
}
