import {
  abortReason,
  AbortScope,
  backoffMs,
  CompactedError,
  ConflictError,
  hasCode,
  UnavailableError,
} from '../../../pkg/base/index.js';
import { requireValidTxn, writeIdOf } from '../../../pkg/store/index.js';
import type {
  CallOptions,
  Entry,
  HistoryMark,
  Lease,
  ListOptions,
  Page,
  Remembrance,
  Revision,
  StampedTxn,
  Store,
  StoreHealth,
  Txn,
  WatchOptions,
} from '../../../pkg/store/index.js';
import type { SimProcess } from '../machines/sim-process.js';
import type { EtcdObserver, SimEtcd } from './sim-etcd.js';
import { SimWatch } from './sim-watch.js';

/** What the clients of etcd in one world share. */
export interface SimStoreOptions {
  readonly etcd: SimEtcd;
  readonly process: SimProcess;
  readonly observer: Pick<EtcdObserver, 'committed'>;
}

const DEFAULT_TIMEOUT_MS = 5_000;
const DEFAULT_PAGE_SIZE = 500;
const READ_ATTEMPTS = 3;
const RETRY = { initialMs: 20, maxMs: 500 };
/** As EtcdStore: the part of a commit's time in which the write itself must be answered. */
const WRITE_SHARE = 0.6;
const READ_BACK_LOOKS = 3;
const LOOK_AGAIN = { initialMs: 50, maxMs: 300 };

/** Answers of etcd: asking again would not change them. */
const ANSWERS = ['ERR_CONFLICT', 'ERR_NOT_FOUND', 'ERR_COMPACTED', 'ERR_INVALID_TRANSACTION'];

interface CallScope {
  readonly signal: AbortSignal;
  leftMs(): number;
}

/**
 * One process's client of the simulated etcd. Keeps the promises of the store's port in the way that EtcdStore
 * does: reads are repeated, a write is sent once and looked for when its answer is lost, and when it is not
 * found in time it may still happen later.
 */
export class SimStore implements Store {
  private closed = false;
  private readonly watches = new Set<SimWatch>();

  constructor(private readonly options: SimStoreOptions) {}

  get(key: string, options?: CallOptions): Promise<Entry | undefined> {
    return this.read(options, () => this.memory.get(key));
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<Page> {
    const size = options.pageSize ?? DEFAULT_PAGE_SIZE;
    const { clusterId } = this.memory;
    const { all, revision } = await this.read(options, () => ({
      all: this.memory.list(prefix),
      revision: this.memory.revision,
    }));
    yield { entries: all.slice(0, size), revision, clusterId };
    for (let start = size; start < all.length; start += size) {
      const entries = await this.read(options, () => {
        if (revision < this.memory.compactedRevision) throw new CompactedError('overtaken');
        return all.slice(start, start + size);
      });
      yield { entries, revision, clusterId };
    }
  }

  commit(txn: Txn, options?: CallOptions): Promise<Revision> {
    return this.within(options, async (scope) => {
      const stamped = requireValidTxn(txn);
      if (stamped.operations.length === 0) {
        return this.retrying(scope, READ_ATTEMPTS, () => this.apply(stamped));
      }
      try {
        return await this.ask(scope, scope.leftMs() * WRITE_SHARE, () => this.apply(stamped));
      } catch (error) {
        if (isAnswer(error)) throw error;
        return this.readBack(stamped, scope, error);
      }
    });
  }

  async watch(prefix: string, from: Revision, options: WatchOptions): Promise<void> {
    if (options.signal.aborted) return;
    if (this.closed) throw new UnavailableError('the store is closed');
    const { etcd, process } = this.options;
    const watch = new SimWatch({ etcd, process, prefix, from, options });
    this.watches.add(watch);
    try {
      await watch.run();
    } finally {
      this.watches.delete(watch);
    }
  }

  remembers(mark: HistoryMark, options?: CallOptions): Promise<Remembrance> {
    return this.read(options, () => this.memory.remembers(mark));
  }

  async grantLease(ttlSeconds: number, options?: CallOptions): Promise<Lease> {
    const granted = await this.within(options, (scope) =>
      this.ask(scope, scope.leftMs(), () => this.memory.grantLease(ttlSeconds)),
    );
    return {
      ...granted,
      keepAlive: (call) => this.read(call, () => this.memory.keepAlive(granted.id)),
      revoke: (call) =>
        this.read(call, () => {
          this.memory.revoke(granted.id);
        }),
    };
  }

  health(options?: CallOptions): Promise<StoreHealth> {
    return this.read(options, () => ({
      clusterId: this.memory.clusterId,
      revision: this.memory.revision,
      alarms: [],
      members: [{ endpoint: 'sim', version: '3.5.21', dbSizeBytes: 1 }],
    }));
  }

  close(): Promise<void> {
    this.closed = true;
    for (const watch of this.watches) watch.fail(new UnavailableError('the store is closed'));
    return Promise.resolve();
  }

  private get memory() {
    return this.options.etcd.memory;
  }

  /** In etcd. Who sent this write before has won, not lost. */
  private apply(txn: StampedTxn): Revision {
    const { observer, process } = this.options;
    try {
      return this.memory.commit(txn, (revision) => {
        observer.committed({ writer: process.name, txn, revision });
      });
    } catch (error) {
      const own = error instanceof ConflictError ? this.revisionOfPuts(txn) : undefined;
      if (own === undefined) throw error;
      return own;
    }
  }

  private async readBack(txn: StampedTxn, scope: CallScope, cause: unknown): Promise<Revision> {
    for (let look = 1; look <= READ_BACK_LOOKS; look += 1) {
      const revision = await this.retrying(scope, Infinity, () => this.revisionOfDone(txn));
      if (revision !== undefined) return revision;
      await this.options.process.clock.sleep(backoffMs(LOOK_AGAIN, look), scope.signal);
    }
    throw new UnavailableError('commit: no reply, and the write was not found', { cause });
  }

  /** In etcd: where the transaction is seen to have been done; one that only deletes, when all is gone. */
  private revisionOfDone(txn: StampedTxn): Revision | undefined {
    if (txn.operations.some(({ kind }) => kind === 'put')) return this.revisionOfPuts(txn);
    const isGone = txn.operations.every(({ key }) => this.memory.get(key) === undefined);
    return isGone ? this.memory.revision : undefined;
  }

  /** In etcd: the revision at which a key still carries the write id of the transaction. */
  private revisionOfPuts({ operations, writeId }: StampedTxn): Revision | undefined {
    for (const { kind, key } of operations) {
      const entry = kind === 'put' ? this.memory.get(key) : undefined;
      if (entry && writeIdOf(entry) === writeId) return entry.modRevision;
    }
    return undefined;
  }

  private read<T>(options: CallOptions | undefined, apply: () => T): Promise<T> {
    return this.within(options, (scope) => this.retrying(scope, READ_ATTEMPTS, apply));
  }

  private async retrying<T>(scope: CallScope, attempts: number, apply: () => T): Promise<T> {
    for (let tried = 1; ; tried += 1) {
      try {
        return await this.ask(scope, scope.leftMs(), apply);
      } catch (error) {
        if (tried >= attempts || scope.signal.aborted || isAnswer(error)) throw error;
      }
      await this.options.process.clock.sleep(backoffMs(RETRY, tried), scope.signal);
    }
  }

  /** One request. Errors: what etcd answered; UnavailableError at the deadline; the signal's reason. */
  private ask<T>(scope: CallScope, timeoutMs: number, apply: () => T): Promise<T> {
    const { etcd, process } = this.options;
    return new Promise((resolve, reject) => {
      const { signal } = scope;
      if (signal.aborted) {
        reject(abortReason(signal));
        return;
      }
      const done = (settle: () => void) => {
        timer.cancel();
        signal.removeEventListener('abort', onAbort);
        settle();
      };
      const onAbort = () => {
        done(() => reject(abortReason(signal)));
      };
      const timer = process.after(timeoutMs / process.host.rate, () => {
        etcd.avoid(process);
        done(() => reject(new UnavailableError('etcd did not answer in time')));
      });
      signal.addEventListener('abort', onAbort, { once: true });
      etcd.request(process, apply, (reply) => {
        if ('error' in reply && reply.error instanceof UnavailableError) etcd.avoid(process);
        done(() => {
          if ('value' in reply) resolve(reply.value);
          else reject(reply.error);
        });
      });
    });
  }

  private async within<T>(
    { timeoutMs = DEFAULT_TIMEOUT_MS, signal }: CallOptions = {},
    work: (scope: CallScope) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    if (this.closed) throw new UnavailableError('the store is closed');
    const { process } = this.options;
    const untilMs = process.clock.monotonicMs() + timeoutMs;
    const scope = new AbortScope(signal);
    const timer = process.after(timeoutMs / process.host.rate, () => {
      scope.abort(new UnavailableError(`etcd did not answer within ${timeoutMs} ms`));
    });
    try {
      const leftMs = () => Math.max(1, untilMs - process.clock.monotonicMs());
      return await work({ signal: scope.signal, leftMs });
    } finally {
      timer.cancel();
      scope[Symbol.dispose]();
    }
  }
}

const isAnswer = (error: unknown): boolean => ANSWERS.some((code) => hasCode(error, code));
