import { floatAt, intAt } from './column.js';
import type { Demand } from './demand.js';
import type { Ledger } from './ledger.js';
import type { NodeRanking } from './node-ranking.js';

/**
 * Candidates for one kind of task in the order in which `spread` ranks them for a service that has no task
 * anywhere yet: fewest tasks, then the smallest reserved share, then the stable order. A tournament: after a
 * node changed, only its own matches are played again. So a service of one task costs O(log nodes).
 */
export class NodeIndex {
  /** The winner of each match; players stand at `players` and after, the final is at 1. */
  private readonly winners: Int32Array;
  private readonly players: number;
  private readonly positionBySlot: Int32Array;
  /** Reserved share by position, with one more task of this kind. */
  private readonly shares: Float64Array;
  private readonly order: Float64Array;
  private readonly ids: readonly string[];
  /** Decisions of the batch that are in the order already. */
  private seen = 0;

  constructor(
    private readonly candidates: Int32Array,
    private readonly demand: Demand,
    private readonly ranking: NodeRanking,
    private readonly ledger: Ledger,
  ) {
    const { table } = ledger.state;
    this.players = candidates.length;
    this.winners = new Int32Array(2 * this.players);
    this.shares = new Float64Array(this.players);
    this.positionBySlot = new Int32Array(table.slots).fill(-1);
    this.order = table.column('order');
    this.ids = table.ids;
    candidates.forEach((slot, position) => {
      this.positionBySlot[slot] = position;
      this.winners[this.players + position] = position;
    });
    this.replayAll();
  }

  /** The best nodes, best first, at most `limit` of them. Valid until the next decision. */
  *best(limit: number): Generator<number, void> {
    this.catchUp();
    if (this.players === 0) return;
    /** Matches whose winners are the best of all nodes not given yet. */
    const open = [1];
    for (let given = 0; given < limit && open.length > 0; given += 1) {
      const first = this.takeBest(open);
      yield intAt(this.candidates, intAt(this.winners, first));
      this.openLosers(first, open);
    }
  }

  private takeBest(open: number[]): number {
    let at = 0;
    for (let other = 1; other < open.length; other += 1) {
      if (this.isBetter(this.winnerOf(open[other]), this.winnerOf(open[at]))) at = other;
    }
    const [match = 1] = open.splice(at, 1);
    return match;
  }

  private winnerOf(match = 1): number {
    return intAt(this.winners, match);
  }

  /** Whoever lost against the winner of a match, on its way there, may be next. */
  private openLosers(match: number, open: number[]): void {
    const winner = intAt(this.winners, match);
    let at = match;
    while (at < this.players) {
      const left = 2 * at;
      const isLeft = intAt(this.winners, left) === winner;
      open.push(isLeft ? left + 1 : left);
      at = isLeft ? left : left + 1;
    }
  }

  /** Plays the matches of nodes that changed since the last look. */
  private catchUp(): void {
    const { bookings } = this.ledger;
    if (bookings.length - this.seen > this.players / 8) this.replayAll();
    for (let index = this.seen; index < bookings.length; index += 1) {
      const position = intAt(this.positionBySlot, bookings[index] ?? 0);
      if (position >= 0) this.replay(position);
    }
    this.seen = bookings.length;
  }

  private replay(position: number): void {
    this.renewShare(position);
    for (let match = (this.players + position) >> 1; match >= 1; match >>= 1) this.play(match);
  }

  private replayAll(): void {
    for (let position = 0; position < this.players; position += 1) this.renewShare(position);
    for (let match = this.players - 1; match >= 1; match -= 1) this.play(match);
    this.seen = this.ledger.bookings.length;
  }

  private play(match: number): void {
    const left = intAt(this.winners, 2 * match);
    const right = intAt(this.winners, 2 * match + 1);
    this.winners[match] = this.isBetter(right, left) ? right : left;
  }

  private renewShare(position: number): void {
    this.shares[position] = this.ranking.shareWith(intAt(this.candidates, position), this.demand);
  }

  /** As {@link NodeRanking.isBetter} for a service without tasks, of positions. */
  private isBetter(a: number, b: number): boolean {
    const [one, two] = [intAt(this.candidates, a), intAt(this.candidates, b)];
    const { activeTasks } = this.ledger;
    const byTasks = floatAt(activeTasks, one) - floatAt(activeTasks, two);
    if (byTasks !== 0) return byTasks < 0;
    const byShare = floatAt(this.shares, a) - floatAt(this.shares, b);
    if (byShare !== 0) return byShare < 0;
    const byOrder = floatAt(this.order, one) - floatAt(this.order, two);
    if (byOrder !== 0) return byOrder < 0;
    return (this.ids[one] ?? '') < (this.ids[two] ?? '');
  }
}
