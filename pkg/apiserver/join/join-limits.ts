import { BusyError, type Clock } from '../../base/index.js';

/** How many joins are let in. */
export interface JoinLimitOptions {
  /** Wrong tokens per address and minute. Default 10. */
  readonly failuresPerMinute?: number;
  /** Joins under way at once: signing takes the processor. Default 16. */
  readonly concurrent?: number;
}

const MINUTE_MS = 60_000;
const DEFAULT_FAILURES = 10;
const DEFAULT_CONCURRENT = 16;
const BUSY_RETRY_MS = 1_000;
/** Addresses remembered; the oldest are forgotten first. */
const MAX_ADDRESSES = 10_000;

interface Failures {
  readonly sinceMs: number;
  count: number;
}

/** Anybody can reach the join route, so guessing tokens must be slow and must not keep others out. */
export class JoinLimits {
  private readonly failures = new Map<string, Failures>();
  private readonly failuresPerMinute: number;
  private readonly concurrent: number;
  private running = 0;

  constructor(
    private readonly clock: Clock,
    {
      failuresPerMinute = DEFAULT_FAILURES,
      concurrent = DEFAULT_CONCURRENT,
    }: JoinLimitOptions = {},
  ) {
    this.failuresPerMinute = failuresPerMinute;
    this.concurrent = concurrent;
  }

  /** Begins a join; dispose it when it is over. Errors: BusyError. */
  enter(address: string): Disposable {
    const nowMs = this.clock.monotonicMs();
    const failures = this.failures.get(address);
    if (failures && nowMs - failures.sinceMs > MINUTE_MS) this.failures.delete(address);
    else if (failures && failures.count >= this.failuresPerMinute) {
      const waitMs = failures.sinceMs + MINUTE_MS - nowMs;
      throw new BusyError(`too many refused joins from ${address}`, waitMs);
    }
    if (this.running >= this.concurrent)
      throw new BusyError('too many joins at once', BUSY_RETRY_MS);
    this.running += 1;
    return {
      [Symbol.dispose]: () => {
        this.running -= 1;
      },
    };
  }

  /** Notes that a token was wrong. */
  refused(address: string): void {
    const known = this.failures.get(address);
    if (known) known.count += 1;
    else this.failures.set(address, { sinceMs: this.clock.monotonicMs(), count: 1 });
    for (const oldest of this.failures.keys()) {
      if (this.failures.size <= MAX_ADDRESSES) break;
      this.failures.delete(oldest);
    }
  }
}
