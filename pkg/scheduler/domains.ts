import { NODE_ID } from './attribute.js';
import type { NodeAttribute } from './attribute.js';
import { intAt } from './column.js';
import type { NodeTable } from './node-table.js';

/** The nodes of a cluster sorted by the value of an attribute: one number per value. */
export interface Domains {
  /** The number of the value that the node in a slot has; -1 for slots without a node. */
  readonly bySlot: Int32Array;
  /** Numbers are below this. */
  readonly size: number;
}

/** Sorts nodes by attributes, once per batch. A missing label is the empty value, as for spreading. */
export class DomainTable {
  private readonly known = new Map<string, Domains>();

  constructor(private readonly table: NodeTable) {}

  /** The nodes by `attribute`. */
  by(attribute: NodeAttribute): Domains {
    const known = this.known.get(attribute.key);
    if (known !== undefined) return known;
    const domains = attribute === NODE_ID ? this.byNode() : this.byValue(attribute);
    this.known.set(attribute.key, domains);
    return domains;
  }

  private byNode(): Domains {
    const { nodes, slots } = this.table;
    const bySlot = Int32Array.from({ length: slots }, (_, slot) => (nodes[slot] ? slot : -1));
    return { bySlot, size: slots };
  }

  private byValue({ read }: NodeAttribute): Domains {
    const numbers = new Map<string, number>();
    const bySlot = new Int32Array(this.table.slots).fill(-1);
    for (let slot = 0; slot < this.table.slots; slot += 1) {
      const node = this.table.nodes[slot];
      if (node === undefined) continue;
      const value = read(node);
      const number = numbers.get(value) ?? numbers.size;
      numbers.set(value, number);
      bySlot[slot] = number;
    }
    return { bySlot, size: numbers.size };
  }
}

/** In which domains something is. */
export class Presence {
  private readonly flags: Uint8Array;
  /** It is somewhere. */
  isAnywhere = false;

  constructor(private readonly domains: Domains) {
    this.flags = new Uint8Array(domains.size);
  }

  /** Something is on the node of a slot. True when that is news of its domain. */
  add(slot: number): boolean {
    const domain = intAt(this.domains.bySlot, slot);
    if (domain < 0 || this.flags[domain] === 1) return false;
    this.flags[domain] = 1;
    this.isAnywhere = true;
    return true;
  }

  /** Something is in the domain of the node of a slot. */
  isNear(slot: number): boolean {
    return this.flags[intAt(this.domains.bySlot, slot)] === 1;
  }
}
