import { ClusterState } from './cluster-state.js';
import { PlacementBatch } from './placement-batch.js';
import type {
  PlacedTask,
  Placement,
  ScheduleResult,
  SchedulingNode,
  TaskGroup,
  UnplacedTask,
} from './types.js';

/** A whole cluster and what waits in it. */
export interface ScheduleInput {
  readonly nodes: readonly SchedulingNode[];
  readonly tasks: readonly PlacedTask[];
  readonly groups: readonly TaskGroup[];
}

/** Pure: decides about every pending task. For a state that is kept, see {@link planPlacements}. */
export function schedule({ nodes, tasks, groups }: ScheduleInput): ScheduleResult {
  return planPlacements(ClusterState.from(nodes, tasks), groups);
}

/**
 * Decides about every task of `groups` and leaves `state` as it is. Groups with tasks bound to a
 * node come first, then the order is by `position`; the order of the arguments does not matter.
 */
export function planPlacements(state: ClusterState, groups: readonly TaskGroup[]): ScheduleResult {
  const batch = new PlacementBatch(state);
  const placements: Placement[] = [];
  const unplaced: UnplacedTask[] = [];
  for (const group of inQueueOrder(groups)) {
    const result = batch.place(group);
    for (const placement of result.placements) placements.push(placement);
    for (const task of result.unplaced) unplaced.push(task);
  }
  return { placements, unplaced };
}

/** The order in which groups are placed: those with preassigned tasks first, then the oldest. */
export function inQueueOrder(groups: readonly TaskGroup[]): readonly TaskGroup[] {
  return groups
    .map((group) => ({ group, bound: group.tasks.some(isPreassigned) ? 0 : 1 }))
    .sort((a, b) => a.bound - b.bound || byPosition(a.group, b.group))
    .map(({ group }) => group);
}

function isPreassigned({ preassignedNodeId }: TaskGroup['tasks'][number]): boolean {
  return preassignedNodeId !== undefined;
}

function byPosition(a: TaskGroup, b: TaskGroup): number {
  if (a.position !== b.position) return a.position - b.position;
  if (a.serviceId !== b.serviceId) return a.serviceId < b.serviceId ? -1 : 1;
  return a.revision - b.revision;
}
