import type { SimHost } from './sim-host.js';

/** A process, as the time line knows it. */
export interface Owner {
  readonly name: string;
  readonly host: SimHost;
  /** False when a happening of its own is held back, or never to happen. */
  mayRun(happening: Happening): boolean;
}

/** Something that happens at an instant, unless it is cancelled before. */
export class Happening {
  /** Set when it is cancelled or done. */
  isOver = false;

  constructor(
    readonly atMs: number,
    readonly order: number,
    readonly work: () => void,
    /** Whose code it runs; undefined: nobody's, the world's own doing. */
    readonly owner: Owner | undefined,
  ) {}

  cancel(): void {
    this.isOver = true;
  }
}

/** More happenings than this at one instant are a loop that never waits. */
const MOST_AT_ONCE = 20_000;
const PRUNE_AT = 4_096;

/** The one time line of a simulated world: what happens, in order, each alone. */
export class Timeline {
  /** True time, in milliseconds since the world began. No machine knows it. */
  nowMs = 0;
  /** Whose code runs now. */
  running: Owner | undefined;
  /** How many things have happened. */
  happened = 0;
  private heap: Happening[] = [];
  /** How many were left when those that are over were dropped last. */
  private pruned = 0;
  private order = 0;
  private atThisInstant = 0;

  /** @param settle resolves when everything that follows from one happening without waiting is done. */
  constructor(private readonly settle: () => Promise<void>) {}

  after(ms: number, work: () => void, owner?: Owner): Happening {
    this.order += 1;
    const happening = new Happening(this.nowMs + Math.max(0, ms), this.order, work, owner);
    this.push(happening);
    return happening;
  }

  /**
   * Lets things happen until the time is `untilMs`, or `isEnough`.
   * Errors: when something loops without waiting.
   */
  async run(untilMs: number, isEnough: () => boolean = () => false): Promise<void> {
    for (;;) {
      if (isEnough()) return;
      const next = this.heap[0];
      if (!next || next.atMs > untilMs) break;
      this.pop();
      if (next.isOver) continue;
      this.moveTo(next);
      await this.happen(next);
    }
    this.nowMs = Math.max(this.nowMs, untilMs);
  }

  private moveTo({ atMs, owner, work }: Happening): void {
    if (atMs > this.nowMs) {
      this.nowMs = atMs;
      this.atThisInstant = 0;
      return;
    }
    this.atThisInstant += 1;
    if (this.atThisInstant < MOST_AT_ONCE) return;
    const where = work.toString().replaceAll(/\s+/g, ' ');
    throw new Error(`something in ${owner?.name ?? 'the world'} loops without waiting: ${where}`);
  }

  private async happen(happening: Happening): Promise<void> {
    const { owner } = happening;
    if (owner && !owner.mayRun(happening)) return;
    happening.isOver = true;
    this.happened += 1;
    this.running = owner;
    happening.work();
    await this.settle();
    this.running = undefined;
  }

  private push(happening: Happening): void {
    if (this.heap.length > PRUNE_AT && this.heap.length > 2 * this.pruned) this.prune();
    const { heap } = this;
    let index = heap.push(happening) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (!above || isBefore(above, happening)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = happening;
  }

  /** Most timers are cancelled long before they are due. */
  private prune(): void {
    this.heap = this.heap
      .filter(({ isOver }) => !isOver)
      .sort((a, b) => a.atMs - b.atMs || a.order - b.order); // a sorted array is a heap
    this.pruned = this.heap.length;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const [a, b] = [heap[left], heap[left + 1]];
      if (!a) break;
      const isRight = b !== undefined && isBefore(b, a);
      const child = isRight ? b : a;
      if (isBefore(last, child)) break;
      heap[index] = child;
      index = isRight ? left + 1 : left;
    }
    heap[index] = last;
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
