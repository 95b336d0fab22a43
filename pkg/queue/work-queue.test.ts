import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/fakes/fake-clock.js';
import { WorkQueue } from './work-queue.js';
import type { WorkQueueOptions } from './work-queue.js';

/** A queue whose runs end when the test says so. */
class Bench {
  readonly clock = new FakeClock();
  readonly started: string[] = [];
  readonly queue: WorkQueue;
  maxActive = 0;
  overlapped = false;
  private readonly open = new Map<string, () => void>();

  constructor(options: Partial<WorkQueueOptions> = {}) {
    this.queue = new WorkQueue({
      concurrency: 2,
      clock: this.clock,
      random: () => 1,
      run: (key) => this.run(key),
      ...options,
    });
  }

  settle(): Promise<void> {
    return this.clock.advance(0);
  }

  async finish(key: string): Promise<void> {
    this.open.get(key)?.();
    await this.settle();
  }

  get running(): string[] {
    return [...this.open.keys()];
  }

  private run(key: string): Promise<void> {
    if (this.open.has(key)) this.overlapped = true;
    this.started.push(key);
    return new Promise((resolve) => {
      this.open.set(key, () => {
        this.open.delete(key);
        resolve();
      });
      this.maxActive = Math.max(this.maxActive, this.open.size);
    });
  }
}

describe('WorkQueue', () => {
  it('makes one run of many adds while a key waits, and one more of adds while it runs', async () => {
    const bench = new Bench();
    for (let i = 0; i < 5; i += 1) bench.queue.add('a');
    await bench.settle();
    expect(bench.started).toEqual(['a']);
    for (let i = 0; i < 5; i += 1) bench.queue.add('a');
    await bench.settle();
    expect(bench.started).toEqual(['a']);
    await bench.finish('a');
    expect(bench.started).toEqual(['a', 'a']);
    await bench.finish('a');
    expect(bench.started).toHaveLength(2);
  });

  it('runs in order of arrival, at most as many at once as allowed', async () => {
    const bench = new Bench();
    for (const key of ['a', 'b', 'c', 'd']) bench.queue.add(key);
    await bench.settle();
    expect(bench.running).toEqual(['a', 'b']);
    expect(bench.queue.depth).toBe(2);
    await bench.finish('b');
    expect(bench.running).toEqual(['a', 'c']);
    await bench.finish('a');
    expect(bench.running).toEqual(['c', 'd']);
  });

  it('lets the earliest of several delayed wishes win', async () => {
    const bench = new Bench();
    bench.queue.addAfter('a', 100);
    bench.queue.addAfter('a', 20);
    bench.queue.addAfter('a', 50);
    expect(bench.queue.delayed).toBe(1);
    await bench.clock.advance(19);
    expect(bench.started).toEqual([]);
    await bench.clock.advance(1);
    expect(bench.started).toEqual(['a']);
    await bench.finish('a');
    await bench.clock.advance(1000);
    expect(bench.started).toEqual(['a']);
  });

  it('drops a delayed wish when the key runs before', async () => {
    const bench = new Bench();
    bench.queue.addAfter('a', 100);
    bench.queue.add('a');
    await bench.settle();
    await bench.finish('a');
    await bench.clock.advance(1000);
    expect(bench.started).toEqual(['a']);
  });

  it('waits longer after each failure of a key, and forgets on request', () => {
    const bench = new Bench({ backoff: { initialMs: 10, maxMs: 35 } });
    expect([1, 2, 3, 4].map(() => bench.queue.retry('a'))).toEqual([10, 20, 35, 35]);
    expect(bench.queue.failures('a')).toBe(4);
    expect(bench.queue.failures('b')).toBe(0);
    bench.queue.forget('a');
    expect(bench.queue.retry('a')).toBe(10);
  });

  it('retries a key whose run rejects instead of losing it', async () => {
    let runs = 0;
    const run = () => {
      runs += 1;
      return runs === 1 ? Promise.reject(new Error('a bug')) : Promise.resolve();
    };
    const bench = new Bench({ run, backoff: { initialMs: 10, maxMs: 10 } });
    bench.queue.add('a');
    await bench.clock.advance(10);
    expect(runs).toBe(2);
  });

  it('says how long the oldest key waits', async () => {
    const bench = new Bench({ concurrency: 1 });
    bench.queue.add('a');
    await bench.settle();
    expect(bench.queue.oldestAgeMs).toBe(0);
    bench.queue.add('a');
    await bench.clock.advance(30);
    bench.queue.add('b');
    await bench.clock.advance(5);
    expect(bench.queue.oldestAgeMs).toBe(35);
    await bench.finish('a');
    expect(bench.queue.oldestAgeMs).toBe(35); // "a" is behind "b" now, yet waits for longer
    expect(bench.running).toEqual(['b']);
  });

  it('stops: nothing new starts, and what runs is waited for', async () => {
    const bench = new Bench({ concurrency: 1 });
    bench.queue.add('a');
    bench.queue.add('b');
    bench.queue.addAfter('c', 10);
    await bench.settle();
    let stopped = false;
    const stopping = bench.queue.stop().then(() => (stopped = true));
    bench.queue.add('d');
    bench.queue.addAfter('e', 1);
    await bench.clock.advance(100);
    expect(stopped).toBe(false);
    await bench.finish('a');
    await stopping;
    expect(bench.started).toEqual(['a']);
    expect(bench.clock.sleeping).toBe(0);
  });

  it('gives up waiting for the end when the signal aborts', async () => {
    const bench = new Bench();
    bench.queue.add('a');
    await bench.settle();
    const controller = new AbortController();
    const stopping = bench.queue.stop(controller.signal);
    controller.abort(new Error('too long'));
    await expect(stopping).rejects.toThrow('too long');
    await expect(bench.queue.drain(controller.signal)).rejects.toThrow('too long');
  });

  it('under any interleaving never overlaps a key, never loses a wish and coalesces', async () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd');
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), key }),
      fc.record({
        kind: fc.constant('add-after' as const),
        key,
        ms: fc.integer({ min: 1, max: 50 }),
      }),
      fc.record({ kind: fc.constant('retry' as const), key }),
      fc.record({ kind: fc.constant('finish' as const), key }),
      fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 40 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const bench = new Bench();
        const wishes = new Map<string, number>();
        const startsAtLastWish = new Map<string, number>();
        const startsOf = (name: string) => bench.started.filter((it) => it === name).length;
        const wish = (name: string) => {
          wishes.set(name, (wishes.get(name) ?? 0) + 1);
          startsAtLastWish.set(name, startsOf(name));
        };
        for (const it of steps) {
          if (it.kind === 'advance') await bench.clock.advance(it.ms);
          else if (it.kind === 'finish') await bench.finish(it.key);
          else {
            wish(it.key);
            if (it.kind === 'add') bench.queue.add(it.key);
            else if (it.kind === 'retry') bench.queue.retry(it.key);
            else bench.queue.addAfter(it.key, it.ms);
          }
        }
        for (let round = 0; round < 50; round += 1) {
          await bench.clock.advance(30_000);
          for (const name of bench.running) await bench.finish(name);
        }
        expect(bench.overlapped).toBe(false);
        expect(bench.maxActive).toBeLessThanOrEqual(2);
        for (const [name, count] of wishes) {
          expect(startsOf(name)).toBeGreaterThan(startsAtLastWish.get(name) ?? 0);
          expect(startsOf(name)).toBeLessThanOrEqual(count);
        }
        expect(bench.queue.depth + bench.queue.delayed + bench.queue.active).toBe(0);
        expect(bench.clock.sleeping).toBe(0);
      }),
      { numRuns: 150 },
    );
  });
});
