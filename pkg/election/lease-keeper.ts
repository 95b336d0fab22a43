import { AbortScope } from '../base/index.js';
import type { Clock } from '../base/index.js';
import type { Lease, Store } from '../store/index.js';

/** Why a lease is not ours any more. */
export type LeaseLoss = 'expired' | 'gone';

/** What a {@link LeaseKeeper} is made of. */
export interface LeaseKeeperOptions {
  readonly lease: Lease;
  /** When the request that granted it was sent, in the clock's monotonic milliseconds. */
  readonly sentAtMs: number;
  /** By how much our own deadline is before etcd's. */
  readonly marginMs: number;
  readonly clock: Clock;
  /** A keep-alive failed; the lease is still ours for `leftMs`. */
  readonly onFailure?: (error: unknown, leftMs: number) => void;
}

/** A keep-alive that failed is tried again after this part of the interval. */
const RETRY_DIVISOR = 5;

/**
 * Keeps a lease alive and knows until when it is ours for certain: the server counts from when it got a
 * keep-alive, we count from when we sent it, so we are always the first to stop.
 */
export class LeaseKeeper {
  deadlineMs: number;

  constructor(private readonly options: LeaseKeeperOptions) {
    this.deadlineMs = this.deadlineOf(options.sentAtMs, options.lease.ttlSeconds);
  }

  get lease(): Lease {
    return this.options.lease;
  }

  get leftMs(): number {
    return this.deadlineMs - this.options.clock.monotonicMs();
  }

  /** Renews until the lease is lost. Errors: the signal's reason. */
  async keep(signal: AbortSignal): Promise<LeaseLoss> {
    const scope = new AbortScope(signal);
    const renewing = this.renew(scope.signal);
    const watching = this.watchDeadline(scope.signal);
    try {
      return await Promise.race([renewing, watching]);
    } finally {
      scope.abort();
      scope[Symbol.dispose]();
      await Promise.allSettled([renewing, watching]);
    }
  }

  /** Gives the lease up; when that fails it ends by itself. Never rejects. */
  async release(timeoutMs: number): Promise<void> {
    await this.options.lease.revoke({ timeoutMs }).catch(() => undefined);
  }

  private async renew(signal: AbortSignal): Promise<LeaseLoss> {
    const { lease, clock, onFailure } = this.options;
    const intervalMs = (lease.ttlSeconds * 1000) / 3;
    let waitMs = intervalMs;
    for (;;) {
      await clock.sleep(waitMs, signal);
      const sentAtMs = clock.monotonicMs();
      try {
        const ttlSeconds = await lease.keepAlive({ signal, timeoutMs: intervalMs });
        if (ttlSeconds <= 0) return 'gone';
        this.deadlineMs = this.deadlineOf(sentAtMs, ttlSeconds);
        waitMs = intervalMs;
      } catch (error) {
        signal.throwIfAborted();
        onFailure?.(error, this.leftMs);
        waitMs = intervalMs / RETRY_DIVISOR;
      }
    }
  }

  private async watchDeadline(signal: AbortSignal): Promise<LeaseLoss> {
    while (this.leftMs > 0) await this.options.clock.sleep(this.leftMs, signal);
    return 'expired';
  }

  private deadlineOf(sentAtMs: number, ttlSeconds: number): number {
    return sentAtMs + ttlSeconds * 1000 - this.options.marginMs;
  }
}

/** How to take a lease. */
export interface LeaseRequest extends Omit<LeaseKeeperOptions, 'lease' | 'sentAtMs'> {
  readonly store: Store;
  readonly ttlSeconds: number;
}

/** Takes a lease; its time counts from here. Errors: UnavailableError, the signal's reason. */
export async function takeLease(
  { store, ttlSeconds, ...options }: LeaseRequest,
  signal: AbortSignal,
): Promise<LeaseKeeper> {
  const sentAtMs = options.clock.monotonicMs();
  const lease = await store.grantLease(ttlSeconds, { signal });
  return new LeaseKeeper({ ...options, lease, sentAtMs });
}

/** Our deadline is before etcd's by a fifth of the lease, yet never more than a second. */
export function defaultMarginMs(ttlSeconds: number): number {
  return Math.min(1000, ttlSeconds * 200);
}
