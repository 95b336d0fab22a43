import { CandidateLists } from './candidate-lists.js';
import type { ClusterState } from './cluster-state.js';
import { floatAt } from './column.js';
import { DomainTable } from './domains.js';
import { findFailingCheck, passesAll } from './filters/index.js';
import { openGroup } from './group-work.js';
import type { GroupWork } from './group-work.js';
import { Ledger } from './ledger.js';
import { NodeRanking } from './node-ranking.js';
import { partitionNodes } from './partition.js';
import { spreadAttributes } from './preference.js';
import { QuickChoice } from './quick-choice.js';
import { whyNoNode, whyNoSuchNode, whyNotHere } from './reasons.js';
import type { Reason } from './reasons.js';
import { SpreadTree } from './spread-tree.js';
import type { PendingTask, ScheduleResult, TaskGroup } from './types.js';

const NO_FAILURES: ReadonlyMap<string, number> = new Map();

/**
 * Plans groups one after the other; each sees the decisions about those before it. The state is
 * only read. A caller with much to place can let other work run between two groups, if it holds
 * back changes of the state meanwhile; {@link planPlacements} does all groups at once.
 */
export class PlacementBatch {
  private readonly ledger: Ledger;
  private readonly ranking: NodeRanking;
  private readonly domains: DomainTable;
  private readonly candidates: CandidateLists;
  private readonly quick: QuickChoice;
  private readonly changeCount: number;
  private readonly trees = new Map<string, SpreadTree>();

  constructor(private readonly state: ClusterState) {
    this.changeCount = state.changeCount;
    this.ledger = new Ledger(state);
    this.domains = new DomainTable(state.table);
    this.candidates = new CandidateLists(state.table);
    this.ranking = new NodeRanking(this.ledger);
    this.quick = new QuickChoice(this.ledger, this.ranking, this.domains);
  }

  /** Decides about every task of a group. Throws when the state has changed since the start. */
  place(group: TaskGroup): ScheduleResult {
    if (this.state.changeCount !== this.changeCount) {
      throw new Error('the cluster state changed during a placement batch');
    }
    const work = openGroup(group, this.ledger, this.domains);
    const free = group.tasks.filter((task) => !this.placeOnItsNode(task, work));
    const left = free.length > 0 ? this.placeQuickly(free, work) : free;
    if (left.length > 0) this.placeByTree(left, work);
    return { placements: work.placements, unplaced: work.unplaced };
  }

  /** True when the task is bound to a node, whether it fits there or not. */
  private placeOnItsNode(task: PendingTask, work: GroupWork): boolean {
    const { id: taskId, preassignedNodeId: nodeId } = task;
    if (nodeId === undefined) return false;
    const { table } = this.state;
    const slot = table.findSlot(nodeId);
    if (slot === undefined || table.nodes[slot] === undefined) {
      work.unplaced.push({ taskId, ...whyNoSuchNode(nodeId) });
      return true;
    }
    const failing = findFailingCheck(work.checks, slot);
    if (failing === undefined) this.book(task, slot, work);
    else work.unplaced.push({ taskId, ...whyNotHere(failing, slot, table) });
    return true;
  }

  /** Returns the tasks that are left when the best nodes cannot be told without looking at all. */
  private placeQuickly(tasks: readonly PendingTask[], work: GroupWork): readonly PendingTask[] {
    const candidates = () => this.candidates.find(work.fixedChecks);
    const choose = this.quick.chooserFor(work, tasks.length, candidates);
    if (choose === undefined) return tasks;
    for (const [index, task] of tasks.entries()) {
      const slot = choose();
      if (slot < 0) return tasks.slice(index);
      this.book(task, slot, work);
    }
    return [];
  }

  private placeByTree(tasks: readonly PendingTask[], work: GroupWork): void {
    let tree = this.openTree(work);
    let next = this.chooserOf(tree, work);
    let why: Reason | undefined;
    for (const task of tasks) {
      const slot = next();
      if (slot < 0) {
        why ??= whyNoNode(work.checks, this.state.table);
        work.unplaced.push({ taskId: task.id, ...why });
        continue;
      }
      if (this.book(task, slot, work)) {
        tree = this.openTree(work);
        next = this.chooserOf(tree, work);
        continue;
      }
      this.ranking.placed(slot, work.demand);
      tree.placed(passesAll(work.movingChecks, slot));
    }
  }

  /** True when that may have made a node better than it was. */
  private book({ id: taskId }: PendingTask, slot: number, work: GroupWork): boolean {
    const resources = this.ledger.take(work.demand, slot);
    let isBetter = false;
    for (const tell of work.listeners) isBetter = tell(slot) || isBetter;
    const nodeId = this.state.table.ids[slot] ?? '';
    work.placements.push(
      resources === undefined ? { taskId, nodeId } : { taskId, nodeId, resources },
    );
    return isBetter;
  }

  /**
   * Gives the tree's next node. When a placement can make other nodes fail or worse, those are found out
   * when their turn comes: whichever is still first then is the best.
   */
  private chooserOf(tree: SpreadTree, work: GroupWork): () => number {
    if (work.listeners.length === 0) return () => tree.next();
    const { penalty, movingChecks } = work;
    return () => {
      for (let slot = tree.next(); slot >= 0; slot = tree.next()) {
        const passes = passesAll(movingChecks, slot);
        const isWorse = passes && this.ranking.worsen(slot, penalty?.at(slot) ?? 0);
        if (passes && !isWorse) return slot;
        tree.revise(passes);
      }
      return -1;
    };
  }

  /** The tree of the group's preferences with the group's candidates in it. */
  private openTree(work: GroupWork): SpreadTree {
    const { group, demand, penalty, fixedChecks, movingChecks } = work;
    const { table } = this.state;
    const failures = group.recentFailures ?? NO_FAILURES;
    const tree = this.treeFor(group);
    this.ranking.open(group);
    tree.reset();
    for (const slot of this.ledger.activeSlots()) {
      tree.addTasks(slot, floatAt(this.ledger.serviceTasks, slot));
    }
    for (const slot of this.candidates.find(fixedChecks).slots) {
      if (!passesAll(movingChecks, slot)) continue;
      this.ranking.set(slot, demand, {
        failures: failures.size === 0 ? 0 : (failures.get(table.ids[slot] ?? '') ?? 0),
        penalty: penalty?.at(slot) ?? 0,
      });
      tree.addCandidate(slot);
    }
    tree.build();
    return tree;
  }

  private treeFor(group: TaskGroup): SpreadTree {
    const levels = spreadAttributes(group);
    const key = levels.map((level) => level.key).join('\n');
    const known = this.trees.get(key);
    if (known !== undefined) return known;
    const tree = new SpreadTree(partitionNodes(this.state.table, levels), this.ranking);
    this.trees.set(key, tree);
    return tree;
  }
}
