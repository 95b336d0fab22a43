import { addTo, floatAt } from './column.js';
import type { Demand } from './demand.js';
import type { Ledger } from './ledger.js';

/** Failures from which a node counts as bad for a service revision. */
const FAILURES_THAT_COUNT = 5;

/** Each part of the combined rank has this many values; three parts stay exact in a double. */
const FIELD = 2 ** 20;
const MAX_FAILURES = 2 ** 12 - 1;

/**
 * Which of two nodes is better for the next task of a group. In this order: recent failures (only
 * from five on), fewer active tasks of the service, fewer active tasks of all services, the smaller
 * reserved share of CPU or memory with the task on it, and an arbitrary but stable order.
 */
export class NodeRanking {
  /** Failures, the service's tasks and all tasks in one number: one comparison decides most pairs. */
  private readonly rank: Float64Array;
  /** The larger of the CPU and the memory share that would be reserved with one more task. */
  private readonly share: Float64Array;
  private readonly order: Float64Array;
  private readonly ids: readonly string[];
  private readonly cpuTotal: Float64Array;
  private readonly memoryTotal: Float64Array;

  constructor(private readonly ledger: Ledger) {
    const { table } = ledger.state;
    this.rank = new Float64Array(table.slots);
    this.share = new Float64Array(table.slots);
    this.order = table.column('order');
    this.ids = table.ids;
    this.cpuTotal = table.column('cpuTotal');
    this.memoryTotal = table.column('memoryTotal');
  }

  /** Ranks a node for a group anew. */
  set(slot: number, demand: Demand, failures: number): void {
    const bad = failures >= FAILURES_THAT_COUNT ? Math.min(failures, MAX_FAILURES) : 0;
    const ofService = Math.min(floatAt(this.ledger.serviceTasks, slot), FIELD - 1);
    const ofAll = Math.min(floatAt(this.ledger.activeTasks, slot), FIELD - 1);
    this.rank[slot] = (bad * FIELD + ofService) * FIELD + ofAll;
    this.updateShare(slot, demand);
  }

  /** Takes note of one more task of the group on a node, after the ledger did. */
  placed(slot: number, demand: Demand): void {
    addTo(this.rank, slot, FIELD + 1);
    this.updateShare(slot, demand);
  }

  isBetter(a: number, b: number): boolean {
    const byRank = floatAt(this.rank, a) - floatAt(this.rank, b);
    if (byRank !== 0) return byRank < 0;
    const byShare = floatAt(this.share, a) - floatAt(this.share, b);
    if (byShare !== 0) return byShare < 0;
    const byOrder = floatAt(this.order, a) - floatAt(this.order, b);
    if (byOrder !== 0) return byOrder < 0;
    return (this.ids[a] ?? '') < (this.ids[b] ?? '');
  }

  private updateShare(slot: number, { cpuNano, memoryBytes }: Demand): void {
    const { cpuFree, memoryFree } = this.ledger;
    const cpu = shareOf(floatAt(this.cpuTotal, slot), floatAt(cpuFree, slot) - cpuNano);
    const memory = shareOf(
      floatAt(this.memoryTotal, slot),
      floatAt(memoryFree, slot) - memoryBytes,
    );
    this.share[slot] = Math.max(cpu, memory);
  }
}

/** The part of `total` that is not free; a node that has nothing counts as full. */
function shareOf(total: number, free: number): number {
  return total > 0 ? (total - free) / total : 1;
}
