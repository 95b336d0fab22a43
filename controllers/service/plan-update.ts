import type {
  EffectiveUpdatePolicy,
  ServiceRollout,
  StoredServiceRevision,
  UpdateStatus,
} from '../../api/v1/index.js';
import type { TaskView } from '../../pkg/lifecycle/index.js';
import type { SchedulingNode } from '../../pkg/scheduler/index.js';
import { attemptFor, isOver, isRollback, rollback, type AttemptInput } from './plan-attempt.js';
import { planBeginnings } from './plan-beginnings.js';
import { canariesLeft } from './plan-canary.js';
import type { ServiceChange } from './plan-changes.js';
import { currentTest, revisionsLike, type Goal } from './plan-current.js';
import { isUnfinished } from './plan-deadline.js';
import { isOutdated, movesOf, type Move, type MoveReading } from './plan-moves.js';
import { planSurplus } from './plan-replace.js';
import { mayOverlap } from './plan-room.js';
import type { IsCurrent, Policies, Slot } from './plan-slots.js';
import { judge, type Verdict } from './plan-verdict.js';

/** What an update rests on. */
export interface UpdateInput {
  /** The slots that stay. */
  readonly slots: readonly Slot[];
  /** Tasks that the service should have. */
  readonly desired: number;
  /** The revision that the spec asks for. */
  readonly wanted: Goal;
  readonly revisions: readonly StoredServiceRevision[];
  readonly nodes: ReadonlyMap<string, SchedulingNode>;
  readonly policies: Policies;
  readonly update: EffectiveUpdatePolicy;
  readonly rollback: EffectiveUpdatePolicy;
  readonly rollout: ServiceRollout | undefined;
  readonly previous: UpdateStatus | undefined;
  readonly stable: readonly number[];
  readonly lostNodes: ReadonlySet<string>;
  readonly departures: MoveReading['departures'];
  readonly availableAt: MoveReading['availableAt'];
  /** Milliseconds since 1970; see `deadlineMs`. */
  readonly leadingSince: number;
  /** ISO 8601. */
  readonly now: string;
}

/** An update's next steps. */
export interface UpdatePlan {
  /** Undefined before the first update. */
  readonly attempt: UpdateStatus | undefined;
  /** The revision that tasks are brought to. */
  readonly goal: number;
  readonly isCurrent: IsCurrent;
  readonly moves: readonly Move[];
  /** Slots that get a new task now. */
  readonly begun: ReadonlySet<Move>;
  readonly reading: MoveReading;
  /** The revision that tasks of new slots get: while an update stands still, the one that is known to work. */
  readonly creation: number;
  /** Tasks are on their way because of it. */
  readonly isUnderway: boolean;
  readonly changes: readonly ServiceChange[];
  /** Milliseconds since 1970. */
  readonly lookAgainAt: number | undefined;
}

/**
 * Brings slots to the revision that the spec wants, or back to an earlier one when that failed
 * (swarm-semantics 2.7). Everything is derived from stored objects at each look.
 */
export function planUpdate(input: UpdateInput): UpdatePlan {
  const beginning = attemptInput(input);
  const attempt = attemptFor(beginning);
  if (attempt === undefined) return planWithout(input);
  const { verdict, plan } = look(input, attempt);
  const { from, cause } = verdict.attempt;
  if (verdict.next !== 'roll-back' || from === undefined) return plan();
  const back = { ...beginning, previous: verdict.attempt };
  return look(input, rollback(back, from, cause ?? '')).plan();
}

function attemptInput(input: UpdateInput): AttemptInput {
  const carried = input.slots.flatMap(({ tasks }) =>
    tasks.map(({ task }) => task.spec.attempt ?? 0),
  );
  return {
    ...input,
    lastAttempt: carried.reduce((a, b) => Math.max(a, b), 0),
    outdated: (revision) => {
      const reading = readingFor(input, goalFor(input, revision), 0);
      return movesOf(input.slots, reading).filter(isOutdated).length;
    },
  };
}

function goalFor({ wanted, revisions }: UpdateInput, revision: number): Goal {
  return revisions.find((stored) => stored.revision === revision) ?? wanted;
}

function readingFor(input: UpdateInput, goal: Goal, attempt: number): MoveReading {
  return {
    isCurrent: currentTest(goal, input),
    attempt,
    lostNodes: input.lostNodes,
    departures: input.departures,
    availableAt: input.availableAt,
    now: Date.parse(input.now),
  };
}

/** Nothing was ever updated: all there may be is a task too many. */
function planWithout(input: UpdateInput): UpdatePlan {
  const reading = readingFor(input, input.wanted, 0);
  const moves = movesOf(input.slots, reading);
  return {
    attempt: undefined,
    goal: input.wanted.revision,
    isCurrent: reading.isCurrent,
    moves,
    begun: new Set(),
    reading,
    creation: input.wanted.revision,
    isUnderway: false,
    changes: moves.flatMap((move) => planSurplus(move, reading, false)),
    lookAgainAt: undefined,
  };
}

interface Look {
  readonly verdict: Verdict;
  readonly plan: () => UpdatePlan;
}

function look(input: UpdateInput, begun: UpdateStatus): Look {
  const policy = isRollback(begun) ? input.rollback : input.update;
  const goal = goalFor(input, begun.to);
  const reading = readingFor(input, goal, begun.attempt);
  const moves = movesOf(input.slots, reading);
  const verdict = judge({ ...input, attempt: begun, moves, policy, reading });
  const attempt = withAlike(verdict.attempt, revisionsLike(goal, input.revisions));
  const canaries = canariesLeft({ ...input, attempt, moves, policy });
  const plan = (): UpdatePlan => {
    const found = { ...input, attempt, moves, policy, reading, canaries };
    const begins = verdict.next === 'go-on' ? planBeginnings(found) : NOTHING_BEGINS;
    const left = moves.filter((move) => !begins.moved.has(move));
    const overlap = mayOverlap(policy, input.desired);
    return {
      attempt,
      goal: attempt.to,
      isCurrent: reading.isCurrent,
      moves,
      begun: begins.moved,
      reading,
      creation: creationOf(attempt, canaries !== undefined),
      isUnderway: verdict.next === 'go-on' && moves.some((move) => isUnfinished(move, reading)),
      // What is over goes before anything begins: a crash in between must not leave more than is allowed.
      changes: [...left.flatMap((move) => planSurplus(move, reading, overlap)), ...begins.changes],
      lookAgainAt: earliest([
        verdict.lookAgainAt,
        begins.lookAgainAt,
        nextAvailable(moves, reading),
      ]),
    };
  };
  return { verdict, plan };
}

function withAlike(attempt: UpdateStatus, alike: readonly number[]): UpdateStatus {
  const { alike: _old, ...rest } = attempt;
  return alike.length === 0 ? rest : { ...rest, alike: [...alike] };
}

const NOTHING_BEGINS = { changes: [], moved: new Set<Move>(), lookAgainAt: undefined };

/** What nobody has found good yet does not spread by scaling. */
function creationOf(attempt: UpdateStatus, isCanary: boolean): number {
  const isHeld = attempt.state === 'paused' || (isCanary && !isOver(attempt));
  return isHeld ? (attempt.from ?? attempt.to) : attempt.to;
}

/** When the next task that runs counts as available. */
function nextAvailable(moves: readonly Move[], { availableAt, now }: MoveReading) {
  const views = moves.flatMap(({ current }): readonly TaskView[] => (current ? [current] : []));
  return earliest(views.map(availableAt).filter((at) => at !== undefined && at > now));
}

function earliest(instants: readonly (number | undefined)[]): number | undefined {
  const given = instants.filter((at) => at !== undefined);
  return given.length === 0 ? undefined : given.reduce((a, b) => Math.min(a, b));
}
