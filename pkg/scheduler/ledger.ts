import { avoidanceKey } from './cluster-state.js';
import type { ClusterState } from './cluster-state.js';
import { addTo, floatAt } from './column.js';
import type { Demand } from './demand.js';
import { GenericLedger } from './generic-ledger.js';
import type { AssignedResources, Avoidance } from './types.js';

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
  readonly generic: GenericLedger;
  /** The slot of every decision so far, for indexes that follow. */
  readonly bookings: number[] = [];
  /** Slots with tasks of the open service when it was opened. */
  private serviceSlots: readonly number[] = [];
  private openServiceId: string | undefined;
  private taken: number[] = [];
  private readonly takenByService = new Map<string, number[]>();
  private readonly portsTaken = new Map<number, Set<number>>();
  /** Slots of decisions whose service wants another one away, by that one's name and the wish's key. */
  private readonly avoidedSlots = new Map<string, Map<string, number[]>>();

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
    this.generic = new GenericLedger(state);
  }

  /** Makes `serviceTasks` show this service, with what the batch has decided for it so far. */
  openService(serviceId: string): void {
    this.closeService();
    this.openServiceId = serviceId;
    const active = this.state.activeByService.of(serviceId);
    for (const [slot, count] of active) this.serviceTasks[slot] = count;
    this.serviceSlots = active.size === 0 ? NO_SLOTS : [...active.keys()];
    this.taken = this.takenByService.get(serviceId) ?? [];
    for (const slot of this.taken) addTo(this.serviceTasks, slot, 1);
  }

  /** Books one task of the open service on a node; says which generic resources it gets. */
  take(demand: Demand, slot: number): AssignedResources | undefined {
    addTo(this.activeTasks, slot, 1);
    addTo(this.serviceTasks, slot, 1);
    this.taken.push(slot);
    this.bookings.push(slot);
    addTo(this.cpuFree, slot, -demand.cpuNano);
    addTo(this.memoryFree, slot, -demand.memoryBytes);
    return demand.isPlain ? undefined : this.takeRest(demand, slot);
  }

  private takeRest(
    { ports, avoids, generic }: Demand,
    slot: number,
  ): AssignedResources | undefined {
    for (const { key } of ports) this.portsTakenOf(key).add(slot);
    for (const avoidance of avoids) this.avoid(avoidance, slot);
    return this.generic.take(generic, slot);
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

  /** The open service has active tasks, or decisions of this batch. */
  get hasActiveTasks(): boolean {
    return this.serviceSlots.length + this.taken.length > 0;
  }

  /** Slots with active tasks of any service, decisions of this batch included; some more than once. */
  slotsOf(serviceId: string): readonly number[] {
    const taken =
      serviceId === this.openServiceId ? this.taken : this.takenByService.get(serviceId);
    return [...this.state.activeByService.of(serviceId).keys(), ...(taken ?? [])];
  }

  /** By `avoidanceKey`: slots with active tasks that want the service of this name away from them. */
  slotsAvoiding(serviceName: string): ReadonlyMap<string, readonly number[]> {
    const stored = this.state.avoidance.get(serviceName);
    const decided = this.avoidedSlots.get(serviceName);
    if (stored === undefined) return decided ?? NOTHING;
    const keys = new Set([...stored.keys, ...(decided?.keys() ?? [])]);
    return new Map(
      [...keys].map((key) => [key, [...stored.of(key).keys(), ...(decided?.get(key) ?? [])]]),
    );
  }

  private avoid(avoidance: Avoidance, slot: number): void {
    const byKey = this.avoidedSlots.get(avoidance.service) ?? new Map<string, number[]>();
    const slots = byKey.get(avoidanceKey(avoidance)) ?? [];
    slots.push(slot);
    byKey.set(avoidanceKey(avoidance), slots);
    this.avoidedSlots.set(avoidance.service, byKey);
  }

  private closeService(): void {
    if (this.openServiceId === undefined) return;
    for (const slot of this.serviceSlots) this.serviceTasks[slot] = 0;
    for (const slot of this.taken) this.serviceTasks[slot] = 0;
    this.takenByService.set(this.openServiceId, this.taken);
  }
}

const NO_SLOTS: readonly number[] = [];
const NOTHING: ReadonlyMap<string, readonly number[]> = new Map();

function difference(total: Float64Array, reserved: Float64Array, length: number): Float64Array {
  const free = total.slice(0, length);
  for (let slot = 0; slot < length; slot += 1)
    free[slot] = floatAt(total, slot) - floatAt(reserved, slot);
  return free;
}
