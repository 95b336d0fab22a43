import { isReady } from '../../pkg/lifecycle/index.js';
import type { ServiceChange } from './plan-changes.js';
import { remove } from './plan-changes.js';
import { isStopping, type Slot } from './plan-slots.js';

/** A place that has no task yet, or none any more. */
export interface EmptyPlace {
  readonly slot: number;
  readonly forNode?: string | undefined;
  /** `ready`: what was there before has not stopped yet. */
  readonly desiredState: 'ready' | 'running';
}

/** What scaling decides: how many there are, and which of them stay. */
export interface ScalePlan {
  /** Places to be filled; with which revision is the update's decision. */
  readonly empty: readonly EmptyPlace[];
  /** Slots that stay and may be updated. */
  readonly kept: readonly Slot[];
  /** Slots that the status speaks of: `kept`, and those that stay as they are. */
  readonly counted: readonly Slot[];
  readonly changes: readonly ServiceChange[];
}

/** Brings the number of slots to `replicas` (swarm-semantics 2.4, step 2). */
export function planReplicas(
  slots: readonly Slot[],
  replicas: number,
  isLeaving: (nodeId: string) => boolean,
): ScalePlan {
  const filled = slots.filter((slot) => slot.filled);
  const dead = slots.filter((slot) => !slot.filled);
  if (filled.length < replicas) return grow(filled, dead, replicas);
  const ranked = filled.length > replicas ? rankForKeeping(filled, isLeaving) : filled;
  const kept = ranked.slice(0, replicas).sort((a, b) => a.number - b.number);
  const surplus = ranked.slice(replicas);
  return { empty: [], kept, counted: kept, changes: [...surplus, ...dead].flatMap(removeAll) };
}

/** New tasks go into the lowest free numbers; the history of dead slots that stay empty goes. */
function grow(filled: readonly Slot[], dead: readonly Slot[], replicas: number): ScalePlan {
  const taken = new Set(filled.map(({ number }) => number));
  const free = lowestFree(taken, replicas - filled.length);
  const deadByNumber = new Map(dead.map((slot) => [slot.number, slot]));
  const empty = free.map((slot): EmptyPlace => {
    const reused = deadByNumber.get(slot);
    return { slot, desiredState: reused && isStopping(reused) ? 'ready' : 'running' };
  });
  const reused = new Set(free);
  const unused = dead.filter(({ number }) => !reused.has(number));
  return { empty, kept: filled, counted: filled, changes: unused.flatMap(removeAll) };
}

function lowestFree(taken: ReadonlySet<number>, count: number): readonly number[] {
  const free: number[] = [];
  for (let number = 1; free.length < count; number += 1) {
    if (!taken.has(number)) free.push(number);
  }
  return free;
}

/**
 * Those to keep first: nodes with most replicas lose first, what does not run goes before what runs, what
 * is not in service before what is, and the spread over nodes stays. Those on nodes that are to be left go
 * before all others.
 */
function rankForKeeping(
  slots: readonly Slot[],
  isLeaving: (nodeId: string) => boolean,
): readonly Slot[] {
  const seenOnNode = new Map<string, number>();
  const usefulFirst = [...slots].sort(
    (a, b) => usefulness(b) - usefulness(a) || a.number - b.number,
  );
  return usefulFirst
    .map((slot) => ({
      slot,
      index: indexOnNode(slot, seenOnNode),
      leaves: leaves(slot, isLeaving),
    }))
    .sort((a, b) => Number(a.leaves) - Number(b.leaves) || compareIndex(a.index, b.index))
    .map(({ slot }) => slot);
}

/** How many slots were seen on the slot's node, itself included; last for several tasks or no node. */
function indexOnNode({ live, newest }: Slot, seenOnNode: Map<string, number>): number {
  const nodeId = (live[0] ?? newest).task.spec.nodeId;
  if (live.length > 1 || nodeId === undefined) return Infinity;
  const index = (seenOnNode.get(nodeId) ?? 0) + 1;
  seenOnNode.set(nodeId, index);
  return index;
}

const leaves = ({ live, newest }: Slot, isLeaving: (nodeId: string) => boolean): boolean =>
  (live.length > 0 ? live : [newest]).every(({ task }) => isLeaving(task.spec.nodeId ?? ''));

/** Two that come last are equal. */
const compareIndex = (a: number, b: number): number => (a === b ? 0 : a - b);

function usefulness({ live }: Slot): number {
  if (live.some(isReady)) return 2;
  return live.some(({ state }) => state === 'running') ? 1 : 0;
}

const removeAll = ({ tasks }: Slot): readonly ServiceChange[] => tasks.flatMap(remove);
