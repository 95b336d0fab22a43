import { addTo, floatAt, intAt } from './column.js';
import type { NodeRanking } from './node-ranking.js';
import type { Partition } from './partition.js';
import { SegmentedHeap } from './segmented-heap.js';

/** The candidates in each leaf, best node first. */
class LeafHeaps extends SegmentedHeap {
  constructor(
    capacities: Int32Array,
    private readonly ranking: NodeRanking,
  ) {
    super(capacities);
  }

  protected isBefore(a: number, b: number): boolean {
    return this.ranking.isBetter(a, b);
  }
}

/**
 * The branches below each branch: fewest tasks of the service first, then the one whose next node
 * is better. So services of a single task do not all end up in the same branch.
 */
class BranchHeaps extends SegmentedHeap {
  constructor(
    capacities: Int32Array,
    private readonly branchTasks: Float64Array,
    private readonly next: Int32Array,
    private readonly ranking: NodeRanking,
  ) {
    super(capacities);
  }

  protected isBefore(a: number, b: number): boolean {
    const difference = floatAt(this.branchTasks, a) - floatAt(this.branchTasks, b);
    if (difference !== 0) return difference < 0;
    return this.ranking.isBetter(intAt(this.next, a), intAt(this.next, b));
  }
}

/**
 * Chooses the next node for a group, in O(log nodes): down the tree to the branch with the fewest
 * tasks of the service that still has a candidate, then to that leaf's best node. One tree serves
 * all groups of a batch that have the same preferences; each starts with `reset`.
 */
export class SpreadTree {
  /** Active tasks of the service below each branch, on all nodes, also those that fail filters. */
  private readonly branchTasks: Float64Array;
  /** The node that each branch would give next; -1 when it has no room. */
  private readonly nextNode: Int32Array;
  private readonly leaves: LeafHeaps;
  private readonly branches: BranchHeaps;

  constructor(
    private readonly partition: Partition,
    ranking: NodeRanking,
  ) {
    const { parents, nodesByBranch, childrenByBranch } = partition;
    this.branchTasks = new Float64Array(parents.length);
    this.nextNode = new Int32Array(parents.length);
    this.leaves = new LeafHeaps(nodesByBranch, ranking);
    this.branches = new BranchHeaps(childrenByBranch, this.branchTasks, this.nextNode, ranking);
  }

  /** Forgets the last group. Then `addTasks`, `addCandidate` for each node, and `build`. */
  reset(): void {
    this.branchTasks.fill(0);
    this.leaves.clear();
    this.branches.clear();
  }

  /** Counts active tasks of the service on a node; a node that no longer exists is in no branch. */
  addTasks(slot: number, count: number): void {
    const leaf = intAt(this.partition.leafBySlot, slot);
    if (leaf >= 0) addTo(this.branchTasks, leaf, count);
  }

  /** A node that may take tasks of the group. */
  addCandidate(slot: number): void {
    this.leaves.append(intAt(this.partition.leafBySlot, slot), slot);
  }

  /** Orders everything, from the leaves to the root. */
  build(): void {
    const { parents, childrenByBranch } = this.partition;
    for (let branch = parents.length - 1; branch >= 0; branch -= 1) {
      const heaps = intAt(childrenByBranch, branch) === 0 ? this.leaves : this.branches;
      heaps.build(branch);
      this.renewNextNode(branch);
      const parent = intAt(parents, branch);
      if (parent < 0) return;
      addTo(this.branchTasks, parent, floatAt(this.branchTasks, branch));
      if (intAt(this.nextNode, branch) >= 0) this.branches.append(parent, branch);
    }
  }

  /** The slot that gets the next task, or -1 when no candidate is left. */
  next(): number {
    return intAt(this.nextNode, 0);
  }

  /**
   * Says that the node of `next` got a task, after the ranking was told. `hasRoom`: it may get more.
   */
  placed(hasRoom: boolean): void {
    this.renewWay(hasRoom, 1);
  }

  /** Says that the node of `next` is worse than the ranking thought, or (not `passes`) no candidate any more. */
  revise(passes: boolean): void {
    this.renewWay(passes, 0);
  }

  /** Puts the next node where it belongs now, and every branch on the way to it. */
  private renewWay(isCandidate: boolean, added: number): void {
    const { parents, leafBySlot } = this.partition;
    const leaf = intAt(leafBySlot, this.next());
    if (isCandidate) this.leaves.sink(leaf);
    else this.leaves.pop(leaf);
    this.renewNextNode(leaf);

    for (let branch = leaf; branch > 0; branch = intAt(parents, branch)) {
      const parent = intAt(parents, branch);
      addTo(this.branchTasks, branch, added);
      if (intAt(this.nextNode, branch) >= 0) this.branches.sink(parent);
      else this.branches.pop(parent);
      this.renewNextNode(parent);
    }
  }

  private renewNextNode(branch: number): void {
    if (intAt(this.partition.childrenByBranch, branch) === 0) {
      this.nextNode[branch] = this.leaves.top(branch);
      return;
    }
    const child = this.branches.top(branch);
    this.nextNode[branch] = child < 0 ? -1 : intAt(this.nextNode, child);
  }
}
