import {
  absent,
  atVersion,
  clusterOf,
  NodeLosses,
  remove,
  type World,
} from '../../pkg/objects/index.js';
import { effectiveClusterSpec, type StoredTask } from '../../api/v1/index.js';
import type { Clock } from '../../pkg/base/index.js';
import type {
  GuardedWriter,
  ReconcileContext,
  ReconcileResult,
  Reconciler,
} from '../../pkg/controller/index.js';
import type { EventRecorder } from '../../pkg/events/index.js';
import { packTransactions, type Compare, type Keys } from '../../pkg/store/index.js';
import { partOf } from './apply.js';
import { GroupCommit } from './group-commit.js';
import type { TaskChange } from './plan-changes.js';
import type { SlotTask } from './plan-restart.js';
import { planSlot } from './plan-slot.js';
import { recordTaskChanges } from './task-events.js';
import { serviceStateOf, slotTaskOf } from './task-reading.js';
import { Waits } from './waits.js';

/** What the reconcilers of this folder are made of. */
export interface TaskReconcilerOptions {
  readonly world: World;
  readonly keys: Keys;
  readonly writer: GuardedWriter;
  readonly clock: Clock;
  readonly events: EventRecorder;
}

const STRAY = 'stray:';

/** Stands for the status of a task that does not exist. */
export const strayKey = (taskId: string): string => `${STRAY}${taskId}`;

/** Restarts, starts and removes the tasks of one slot. Keys are those of `slotKey` and `strayKey`. */
export class SlotReconciler implements Reconciler {
  private readonly writer: GuardedWriter;
  private readonly losses: NodeLosses;
  private readonly waits = new Waits();

  constructor(private readonly options: TaskReconcilerOptions) {
    this.writer = new GroupCommit(options.writer);
    this.losses = new NodeLosses(options.world, options.clock);
  }

  async reconcile(key: string, context: ReconcileContext): Promise<ReconcileResult> {
    const { world, keys, clock, events } = this.options;
    if (key.startsWith(STRAY)) return this.deleteStray(key.slice(STRAY.length), context);
    const tasks = world.tasks.byIndex('slot', key);
    const now = clock.now();
    const slotTasks = this.read(key, tasks, now.getTime());
    const [first] = tasks;
    if (!first) return {};
    const { changes, lookAgainAt } = planSlot({
      service: serviceStateOf(world, first),
      tasks: slotTasks,
      historyLimit: effectiveClusterSpec(clusterOf(world)?.spec ?? {}).taskHistoryLimit,
      now: now.getTime(),
    });
    const allowed = world.cache.historyBreak ? changes.filter(destroysNothing) : changes;
    const guards = nodeGuards(this.options, slotTasks);
    const parts = allowed
      .map((change) => partOf(change, { keys, now: now.toISOString() }))
      .map((part) => ({ ...part, compare: [...part.compare, ...guards] }));
    for (const txn of packTransactions(parts)) await this.writer.commit(txn, context);
    recordTaskChanges(events, allowed);
    return lookAgainAt === undefined ? {} : { requeueAfterMs: lookAgainAt - now.getTime() };
  }

  private read(slot: string, tasks: readonly StoredTask[], now: number): readonly SlotTask[] {
    const nowMs = this.options.clock.monotonicMs();
    const waiting = tasks.filter(({ spec }) => spec.desiredState === 'ready');
    const ids = waiting.map(({ metadata }) => metadata.uid);
    const since = this.waits.note(slot, ids, nowMs);
    return tasks.map((task) => {
      const slotTask = slotTaskOf(this.options.world, task);
      const waitedMs = nowMs - (since.get(task.metadata.uid) ?? nowMs);
      return { ...slotTask, waitedMs, replaceableAt: this.replaceableAt(slotTask, now) };
    });
  }

  private replaceableAt(
    { standing, isOfJob, task: { spec } }: SlotTask,
    now: number,
  ): number | undefined {
    const service = this.options.world.services.get(spec.service);
    if (standing !== 'lost' || !isOfJob || !service) return undefined;
    return this.losses.replaceableAt(service, spec.nodeId ?? '', now);
  }

  /** A report that was under way when its task was deleted. */
  private async deleteStray(taskId: string, context: ReconcileContext): Promise<ReconcileResult> {
    const { world, keys } = this.options;
    const status = world.taskStatuses.get(taskId);
    const hasTask = world.tasks.get(taskId) !== undefined || world.tasks.isInvalid(taskId);
    if (!status || hasTask || world.cache.historyBreak) return {};
    const statusKey = keys.taskStatus(taskId);
    const compare = [absent(keys.task(taskId)), atVersion(statusKey, status.version)];
    await this.writer.commit({ compare, operations: [remove(statusKey)] }, context);
    return {};
  }
}

/**
 * What is decided about a slot rests on nodes that drain, are lost or gone, too: one that came back in the
 * same moment must make the write fail, or its task would be replaced while it runs.
 */
function nodeGuards(
  { world, keys }: Pick<TaskReconcilerOptions, 'world' | 'keys'>,
  tasks: readonly SlotTask[],
): readonly Compare[] {
  return tasks.flatMap(({ task, standing }) => {
    const { nodeId = '' } = task.spec;
    if (standing === 'gone') return [absent(keys.node(nodeId))];
    if (standing === 'draining') {
      return [atVersion(keys.node(nodeId), world.nodes.get(nodeId)?.metadata.version ?? 0)];
    }
    if (standing !== 'lost') return [];
    return [atVersion(keys.nodeHealth(nodeId), world.nodeHealths.get(nodeId)?.version ?? 0)];
  });
}

/** After the store lost history, a service or a node that seems gone may only be forgotten. */
function destroysNothing({ kind }: TaskChange): boolean {
  return kind !== 'delete-task' && kind !== 'remove-task' && kind !== 'orphan-task';
}
