import type { Candidates } from './candidate-lists.js';
import { floatAt, intAt } from './column.js';
import type { DomainTable } from './domains.js';
import { passesAll } from './filters/index.js';
import type { GroupWork } from './group-work.js';
import type { Ledger } from './ledger.js';
import { NodeIndex } from './node-index.js';
import { FAILURES_THAT_COUNT } from './node-ranking.js';
import type { NodeRanking } from './node-ranking.js';
import { spreadAttributes } from './preference.js';
import type { TaskGroup } from './types.js';

/** A group with more tasks is placed faster by the tree, which it fills once for all of them. */
const MAX_TASKS = 16;
/** Best nodes that are looked at for one task before the tree is asked. */
const MAX_LOOKS = 32;
/** Indexes kept at a time; each costs some 24 bytes per node. */
const MAX_INDEXES = 64;

/**
 * Places the first tasks of a service without looking at every node: on nodes that have none of it, the best
 * of which an index knows that all groups with the same demand share. It chooses as the spread tree would
 * or not at all.
 */
export class QuickChoice {
  private readonly indexes = new Map<string, NodeIndex>();

  constructor(
    private readonly ledger: Ledger,
    private readonly ranking: NodeRanking,
    private readonly domains: DomainTable,
  ) {}

  /** Chooses the next node of a group, or -1 when only the tree can; undefined when it never can. */
  chooserFor(work: GroupWork, tasks: number, candidates: () => Candidates) {
    const { group, penalty, listeners } = work;
    const isPlain = (group.strategy ?? 'spread') === 'spread' && penalty === undefined;
    if (!isPlain || listeners.length > 0 || tasks > MAX_TASKS) return undefined;
    const index = this.indexOf(work, candidates());
    const branches = this.branchesOf(group);
    return (): number => {
      for (const slot of index.best(MAX_LOOKS)) {
        if (floatAt(this.ledger.serviceTasks, slot) > 0 || branches?.isTaken(slot)) continue;
        if (this.isFailing(work, slot) || !passesAll(work.movingChecks, slot)) continue;
        branches?.take(slot);
        return slot;
      }
      return -1;
    };
  }

  private indexOf({ demand }: GroupWork, { key, slots }: Candidates): NodeIndex {
    const name = `${demand.cpuNano} ${demand.memoryBytes} ${key}`;
    const known = this.indexes.get(name);
    if (known !== undefined) return known;
    if (this.indexes.size >= MAX_INDEXES) this.indexes.clear();
    const index = new NodeIndex(slots, demand, this.ranking, this.ledger);
    this.indexes.set(name, index);
    return index;
  }

  private isFailing({ group }: GroupWork, slot: number): boolean {
    const failures = group.recentFailures?.get(this.ledger.state.table.ids[slot] ?? '') ?? 0;
    return failures >= FAILURES_THAT_COUNT;
  }

  /**
   * The outermost branches that have tasks of the service. While one has none, the best node of all such
   * branches is the tree's choice, too: their inner branches are as empty.
   */
  private branchesOf(group: TaskGroup) {
    const [outermost] = spreadAttributes(group);
    if (outermost === undefined) return undefined;
    const { bySlot } = this.domains.by(outermost);
    const taken = new Set<number>();
    for (const slot of this.ledger.activeSlots()) taken.add(intAt(bySlot, slot));
    return {
      isTaken: (slot: number) => taken.has(intAt(bySlot, slot)),
      take: (slot: number) => taken.add(intAt(bySlot, slot)),
    };
  }
}
