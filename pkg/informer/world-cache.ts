import type { Compare, HistoryMark, Operation, Revision } from '../store/index.js';
import type { Change, CollectionDefinition, Informer, InvalidEntry } from './collection.js';

/** Bounds of one wait. */
export interface WaitOptions {
  readonly signal?: AbortSignal;
  /** Default 5,000 ms. */
  readonly timeoutMs?: number;
}

/** Why the history of the store is not the one we knew: another cluster, or a restored backup. */
export interface HistoryBreak {
  /** `write-missing`: its revision has passed ours again, yet it does not know of a write that we saw. */
  readonly reason: 'cluster-changed' | 'revision-went-backwards' | 'write-missing';
  readonly previous: { readonly clusterId: string; readonly revision: Revision };
  readonly current: { readonly clusterId: string; readonly revision: Revision };
  readonly at: Date;
}

/**
 * Everything under the root at one revision, kept up by one watch.
 *
 * Reads between two awaits are consistent across collections: a batch of changes is applied whole, then
 * its listeners run, then those of `onRevision`.
 */
export interface WorldCache {
  /**
   * The collection of this definition. Errors: RangeError when the cache was not made with this very
   * definition.
   */
  collection<T>(definition: CollectionDefinition<T>): Informer<T>;
  /** Resolves when the first list was applied; never rejects. */
  readonly synced: Promise<void>;
  readonly isSynced: boolean;
  /** The revision of the world that reads see; 0 before the first list. */
  readonly revision: Revision;
  /**
   * Resolves when reads see `revision` or a later one. Revisions of writes under the root and those the
   * cache itself gave out are always reached.
   * Errors: UnavailableError when it takes too long, the signal's reason.
   */
  waitForRevision(revision: Revision, options?: WaitOptions): Promise<void>;
  /** Called after each applied batch, when all change listeners have run. */
  onRevision(listener: (revision: Revision) => void): Disposable;
  /**
   * The remembered changes after `revision`, oldest first; empty when there are none or `revision` is
   * ahead of the cache.
   * Errors: CompactedError when they are not remembered any more: list again.
   */
  changesSince(revision: Revision): readonly Change[];
  /** Objects that were skipped, by their etcd key. A snapshot. */
  readonly invalid: ReadonlyMap<string, InvalidEntry>;
  /** True while the watch runs. */
  readonly connected: boolean;
  /** When the store last said anything (a change, or that there was none); undefined before. */
  readonly lastEventAt: Date | undefined;
  /** For how long the world may be out of date: 0 while connected, Infinity before the first list. */
  readonly disconnectedMs: number;
  /** True when reads can be trusted to be recent; for readyz. */
  readonly ready: boolean;
  /** etcd's cluster id; undefined before the first list. */
  readonly clusterId: string | undefined;
  /**
   * The newest write in this world, of the collections that mark history; undefined when there is none. A
   * store that does not remember it lost history.
   */
  readonly historyMark: HistoryMark | undefined;
  /**
   * Set when the store lost history that we had seen. Whoever deletes things must stop until a person
   * has looked; it stays set until `acknowledgeHistoryBreak`.
   */
  readonly historyBreak: HistoryBreak | undefined;
  onHistoryBroken(listener: (found: HistoryBreak) => void): Disposable;
  acknowledgeHistoryBreak(): void;
  /** A copy of the world as it is now, to try out what would happen. Costs what the world holds. */
  fork(): Promise<ForkedWorld>;
}
export const WorldCache = Symbol('WorldCache');

/**
 * A copy of the world that goes on by itself: what is written to it is seen by its readers and by nobody
 * else, and what happens in the world is not seen here. For those who ask what would happen if.
 */
export interface ForkedWorld extends WorldCache {
  /**
   * All or nothing, as a store does it, and at once: readers see it when this returns.
   * Errors: ConflictError when a compare is lost.
   */
  commit(compare: readonly Compare[], operations: readonly Operation[]): Revision;
}

/** Why the world was listed. */
export type ListReason = 'start' | 'compacted' | 'doubt' | 'mismatch' | 'history-broken';

/** What the cache tells its metrics. Every method is optional. */
export interface WorldCacheObserver {
  /** A list was applied: how many objects it held and how many differed from what we had. */
  listed?(reason: ListReason, outcome: ListOutcome): void;
  /** A batch of the watch was applied. */
  applied?(events: number, revision: Revision): void;
  /** The watch ended and will be resumed. */
  watchBroken?(error: unknown): void;
  /** How many objects are invalid now. */
  invalidObjects?(count: number): void;
  /** The periodic compare found this many differences (0: all is well). */
  compared?(mismatches: number): void;
  historyBroken?(found: HistoryBreak): void;
}

/** What a list brought. */
export interface ListOutcome {
  readonly objects: number;
  readonly changes: number;
  readonly durationMs: number;
}
