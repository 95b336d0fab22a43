import type { LeaderTerm } from '../election/index.js';
import type { Logger } from '../log/index.js';
import type { Revision } from '../store/index.js';

/** Names the object to reconcile; says nothing about what happened to it. */
export type ResourceKey = string;

/** Never carries data the next run would need: the store is the only memory. */
export interface ReconcileResult {
  /** Look again after this time even if nothing changes. Default: not before something does. */
  readonly requeueAfterMs?: number;
}

/** Where a run's writes are noted, so that the key does not run again before the cache shows them. */
export interface WriteLog {
  /** A write of this run was committed at `revision`. */
  committed(revision: Revision): void;
  /**
   * A write of this run may or may not have happened; `find` tells its revision, or undefined when it has
   * not happened.
   */
  unresolved(find: (signal: AbortSignal) => Promise<Revision | undefined>): void;
}

/** What one run has at hand. */
export interface ReconcileContext {
  /** Aborts at the run's deadline and when the term ends. */
  readonly signal: AbortSignal;
  /** Carries controller, key and reconcile id. */
  readonly log: Logger;
  /** Its fence belongs into every write: see GuardedWriter. */
  readonly term: LeaderTerm;
  /** Tells the lines of one run from those of another. */
  readonly reconcileId: string;
  /** For GuardedWriter. */
  readonly writes: WriteLog;
}

/** Makes observed follow desired for one kind of object. */
export interface Reconciler {
  /**
   * Brings the world for `key` one step closer to its spec. Safe to call at any time, any number of times,
   * also for keys that do not exist (any more).
   *
   * What a thrown error means: ConflictError - run again at once; a recoverable one (UnavailableError) -
   * back-off; TerminalError, InvalidObjectError - reported once, not tried again until something changes;
   * anything else - a bug, reported with its stack, back-off.
   */
  reconcile(key: ResourceKey, context: ReconcileContext): Promise<ReconcileResult>;
}
