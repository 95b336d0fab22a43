import { setImmediate as macrotask } from 'node:timers/promises';
import { abortReason } from '../../pkg/base/index.js';
import type { Clock } from '../../pkg/base/index.js';

interface Sleeper {
  readonly dueMs: number;
  wake(): void;
}

/** Wall time at which a {@link FakeClock} starts unless told otherwise. */
const DEFAULT_START = new Date('2026-01-01T00:00:00.000Z');

/** Time that stands still until a test moves it. */
export class FakeClock implements Clock {
  private elapsedMs = 0;
  /** Sorted by due time; among equals, first come first. */
  private readonly sleepers: Sleeper[] = [];

  constructor(private readonly start: Date = DEFAULT_START) {}

  now(): Date {
    return new Date(this.start.getTime() + this.elapsedMs);
  }

  monotonicMs(): number {
    return this.elapsedMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(abortReason(signal));
        return;
      }
      const onAbort = () => {
        this.sleepers.splice(this.sleepers.indexOf(sleeper), 1);
        reject(abortReason(signal));
      };
      const sleeper: Sleeper = {
        dueMs: this.elapsedMs + Math.max(0, ms),
        wake: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      const after = this.sleepers.findIndex(({ dueMs }) => dueMs > sleeper.dueMs);
      this.sleepers.splice(after === -1 ? this.sleepers.length : after, 0, sleeper);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** How many sleeps are pending. */
  get sleeping(): number {
    return this.sleepers.length;
  }

  /** When the next sleep is due, in this clock's monotonic milliseconds; undefined when none is. */
  get nextDueMs(): number | undefined {
    return this.sleepers[0]?.dueMs;
  }

  /**
   * Moves time on by `ms`. Wakes every sleep that falls due, in order and at its own instant, and lets
   * all work that follows from one settle before the next, including sleeps that this work starts.
   */
  async advance(ms: number): Promise<void> {
    const target = this.elapsedMs + ms;
    await macrotask();
    for (;;) {
      const next = this.sleepers[0];
      if (!next || next.dueMs > target) break;
      this.sleepers.shift();
      this.elapsedMs = Math.max(this.elapsedMs, next.dueMs);
      next.wake();
      await macrotask();
    }
    this.elapsedMs = target;
    await macrotask();
  }
}
