import type { WriteId } from '../base/index.js';

/**
 * etcd's revision. A JavaScript number: exact up to 2^53, which at 10,000 writes per second
 * lasts 28,000 years.
 */
export type Revision = number;

/** One key as etcd holds it. */
export interface Entry {
  readonly key: string;
  /** The stored JSON text, including the `writeId` of its last write. */
  readonly value: string;
  readonly createRevision: Revision;
  /** Revision of the last write: the object's version. */
  readonly modRevision: Revision;
  /** Lease the key lives on, hexadecimal; undefined for a lasting key. */
  readonly leaseId?: string;
}

/** What must hold at commit. A revision of 0 means "the key does not exist". */
export type Compare =
  | { readonly key: string; readonly modRevision: Revision }
  | { readonly key: string; readonly createRevision: Revision };

/** One effect of a transaction. `value` is stored as JSON, stamped with the transaction's write id. */
export type Operation =
  | {
      readonly kind: 'put';
      readonly key: string;
      readonly value: object;
      readonly leaseId?: string;
    }
  | { readonly kind: 'delete'; readonly key: string };

/** All or nothing: every compare holds and every operation is done, or none. */
export interface Txn {
  /** At most {@link MAX_TXN_COMPARES}. */
  readonly compare: readonly Compare[];
  /** At most {@link MAX_TXN_OPERATIONS}; each key at most once (an etcd rule). */
  readonly operations: readonly Operation[];
  /** Default: a fresh one. Found in the stored values afterwards; resolves lost replies. */
  readonly writeId?: WriteId;
}

/** etcd refuses more than 128 operations; we stay below. */
export const MAX_TXN_OPERATIONS = 100;
/** etcd's `--max-txn-ops` bounds the compares of a transaction as well, on their own. */
export const MAX_TXN_COMPARES = 128;

/** What every call takes. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Deadline of the whole call including read-back. Default 5,000 ms. */
  readonly timeoutMs?: number;
}

/** A list's options; the deadline is each page's own. */
export interface ListOptions extends CallOptions {
  /** Keys per page. Default 500. */
  readonly pageSize?: number;
}

/** One page of a list. All pages of a list are read at the same revision. */
export interface Page {
  readonly entries: readonly Entry[];
  readonly revision: Revision;
  /** etcd's cluster id: a different one means a different history. */
  readonly clusterId: string;
}

/** What happened to one key in one revision. */
export type WatchEvent =
  | { readonly kind: 'put'; readonly entry: Entry }
  | { readonly kind: 'delete'; readonly key: string; readonly modRevision: Revision };

/** All events of one or more whole revisions, in order. A revision is never split over batches. */
export interface WatchBatch {
  readonly events: readonly WatchEvent[];
  /** The last revision this batch completes. */
  readonly revision: Revision;
}

/** Who hears a watch, and until when. */
export interface WatchOptions {
  readonly signal: AbortSignal;
  /** Called synchronously, in order, for every batch. */
  onBatch(batch: WatchBatch): void;
  /** A revision up to which nothing was missed, without events (etcd's progress notification). */
  onProgress?(revision: Revision): void;
  /** The server confirmed the watch. */
  onOpen?(): void;
}

/** A lease of ours. Whoever holds it decides itself until when it counts as held (see pkg/election). */
export interface Lease {
  readonly id: string;
  readonly ttlSeconds: number;
  /** One keep-alive round trip. Resolves to the TTL the server granted, in seconds; 0 means the lease is gone. */
  keepAlive(options?: CallOptions): Promise<number>;
  /** Gives the lease up: its keys vanish at once. */
  revoke(options?: CallOptions): Promise<void>;
}

/** A write that was seen. A store whose history lacks it is not the one that was seen, or an older state of it. */
export interface HistoryMark {
  readonly key: string;
  /** The revision that the write made. */
  readonly revision: Revision;
  readonly writeId: string;
}

/** Whether the history of a store holds a write; `unknown` when history that far back was forgotten. */
export type Remembrance = 'yes' | 'no' | 'unknown';

/** One member of the store, as it answers for itself. */
export interface StoreMember {
  readonly endpoint: string;
  /** etcd's version, such as `3.4.23`. */
  readonly version?: string;
  /** Of its database on the disk. */
  readonly dbSizeBytes?: number;
  /** Why it does not answer; then nothing else is known. */
  readonly failure?: string;
}

/** What the store says of itself. */
export interface StoreHealth {
  readonly clusterId: string;
  readonly revision: Revision;
  /** Raised alarms, such as `NOSPACE`. */
  readonly alarms: readonly string[];
  /** Those that we were told of. */
  readonly members: readonly StoreMember[];
}

/**
 * The only memory of the cluster: a key-value store with revisions, guarded transactions, watches
 * and leases. Two implementations pass one conformance suite: EtcdStore and MemoryStore (tests).
 *
 * Errors of every call: UnavailableError when the store is away or the deadline passed, the signal's
 * reason when it aborted. Reads are retried by the caller; writes are never retried blindly.
 */
export interface Store {
  /** The key now (linearizable), or undefined. */
  get(key: string, options?: CallOptions): Promise<Entry | undefined>;
  /**
   * Every key that starts with `prefix`, in key order, in pages read at one revision; at least one page.
   * Errors: CompactedError when compaction overtook the list: list again.
   */
  list(prefix: string, options?: ListOptions): AsyncIterable<Page>;
  /**
   * Commits a transaction; resolves to the revision it made. After a lost reply it reads back and
   * recognises its own write by the write id.
   * Errors: ConflictError when a compare was lost; UnavailableError when it was not applied or when its
   * outcome could not be learned (then it may still have happened: look again); NotFoundError when a put
   * names a lease that is gone; InvalidTransactionError when no etcd would ever take it.
   */
  commit(txn: Txn, options?: CallOptions): Promise<Revision>;
  /**
   * Runs one watch from revision `from` (inclusive) until the signal aborts (resolves) or the watch breaks.
   * Never resumes by itself: the caller knows which revision it processed last.
   * Errors: UnavailableError when the connection broke (resume from the last processed revision + 1),
   * CompactedError when `from` is compacted (list again); whatever a callback threw, as it is.
   */
  watch(prefix: string, from: Revision, options: WatchOptions): Promise<void>;
  /**
   * Whether the write of `mark` is part of this store's history. Only as good as the mark is fresh: what was
   * compacted since is `unknown`.
   */
  remembers(mark: HistoryMark, options?: CallOptions): Promise<Remembrance>;
  grantLease(ttlSeconds: number, options?: CallOptions): Promise<Lease>;
  health(options?: CallOptions): Promise<StoreHealth>;
  /** Closes connections; running calls end with UnavailableError. */
  close(): Promise<void>;
}
export const Store = Symbol('Store');
