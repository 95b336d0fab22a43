import { addTo, floatAt } from './column.js';
import type { Demand } from './demand.js';
import type { Ledger } from './ledger.js';
import { hashOf, mixed } from './stable-hash.js';
import type { Strategy, TaskGroup } from './types.js';

/** Failures from which a node counts as bad for a service revision. */
export const FAILURES_THAT_COUNT = 5;

/** Failures, penalty, tasks of the service and all tasks share the 52 bits of a whole double. */
const TASKS = 2 ** 14;
const PENALTIES = 2 ** 12;
const MAX_FAILURES = 2 ** 12 - 1;

/** What makes a node worse, whatever the strategy. */
export interface Drawbacks {
  /** Recent failures of the group's service revision there. */
  readonly failures: number;
  /** Weights of the group's wishes that the node does not meet. */
  readonly penalty: number;
}

/**
 * Which of two nodes is better for the next task of a group: fewer recent failures (only from five on count),
 * then a smaller penalty, then what the group's strategy says, then an arbitrary but stable order.
 *
 * `spread`: fewer active tasks of the service, fewer of all services, the smaller reserved share of CPU or
 * memory with the task on it. `binpack`: the larger such share, then more active tasks. `random`: by lot.
 */
export class NodeRanking {
  /** Compared first; smaller is better. */
  private readonly rank: Float64Array;
  /** Compared second. */
  private readonly share: Float64Array;
  private readonly penalties: Float64Array;
  private readonly order: Float64Array;
  private readonly ids: readonly string[];
  private readonly cpuTotal: Float64Array;
  private readonly memoryTotal: Float64Array;
  private strategy: Strategy = 'spread';
  private seed = 0;

  constructor(private readonly ledger: Ledger) {
    const { table } = ledger.state;
    this.rank = new Float64Array(table.slots);
    this.share = new Float64Array(table.slots);
    this.penalties = new Float64Array(table.slots);
    this.order = table.column('order');
    this.ids = table.ids;
    this.cpuTotal = table.column('cpuTotal');
    this.memoryTotal = table.column('memoryTotal');
  }

  /** Begins with another group. */
  open({ strategy = 'spread', serviceId, tasks }: TaskGroup): void {
    this.strategy = strategy;
    if (strategy === 'random') this.seed = hashOf(`${serviceId} ${tasks[0]?.id ?? ''}`);
  }

  /** Ranks a node for the open group anew. */
  set(slot: number, demand: Demand, { failures, penalty }: Drawbacks): void {
    const bad = failures >= FAILURES_THAT_COUNT ? Math.min(failures, MAX_FAILURES) : 0;
    this.penalties[slot] = penalty;
    const drawback = bad * PENALTIES + Math.min(penalty, PENALTIES - 1);
    switch (this.strategy) {
      case 'spread': {
        const ofService = Math.min(floatAt(this.ledger.serviceTasks, slot), TASKS - 1);
        const ofAll = Math.min(floatAt(this.ledger.activeTasks, slot), TASKS - 1);
        this.rank[slot] = (drawback * TASKS + ofService) * TASKS + ofAll;
        this.share[slot] = this.shareWith(slot, demand);
        return;
      }
      case 'binpack':
        this.rank[slot] = packedRank(drawback, this.shareWith(slot, demand));
        this.share[slot] = -floatAt(this.ledger.activeTasks, slot);
        return;
      case 'random':
        this.rank[slot] = drawback;
        this.share[slot] = this.nextTurn(slot);
    }
  }

  /** Takes note of one more task of the open group on a node, after the ledger did; drawbacks stay. */
  placed(slot: number, demand: Demand): void {
    switch (this.strategy) {
      case 'spread':
        addTo(this.rank, slot, TASKS + 1);
        this.share[slot] = this.shareWith(slot, demand);
        return;
      case 'binpack': {
        const drawback = Math.floor(floatAt(this.rank, slot) / 2);
        this.rank[slot] = packedRank(drawback, this.shareWith(slot, demand));
        this.share[slot] = -floatAt(this.ledger.activeTasks, slot);
        return;
      }
      case 'random':
        addTo(this.share, slot, this.nextTurn(slot));
    }
  }

  /** Ranks a node lower when its penalty has grown; false when it has not. */
  worsen(slot: number, penalty: number): boolean {
    const added = penalty - floatAt(this.penalties, slot);
    if (added <= 0) return false;
    this.penalties[slot] = penalty;
    addTo(this.rank, slot, added * PENALTY_UNIT[this.strategy]);
    return true;
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

  /** The larger of the CPU and the memory share that would be reserved with one more task. */
  shareWith(slot: number, { cpuNano, memoryBytes }: Demand): number {
    const { cpuFree, memoryFree } = this.ledger;
    const cpu = shareOf(floatAt(this.cpuTotal, slot), floatAt(cpuFree, slot) - cpuNano);
    const memory = shareOf(
      floatAt(this.memoryTotal, slot),
      floatAt(memoryFree, slot) - memoryBytes,
    );
    return Math.max(cpu, memory);
  }

  /**
   * How long a node waits for its next turn. Exponential times make turns a Poisson process: each task goes
   * to any of the nodes with the same chance, whatever was before, and a node's next turn is always later.
   */
  private nextTurn(slot: number): number {
    const turn = floatAt(this.ledger.serviceTasks, slot);
    const lot = mixed(mixed(this.seed ^ floatAt(this.order, slot)) + turn);
    return -Math.log((lot + 1) / (2 ** 32 + 1));
  }
}

/** What one more of penalty adds to the rank. */
const PENALTY_UNIT: Readonly<Record<Strategy, number>> = {
  spread: TASKS * TASKS,
  binpack: 2,
  random: 1,
};

/** The drawback before the share that is left: a smaller number is a fuller node. */
function packedRank(drawback: number, share: number): number {
  return 2 * drawback + 1 - Math.min(1, share);
}

/** The part of `total` that is not free; a node that has nothing counts as full. */
function shareOf(total: number, free: number): number {
  return total > 0 ? (total - free) / total : 1;
}
