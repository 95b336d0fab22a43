import PQueue from 'p-queue';
import { abortReason, backoffMs } from '../base/index.js';
import type { BackoffOptions, Clock } from '../base/index.js';
import { DelayedKeys } from './delayed-keys.js';

/** What a {@link WorkQueue} is made of. */
export interface WorkQueueOptions {
  /** How many keys run at once. */
  readonly concurrency: number;
  /**
   * Does the work for one key and says itself what comes next (`retry`, `addAfter`, `forget`). It should
   * not reject; when it does, the key is retried with back-off, so that it is never lost.
   */
  run(key: string): Promise<void>;
  readonly clock: Clock;
  /** Delay before each retry of one key. Default 50 ms doubling to 30 s, half of it random. */
  readonly backoff?: BackoffOptions;
  /** Default Math.random. */
  readonly random?: () => number;
}

const DEFAULT_BACKOFF: BackoffOptions = { initialMs: 50, maxMs: 30_000 };

/**
 * Runs each key at most once at a time; what is added again while it waits is one run, what is
 * added while it runs is one more run afterwards. First come, first served.
 *
 * A run answers every wish that came before its start: also a delayed one, so the run itself must say
 * when to look again. Memory is bounded by the number of distinct keys.
 */
export class WorkQueue {
  /** Keys that wait for a free place, in order, with the instant since when. */
  private readonly waiting = new Map<string, number>();
  private readonly running = new Set<string>();
  /** Keys that were added while they run, with the instant since when. */
  private readonly again = new Map<string, number>();
  private readonly failuresByKey = new Map<string, number>();
  private readonly delayedKeys: DelayedKeys;
  private readonly places: PQueue;
  private readonly idleListeners = new Set<() => void>();
  private takenPlaces = 0;
  private stopped = false;

  constructor(private readonly options: WorkQueueOptions) {
    this.places = new PQueue({ concurrency: options.concurrency });
    this.delayedKeys = new DelayedKeys(options.clock, (key) => {
      this.add(key);
    });
  }

  /** Queues `key` unless it waits already. */
  add(key: string): void {
    if (this.stopped) return;
    const sinceMs = this.options.clock.monotonicMs();
    if (this.running.has(key)) {
      if (!this.again.has(key)) this.again.set(key, sinceMs);
      return;
    }
    if (this.waiting.has(key)) return;
    this.waiting.set(key, sinceMs);
    this.fillPlaces();
  }

  /** Queues `key` in `ms` from now; of several wishes the earliest wins. */
  addAfter(key: string, ms: number): void {
    if (this.stopped) return;
    if (ms <= 0) this.add(key);
    else this.delayedKeys.set(key, ms);
  }

  /** Counts a failure of `key` and queues it after its back-off. Returns the delay in milliseconds. */
  retry(key: string): number {
    const failures = this.failures(key) + 1;
    this.failuresByKey.set(key, failures);
    const { backoff = DEFAULT_BACKOFF, random } = this.options;
    const delayMs = backoffMs(backoff, failures, random);
    this.addAfter(key, delayMs);
    return delayMs;
  }

  /** Ends the failure count of `key`: its next failure waits for the shortest back-off again. */
  forget(key: string): void {
    this.failuresByKey.delete(key);
  }

  /** Failures of `key` in a row. */
  failures(key: string): number {
    return this.failuresByKey.get(key) ?? 0;
  }

  /** Keys that wait to run now, not counting delayed ones. */
  get depth(): number {
    return this.waiting.size + this.again.size;
  }

  /** Keys that run now. */
  get active(): number {
    return this.running.size;
  }

  /** Keys that wait for their time. */
  get delayed(): number {
    return this.delayedKeys.size;
  }

  /** For how long the oldest waiting key waits, in milliseconds; 0 when none does. Costs O(depth). */
  get oldestAgeMs(): number {
    const nowMs = this.options.clock.monotonicMs();
    let oldestMs = nowMs;
    for (const sinceMs of this.waiting.values()) oldestMs = Math.min(oldestMs, sinceMs);
    for (const sinceMs of this.again.values()) oldestMs = Math.min(oldestMs, sinceMs);
    return nowMs - oldestMs;
  }

  /** Resolves when no key waits or runs; delayed keys do not count. Errors: the signal's reason. */
  drain(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(abortReason(signal));
        return;
      }
      if (this.isIdle()) {
        resolve();
        return;
      }
      const onIdle = () => {
        signal?.removeEventListener('abort', onAbort);
        this.idleListeners.delete(onIdle);
        resolve();
      };
      const onAbort = () => {
        this.idleListeners.delete(onIdle);
        reject(abortReason(signal));
      };
      this.idleListeners.add(onIdle);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /**
   * Takes no more keys, forgets those that wait, and resolves when the running ones have ended.
   * Errors: the signal's reason, when it aborts first; the queue stays stopped.
   */
  stop(signal?: AbortSignal): Promise<void> {
    this.stopped = true;
    this.waiting.clear();
    this.again.clear();
    this.delayedKeys.clear();
    this.failuresByKey.clear();
    return this.drain(signal);
  }

  private fillPlaces(): void {
    const wanted = Math.min(this.options.concurrency, this.running.size + this.waiting.size);
    while (this.takenPlaces < wanted) {
      this.takenPlaces += 1;
      void this.places.add(() => this.runNext()); // runNext never rejects
    }
  }

  private async runNext(): Promise<void> {
    const [key] = this.waiting.keys();
    if (key !== undefined) await this.runKey(key);
    this.takenPlaces -= 1;
    this.fillPlaces();
    if (this.isIdle()) for (const listener of [...this.idleListeners]) listener();
  }

  private async runKey(key: string): Promise<void> {
    this.waiting.delete(key); // wishes from here on mean another run
    this.delayedKeys.delete(key);
    this.running.add(key);
    try {
      await this.options.run(key);
    } catch {
      this.retry(key);
    }
    this.running.delete(key);
    const sinceMs = this.again.get(key);
    if (sinceMs === undefined) return;
    this.again.delete(key);
    this.waiting.set(key, sinceMs);
  }

  private isIdle(): boolean {
    return this.waiting.size === 0 && this.running.size === 0;
  }
}
