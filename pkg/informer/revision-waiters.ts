import { AbortScope, UnavailableError } from '../base/index.js';
import type { Clock } from '../base/index.js';
import type { Revision } from '../store/index.js';
import type { WaitOptions } from './world-cache.js';

interface Waiter {
  readonly revision: Revision;
  resolve(): void;
}

const DEFAULT_TIMEOUT_MS = 5000;

/** Those who wait until the world has reached a revision. */
export class RevisionWaiters {
  private readonly waiters = new Set<Waiter>();

  constructor(private readonly clock: Clock) {}

  /** Lets everybody go who waits for `revision` or less. */
  release(revision: Revision): void {
    for (const waiter of this.waiters) {
      if (waiter.revision > revision) continue;
      this.waiters.delete(waiter);
      waiter.resolve();
    }
  }

  /** Until `release(revision)`. Errors: UnavailableError at the deadline, the signal's reason. */
  async wait(
    revision: Revision,
    { signal, timeoutMs = DEFAULT_TIMEOUT_MS }: WaitOptions,
  ): Promise<void> {
    signal?.throwIfAborted();
    const scope = new AbortScope(signal);
    let resolve: () => void = () => undefined;
    const released = new Promise<void>((done) => (resolve = done));
    const waiter: Waiter = { revision, resolve };
    this.waiters.add(waiter);
    try {
      await Promise.race([released, this.expiry(revision, timeoutMs, scope.signal)]);
    } finally {
      this.waiters.delete(waiter);
      scope.abort(); // ends the sleep
      scope[Symbol.dispose]();
    }
  }

  private async expiry(revision: Revision, timeoutMs: number, signal: AbortSignal): Promise<never> {
    await this.clock.sleep(timeoutMs, signal);
    throw new UnavailableError(
      `the cache did not reach revision ${revision} within ${timeoutMs} ms`,
    );
  }
}
