import {
  byAge,
  endedAtMs,
  hasEnded,
  inServiceSinceMs,
  instantMs,
  isLive,
  runningSinceMs,
  type TaskView,
} from '../../pkg/lifecycle/index.js';
import type { IsCurrent, Slot } from './plan-slots.js';

/** Why the tasks of a node leave it; `version` is that of the record that says so. */
export type Departure =
  /** `isForced`: they stop at once, whether there is another place for them or not. */
  | { readonly kind: 'drained'; readonly isForced: boolean; readonly version: number }
  /** Others may take their place from then on (milliseconds since 1970); undefined: they keep it. */
  | {
      readonly kind: 'lost';
      readonly replaceableAt: number | undefined;
      readonly version: number;
    };

/** One slot as an update sees it. */
export interface Move {
  /** Without `displaced` where another live task is there already. */
  readonly slot: Slot;
  /** Live tasks that have to leave their node, the most useful first. */
  readonly displaced: readonly TaskView[];
  /** A live task beside `displaced` is there, which takes their place. */
  readonly hasHeir: boolean;
  /** One of `displaced` serves, and `slot` does not know of it. */
  readonly isCovered: boolean;
  /** Its task as it should be: the live one, or the last one when nothing follows it. */
  readonly current?: TaskView | undefined;
  /** Live tasks beside `current`, the most useful first. */
  readonly others: readonly TaskView[];
  /** The tasks with which this attempt moved the slot, oldest first; restarts of them are none. */
  readonly tries: readonly TaskView[];
  /** Some live task of the slot is available. */
  readonly isServing: boolean;
  /** Nobody knows what runs there, and the update leaves it alone. */
  readonly isLost: boolean;
}

/** How slots are read. */
export interface MoveReading {
  readonly isCurrent: IsCurrent;
  /** The attempt that is under way. */
  readonly attempt: number;
  readonly lostNodes: ReadonlySet<string>;
  /** Nodes whose tasks leave them, by id. */
  readonly departures: ReadonlyMap<string, Departure>;
  /** When a task counts as available; undefined while it does not run. */
  readonly availableAt: (view: TaskView) => number | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Reads slots for an update. */
export function movesOf(slots: readonly Slot[], reading: MoveReading): readonly Move[] {
  return slots.map((slot) => moveOf(slot, reading));
}

/**
 * To an update a slot is what stays of it: a task that only goes on until another has taken its place is no
 * business of its, be that one made by the update or because of the node.
 */
function moveOf(whole: Slot, reading: MoveReading): Move {
  const displaced = whole.live.filter((view) => isDisplaced(view, whole.live, reading));
  if (displaced.length > 1) displaced.sort(mostUsefulFirst(reading));
  const staying =
    displaced.length === 0 ? whole.live : whole.live.filter((view) => !displaced.includes(view));
  const hasHeir = displaced.length > 0 && staying.length > 0;
  return {
    ...readSlot(hasHeir ? { ...whole, live: staying } : whole, reading),
    displaced,
    hasHeir,
    isCovered: hasHeir && displaced.some((view) => serves(view, reading)),
  };
}

/** Once another task was made for its place it stays displaced, until its node is well again. */
function isDisplaced(
  { task: { spec, metadata } }: TaskView,
  live: readonly TaskView[],
  { departures, now }: MoveReading,
): boolean {
  const departure = departures.get(spec.nodeId ?? '');
  if (departure === undefined || spec.slot === 0) return false;
  if (departure.kind === 'drained' || (departure.replaceableAt ?? Infinity) <= now) return true;
  return live.some(({ task }) => task.spec.moves === metadata.uid);
}

type Reading = Omit<Move, 'displaced' | 'hasHeir' | 'isCovered'>;

function readSlot(slot: Slot, reading: MoveReading): Reading {
  const { isCurrent, attempt } = reading;
  const live = slot.live.length > 1 ? [...slot.live].sort(mostUsefulFirst(reading)) : slot.live;
  const current = live.find(isCurrent) ?? endedCurrent(slot, isCurrent);
  return {
    slot,
    current,
    others: live.filter((view) => view !== current),
    tries: slot.tasks.filter(
      ({ task: { spec } }) => spec.attempt === attempt && spec.updates !== undefined,
    ),
    isServing: live.some((view) => serves(view, reading)),
    isLost: live.length > 0 && live.every((view) => isOnLostNode(view, reading)),
  };
}

/** Nothing follows it, so it stands for its slot. */
function endedCurrent({ live, newest }: Slot, isCurrent: IsCurrent): TaskView | undefined {
  return live.length === 0 && isCurrent(newest) ? newest : undefined;
}

/** What serves comes first, then what runs, then what is newest. */
function mostUsefulFirst(reading: MoveReading): (a: TaskView, b: TaskView) => number {
  const rank = (view: TaskView) =>
    (serves(view, reading) ? 2 : 0) + (view.state === 'running' ? 1 : 0);
  return (a, b) => rank(b) - rank(a) || byAge(b, a);
}

/** The task is available, and its node is heard of. */
export function serves(view: TaskView, reading: MoveReading): boolean {
  return isAvailableIn(view, reading) && !isOnLostNode(view, reading);
}

/** The task is available, as far as was heard of it last. */
export function isAvailableIn(view: TaskView, { availableAt, now }: MoveReading): boolean {
  const at = availableAt(view);
  return at !== undefined && at <= now;
}

const isOnLostNode = ({ task }: TaskView, { lostNodes }: MoveReading): boolean =>
  lostNodes.has(task.spec.nodeId ?? '');

/** All live tasks of the slot have to leave their nodes, and none was made in their place yet. */
export const isDeparting = ({ displaced, hasHeir }: Move): boolean =>
  displaced.length > 0 && !hasHeir;

/** Its task is of another revision, and no new one was made yet. */
export const isOutdated = ({ current }: Move): boolean => current === undefined;

/** The slot has a new task that is not available yet, at its first try, whichever attempt made it. */
export function isMoving({ current }: Move, reading: MoveReading): boolean {
  return current !== undefined && isOnItsWay(current, reading) && isFirstTry(current);
}

/** The new task of the slot, not at its first try, does not serve yet while an old one still does. */
export function isRetrying({ current, others }: Move, reading: MoveReading): boolean {
  if (current === undefined || others.length === 0) return false;
  return isOnItsWay(current, reading) && !isFirstTry(current);
}

function isOnItsWay(view: TaskView, reading: MoveReading): boolean {
  return isLive(view) && !hasEnded(view) && !isAvailableIn(view, reading);
}

const isFirstTry = ({ task }: TaskView): boolean => task.spec.updates !== undefined;

/** True while the present task of the slot serves. */
export function currentServes({ current }: Move, reading: MoveReading): boolean {
  return current !== undefined && isLive(current) && serves(current, reading);
}

/** When the last try of a slot came to something, well or badly; undefined while it is under way. */
export function settledAtMs({ tries }: Move, reading: MoveReading): number | undefined {
  const last = tries.at(-1);
  if (last === undefined) return undefined;
  if (hasEnded(last)) return endedAtMs(last);
  if (!isAvailableIn(last, reading)) return undefined;
  return Math.max(reading.availableAt(last) ?? 0, inServiceSinceMs(last) ?? 0);
}

/** When the attempt last did something in this slot: a task made, running, in service, or ended. 0: never. */
export function lastStepMs({ tries }: Move): number {
  const steps = tries.flatMap((view) => [
    instantMs(view.task.metadata.createdAt),
    runningSinceMs(view) ?? 0,
    inServiceSinceMs(view) ?? 0,
    hasEnded(view) ? endedAtMs(view) : 0,
  ]);
  return Math.max(0, ...steps);
}
