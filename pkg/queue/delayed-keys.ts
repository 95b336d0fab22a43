import type { Clock } from '../base/index.js';

interface Due {
  readonly key: string;
  readonly atMs: number;
}

/** Timers overflow at 2^31 ms; nobody minds a wake-up per hour. */
const MAX_SLEEP_MS = 3_600_000;

/** A heap may hold this many outdated entries beside the living ones before it is rebuilt. */
const MAX_OUTDATED = 64;

/** Keys that fall due later, the earliest wish winning; one timer for all of them. */
export class DelayedKeys {
  private readonly dueByKey = new Map<string, number>();
  /** Binary heap by `atMs`; entries that `dueByKey` does not confirm are outdated. */
  private heap: Due[] = [];
  private armedForMs = Infinity;
  private sleeper = new AbortController();

  constructor(
    private readonly clock: Clock,
    private readonly onDue: (key: string) => void,
  ) {}

  get size(): number {
    return this.dueByKey.size;
  }

  /** Makes `key` fall due in `ms`, unless it does earlier anyway. */
  set(key: string, ms: number): void {
    const atMs = this.clock.monotonicMs() + Math.max(0, ms);
    const planned = this.dueByKey.get(key);
    if (planned !== undefined && planned <= atMs) return;
    this.dueByKey.set(key, atMs);
    this.push({ key, atMs });
    if (this.heap.length > 2 * this.dueByKey.size + MAX_OUTDATED) this.rebuild();
    this.arm();
  }

  delete(key: string): void {
    this.dueByKey.delete(key);
  }

  clear(): void {
    this.dueByKey.clear();
    this.heap = [];
    this.disarm();
  }

  private disarm(): void {
    this.sleeper.abort();
    this.armedForMs = Infinity;
  }

  private arm(): void {
    const next = this.heap[0];
    if (!next || this.armedForMs <= next.atMs) return;
    this.disarm();
    this.armedForMs = next.atMs;
    this.sleeper = new AbortController();
    const sleepMs = Math.min(MAX_SLEEP_MS, Math.max(0, next.atMs - this.clock.monotonicMs()));
    void this.clock.sleep(sleepMs, this.sleeper.signal).then(
      () => {
        this.fire();
      },
      () => undefined, // disarmed
    );
  }

  private fire(): void {
    this.armedForMs = Infinity;
    const nowMs = this.clock.monotonicMs();
    for (let next = this.heap[0]; next && next.atMs <= nowMs; next = this.heap[0]) {
      this.pop();
      if (this.dueByKey.get(next.key) !== next.atMs) continue;
      this.dueByKey.delete(next.key);
      this.onDue(next.key);
    }
    this.arm();
  }

  private rebuild(): void {
    this.heap = [...this.dueByKey]
      .map(([key, atMs]) => ({ key, atMs }))
      .sort((a, b) => a.atMs - b.atMs); // a sorted array is a heap
  }

  private push(due: Due): void {
    const { heap } = this;
    let index = heap.push(due) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (atMsOf(heap[parent]) <= due.atMs) break;
      this.swap(index, parent);
      index = parent;
    }
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    heap[0] = last;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const child = atMsOf(heap[left + 1]) < atMsOf(heap[left]) ? left + 1 : left;
      if (atMsOf(heap[child]) >= last.atMs) return;
      this.swap(index, child);
      index = child;
    }
  }

  private swap(a: number, b: number): void {
    const { heap } = this;
    const [first, second] = [heap[a], heap[b]];
    if (!first || !second) return;
    heap[a] = second;
    heap[b] = first;
  }
}

/** Beyond the end of the heap nothing is ever due. */
function atMsOf(due: Due | undefined): number {
  return due?.atMs ?? Infinity;
}
