import type { StoredTask } from '../../api/v1/index.js';
import type { ReconcileContext, ReconcileResult, Reconciler } from '../../pkg/controller/index.js';
import { schedulingNodeOf, taskView } from '../../pkg/lifecycle/index.js';
import { atVersion, slotKey, type World } from '../../pkg/objects/index.js';
import { demandOf } from '../../pkg/placement/index.js';
import type { TxnPart } from '../../pkg/store/index.js';
import { partOf } from './apply.js';
import { planEnforcement, type Misfit, type NodeTask } from './plan-enforcement.js';
import { planEnd } from './plan-restart.js';
import type { TaskReconcilerOptions } from './slot-reconciler.js';
import { recordTaskChanges } from './task-events.js';
import { serviceStateOf, slotTaskOf } from './task-reading.js';

/** Moves tasks away from nodes that do not suit them any more. Keys are nodes' ids. */
export class EnforcementReconciler implements Reconciler {
  constructor(private readonly options: TaskReconcilerOptions) {}

  async reconcile(nodeId: string, context: ReconcileContext): Promise<ReconcileResult> {
    const { world } = this.options;
    const node = world.nodes.get(nodeId);
    const status = world.nodeStatuses.get(nodeId);
    // Without a description nothing is known of its resources, so nothing can be held against it.
    if (!node || !status) return {};
    const health = world.nodeHealths.get(nodeId);
    const misfits = planEnforcement({
      node: schedulingNodeOf({ node, status, health }),
      tasks: world.tasks.byIndex('node', nodeId).map((task) => nodeTaskOf(world, task)),
    });
    for (const misfit of misfits) await this.end(misfit, node.metadata.version, context);
    return {};
  }

  /** One by one: each is a person's doing, and there are few. */
  private async end(
    { task: { task }, why }: Misfit,
    nodeVersion: number,
    context: ReconcileContext,
  ): Promise<void> {
    const { world, keys, clock, events, writer } = this.options;
    if (serviceStateOf(world, task) !== 'present') return;
    const now = clock.now();
    const slotTasks = world.tasks.byIndex('slot', slotKey(task.spec));
    const change = planEnd({
      task: slotTaskOf(world, task),
      cause: 'node-unsuitable',
      slotTasks: slotTasks.map((other) => slotTaskOf(world, other)),
      now: now.getTime(),
    });
    const part: TxnPart = partOf(change, { keys, now: now.toISOString() });
    const nodeIsSame = atVersion(keys.node(task.spec.nodeId ?? ''), nodeVersion);
    await writer.commit({ ...part, compare: [nodeIsSame, ...part.compare] }, context);
    recordTaskChanges(events, [change], why);
  }
}

function nodeTaskOf(world: World, task: StoredTask): NodeTask {
  const view = taskView(task, world.taskStatuses.get(task.metadata.uid));
  return { ...view, demand: demandOf(world, task) };
}
