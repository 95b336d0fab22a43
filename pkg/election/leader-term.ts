import { setMaxListeners } from 'node:events';
import { SwarmError } from '../base/index.js';
import type { Clock } from '../base/index.js';
import type { Compare, Revision } from '../store/index.js';
import type { LeaseKeeper } from './lease-keeper.js';

/** We do not lead (any more): stop, whatever it is. */
export class LeadershipLostError extends SwarmError {
  readonly code = 'ERR_LEADERSHIP_LOST';
}

/** One manager's time as leader. */
export interface LeaderTerm {
  /** The fencing number: create revision of the leader key. Later terms have higher ones. */
  readonly epoch: Revision;
  /**
   * What every write of this term must compare, so that etcd refuses it once another leads.
   * Errors: LeadershipLostError when the term is over, see `assertValid`.
   */
  readonly fence: Compare;
  /** Aborts with a LeadershipLostError when the term is over. */
  readonly signal: AbortSignal;
  /** Until when the lease is ours for certain, in the clock's monotonic milliseconds; moves on. */
  readonly deadlineMs: number;
  /**
   * Asks the clock, not a timer: also true to life after the event loop was blocked or the process was
   * stopped for longer than the lease lasts.
   */
  readonly isValid: boolean;
  /** Errors: LeadershipLostError when the term is over. */
  assertValid(): void;
  /** Ends the term, for whoever learns first that another leads. Later calls change nothing. */
  end(reason: string): void;
}

/** {@link LeaderTerm} on a lease. */
export class LeaseTerm implements LeaderTerm {
  private readonly controller = new AbortController();

  constructor(
    private readonly key: string,
    readonly epoch: Revision,
    private readonly keeper: LeaseKeeper,
    private readonly clock: Clock,
  ) {
    setMaxListeners(0, this.controller.signal); // everything the leader runs waits for it
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  get deadlineMs(): number {
    return this.keeper.deadlineMs;
  }

  get isValid(): boolean {
    if (this.controller.signal.aborted) return false;
    if (this.clock.monotonicMs() < this.deadlineMs) return true;
    this.end('the lease was not renewed in time');
    return false;
  }

  get fence(): Compare {
    this.assertValid();
    return { key: this.key, createRevision: this.epoch };
  }

  assertValid(): void {
    if (this.isValid) return;
    const reason: unknown = this.controller.signal.reason;
    throw reason instanceof Error ? reason : new LeadershipLostError('the term is over');
  }

  end(reason: string): void {
    if (this.controller.signal.aborted) return;
    this.controller.abort(
      new LeadershipLostError(`the term of epoch ${this.epoch} is over: ${reason}`),
    );
  }
}
