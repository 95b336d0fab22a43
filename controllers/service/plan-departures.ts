import type { EffectiveDisruption } from '../../api/v1/index.js';
import { byAge, hasEnded, isLive, type TaskView } from '../../pkg/lifecycle/index.js';
import { stop, type Retry, type ServiceChange } from './plan-changes.js';
import { serves, type Departure, type Move, type MoveReading } from './plan-moves.js';
import { mustWaitFor, nextTry } from './plan-replace.js';
import { servingOf } from './plan-room.js';
import type { Policies, Slot } from './plan-slots.js';

/** What leaving nodes rests on. */
export interface DeparturesInput {
  readonly moves: readonly Move[];
  /** Slots to which the update gives a new task in the same moment. */
  readonly begun: ReadonlySet<Move>;
  /** Tasks that the service should have. */
  readonly desired: number;
  readonly disruption: EffectiveDisruption;
  readonly policies: Policies;
  readonly reading: MoveReading;
}

/** Steps of tasks away from their nodes. */
export interface DeparturesPlan {
  readonly changes: readonly ServiceChange[];
  /** Slots with a task that has to leave its node, other than one that nobody hears of. */
  readonly leaving: number;
  /** Tasks are on their way because of it. */
  readonly isUnderway: boolean;
  /** When time alone may bring new changes (milliseconds since 1970). */
  readonly lookAgainAt: number | undefined;
}

/**
 * Brings tasks away from nodes that are drained or lost. A drained node's tasks go on until others serve in
 * their place, or stop before, as the service's disruption policy says; a lost node's are not stopped until
 * then either, so that they are still there when it comes back in time.
 */
export function planDepartures(input: DeparturesInput): DeparturesPlan {
  const { moves, begun, reading } = input;
  const leaving = moves.filter((move) => move.displaced.length > 0 && !begun.has(move));
  const budget = new Budget(input);
  return {
    changes: leaving.flatMap((move) =>
      move.hasHeir ? retire(move, budget, input) : depart(move, budget, input),
    ),
    leaving: leaving.filter((move) => departureOf(move, reading)?.kind === 'drained').length,
    isUnderway: leaving.length > 0,
    lookAgainAt: earliest([
      ...moves.map(lossInstant(reading)),
      ...leaving.map(serviceInstant(reading)),
    ]),
  };
}

/** How many slots that serve may stop to, for a while. */
class Budget {
  private left: number;

  constructor({ moves, begun, desired, disruption }: DeparturesInput) {
    const serving = servingOf(moves) - servingOf([...begun]);
    this.left = disruption.maxUnavailable(desired) - Math.max(0, desired - serving);
  }

  take(): boolean {
    if (this.left < 1) return false;
    this.left -= 1;
    return true;
  }
}

/** Another task is there for the place: what has to leave stops as soon as that one serves. */
function retire(
  move: Move,
  budget: Budget,
  { reading, disruption }: DeparturesInput,
): readonly ServiceChange[] {
  const [keeper, ...others] = move.displaced;
  if (keeper === undefined) return [];
  const isOver = move.isServing || isForcedOut(keeper, reading);
  if (isOver || isGivenUp(move, keeper, { reading, disruption, budget })) {
    return move.displaced.flatMap(stop);
  }
  return others.flatMap(stop);
}

/** The new task finds no place, or must not meet the old one; and the budget allows to do without it. */
function isGivenUp(
  { slot }: Move,
  keeper: TaskView,
  {
    reading,
    disruption,
    budget,
  }: Pick<DeparturesInput, 'reading' | 'disruption'> & { budget: Budget },
): boolean {
  if (departureIn(reading, keeper)?.kind !== 'drained') return false;
  const isHopeless = slot.live.every(({ task }) => task.spec.pending !== undefined);
  if (!isHopeless && disruption.order !== 'stop-first') return false;
  return !serves(keeper, reading) || budget.take();
}

/** All live tasks of the slot have to leave. */
function depart(move: Move, budget: Budget, input: DeparturesInput): readonly ServiceChange[] {
  const { reading, disruption } = input;
  const [keeper, ...others] = move.displaced;
  const departure = keeper && departureIn(reading, keeper);
  if (!keeper || !departure) return [];
  if (departure.kind === 'lost') return moveAway(move, 'beside', input);
  const isBare = departure.isForced || !serves(keeper, reading);
  if (isBare) return moveAway(move, 'instead', input);
  if (disruption.order === 'start-first') return moveAway(move, 'beside', input);
  return budget.take() ? moveAway(move, 'instead', input) : others.flatMap(stop);
}

function moveAway(
  { slot, displaced }: Move,
  how: 'beside' | 'instead',
  { policies, reading }: DeparturesInput,
): readonly ServiceChange[] {
  const [from, ...others] = displaced;
  const departure = from && departureIn(reading, from);
  if (!from || !departure) return [];
  const stopped = how === 'beside' ? others : displaced;
  const retry = retryOf(slot, displaced, policies);
  if (retry === 'never') return others.flatMap(stop);
  const mustWait = retry?.startAt !== undefined || mustWaitFor(slot, stopped);
  return [
    {
      kind: 'move-task',
      from,
      why: departure.kind === 'lost' ? 'node-lost' : 'node-drained',
      nodeVersion: departure.version,
      stopped,
      task: {
        slot: slot.number,
        desiredState: mustWait ? 'ready' : 'running',
        ...heirOf(from, retry),
      },
    },
  ];
}

/** It is what the other one is, in another place. */
function heirOf({ task: { spec, metadata } }: TaskView, retry: Retry | undefined) {
  const { restarts, failures, lastFailure, revision, attempt, updates } = spec;
  const counters = { restarts, failures, ...(lastFailure !== undefined && { lastFailure }) };
  return {
    revision,
    attempt,
    updates,
    moves: metadata.uid,
    retry: retry ?? counters,
  };
}

/** What a task inherits from the last one that was to take this place and failed. */
function retryOf(
  slot: Slot,
  displaced: readonly TaskView[],
  policies: Policies,
): Retry | 'never' | undefined {
  const ids = new Set(displaced.map(({ task }) => task.metadata.uid));
  const last = slot.tasks
    .filter((view) => ids.has(view.task.spec.moves ?? '') && !isLive(view) && hasEnded(view))
    .sort(byAge)
    .at(-1);
  return last && nextTry(last, slot, policies);
}

const departureIn = ({ departures }: MoveReading, { task }: TaskView): Departure | undefined =>
  departures.get(task.spec.nodeId ?? '');

const departureOf = ({ displaced: [first] }: Move, reading: MoveReading): Departure | undefined =>
  first && departureIn(reading, first);

function isForcedOut(view: TaskView, reading: MoveReading): boolean {
  const departure = departureIn(reading, view);
  return departure?.kind === 'drained' && departure.isForced;
}

/** When others may take the place of the slot's tasks on lost nodes. */
function lossInstant(reading: MoveReading) {
  return ({ slot }: Move): number | undefined =>
    earliest(
      slot.live.map((view) => {
        const departure = departureIn(reading, view);
        const at = departure?.kind === 'lost' ? departure.replaceableAt : undefined;
        return at !== undefined && at > reading.now ? at : undefined;
      }),
    );
}

/** When the task that takes the place counts as available, by time alone. */
function serviceInstant(reading: MoveReading) {
  return ({ slot }: Move): number | undefined =>
    earliest(
      slot.live.map((view) => {
        const at = reading.availableAt(view);
        return at !== undefined && at > reading.now ? at : undefined;
      }),
    );
}

function earliest(instants: readonly (number | undefined)[]): number | undefined {
  return instants.reduce<number | undefined>(
    (first, at) => (first === undefined ? at : Math.min(first, at ?? first)),
    undefined,
  );
}
