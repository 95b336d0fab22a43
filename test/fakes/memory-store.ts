import {
  abortReason,
  CompactedError,
  SystemClock,
  UnavailableError,
} from '../../pkg/base/index.js';
import type { Clock } from '../../pkg/base/index.js';
import type {
  CallOptions,
  Entry,
  HistoryMark,
  Lease,
  ListOptions,
  Page,
  Remembrance,
  Revision,
  Store,
  StoreHealth,
  Txn,
  WatchOptions,
} from '../../pkg/store/index.js';
import { MemoryEtcd } from './memory-etcd.js';
import { MemoryWatch } from './memory-watch.js';

/** The calls a fault can be aimed at. */
export type StoreOperation =
  | 'get'
  | 'list'
  | 'commit'
  | 'remembers'
  | 'watch'
  | 'grant-lease'
  | 'keep-alive'
  | 'revoke'
  | 'health';

export interface MemoryStoreOptions {
  /** Drives leases, deadlines under a partition and the end of a blind watch. Default SystemClock. */
  readonly clock?: Clock;
  /** What `health` reports. Default `3.5.21`. */
  readonly version?: string;
}

interface PlannedFailure {
  readonly error: Error;
  readonly operation: StoreOperation | undefined;
}

const DEFAULT_TIMEOUT_MS = 5000;
const DEFAULT_PAGE_SIZE = 500;
/** How long a watch stays blind under a partition before it breaks: keepalive interval and timeout. */
const BLIND_WATCH_MS = 5_000;

/**
 * The store in memory: passes the suite that EtcdStore passes, under a clock of the test's choice and
 * with faults on demand. `connect()` gives further clients of the same memory, each with faults of
 * its own, so that one manager can be cut off while another goes on.
 */
export class MemoryStore implements Store {
  private readonly watches = new Set<MemoryWatch>();
  private readonly failures: PlannedFailure[] = [];
  private lostReplies = 0;
  private partitioned = false;
  private closed = false;
  private readonly clock: Clock;
  private readonly version: string;
  private readonly etcd: MemoryEtcd;

  constructor(
    options: MemoryStoreOptions = {},
    private readonly shared?: MemoryEtcd,
  ) {
    this.clock = options.clock ?? new SystemClock();
    this.version = options.version ?? '3.5.21';
    this.etcd = shared ?? new MemoryEtcd(this.clock);
  }

  get(key: string, options?: CallOptions): Promise<Entry | undefined> {
    return this.call('get', options, () => this.etcd.get(key));
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<Page> {
    const size = options.pageSize ?? DEFAULT_PAGE_SIZE;
    const { clusterId } = this.etcd;
    const { all, revision } = await this.call('list', options, () => ({
      all: this.etcd.list(prefix),
      revision: this.etcd.revision,
    }));
    yield { entries: all.slice(0, size), revision, clusterId };
    for (let start = size; start < all.length; start += size) {
      const entries = await this.call('list', options, () => {
        if (revision < this.etcd.compactedRevision) throw new CompactedError('list was overtaken');
        return all.slice(start, start + size);
      });
      yield { entries, revision, clusterId };
    }
  }

  commit(txn: Txn, options?: CallOptions): Promise<Revision> {
    return this.write('commit', options, () => this.etcd.commit(txn));
  }

  async watch(prefix: string, from: Revision, options: WatchOptions): Promise<void> {
    if (options.signal.aborted) return;
    this.requireOpen();
    this.failIfPlanned('watch');
    const watch = new MemoryWatch(this.etcd, prefix, options);
    this.watches.add(watch);
    if (this.partitioned) this.blind(watch);
    try {
      await watch.run(from);
    } finally {
      this.watches.delete(watch);
    }
  }

  remembers(mark: HistoryMark, options?: CallOptions): Promise<Remembrance> {
    return this.call('remembers', options, () => this.etcd.remembers(mark));
  }

  async grantLease(ttlSeconds: number, options?: CallOptions): Promise<Lease> {
    const granted = await this.write('grant-lease', options, () =>
      this.etcd.grantLease(ttlSeconds),
    );
    return {
      ...granted,
      keepAlive: (call) => this.write('keep-alive', call, () => this.etcd.keepAlive(granted.id)),
      revoke: (call) =>
        this.write('revoke', call, () => {
          this.etcd.revoke(granted.id);
        }),
    };
  }

  health(options?: CallOptions): Promise<StoreHealth> {
    return this.call('health', options, () => ({
      clusterId: this.etcd.clusterId,
      revision: this.etcd.revision,
      alarms: [],
      members: [
        {
          endpoint: 'memory',
          version: this.version,
          dbSizeBytes: this.etcd.list('').reduce((sum, entry) => sum + entry.value.length, 0),
        },
      ],
    }));
  }

  /** The client that made the memory also stops the leases' timers. */
  close(): Promise<void> {
    this.closed = true;
    this.breakWatches('the store was closed');
    if (!this.shared) this.etcd.stop();
    return Promise.resolve();
  }

  /** Another client of the same memory, with faults and watches of its own. */
  connect(): MemoryStore {
    return new MemoryStore({ clock: this.clock, version: this.version }, this.etcd);
  }

  /** The next write of this client is applied, yet its caller sees UnavailableError. */
  loseNextReply(): void {
    this.lostReplies += 1;
  }

  /** The next call (of that kind, when one is named) fails with `error` and is not applied. */
  failNext(error: Error, operation?: StoreOperation): void {
    this.failures.push({ error, operation });
  }

  /** Every running watch of this client ends with UnavailableError. */
  cutWatches(): void {
    this.breakWatches('the watch was cut');
  }

  /**
   * While on, nothing of this client reaches etcd and nothing comes back: calls fail at their deadline
   * without being applied; watches are silent and break after 5 s, or go on when it ends before.
   */
  partition(on: boolean): void {
    this.partitioned = on;
    for (const watch of this.watches) {
      if (on) this.blind(watch);
      else watch.resume();
    }
  }

  /** Forgets history before `revision`: watches and lists from there end with CompactedError. */
  compact(revision: Revision): void {
    this.etcd.compact(revision);
  }

  /** Tells all running watches the current revision, as etcd's progress notification does. */
  notifyProgress(): void {
    for (const watch of this.watches) watch.notifyProgress();
  }

  /** etcd's current revision. */
  get revision(): Revision {
    return this.etcd.revision;
  }

  private write<T>(
    operation: StoreOperation,
    options: CallOptions | undefined,
    apply: () => T,
  ): Promise<T> {
    return this.call(operation, options, () => {
      const result = apply();
      if (this.lostReplies === 0) return result;
      this.lostReplies -= 1;
      throw new UnavailableError(`the reply of ${operation} was lost`);
    });
  }

  private async call<T>(
    operation: StoreOperation,
    options: CallOptions = {},
    apply: () => T,
  ): Promise<T> {
    options.signal?.throwIfAborted();
    this.requireOpen();
    this.failIfPlanned(operation);
    if (this.partitioned) await this.timeOut(operation, options);
    await Promise.resolve(); // a reply never comes in the caller's own turn
    if (options.signal?.aborted) throw abortReason(options.signal);
    return apply();
  }

  private async timeOut(operation: StoreOperation, options: CallOptions): Promise<never> {
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    await this.clock.sleep(timeoutMs, options.signal);
    throw new UnavailableError(`${operation} did not answer within ${String(timeoutMs)} ms`);
  }

  private failIfPlanned(operation: StoreOperation): void {
    const index = this.failures.findIndex(
      (failure) => failure.operation === undefined || failure.operation === operation,
    );
    if (index === -1) return;
    const [failure] = this.failures.splice(index, 1);
    if (failure) throw failure.error;
  }

  private requireOpen(): void {
    if (this.closed) throw new UnavailableError('the store is closed');
  }

  private blind(watch: MemoryWatch): void {
    const resumed = watch.pause();
    void this.clock.sleep(BLIND_WATCH_MS, resumed).then(
      () => {
        watch.fail(new UnavailableError('the watch heard nothing any more'));
      },
      () => undefined, // the partition or the watch ended first
    );
  }

  private breakWatches(why: string): void {
    for (const watch of this.watches) watch.fail(new UnavailableError(why));
  }
}
