import { amountOf, type EffectiveUpdatePolicy } from '../../api/v1/index.js';
import {
  isMoving,
  isOutdated,
  isRetrying,
  settledAtMs,
  type Move,
  type MoveReading,
} from './plan-moves.js';

/** How many slots that serve may be moved now, in either way. */
export interface Room {
  /** The old task stays until the new one serves. */
  readonly startFirst: number;
  /** The old task stops first. */
  readonly stopFirst: number;
  /** When waiting alone makes more room (milliseconds since 1970). */
  readonly lookAgainAt?: number | undefined;
}

/** What the room depends on. */
export interface RoomInput {
  readonly moves: readonly Move[];
  /** Tasks that the service should have. */
  readonly desired: number;
  readonly policy: Pick<EffectiveUpdatePolicy, 'pace' | 'delayMs'>;
  readonly reading: MoveReading;
}

/** Whether new tasks may run beside the old ones. */
export function mayOverlap({ pace }: RoomInput['policy'], desired: number): boolean {
  if (pace.kind === 'parallelism') return pace.order === 'start-first';
  return amountOf(pace.maxSurge, desired, 'up') > 0;
}

/**
 * Room by the policy's pace. `parallelism` counts what the update itself has under way, as Swarm mode does;
 * `maxSurge` and `maxUnavailable` count tasks, whatever the reason for their being too many or too few.
 */
export function roomFor(input: RoomInput): Room {
  const { moves, policy, reading } = input;
  const { resting, lookAgainAt } = restOf(input);
  const moving = moves.filter((move) => isMoving(move, reading)).length;
  const underway = moving + resting;
  const room =
    policy.pace.kind === 'parallelism'
      ? roomByWork(input, underway, policy.pace)
      : roomByTasks(input, underway, policy.pace);
  return { ...room, lookAgainAt };
}

/** Slots whose turn is over and whose delay is not: each keeps another one from its turn. */
function restOf({ moves, policy: { delayMs }, reading }: RoomInput) {
  if (delayMs === 0) return { resting: 0 };
  const ends = moves
    .map((move) => settledAtMs(move, reading))
    .flatMap((at) => (at === undefined ? [] : [at + delayMs]))
    .filter((at) => at > reading.now);
  return { resting: ends.length, lookAgainAt: ends.length === 0 ? undefined : Math.min(...ends) };
}

type Pace<K> = Extract<EffectiveUpdatePolicy['pace'], { kind: K }>;

function roomByWork(
  { moves, desired, reading }: RoomInput,
  underway: number,
  { parallelism, order }: Pace<'parallelism'>,
): Room {
  const limit = amountOf(parallelism, desired, 'up');
  const idle = moves.filter(isIdle).length;
  const retrying = moves.filter((move) => isRetrying(move, reading)).length;
  const free = limit === 0 ? Infinity : Math.max(0, limit - underway - idle - retrying);
  return order === 'start-first'
    ? { startFirst: free, stopFirst: 0 }
    : { startFirst: 0, stopFirst: free };
}

function roomByTasks(
  { moves, desired }: RoomInput,
  underway: number,
  { maxSurge, maxUnavailable }: Pace<'surge'>,
): Room {
  const surge = amountOf(maxSurge, desired, 'up');
  // Both can round to 0 only when a share of few tasks is asked for: then one at a time.
  const unavailable = amountOf(maxUnavailable, desired, 'down') || (surge === 0 ? 1 : 0);
  const extra = moves.reduce((sum, { slot }) => sum + Math.max(0, slot.live.length - 1), 0);
  const serving = servingOf(moves);
  const total = Math.max(0, surge + unavailable - underway);
  const startFirst = Math.min(total, Math.max(0, surge - extra));
  const stopFirst = Math.min(total - startFirst, Math.max(0, unavailable - (desired - serving)));
  return { startFirst, stopFirst };
}

/** Slots of which something serves. */
export const servingOf = (moves: readonly Move[]): number =>
  moves.filter(({ isServing, isCovered }) => isServing || isCovered).length;

/** An outdated slot of which nothing serves: it has nothing to lose, so it waits for no turn. */
export const isIdle = (move: Move): boolean => isOutdated(move) && !move.isServing && !move.isLost;

/** An outdated slot that serves. */
export const isBusy = (move: Move): boolean => isOutdated(move) && move.isServing;
