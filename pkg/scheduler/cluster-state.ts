import { addTo } from './column.js';
import { genericHoldings } from './demand.js';
import { HeldIds } from './held-ids.js';
import { NodeTable } from './node-table.js';
import { portKey } from './port-key.js';
import { Tally } from './tally.js';
import type { Avoidance, PlacedTask, SchedulingNode } from './types.js';

/**
 * Nodes and what runs on them, kept from batch to batch. Every change costs O(1) in the size of
 * the cluster, in any order: tasks may come before their node and leave after it.
 */
export class ClusterState {
  /** For this package: the planner's view of the nodes. */
  readonly table = new NodeTable();
  /** For this package: active tasks by service and slot. */
  readonly activeByService = new Tally<string>();
  /** For this package: tasks by host port and slot. */
  readonly portUsers = new Tally<number>();
  /** For this package: reserved amounts by generic resource and slot. */
  readonly genericReserved = new Tally<string>();
  /** For this package: who holds which named generic resource. */
  readonly heldIds = new HeldIds();
  /** For this package: active tasks that want a service away, by its name, {@link avoidanceKey} and slot. */
  readonly avoidance = new Map<string, Tally<string>>();
  private readonly tasks = new Map<string, PlacedTask>();
  private changes = 0;

  /** A state with these nodes and tasks in it. */
  static from(nodes: readonly SchedulingNode[], tasks: readonly PlacedTask[]): ClusterState {
    const state = new ClusterState();
    for (const node of nodes) state.setNode(node);
    for (const task of tasks) state.setTask(task);
    return state;
  }

  /** Grows with every change: two equal numbers mean that nothing changed in between. */
  get changeCount(): number {
    return this.changes;
  }

  get nodeCount(): number {
    return this.table.size;
  }

  get taskCount(): number {
    return this.tasks.size;
  }

  /** Adds a node or replaces it. */
  setNode(node: SchedulingNode): void {
    this.changes += 1;
    this.table.set(node);
  }

  /** Removes a node; false when there was none. Remove its tasks as they go, before or after. */
  removeNode(nodeId: string): boolean {
    const removed = this.table.delete(nodeId);
    if (removed) this.changes += 1;
    return removed;
  }

  /** Adds a task or replaces it. Safe to repeat, also for a node that is not known yet. */
  setTask(task: PlacedTask): void {
    const previous = this.tasks.get(task.taskId);
    if (previous === task) return;
    this.changes += 1;
    this.tasks.set(task.taskId, task);
    const slot = this.table.hold(task.nodeId);
    this.account(task, slot, 1);
    if (previous !== undefined) this.withdraw(previous);
  }

  /** Removes a task that ended or is gone; false when there was none. */
  removeTask(taskId: string): boolean {
    const task = this.tasks.get(taskId);
    if (task === undefined) return false;
    this.changes += 1;
    this.tasks.delete(taskId);
    this.withdraw(task);
    return true;
  }

  private withdraw(task: PlacedTask): void {
    const slot = this.table.findSlot(task.nodeId);
    if (slot === undefined) throw new Error(`no slot for node ${task.nodeId} of a placed task`);
    this.account(task, slot, -1);
    this.table.release(slot);
  }

  private account(task: PlacedTask, slot: number, sign: 1 | -1): void {
    if (task.countsForSpread) {
      addTo(this.table.column('activeTasks'), slot, sign);
      this.activeByService.add(task.serviceId, slot, sign);
    }
    for (const port of task.hostPorts ?? []) this.portUsers.add(portKey(port), slot, sign);
    if (task.avoids !== undefined && task.countsForSpread) {
      this.accountAvoidance(task.avoids, slot, sign);
    }
    this.accountResources(task, slot, sign);
  }

  private accountResources(task: PlacedTask, slot: number, sign: 1 | -1): void {
    const { reservations, assigned } = task;
    if (reservations !== undefined) {
      addTo(this.table.column('cpuReserved'), slot, sign * reservations.cpuNano);
      addTo(this.table.column('memoryReserved'), slot, sign * reservations.memoryBytes);
    }
    if (reservations?.generic === undefined && assigned === undefined) return;
    for (const { kind, amount } of genericHoldings(task)) {
      this.genericReserved.add(kind, slot, sign * amount);
    }
    for (const [kind, ids] of Object.entries(assigned ?? {})) {
      if (typeof ids === 'number') continue;
      for (const id of ids) this.heldIds.add(kind, slot, { id, sign });
    }
  }

  private accountAvoidance(avoids: readonly Avoidance[], slot: number, sign: 1 | -1): void {
    for (const avoidance of avoids) {
      const tally = this.avoidance.get(avoidance.service) ?? new Tally<string>();
      tally.add(avoidanceKey(avoidance), slot, sign);
      if (tally.keys.length > 0) this.avoidance.set(avoidance.service, tally);
      else this.avoidance.delete(avoidance.service);
    }
  }
}

/** Who wants it, and how near is too near. */
export function avoidanceKey({ by, topology }: Avoidance): string {
  return `${by} ${topology}`;
}
