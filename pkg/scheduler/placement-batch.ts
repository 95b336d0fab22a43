import { CandidateLists } from './candidate-lists.js';
import type { ClusterState } from './cluster-state.js';
import { floatAt } from './column.js';
import { demandOf } from './demand.js';
import type { Demand } from './demand.js';
import { checksFor, findFailingCheck, passesAll } from './filters/index.js';
import type { Check } from './filters/index.js';
import { Ledger } from './ledger.js';
import { NodeRanking } from './node-ranking.js';
import { partitionNodes } from './partition.js';
import { findSpreadAttribute } from './preference.js';
import { whyNoNode, whyNoSuchNode, whyNotHere } from './reasons.js';
import type { Reason } from './reasons.js';
import { SpreadTree } from './spread-tree.js';
import type { PendingTask, Placement, ScheduleResult, TaskGroup, UnplacedTask } from './types.js';

const NO_FAILURES: ReadonlyMap<string, number> = new Map();

/** What is being decided about one group. */
interface GroupWork {
  readonly group: TaskGroup;
  readonly demand: Demand;
  readonly checks: readonly Check[];
  /** Those that a placement can turn from pass to fail. */
  readonly movingChecks: readonly Check[];
  readonly placements: Placement[];
  readonly unplaced: UnplacedTask[];
}

/**
 * Plans groups one after the other; each sees the decisions about those before it. The state is
 * only read. A caller with much to place can let other work run between two groups, if it holds
 * back changes of the state meanwhile; {@link planPlacements} does all groups at once.
 */
export class PlacementBatch {
  private readonly ledger: Ledger;
  private readonly ranking: NodeRanking;
  private readonly candidates: CandidateLists;
  private readonly changeCount: number;
  private readonly trees = new Map<string, SpreadTree>();

  constructor(private readonly state: ClusterState) {
    this.changeCount = state.changeCount;
    this.ledger = new Ledger(state);
    this.candidates = new CandidateLists(state.table);
    this.ranking = new NodeRanking(this.ledger);
  }

  /** Decides about every task of a group. Throws when the state has changed since the start. */
  place(group: TaskGroup): ScheduleResult {
    if (this.state.changeCount !== this.changeCount) {
      throw new Error('the cluster state changed during a placement batch');
    }
    this.ledger.openService(group.serviceId);
    const demand = demandOf(group);
    const checks = checksFor({ group, demand, ledger: this.ledger });
    const movingChecks = checks.filter((check) => !isFixed(check));
    const work = { group, demand, checks, movingChecks, placements: [], unplaced: [] };
    const free = group.tasks.filter((task) => !this.placeOnItsNode(task, work));
    if (free.length > 0) this.placeOnBestNodes(free, work);
    return { placements: work.placements, unplaced: work.unplaced };
  }

  /** True when the task is bound to a node, whether it fits there or not. */
  private placeOnItsNode({ id, preassignedNodeId: nodeId }: PendingTask, work: GroupWork): boolean {
    if (nodeId === undefined) return false;
    const { table } = this.state;
    const slot = table.findSlot(nodeId);
    if (slot === undefined || table.nodes[slot] === undefined) {
      work.unplaced.push({ taskId: id, ...whyNoSuchNode(nodeId) });
      return true;
    }
    const failing = findFailingCheck(work.checks, slot);
    if (failing === undefined) {
      this.ledger.take(work.demand, slot);
      work.placements.push({ taskId: id, nodeId });
    } else {
      work.unplaced.push({ taskId: id, ...whyNotHere(failing, slot, table) });
    }
    return true;
  }

  private placeOnBestNodes(tasks: readonly PendingTask[], work: GroupWork): void {
    const tree = this.openTree(work);
    let why: Reason | undefined;
    for (const { id: taskId } of tasks) {
      const slot = tree.next();
      if (slot < 0) {
        why ??= whyNoNode(work.checks, this.state.table);
        work.unplaced.push({ taskId, ...why });
        continue;
      }
      this.ledger.take(work.demand, slot);
      this.ranking.placed(slot, work.demand);
      tree.placed(passesAll(work.movingChecks, slot));
      work.placements.push({ taskId, nodeId: this.state.table.ids[slot] ?? '' });
    }
  }

  /** The tree of the group's preferences with the group's candidates in it. */
  private openTree({ group, demand, checks, movingChecks }: GroupWork): SpreadTree {
    const { table } = this.state;
    const failures = group.recentFailures ?? NO_FAILURES;
    const tree = this.treeFor(group);
    tree.reset();
    for (const slot of this.ledger.activeSlots()) {
      tree.addTasks(slot, floatAt(this.ledger.serviceTasks, slot));
    }
    for (const slot of this.candidates.find(checks.filter(isFixed))) {
      if (!passesAll(movingChecks, slot)) continue;
      const failed = failures.size === 0 ? 0 : (failures.get(table.ids[slot] ?? '') ?? 0);
      this.ranking.set(slot, demand, failed);
      tree.addCandidate(slot);
    }
    tree.build();
    return tree;
  }

  private treeFor({ preferences = [] }: TaskGroup): SpreadTree {
    const levels = preferences.flatMap(({ spread }) => findSpreadAttribute(spread) ?? []);
    const key = levels.map((level) => level.key).join('\n');
    const known = this.trees.get(key);
    if (known !== undefined) return known;
    const tree = new SpreadTree(partitionNodes(this.state.table, levels), this.ranking);
    this.trees.set(key, tree);
    return tree;
  }
}

function isFixed({ fixedKey }: Check): boolean {
  return fixedKey !== undefined;
}
