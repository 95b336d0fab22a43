import type { NodeAttribute } from './attribute.js';
import { addTo, floatAt, grown } from './column.js';
import { parseIpAddress } from './ip-network.js';
import type { IpAddress } from './ip-network.js';
import { hashOf } from './stable-hash.js';
import type { SchedulingNode } from './types.js';

const INITIAL_CAPACITY = 64;

/** Attributes kept as columns at a time; each costs one string reference per node. */
const MAX_ATTRIBUTE_COLUMNS = 64;

/** Numbers that are kept per node. */
const NUMERIC_COLUMNS = [
  /** 1 for nodes that are ready and active, else 0. */
  'available',
  'cpuTotal',
  'memoryTotal',
  'cpuReserved',
  'memoryReserved',
  /** Tasks that count for spreading, of all services. */
  'activeTasks',
  /** Tasks that hold anything; the slot lives at least as long as they do. */
  'heldTasks',
  /** Breaks ties between nodes: the same for a node wherever and whenever it is added. */
  'order',
] as const;
type NumericColumn = (typeof NUMERIC_COLUMNS)[number];
type NumericColumns = Record<NumericColumn, Float64Array>;

/**
 * Nodes in numbered slots, with what the planner asks often as columns. A slot also exists for a
 * node that is known only by its tasks (they may arrive first, and outlive it), but has no
 * `SchedulingNode` then.
 */
export class NodeTable {
  /** Slots in use are below this number. */
  slots = 0;
  /** Nodes that exist, as opposed to slots held by tasks alone. */
  size = 0;
  readonly nodes: (SchedulingNode | undefined)[] = [];
  readonly ids: string[] = [];
  /** Parsed `address` of each node. */
  readonly addresses: (IpAddress | undefined)[] = [];
  private columns = emptyColumns(INITIAL_CAPACITY);
  private readonly slotById = new Map<string, number>();
  private readonly freeSlots: number[] = [];
  private readonly attributeColumns = new Map<string, AttributeColumn>();

  column(name: NumericColumn): Float64Array {
    return this.columns[name];
  }

  /** The slot of a node that exists or has tasks. */
  findSlot(nodeId: string): number | undefined {
    return this.slotById.get(nodeId);
  }

  /** Adds a node, or replaces what is known about it. */
  set(node: SchedulingNode): void {
    const slot = this.ensureSlot(node.id);
    if (this.nodes[slot] === undefined) this.size += 1;
    this.nodes[slot] = node;
    this.addresses[slot] = parseIpAddress(node.address ?? '');
    this.columns.available[slot] = node.ready && node.availability === 'active' ? 1 : 0;
    this.columns.cpuTotal[slot] = node.resources.cpuNano;
    this.columns.memoryTotal[slot] = node.resources.memoryBytes;
    for (const column of this.attributeColumns.values()) column.set(slot, node);
  }

  /** Forgets a node; false when it did not exist. Its tasks stay accounted until they are removed. */
  delete(nodeId: string): boolean {
    const slot = this.slotById.get(nodeId);
    if (slot === undefined || this.nodes[slot] === undefined) return false;
    this.nodes[slot] = undefined;
    this.columns.available[slot] = 0;
    this.size -= 1;
    this.freeIfUnused(slot);
    return true;
  }

  /** Takes note of one more task on a node, known or not; returns the node's slot. */
  hold(nodeId: string): number {
    const slot = this.ensureSlot(nodeId);
    addTo(this.columns.heldTasks, slot, 1);
    return slot;
  }

  /** Undoes {@link hold}. */
  release(slot: number): void {
    addTo(this.columns.heldTasks, slot, -1);
    this.freeIfUnused(slot);
  }

  /**
   * The normalised values of an attribute by slot; kept up to date with the nodes, so that many
   * groups and batches pay for reading them once.
   */
  attributeValues(attribute: NodeAttribute): readonly string[] {
    const known = this.attributeColumns.get(attribute.key);
    if (known !== undefined) return known.values;
    if (this.attributeColumns.size >= MAX_ATTRIBUTE_COLUMNS) this.attributeColumns.clear();
    const column = new AttributeColumn(attribute, this.nodes);
    this.attributeColumns.set(attribute.key, column);
    return column.values;
  }

  private ensureSlot(nodeId: string): number {
    const known = this.slotById.get(nodeId);
    if (known !== undefined) return known;

    const slot = this.freeSlots.pop() ?? this.slots;
    this.slots = Math.max(this.slots, slot + 1);
    if (slot >= this.columns.order.length) this.grow();
    this.slotById.set(nodeId, slot);
    this.ids[slot] = nodeId;
    this.nodes[slot] = undefined;
    this.columns.order[slot] = hashOf(nodeId);
    return slot;
  }

  private freeIfUnused(slot: number): void {
    if (this.nodes[slot] !== undefined || floatAt(this.columns.heldTasks, slot) > 0) return;
    this.slotById.delete(this.ids[slot] ?? '');
    this.ids[slot] = '';
    for (const name of NUMERIC_COLUMNS) this.columns[name][slot] = 0;
    this.freeSlots.push(slot);
  }

  private grow(): void {
    const capacity = this.columns.order.length * 2;
    const entries = NUMERIC_COLUMNS.map((name) => [name, grown(this.columns[name], capacity)]);
    this.columns = Object.fromEntries(entries) as NumericColumns;
  }
}

class AttributeColumn {
  readonly values: string[];

  constructor(
    private readonly attribute: NodeAttribute,
    nodes: readonly (SchedulingNode | undefined)[],
  ) {
    this.values = nodes.map((node) => (node === undefined ? '' : this.valueOf(node)));
  }

  set(slot: number, node: SchedulingNode): void {
    this.values[slot] = this.valueOf(node);
  }

  private valueOf(node: SchedulingNode): string {
    return this.attribute.normalise(this.attribute.read(node));
  }
}

function emptyColumns(capacity: number): NumericColumns {
  const entries = NUMERIC_COLUMNS.map((name) => [name, new Float64Array(capacity)]);
  return Object.fromEntries(entries) as NumericColumns;
}
