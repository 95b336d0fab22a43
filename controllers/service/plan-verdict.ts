import {
  formatDurationMs,
  type EffectiveUpdatePolicy,
  type PauseReason,
  type ServiceRollout,
  type UpdateStatus,
} from '../../api/v1/index.js';
import { isOver, isRollback } from './plan-attempt.js';
import { canariesLeft } from './plan-canary.js';
import { deadlineMs, isUnfinished, standstillWords } from './plan-deadline.js';
import { failuresOf, type Failures } from './plan-failures.js';
import { isMoving, isOutdated, settledAtMs, type Move, type MoveReading } from './plan-moves.js';
import type { Policies } from './plan-slots.js';

/** What an attempt is judged by. */
export interface VerdictInput {
  readonly attempt: UpdateStatus;
  readonly moves: readonly Move[];
  /** Tasks that the service should have. */
  readonly desired: number;
  readonly policy: EffectiveUpdatePolicy;
  readonly policies: Policies;
  readonly rollout: ServiceRollout | undefined;
  readonly reading: MoveReading;
  /** Since when somebody looks after it (milliseconds since 1970): what stood still before is not its fault. */
  readonly leadingSince: number;
  /** ISO 8601. */
  readonly now: string;
}

/** How an attempt stands, and what it does next. */
export interface Verdict {
  readonly attempt: UpdateStatus;
  /** `roll-back`: it failed, and its policy wants the tasks where they came from. */
  readonly next: 'go-on' | 'hold' | 'roll-back' | 'end';
  /** When time alone may change the verdict (milliseconds since 1970). */
  readonly lookAgainAt?: number | undefined;
}

/**
 * How an attempt stands (swarm-semantics 2.7, rules 1, 6 and 7): it depends on stored tasks and orders and on
 * what was counted before, so that any leader at any time comes to the same verdict.
 */
export function judge(input: VerdictInput): Verdict {
  const { attempt, moves } = input;
  if (isOver(attempt)) return { attempt, next: 'end' };
  const failures = failuresOf({
    moves,
    known: attempt.failed,
    monitorMs: input.policy.monitorMs,
    policies: input.policies,
  });
  const counted = { ...input, attempt: { ...attempt, failed: [...failures.places] } };
  return (
    pausedByOrder(counted) ??
    afterFailures(counted, failures) ??
    awaitingPromotion(counted) ??
    stuck(counted) ??
    finished(counted) ??
    goingOn(counted)
  );
}

/** Too many new tasks failed. */
function afterFailures(
  { attempt, policy }: VerdictInput,
  { places, message }: Failures,
): Verdict | undefined {
  const isTooMany = places.length / Math.max(1, attempt.tasks) > policy.maxFailureRatio;
  if (policy.failureAction === 'continue' || !isTooMany) return undefined;
  const due = `due to failure or early termination of ${message ?? 'new tasks'}`;
  return failed(attempt, policy, { reason: 'TasksFailed', due });
}

/** Whatever comes up meanwhile waits with it; what is under way ends. */
function pausedByOrder({ attempt, moves, rollout }: VerdictInput): Verdict | undefined {
  if (!rollout?.paused || !moves.some(isOutdated)) return undefined;
  return paused(attempt, 'Ordered', `${nounOf(attempt)} paused by order`);
}

/** The canaries are out and nobody has said yet that they are well. */
function awaitingPromotion(input: VerdictInput): Verdict | undefined {
  const { attempt, moves, desired, reading } = input;
  const outdated = moves.filter(isOutdated).length;
  const isMovingOn = moves.some((move) => isMoving(move, reading));
  if (outdated === 0 || isMovingOn || canariesLeft(input) !== 0) return undefined;
  const share = `${moves.length - outdated} of ${desired} tasks have revision ${attempt.to}`;
  return paused(attempt, 'AwaitingPromotion', `update waits for its promotion: ${share}`);
}

/** Nothing has happened for too long. What stood still for long enough once is told to go on by people only. */
function stuck(input: VerdictInput): Verdict | undefined {
  const { attempt, moves, policy, reading } = input;
  const at = deadlineMs(input);
  const isLate = at !== undefined && at <= reading.now;
  const wasLate = attempt.reason === 'ProgressDeadlineExceeded';
  const goesOn = policy.failureAction === 'continue';
  if (!isLate && (!wasLate || goesOn || policy.progressDeadlineMs === 0)) return undefined;
  const time = formatDurationMs(policy.progressDeadlineMs);
  const due = `without progress for ${time}${standstillWords(moves, reading)}`;
  const verdict = failed(attempt, policy, { reason: 'ProgressDeadlineExceeded', due });
  return goesOn ? { ...verdict, next: 'go-on' } : verdict;
}

/** All slots are moved, and the last new tasks were watched for long enough. */
function finished({ attempt, moves, policy, reading, now }: VerdictInput): Verdict | undefined {
  if (moves.some((move) => isUnfinished(move, reading))) return undefined;
  const settled = moves.flatMap((move) => settledAtMs(move, reading) ?? []);
  const end = settled.length === 0 ? 0 : Math.max(...settled) + policy.monitorMs;
  if (end > reading.now) return { ...goingOnAs(attempt), lookAgainAt: end };
  return { attempt: completed(attempt, now), next: 'end' };
}

function goingOn(input: VerdictInput): Verdict {
  return { ...goingOnAs(input.attempt), lookAgainAt: deadlineMs(input) };
}

function goingOnAs({ reason: _reason, ...attempt }: UpdateStatus): Verdict {
  const state = isRollback(attempt) ? 'rollback_started' : 'updating';
  return {
    attempt: { ...attempt, state, message: `${nounOf(attempt)} in progress` },
    next: 'go-on',
  };
}

function completed({ reason: _reason, ...attempt }: UpdateStatus, now: string): UpdateStatus {
  const state = isRollback(attempt) ? 'rollback_completed' : 'completed';
  return { ...attempt, state, completedAt: now, message: `${nounOf(attempt)} completed` };
}

/** As the policy wants it. An update without anywhere to go back to stops: so does one that went back. */
function failed(
  attempt: UpdateStatus,
  { failureAction }: EffectiveUpdatePolicy,
  { reason, due }: { readonly reason: PauseReason; readonly due: string },
): Verdict {
  const goesBack = failureAction === 'rollback' && !isRollback(attempt);
  if (goesBack && attempt.from !== undefined) {
    return { attempt: { ...attempt, cause: `update rolled back ${due}` }, next: 'roll-back' };
  }
  const isKnown = attempt.reason === reason;
  const nowhere = goesBack ? ', and there is no earlier revision to go back to' : '';
  const message = isKnown ? attempt.message : `${nounOf(attempt)} paused ${due}${nowhere}`;
  return paused(attempt, reason, message);
}

function paused(attempt: UpdateStatus, reason: PauseReason, message: string): Verdict {
  const state = isRollback(attempt) ? 'rollback_paused' : 'paused';
  return { attempt: { ...attempt, state, reason, message }, next: 'hold' };
}

const nounOf = (attempt: UpdateStatus): string => (isRollback(attempt) ? 'rollback' : 'update');
