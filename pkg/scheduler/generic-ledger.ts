import type { ClusterState } from './cluster-state.js';
import { addTo } from './column.js';
import { genericAmount, namedIds } from './demand.js';
import type { GenericDemand } from './demand.js';
import type { AssignedResources } from './types.js';

/**
 * What is left of generic resources while a batch is planned. On a node that names those of a kind, the ids
 * that nobody holds are what is free; who holds which is read from what was recorded, never guessed.
 */
export class GenericLedger {
  private readonly freeByKind = new Map<string, Float64Array>();
  private readonly idsByKind = new Map<string, Map<number, string[]>>();

  constructor(private readonly state: ClusterState) {}

  /** Free amounts of a kind, by slot. */
  freeOf(kind: string): Float64Array {
    const known = this.freeByKind.get(kind);
    if (known !== undefined) return known;
    const free = new Float64Array(this.state.table.slots);
    this.state.table.nodes.forEach((node, slot) => {
      if (node !== undefined) free[slot] = this.freeAmount(kind, slot);
    });
    this.freeByKind.set(kind, free);
    return free;
  }

  /** Takes what a task asks for, and says what it gets; undefined when it asks for nothing. */
  take(demands: readonly GenericDemand[], slot: number): AssignedResources | undefined {
    if (demands.length === 0) return undefined;
    return Object.fromEntries(
      demands.map(({ kind, amount }) => {
        addTo(this.freeOf(kind), slot, -amount);
        return [kind, this.takeIds(kind, slot, amount) ?? amount];
      }),
    );
  }

  /** Undefined where those of the kind have no names. */
  private takeIds(kind: string, slot: number, amount: number): readonly string[] | undefined {
    if (this.declaredIds(kind, slot) === undefined) return undefined;
    const bySlot = this.idsByKind.get(kind) ?? new Map<number, string[]>();
    this.idsByKind.set(kind, bySlot);
    const ids = bySlot.get(slot) ?? this.freeIds(kind, slot);
    bySlot.set(slot, ids);
    return ids.splice(0, amount);
  }

  private freeAmount(kind: string, slot: number): number {
    const node = this.state.table.nodes[slot];
    if (node === undefined) return 0;
    const reserved = this.state.genericReserved.of(kind).get(slot) ?? 0;
    if (this.declaredIds(kind, slot) === undefined) {
      return genericAmount(node.resources, kind) - reserved;
    }
    // Holders from before the kind had names here: nobody knows which ones are theirs.
    const recorded = sum(this.state.heldIds.of(kind, slot).values());
    return this.freeIds(kind, slot).length - Math.max(0, reserved - recorded);
  }

  private freeIds(kind: string, slot: number): string[] {
    const held = this.state.heldIds.of(kind, slot);
    return (this.declaredIds(kind, slot) ?? []).filter((id) => !held.has(id));
  }

  private declaredIds(kind: string, slot: number): readonly string[] | undefined {
    return namedIds(this.state.table.nodes[slot], kind);
  }
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
