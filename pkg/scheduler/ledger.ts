import type { ClusterState } from './cluster-state.js';
import { addTo, floatAt } from './column.js';
import { genericAmount } from './demand.js';
import type { Demand } from './demand.js';

/**
 * What is left on the nodes while a batch is planned: a copy of the state's columns that decisions
 * are booked in, so that planning changes nothing outside and later groups see earlier decisions.
 */
export class Ledger {
  readonly cpuFree: Float64Array;
  readonly memoryFree: Float64Array;
  /** Active tasks of all services by slot. */
  readonly activeTasks: Float64Array;
  /** Active tasks of the service that is open, by slot. */
  readonly serviceTasks: Float64Array;
  /** Slots with tasks of the open service when it was opened. */
  private serviceSlots: readonly number[] = [];
  private openServiceId: string | undefined;
  private taken: number[] = [];
  private readonly takenByService = new Map<string, number[]>();
  private readonly portsTaken = new Map<number, Set<number>>();
  private readonly genericFree = new Map<string, Float64Array>();

  constructor(readonly state: ClusterState) {
    const { table } = state;
    this.cpuFree = difference(table.column('cpuTotal'), table.column('cpuReserved'), table.slots);
    this.memoryFree = difference(
      table.column('memoryTotal'),
      table.column('memoryReserved'),
      table.slots,
    );
    this.activeTasks = table.column('activeTasks').slice(0, table.slots);
    this.serviceTasks = new Float64Array(table.slots);
  }

  /** Makes `serviceTasks` show this service, with what the batch has decided for it so far. */
  openService(serviceId: string): void {
    this.closeService();
    this.openServiceId = serviceId;
    const active = this.state.activeByService.of(serviceId);
    for (const [slot, count] of active) this.serviceTasks[slot] = count;
    this.serviceSlots = [...active.keys()];
    this.taken = this.takenByService.get(serviceId) ?? [];
    for (const slot of this.taken) addTo(this.serviceTasks, slot, 1);
  }

  /** Books one task of the open service on a node. */
  take(demand: Demand, slot: number): void {
    addTo(this.activeTasks, slot, 1);
    addTo(this.serviceTasks, slot, 1);
    this.taken.push(slot);
    addTo(this.cpuFree, slot, -demand.cpuNano);
    addTo(this.memoryFree, slot, -demand.memoryBytes);
    for (const { kind, amount } of demand.generic) addTo(this.genericFreeOf(kind), slot, -amount);
    for (const { key } of demand.ports) this.portsTakenOf(key).add(slot);
  }

  /** What is left of a generic resource, by slot. */
  genericFreeOf(kind: string): Float64Array {
    const known = this.genericFree.get(kind);
    if (known !== undefined) return known;
    const free = new Float64Array(this.state.table.slots);
    this.state.table.nodes.forEach((node, slot) => {
      free[slot] = node === undefined ? 0 : genericAmount(node.resources, kind);
    });
    for (const [slot, amount] of this.state.genericReserved.of(kind)) addTo(free, slot, -amount);
    this.genericFree.set(kind, free);
    return free;
  }

  /** Slots on which this batch has given away a host port. */
  portsTakenOf(key: number): Set<number> {
    const known = this.portsTaken.get(key);
    if (known !== undefined) return known;
    const slots = new Set<number>();
    this.portsTaken.set(key, slots);
    return slots;
  }

  /** The slots with active tasks of the open service, each once. */
  activeSlots(): ReadonlySet<number> {
    return new Set([...this.serviceSlots, ...this.taken]);
  }

  private closeService(): void {
    if (this.openServiceId === undefined) return;
    for (const slot of this.serviceSlots) this.serviceTasks[slot] = 0;
    for (const slot of this.taken) this.serviceTasks[slot] = 0;
    this.takenByService.set(this.openServiceId, this.taken);
  }
}

function difference(total: Float64Array, reserved: Float64Array, length: number): Float64Array {
  const free = total.slice(0, length);
  for (let slot = 0; slot < length; slot += 1)
    free[slot] = floatAt(total, slot) - floatAt(reserved, slot);
  return free;
}
