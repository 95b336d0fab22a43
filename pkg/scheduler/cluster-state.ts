import { addTo } from './column.js';
import { NodeTable } from './node-table.js';
import { Tally } from './tally.js';
import type { HostPort, PlacedTask, PortProtocol, SchedulingNode } from './types.js';

const PROTOCOL_NUMBER: Readonly<Record<PortProtocol, number>> = { tcp: 0, udp: 1, sctp: 2 };

/** One number per (protocol, port). */
export function portKey({ protocol, port }: HostPort): number {
  return port * 4 + PROTOCOL_NUMBER[protocol];
}

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
    const { reservations } = task;
    if (reservations === undefined) return;
    addTo(this.table.column('cpuReserved'), slot, sign * reservations.cpuNano);
    addTo(this.table.column('memoryReserved'), slot, sign * reservations.memoryBytes);
    for (const [kind, amount] of Object.entries(reservations.generic ?? {})) {
      this.genericReserved.add(kind, slot, sign * amount);
    }
  }
}
