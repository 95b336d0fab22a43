import type { EffectiveUpdatePolicy, UpdateStatus } from '../../api/v1/index.js';
import type { ServiceChange } from './plan-changes.js';
import type { Move, MoveReading } from './plan-moves.js';
import { replace, retryOf } from './plan-replace.js';
import { isBusy, isIdle, roomFor } from './plan-room.js';
import type { Policies } from './plan-slots.js';

/** What the choice of slots rests on. */
export interface BeginningsInput {
  readonly attempt: UpdateStatus;
  readonly moves: readonly Move[];
  readonly desired: number;
  readonly policy: EffectiveUpdatePolicy;
  readonly policies: Policies;
  readonly reading: MoveReading;
  /** How many may be moved before the revision is promoted; undefined: all. */
  readonly canaries: number | undefined;
}

/** Slots that get their new task now. */
export interface Beginnings {
  readonly changes: readonly ServiceChange[];
  readonly moved: ReadonlySet<Move>;
  readonly lookAgainAt: number | undefined;
}

/**
 * Chooses the slots whose turn it is: at once those of which nothing serves, because they have nothing to
 * lose; of the others as many as there is room for, first those that were not tried yet.
 */
export function planBeginnings(input: BeginningsInput): Beginnings {
  const { moves, canaries = Infinity, desired, policy, reading } = input;
  const idle = moves.filter(isIdle).slice(0, canaries);
  const room = roomFor({ moves, desired, policy, reading });
  const busy = inTurn(input).slice(0, canaries - idle.length);
  const beside = busy.slice(0, room.startFirst);
  const instead = busy.slice(beside.length, beside.length + room.stopFirst);
  return {
    changes: [
      ...idle.map((move) => begin(input, move, 'stop-first')),
      ...beside.map((move) => begin(input, move, 'start-first')),
      ...instead.map((move) => begin(input, move, 'stop-first')),
    ],
    moved: new Set([...idle, ...beside, ...instead]),
    lookAgainAt: busy.length > beside.length + instead.length ? room.lookAgainAt : undefined,
  };
}

/** A slot that kept its old task when the new one failed comes after all others, and only if its policy allows. */
function inTurn({ moves, attempt, policies }: BeginningsInput): readonly Move[] {
  const busy = moves.filter(isBusy);
  const fresh = busy.filter(({ tries }) => tries.length === 0);
  const tried = busy.filter(
    (move) => move.tries.length > 0 && retryOf(move, attempt.attempt, policies) !== 'never',
  );
  return [...fresh, ...tried];
}

function begin(
  { attempt, policies }: BeginningsInput,
  move: Move,
  order: 'stop-first' | 'start-first',
): ServiceChange {
  const found = order === 'start-first' ? retryOf(move, attempt.attempt, policies) : undefined;
  const retry = found === 'never' ? undefined : found;
  return replace(move, { revision: attempt.to, attempt: attempt.attempt, order, retry });
}
