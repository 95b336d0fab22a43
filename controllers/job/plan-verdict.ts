import { jobOutcomeOf, type StoredServiceStatus } from '../../api/v1/index.js';
import { hasFailed, type TaskView } from '../../pkg/lifecycle/index.js';
import type { JobChange } from './plan-changes.js';
import type { Slot } from './plan-slots.js';

/** How a run has ended. */
export interface Verdict {
  readonly outcome: 'complete' | 'failed';
  /** A CamelCase word. */
  readonly reason: string;
  readonly message: string;
}

/** How far a run is, and what is to be done for it. */
export interface Progress {
  /** Tasks that have to end well. */
  readonly total: number;
  readonly succeeded: number;
  /** Failures in this run. */
  readonly failures: number;
  /** Tasks that should be running now. */
  readonly desired: number;
  /** The slots of the job. */
  readonly slots: readonly Slot[];
  /** Slots that nothing is tried in any more though they did not end well. */
  readonly givenUp: number;
  /** Undefined while it goes on. */
  readonly verdict?: Verdict | undefined;
  /** The verdict was stored, and stands whatever changes. */
  readonly isFinal: boolean;
  readonly changes: readonly JobChange[];
  /** Milliseconds since 1970. */
  readonly lookAgainAt?: number | undefined;
}

/** The verdict that was stored for a run; it stands, whatever becomes of the numbers in the spec. */
export function storedVerdict(
  status: StoredServiceStatus | undefined,
  iteration: number,
): Verdict | undefined {
  const outcome = jobOutcomeOf(status);
  if (status?.job?.iteration !== iteration || status.job.finishedAt === undefined) return undefined;
  const type = outcome === 'complete' ? 'Complete' : 'Failed';
  const found = status.conditions.find((condition) => condition.type === type);
  if (outcome === undefined || !found) return undefined;
  return { outcome, reason: found.reason, message: found.message };
}

/** The newest failure of slots in words, behind what it led to; nothing when none is known any more. */
export function withFailure(message: string, slots: readonly Slot[]): string {
  const failures = slots.flatMap(({ tries }) => tries.filter(hasFailed));
  const last = failures.reduce<TaskView | undefined>(
    (found, view) => (found && endOf(found) >= endOf(view) ? found : view),
    undefined,
  );
  const why = last?.status?.error ?? last?.status?.message ?? '';
  return last === undefined || why === ''
    ? message
    : `${message}; last failure: ${last.task.metadata.name}: ${why}`;
}

const endOf = ({ task, status }: TaskView): string => status?.appliedAt ?? task.metadata.createdAt;

/** The earlier of two instants, either of which may be missing. */
export function earlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b;
  return b === undefined ? a : Math.min(a, b);
}

/** `1 task`, `2 tasks`. */
export const plural = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? '' : 's'}`;
