import type { NodeAttribute } from './attribute.js';
import { intAt } from './column.js';
import type { NodeTable } from './node-table.js';

/**
 * The nodes of a cluster as a tree: a level per preference, a branch per value of its attribute.
 * Branch 0 is the root; children always have higher numbers than their parent. Without preferences
 * the root is the only leaf.
 */
export interface Partition {
  /** The leaf of each node slot; -1 for slots without a node. */
  readonly leafBySlot: Int32Array;
  /** Nodes directly in each branch: 0 but for leaves. */
  readonly nodesByBranch: Int32Array;
  /** Branches directly below each branch: 0 for leaves. */
  readonly childrenByBranch: Int32Array;
  /** Each branch's parent; -1 for the root. */
  readonly parents: Int32Array;
}

/** Sorts every node into its leaf. A node without the attribute is in the branch of "". */
export function partitionNodes(table: NodeTable, levels: readonly NodeAttribute[]): Partition {
  const branches = new BranchTable();
  const leafBySlot = new Int32Array(table.slots).fill(-1);
  for (let slot = 0; slot < table.slots; slot += 1) {
    const node = table.nodes[slot];
    if (node === undefined) continue;
    leafBySlot[slot] = levels.reduce(
      (branch, attribute) => branches.ensureChild(branch, attribute.read(node)),
      0,
    );
  }
  const parents = Int32Array.from(branches.parents);
  return {
    leafBySlot,
    nodesByBranch: histogram(leafBySlot, parents.length),
    childrenByBranch: histogram(parents, parents.length),
    parents,
  };
}

class BranchTable {
  readonly parents: number[] = [-1];
  private readonly children: Map<string, number>[] = [new Map<string, number>()];

  ensureChild(branch: number, value: string): number {
    const siblings = this.children[branch];
    const known = siblings?.get(value);
    if (known !== undefined) return known;
    const child = this.parents.length;
    siblings?.set(value, child);
    this.children.push(new Map<string, number>());
    this.parents.push(branch);
    return child;
  }
}

/** How often each number below `length` occurs. */
function histogram(values: Int32Array, length: number): Int32Array {
  const counts = new Int32Array(length);
  for (const value of values) {
    if (value >= 0) counts[value] = intAt(counts, value) + 1;
  }
  return counts;
}
