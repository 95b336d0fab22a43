import { ConflictError, CompactedError, NotFoundError } from '../../pkg/base/index.js';
import type { Clock } from '../../pkg/base/index.js';
import {
  encodeValue,
  InvalidTransactionError,
  requireValidTxn,
  writeIdOf,
} from '../../pkg/store/index.js';
import type {
  Compare,
  Entry,
  HistoryMark,
  Operation,
  Remembrance,
  Revision,
  StampedTxn,
  Txn,
  WatchEvent,
} from '../../pkg/store/index.js';

/** All events of one revision. */
export interface Change {
  readonly revision: Revision;
  readonly events: readonly WatchEvent[];
}

interface LeaseState {
  readonly ttlSeconds: number;
  readonly keys: Set<string>;
  expiresAtMs: number;
  /** Aborts when nobody waits for its end any more. */
  timer: AbortController;
}

/** Everything that a backup holds. */
export interface EtcdBackup {
  readonly revision: Revision;
  readonly entries: readonly Entry[];
}

/** etcd raises shorter leases to one and a half of its election timeout (1 s), in whole seconds. */
const MIN_LEASE_TTL_SECONDS = 2;

/** etcd's default `--max-request-bytes`. */
const MAX_REQUEST_BYTES = 1_572_864;

/**
 * A model of one etcd: keys, revisions, history, leases. Synchronous and without faults; what a
 * client of it sees is {@link MemoryStore}'s business.
 */
export class MemoryEtcd {
  clusterId = '7f3a2b1c0d9e8f70';
  /** etcd starts at 1: the first write makes revision 2. */
  revision: Revision = 1;
  compactedRevision: Revision = 0;
  private entries = new Map<string, Entry>();
  private history: Change[] = [];
  private readonly leases = new Map<string, LeaseState>();
  private readonly listeners = new Set<(change: Change) => void>();
  private leaseCount = 0;

  constructor(private readonly clock: Clock) {}

  get(key: string): Entry | undefined {
    return this.entries.get(key);
  }

  /** In key order; keys are ASCII, so text order is etcd's byte order. */
  list(prefix: string): readonly Entry[] {
    return [...this.entries.values()]
      .filter(({ key }) => key.startsWith(prefix))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /**
   * `onMade` hears of the revision that it makes, if it makes one, before anybody else does.
   * Errors: ConflictError when a compare is lost, InvalidTransactionError, NotFoundError for a lease
   * that is gone.
   */
  commit(txn: Txn, onMade?: (revision: Revision) => void): Revision {
    const stamped = requireValidTxn(txn);
    requireSmallEnough(stamped);
    const lost = txn.compare.find((compare) => !this.holds(compare));
    if (lost) throw new ConflictError(`compare lost on ${lost.key}`);
    for (const operation of txn.operations) this.requireLeaseOf(operation);

    const revision = this.revision + 1;
    const events = txn.operations
      .map((operation) => this.applyOperation(operation, stamped, revision))
      .filter((event) => event !== undefined);
    if (events.length > 0) onMade?.(revision);
    this.record(revision, events);
    return this.revision;
  }

  /** Whether history holds the write of `mark`. */
  remembers({ key, revision, writeId }: HistoryMark): Remembrance {
    if (revision < this.compactedRevision) return 'unknown';
    const current = this.entries.get(key);
    const written = this.history
      .filter((change) => change.revision === revision)
      .flatMap(({ events }) => events)
      .flatMap((event) => (event.kind === 'put' ? [event.entry] : []));
    const found = [...written, ...(current ? [current] : [])].find(
      (entry) => entry.key === key && entry.modRevision === revision,
    );
    return found && writeIdOf(found) === writeId ? 'yes' : 'no';
  }

  /** History before `revision` is forgotten. Errors: CompactedError when it is already. */
  compact(revision: Revision): void {
    if (revision <= this.compactedRevision) throw new CompactedError('already compacted');
    if (revision > this.revision) throw new RangeError('compaction of a future revision');
    this.compactedRevision = revision;
    this.history = this.history.filter((change) => change.revision >= revision);
  }

  /** Changes from revision `from` on, oldest first. Errors: CompactedError. */
  changesSince(from: Revision): readonly Change[] {
    if (from < this.compactedRevision) {
      throw new CompactedError(`revision ${String(from)} is compacted`);
    }
    return this.history.filter((change) => change.revision >= from);
  }

  onChange(listener: (change: Change) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  grantLease(ttlSeconds: number): { readonly id: string; readonly ttlSeconds: number } {
    this.leaseCount += 1;
    const id = (0x694d_7fff_0000 + this.leaseCount).toString(16);
    const granted = Math.max(MIN_LEASE_TTL_SECONDS, Math.ceil(ttlSeconds));
    const lease: LeaseState = {
      ttlSeconds: granted,
      keys: new Set(),
      expiresAtMs: this.clock.monotonicMs() + granted * 1000,
      timer: new AbortController(),
    };
    this.leases.set(id, lease);
    void this.expireWhenDue(id, lease);
    return { id, ttlSeconds: granted };
  }

  /** The TTL in seconds; 0 when the lease is gone. */
  keepAlive(id: string): number {
    const lease = this.leases.get(id);
    if (!lease) return 0;
    lease.expiresAtMs = this.clock.monotonicMs() + lease.ttlSeconds * 1000;
    return lease.ttlSeconds;
  }

  /** Ends the lease, if it is there, and deletes its keys in one revision. */
  revoke(id: string): void {
    const lease = this.leases.get(id);
    if (!lease) return;
    this.leases.delete(id);
    lease.timer.abort();
    const revision = this.revision + 1;
    const events = [...lease.keys].sort().map((key) => this.remove(key, revision));
    this.record(
      revision,
      events.filter((event) => event !== undefined),
    );
  }

  /** Stops the timers of all leases; nothing expires any more. */
  stop(): void {
    for (const lease of this.leases.values()) lease.timer.abort();
  }

  /** A new leader of etcd: every lease begins its time again, those that were stopped go on. */
  renewLeases(): void {
    for (const [id, lease] of this.leases) {
      lease.timer.abort();
      lease.timer = new AbortController();
      lease.expiresAtMs = this.clock.monotonicMs() + lease.ttlSeconds * 1000;
      void this.expireWhenDue(id, lease);
    }
  }

  /** What it holds now. Leases are not part of it. */
  backup(): EtcdBackup {
    return { revision: this.revision, entries: [...this.entries.values()] };
  }

  /**
   * Goes back to a backup, as a cluster made from a snapshot of another: what came later never was, keys
   * lose their leases, history begins anew. Running watches must be ended by whoever restores.
   */
  restore({ revision, entries }: EtcdBackup, clusterId: string): void {
    for (const lease of this.leases.values()) lease.timer.abort();
    this.leases.clear();
    this.history = [];
    this.clusterId = clusterId;
    this.revision = revision;
    this.compactedRevision = revision;
    this.entries = new Map(entries.map(({ leaseId: _lost, ...entry }) => [entry.key, entry]));
  }

  private async expireWhenDue(id: string, lease: LeaseState): Promise<void> {
    const { signal } = lease.timer;
    for (;;) {
      const leftMs = lease.expiresAtMs - this.clock.monotonicMs();
      if (leftMs <= 0) break;
      try {
        await this.clock.sleep(leftMs, signal);
      } catch {
        return; // revoked or stopped
      }
    }
    this.revoke(id);
  }

  private holds(compare: Compare): boolean {
    const entry = this.entries.get(compare.key);
    return 'modRevision' in compare
      ? (entry?.modRevision ?? 0) === compare.modRevision
      : (entry?.createRevision ?? 0) === compare.createRevision;
  }

  private requireLeaseOf(operation: Operation): void {
    if (operation.kind === 'delete' || operation.leaseId === undefined) return;
    if (!this.leases.has(operation.leaseId)) {
      throw new NotFoundError(`lease ${operation.leaseId} is gone`);
    }
  }

  private applyOperation(
    operation: Operation,
    { writeId }: StampedTxn,
    revision: Revision,
  ): WatchEvent | undefined {
    const { key } = operation;
    if (operation.kind === 'delete') return this.remove(key, revision);
    const previous = this.entries.get(key);
    this.detach(previous);
    const { leaseId } = operation;
    const entry: Entry = Object.freeze({
      key,
      value: encodeValue(operation.value, writeId),
      createRevision: previous?.createRevision ?? revision,
      modRevision: revision,
      ...(leaseId !== undefined && { leaseId }),
    });
    this.entries.set(key, entry);
    if (leaseId !== undefined) this.leases.get(leaseId)?.keys.add(key);
    return { kind: 'put', entry };
  }

  private remove(key: string, revision: Revision): WatchEvent | undefined {
    const previous = this.entries.get(key);
    if (!previous) return undefined;
    this.detach(previous);
    this.entries.delete(key);
    return { kind: 'delete', key, modRevision: revision };
  }

  private detach(entry: Entry | undefined): void {
    if (entry?.leaseId !== undefined) this.leases.get(entry.leaseId)?.keys.delete(entry.key);
  }

  /** A transaction that changed nothing makes no revision. */
  private record(revision: Revision, events: readonly WatchEvent[]): void {
    if (events.length === 0) return;
    this.revision = revision;
    const change = { revision, events };
    this.history.push(change);
    for (const listener of this.listeners) listener(change);
  }
}

function requireSmallEnough({ operations, writeId }: StampedTxn): void {
  const bytes = operations.reduce(
    (sum, operation) =>
      operation.kind === 'put'
        ? sum + Buffer.byteLength(encodeValue(operation.value, writeId))
        : sum + Buffer.byteLength(operation.key),
    0,
  );
  if (bytes > MAX_REQUEST_BYTES) throw new InvalidTransactionError('the request is too large');
}
