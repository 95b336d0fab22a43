import type { Revision } from '../store/index.js';
import type { LeaderTerm } from './leader-term.js';

/** What the leader key holds: who leads and where it can be reached. */
export interface LeaderIdentity {
  readonly managerId: string;
  /** `host:port` of its API. */
  readonly address: string;
}

/** Makes one of many managers the leader. */
export interface LeaderElection {
  /** True while this manager leads for certain. */
  isLeader(): boolean;
  /** The term of this manager, while it leads. */
  readonly term: LeaderTerm | undefined;
  /**
   * Stands for election until the signal aborts, and calls `onElected` for every term won. That work
   * must end soon after `term.signal` aborts: the next term begins only then. When it ends before, or
   * throws, leadership is given up and stood for again after a back-off.
   * On abort the lease is given up as soon as the work has ended, so that another leads at once.
   * Never rejects.
   */
  run(onElected: (term: LeaderTerm) => Promise<void>, signal: AbortSignal): Promise<void>;
}
export const LeaderElection = Symbol('LeaderElection');

/** What the election tells its metrics. Every method is optional. */
export interface LeaderElectionObserver {
  elected?(epoch: Revision): void;
  /** The term is over; its work may still be ending. */
  termEnded?(epoch: Revision, reason: string): void;
  /** A keep-alive failed; the lease is still ours for `leftMs`. */
  keepAliveFailed?(error: unknown, leftMs: number): void;
}
