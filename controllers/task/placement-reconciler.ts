import { ConflictError, Pacer, TimeSlice } from '../../pkg/base/index.js';
import type { ReconcileContext, ReconcileResult, Reconciler } from '../../pkg/controller/index.js';
import { groupsOf, taskView, type UnplacedView } from '../../pkg/lifecycle/index.js';
import { atVersion } from '../../pkg/objects/index.js';
import { ClusterView, demandOf, placementFacts } from '../../pkg/placement/index.js';
import {
  placeInOrder,
  PlacementBatch,
  type Placement,
  type ScheduleResult,
  type TaskGroup,
  type UnplacedTask,
} from '../../pkg/scheduler/index.js';
import { packTransactions, type Compare, type TxnPart } from '../../pkg/store/index.js';
import { partOf } from './apply.js';
import { earlier, type TaskChange } from './plan-changes.js';
import { placeAtMs, planPlacement } from './plan-placement.js';
import { preemptingGroups, Preemptor } from './preemptor.js';
import type { TaskReconcilerOptions } from './slot-reconciler.js';
import { serviceStateOf } from './task-reading.js';

/** Transactions under way at once: the store works while the next ones travel. */
const PARALLEL_COMMITS = 4;
/** A batch that costs much, because much cannot be placed, takes at most a third of the time. */
const PACE = { minIntervalMs: 0, costFactor: 3, maxIntervalMs: 1_000 };

/** By then what a batch placed can be seen. */
const PREEMPT_AFTER_MS = 50;

interface Preempting {
  readonly groups: readonly TaskGroup[];
  readonly result: ScheduleResult;
  readonly view: ClusterView;
  readonly now: number;
}

/** Gives every task that waits a node, or a reason: one batch over all of them. It has one key. */
export class PlacementReconciler implements Reconciler, Disposable {
  private readonly pacer = new Pacer(PACE);
  private view: ClusterView | undefined;
  private viewEpoch = 0;
  private readonly preemptor: Preemptor;

  constructor(private readonly options: TaskReconcilerOptions) {
    this.preemptor = new Preemptor(options);
  }

  async reconcile(_key: string, context: ReconcileContext): Promise<ReconcileResult> {
    const { world, clock } = this.options;
    const view = this.viewFor(context);
    const waiting = world.tasks.byIndex('unplaced', 'yes');
    if (waiting.length === 0) return {};
    const waitMs = this.pacer.waitMs(clock.monotonicMs());
    if (waitMs > 0) return { requeueAfterMs: waitMs };

    const startedMs = clock.monotonicMs();
    const now = clock.now().getTime();
    view.refresh();
    const { tasks, nextAt } = dueAt(now, this.unplaced(waiting));
    const groups = groupsOf(tasks, placementFacts(world, view, now));
    const result = await placeAll(view, groups);
    const plan = planPlacement({ tasks, result, now });
    this.pacer.ran(startedMs, clock.monotonicMs());
    await this.apply(plan.changes, view, context);
    const preemptAt = await this.preempt({ groups, result, view, now }, context);
    const lookAgainAt = earlier(earlier(plan.lookAgainAt, nextAt), preemptAt);
    return lookAgainAt === undefined ? {} : { requeueAfterMs: lookAgainAt - now };
  }

  [Symbol.dispose](): void {
    this.view?.[Symbol.dispose]();
    this.view = undefined;
  }

  /**
   * Only after a batch that placed nothing: everything that this rests on is then in the view. Else it says when
   * to look again, in milliseconds since 1970.
   */
  private async preempt(
    { groups, result, view, now }: Preempting,
    context: ReconcileContext,
  ): Promise<number | undefined> {
    const { unplaced, placements } = result;
    if (preemptingGroups({ groups, unplaced }).length === 0) return undefined;
    if (placements.length > 0) return now + PREEMPT_AFTER_MS;
    await this.preemptor.run({ groups, unplaced, view }, context);
    return undefined;
  }

  private viewFor({ term }: ReconcileContext): ClusterView {
    if (this.view && this.viewEpoch === term.epoch) return this.view;
    this[Symbol.dispose]();
    const view = new ClusterView(this.options.world);
    this.view = view;
    this.viewEpoch = term.epoch;
    term.signal.addEventListener('abort', () => view[Symbol.dispose](), { once: true });
    return view;
  }

  private unplaced(
    waiting: ReturnType<TaskReconcilerOptions['world']['tasks']['list']>,
  ): readonly UnplacedView[] {
    const { world } = this.options;
    return waiting
      .filter((task) => serviceStateOf(world, task) === 'present')
      .map((task) => ({
        ...taskView(task, world.taskStatuses.get(task.metadata.uid)),
        demand: demandOf(world, task),
      }));
  }

  /**
   * Placements first, node by node, so that transactions share their compares. One that loses a compare
   * does not hold up the others: all of them rest on the same batch, and a lost one only leaves room.
   */
  private async apply(
    changes: readonly TaskChange[],
    view: ClusterView,
    context: ReconcileContext,
  ): Promise<void> {
    if (changes.length === 0) return;
    const now = this.options.clock.now().toISOString();
    const parts = inWritingOrder(changes).map((change) => this.partOf(change, view, now));
    const txns = packTransactions(parts);
    context.log.debug({ changes: changes.length, txns: txns.length }, 'placing tasks');
    let conflict: ConflictError | undefined;
    for (let start = 0; start < txns.length; start += PARALLEL_COMMITS) {
      const slice = txns.slice(start, start + PARALLEL_COMMITS);
      const conflicts = await Promise.all(slice.map((txn) => this.commit(txn, context)));
      conflict ??= conflicts.find((lost) => lost !== undefined);
    }
    this.recordReasons(changes);
    if (conflict !== undefined) throw conflict;
  }

  /** The conflict, when a compare was lost. */
  private async commit(
    txn: TxnPart,
    context: ReconcileContext,
  ): Promise<ConflictError | undefined> {
    try {
      await this.options.writer.commit(txn, context);
      return undefined;
    } catch (error) {
      if (error instanceof ConflictError) return error;
      throw error;
    }
  }

  /** A node that changes between the decision and the write makes the write fail. */
  private partOf(change: TaskChange, view: ClusterView, now: string): TxnPart {
    const { keys } = this.options;
    const part = partOf(change, { keys, now });
    if (change.kind !== 'place-task') return part;
    const { nodeId } = change;
    const versions = view.versionsOf(nodeId);
    const nodeIsSame: readonly Compare[] = [
      atVersion(keys.node(nodeId), versions.node),
      atVersion(keys.nodeStatus(nodeId), versions.status),
      atVersion(keys.nodeHealth(nodeId), versions.health),
    ];
    return { ...part, compare: [...part.compare, ...nodeIsSame] };
  }

  /** Once for each service and reason, not for each task. */
  private recordReasons(changes: readonly TaskChange[]): void {
    const counts = new Map<string, { change: TaskChange; message: string; count: number }>();
    for (const change of changes) {
      if (change.kind !== 'explain-task') continue;
      const { message } = change.pending;
      const key = `${change.task.task.spec.serviceUid} ${message}`;
      const known = counts.get(key);
      if (known) known.count += 1;
      else counts.set(key, { change, message, count: 1 });
    }
    for (const { change, message, count } of counts.values()) {
      const { service, serviceUid } = change.task.task.spec;
      this.options.events.record({
        type: 'warning',
        reason: 'TasksPending',
        message: `${count} ${count === 1 ? 'task' : 'tasks'} pending: ${message}`,
        regarding: { kind: 'Service', name: service, uid: serviceUid },
        service,
        source: 'task-controller',
      });
    }
  }
}

/** The tasks whose time has come, and when that of the next one comes. */
function dueAt(now: number, waiting: readonly UnplacedView[]) {
  const later = waiting.map(placeAtMs).filter((at) => at !== undefined && at > now);
  const tasks = waiting.filter((view) => (placeAtMs(view) ?? 0) <= now);
  return { tasks, nextAt: later.reduce(earlier, undefined) };
}

/** Lets others run between groups when there is much to place; the view stands still meanwhile. */
async function placeAll(view: ClusterView, groups: readonly TaskGroup[]): Promise<ScheduleResult> {
  const batch = new PlacementBatch(view.state);
  const placements: Placement[] = [];
  const unplaced: UnplacedTask[] = [];
  const slice = new TimeSlice();
  for (const result of placeInOrder(batch, groups)) {
    for (const placement of result.placements) placements.push(placement);
    for (const task of result.unplaced) unplaced.push(task);
    if (slice.isSpent) await slice.yield();
  }
  return { placements, unplaced };
}

function inWritingOrder(changes: readonly TaskChange[]): readonly TaskChange[] {
  const nodeOf = (change: TaskChange) => (change.kind === 'place-task' ? change.nodeId : '~');
  return [...changes].sort((a, b) => {
    const [one, two] = [nodeOf(a), nodeOf(b)];
    if (one === two) return 0;
    return one < two ? -1 : 1;
  });
}
