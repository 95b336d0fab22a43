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
 * Decides about every task of `groups` and leaves `state` as it is, in {@link inQueueOrder}; the order of the
 * arguments does not matter.
 */
export function planPlacements(state: ClusterState, groups: readonly TaskGroup[]): ScheduleResult {
  const placements: Placement[] = [];
  const unplaced: UnplacedTask[] = [];
  for (const result of placeInOrder(new PlacementBatch(state), groups)) {
    for (const placement of result.placements) placements.push(placement);
    for (const task of result.unplaced) unplaced.push(task);
  }
  return { placements, unplaced };
}

/**
 * Places groups one after the other, and gives each one's result when it is final; a caller with much to
 * place lets others run in between. A group that found no place near a service is asked again when tasks of
 * that service were placed after it.
 */
export function* placeInOrder(
  batch: PlacementBatch,
  groups: readonly TaskGroup[],
): Generator<ScheduleResult, void> {
  const waiting = new Waiting();
  for (const group of inQueueOrder(groups)) yield* placeWithThoseWoken(batch, waiting, group);
  yield { placements: [], unplaced: waiting.unplaced };
}

function* placeWithThoseWoken(
  batch: PlacementBatch,
  waiting: Waiting,
  group: TaskGroup,
): Generator<ScheduleResult, void> {
  const result = batch.place(group);
  yield waiting.holdBack(group, result);
  if (result.placements.length === 0) return;
  for (const woken of waiting.takeThoseFor(group.serviceId)) {
    yield* placeWithThoseWoken(batch, waiting, woken);
  }
}

/** Groups that found no place for want of a neighbour, which may still come. */
class Waiting {
  private readonly groups = new Map<TaskGroup, readonly UnplacedTask[]>();

  get unplaced(): readonly UnplacedTask[] {
    return [...this.groups.values()].flat();
  }

  /** What is final of a result. */
  holdBack(group: TaskGroup, result: ScheduleResult): ScheduleResult {
    const { placements, unplaced } = result;
    const isWaiting = unplaced.length > 0 && neighboursOf(group).length > 0;
    if (!isWaiting) return result;
    const left = new Set(unplaced.map(({ taskId }) => taskId));
    const tasks = group.tasks.filter(({ id }) => left.has(id));
    this.groups.set({ ...group, tasks }, unplaced);
    return { placements, unplaced: [] };
  }

  /** The groups that wait for tasks of a service; they do not wait any more. */
  takeThoseFor(serviceId: string): readonly TaskGroup[] {
    const woken = [...this.groups.keys()].filter((group) =>
      neighboursOf(group).includes(serviceId),
    );
    for (const group of woken) this.groups.delete(group);
    return woken;
  }
}

/** Services without whose tasks near it a group can be nowhere; its own may be one of them. */
function neighboursOf({ affinity = [] }: TaskGroup): readonly string[] {
  return affinity.flatMap(({ serviceId, weight }) =>
    weight === undefined && serviceId !== undefined ? [serviceId] : [],
  );
}

/**
 * The order in which groups are placed: the highest priority first, among equals those with preassigned tasks,
 * then the oldest.
 */
export function inQueueOrder(groups: readonly TaskGroup[]): readonly TaskGroup[] {
  return groups
    .map((group) => ({
      group,
      priority: group.priority ?? 0,
      bound: group.tasks.some(isPreassigned) ? 0 : 1,
    }))
    .sort((a, b) => b.priority - a.priority || a.bound - b.bound || byPosition(a.group, b.group))
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
