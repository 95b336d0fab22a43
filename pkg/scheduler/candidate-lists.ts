import { passesAll } from './filters/index.js';
import type { Check } from './filters/index.js';
import type { NodeTable } from './node-table.js';

/** Lists kept at a time; each costs four bytes per node. */
const MAX_LISTS = 64;

/**
 * The nodes that pass a set of fixed checks, found once for all groups of a batch that ask for the
 * same: with many small services this is most of what a group would cost.
 */
export class CandidateLists {
  private readonly lists = new Map<string, Int32Array>();

  constructor(private readonly table: NodeTable) {}

  /** Slots of the existing nodes that pass all of `checks`, each of which must have a fixed key. */
  find(checks: readonly Check[]): Int32Array {
    const key = JSON.stringify(checks.map(({ name, fixedKey }) => [name, fixedKey]));
    const known = this.lists.get(key);
    if (known !== undefined) return known;
    if (this.lists.size >= MAX_LISTS) this.lists.clear();
    const list = this.scan(checks);
    this.lists.set(key, list);
    return list;
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
