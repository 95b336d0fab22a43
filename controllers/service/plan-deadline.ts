import type { EffectiveUpdatePolicy, ServiceRollout, UpdateStatus } from '../../api/v1/index.js';
import { instantMs, type TaskView } from '../../pkg/lifecycle/index.js';
import {
  isMoving,
  isOutdated,
  isRetrying,
  lastStepMs,
  settledAtMs,
  type Move,
  type MoveReading,
} from './plan-moves.js';

/** What a deadline depends on. */
export interface DeadlineInput {
  readonly attempt: UpdateStatus;
  readonly moves: readonly Move[];
  readonly policy: Pick<EffectiveUpdatePolicy, 'progressDeadlineMs' | 'delayMs'>;
  readonly rollout: ServiceRollout | undefined;
  readonly reading: MoveReading;
  /** Since when somebody looks after it: what stood still before is not its fault. */
  readonly leadingSince: number;
}

/**
 * The instant at which an attempt counts as stuck unless something happens before: a task made, running or
 * ended, an order given. Undefined while it only waits as it was told to.
 */
export function deadlineMs(input: DeadlineInput): number | undefined {
  const { moves, policy, reading } = input;
  if (policy.progressDeadlineMs === 0) return undefined;
  if (!moves.some((move) => isUnfinished(move, reading))) return undefined;
  return lastProgressMs(input) + policy.progressDeadlineMs;
}

/** Something of the slot is still to be done by the attempt. */
export const isUnfinished = (move: Move, reading: MoveReading): boolean =>
  isOutdated(move) || isMoving(move, reading) || isRetrying(move, reading);

/** The delay after a task is no standstill. */
function lastProgressMs(input: DeadlineInput): number {
  const { attempt, moves, policy, rollout, reading, leadingSince } = input;
  const orderedAt = instantMs(rollout?.changedAt);
  return moves.reduce(
    (last, move) => {
      const settledAt = settledAtMs(move, reading);
      const restedAt = settledAt === undefined ? 0 : settledAt + policy.delayMs;
      return Math.max(last, lastStepMs(move), restedAt);
    },
    Math.max(instantMs(attempt.startedAt), orderedAt, leadingSince),
  );
}

/** Why an attempt stands still, in the words of the first task that does. */
export function standstillWords(moves: readonly Move[], reading: MoveReading): string {
  const stuck = moves.filter((move) => isUnfinished(move, reading));
  const words = stuck.flatMap(({ current }) => (current ? waitWords(current) : []));
  return words.length === 0 ? '' : `: ${words[0] ?? ''}`;
}

function waitWords({ task, status }: TaskView): readonly string[] {
  const why = status?.error ?? task.spec.pending?.message ?? status?.message ?? '';
  return why === '' ? [] : [`task ${task.metadata.name}: ${why}`];
}
