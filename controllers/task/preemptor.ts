import { isWanted, type StoredTask } from '../../api/v1/index.js';
import type { ReconcileContext } from '../../pkg/controller/index.js';
import { hasEnded, instantMs, taskView } from '../../pkg/lifecycle/index.js';
import { atVersion, slotKey } from '../../pkg/objects/index.js';
import { placedTaskOf, type ClusterView } from '../../pkg/placement/index.js';
import {
  planPreemption,
  type Occupant,
  type Preemption,
  type TaskGroup,
  type UnplacedTask,
} from '../../pkg/scheduler/index.js';
import type { Compare, Operation } from '../../pkg/store/index.js';
import { partOf } from './apply.js';
import type { TaskChange } from './plan-changes.js';
import { planEnd } from './plan-restart.js';
import type { TaskReconcilerOptions } from './slot-reconciler.js';
import { recordTaskChanges } from './task-events.js';
import { serviceStateOf, slotTaskOf } from './task-reading.js';

/** Groups of a batch that found no place, and which of their tasks. */
export interface WithoutPlace {
  readonly groups: readonly TaskGroup[];
  readonly unplaced: readonly UnplacedTask[];
  readonly view: ClusterView;
}

/** The groups that may send others away, with those of their tasks that are left. */
export function preemptingGroups({ groups, unplaced }: Omit<WithoutPlace, 'view'>) {
  const left = new Set(unplaced.map(({ taskId }) => taskId));
  return groups
    .filter(({ mayPreempt }) => mayPreempt === true)
    .map((group) => ({ ...group, tasks: group.tasks.filter(({ id }) => left.has(id)) }))
    .filter(({ tasks }) => tasks.length > 0);
}

/**
 * Sends tasks of a lower priority away where tasks of a higher one find no place. Who gets the room is decided as
 * always, when it is there: the highest priority comes first.
 */
export class Preemptor {
  constructor(private readonly options: TaskReconcilerOptions) {}

  /** Each in a write of its own: the victims go together, and only while somebody waits for their place. */
  async run({ groups, unplaced, view }: WithoutPlace, context: ReconcileContext): Promise<void> {
    const preemptions = planPreemption({
      state: view.state,
      groups: preemptingGroups({ groups, unplaced }),
      occupantsOf: (nodeId) => this.occupantsOf(nodeId),
    });
    for (const preemption of preemptions) await this.sendAway(preemption, context);
  }

  private async sendAway(
    { taskId, victims }: Preemption,
    context: ReconcileContext,
  ): Promise<void> {
    const { world, keys, clock, events, writer } = this.options;
    const waiting = world.tasks.get(taskId);
    if (!waiting || victims.length === 0) return; // those that go already make room enough
    const now = clock.now();
    const changes = victims.flatMap((id) => this.endingOf(id, now.getTime()) ?? []);
    const parts = changes.map((change) => partOf(change, { keys, now: now.toISOString() }));
    const compare: readonly Compare[] = [
      atVersion(keys.task(taskId), waiting.metadata.version),
      ...parts.flatMap((part) => part.compare),
    ];
    const operations: readonly Operation[] = parts.flatMap((part) => part.operations);
    await writer.commit({ compare, operations }, context);
    recordTaskChanges(events, changes, waiting.metadata.name);
  }

  private endingOf(taskId: string, now: number): TaskChange | undefined {
    const { world } = this.options;
    const task = world.tasks.get(taskId);
    if (!task) return undefined;
    const slotTasks = world.tasks.byIndex('slot', slotKey(task.spec));
    return planEnd({
      task: slotTaskOf(world, task),
      cause: 'preempted',
      slotTasks: slotTasks.map((other) => slotTaskOf(world, other)),
      now,
    });
  }

  private occupantsOf(nodeId: string): readonly Occupant[] {
    const { world } = this.options;
    return world.tasks
      .byIndex('node', nodeId)
      .filter((task) => !hasEnded(taskView(task, world.taskStatuses.get(task.metadata.uid))))
      .map((task) => this.occupantOf(task, nodeId));
  }

  private occupantOf(task: StoredTask, nodeId: string): Occupant {
    const { world } = this.options;
    const { service } = task.spec;
    const isPresent = serviceStateOf(world, task) === 'present';
    return {
      ...placedTaskOf(world, task, nodeId),
      serviceName: service,
      priority: isPresent ? (world.services.get(service)?.spec.task.priority ?? 0) : 0,
      isLeaving: !isWanted(task.spec.desiredState),
      isMovable: isPresent && this.wouldComeBack(task),
      createdAt: instantMs(task.metadata.createdAt),
    };
  }

  /** A task of a global service belongs to its node, and one that is never restarted would be lost. */
  private wouldComeBack(task: StoredTask): boolean {
    if (task.spec.slot === 0) return false;
    const { isOfJob = false, policy } = slotTaskOf(this.options.world, task);
    return isOfJob || policy.condition !== 'none';
  }
}
