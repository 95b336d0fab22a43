import { passesAll } from './filters/index.js';
import type { Check } from './filters/index.js';
import type { NodeTable } from './node-table.js';

/** Lists kept at a time; each costs four bytes per node. */
const MAX_LISTS = 64;

/** The nodes that pass a set of fixed checks, and the name of that set. */
export interface Candidates {
  readonly key: string;
  readonly slots: Int32Array;
}

/**
 * The nodes that pass a set of fixed checks, found once for all groups of a batch that ask for the
 * same: with many small services this is most of what a group would cost.
 */
export class CandidateLists {
  private readonly lists = new Map<string, Candidates>();

  constructor(private readonly table: NodeTable) {}

  /** The existing nodes that pass all of `checks`, each of which must have a fixed key. */
  find(checks: readonly Check[]): Candidates {
    const key = checks.map(({ name, fixedKey }) => `${name} ${fixedKey ?? ''}`).join('\n');
    const known = this.lists.get(key);
    if (known !== undefined) return known;
    if (this.lists.size >= MAX_LISTS) this.lists.clear();
    const candidates = { key, slots: this.scan(checks) };
    this.lists.set(key, candidates);
    return candidates;
  }

  private scan(checks: readonly Check[]): Int32Array {
    const { nodes, slots } = this.table;
    const list = new Int32Array(slots);
    let length = 0;
    for (let slot = 0; slot < slots; slot += 1) {
      if (nodes[slot] === undefined || !passesAll(checks, slot)) continue;
      list[length] = slot;
      length += 1;
    }
    return list.slice(0, length);
  }
}
