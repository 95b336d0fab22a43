import type { IRangeResponse } from 'etcd3';
import { EtcdLeaseInvalidError } from 'etcd3';
import { SystemClock, UnavailableError } from '../base/index.js';
import type { Clock } from '../base/index.js';
import { EtcdCalls } from './etcd-calls.js';
import type { StoreObserver } from './etcd-calls.js';
import {
  clusterIdOf,
  keyAfter,
  keyRange,
  prefixRange,
  revisionOf,
  toEntry,
  toLeaseId,
  toWireLease,
} from './etcd-codec.js';
import { commitTxn } from './etcd-commit.js';
import type { EtcdConnection, EtcdTls } from './etcd-connection.js';
import { EtcdEndpoints } from './etcd-endpoints.js';
import { isReplyTooLarge, reasonOf, unreadableRevision } from './etcd-errors.js';
import { keepAliveOnce } from './etcd-lease.js';
import { EtcdWatch } from './etcd-watch.js';
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
} from './store.js';
import { requireValidTxn, writeIdOf } from './values.js';

/** How to reach etcd. */
export interface EtcdStoreOptions {
  /** One URL per member, such as `https://10.0.0.1:2379`; all `https` or all `http`. */
  readonly endpoints: readonly string[];
  /** Client certificate and authorities. Needed exactly when the endpoints are `https`. */
  readonly tls?: EtcdTls;
  /** Default SystemClock. */
  readonly clock?: Clock;
  /** Hears of every finished call. */
  readonly observer?: StoreObserver;
  /** Largest reply that is accepted. Default 64 MiB. */
  readonly maxReplyBytes?: number;
}

const DEFAULT_MAX_REPLY_BYTES = 64 * 1024 * 1024;
const DEFAULT_PAGE_SIZE = 500;
/** A scheme, a host name or address, and a port; nothing behind it. */
const ENDPOINT = /^(https?):\/\/[^/]+:\d+$/u;
/** A member that lives answers at once; one that hangs must not hold up what the others say. */
const MEMBER_TIMEOUT_MS = 2_000;
/** A handshake or two. */
const REPLACE_CREDENTIALS_TIMEOUT_MS = 5_000;

/**
 * The store on a real etcd (3.4 to 3.6). Calls share one connection per member and go to another member
 * when one fails; every watch has a connection of its own.
 */
export class EtcdStore implements Store {
  private readonly clock: Clock;
  private readonly endpoints: EtcdEndpoints;
  private readonly calls: EtcdCalls;
  private readonly watches = new Set<EtcdWatch>();
  private closed = false;

  constructor(options: EtcdStoreOptions) {
    requireEndpoints(options);
    const { endpoints, tls, observer, maxReplyBytes = DEFAULT_MAX_REPLY_BYTES } = options;
    this.clock = options.clock ?? new SystemClock();
    this.endpoints = new EtcdEndpoints({ endpoints, tls, clock: this.clock, maxReplyBytes });
    this.calls = new EtcdCalls(this.endpoints, this.clock, observer);
  }

  /** How often a connection did not heal and was made anew. */
  get recreations(): number {
    return this.endpoints.recreations;
  }

  get(key: string, options?: CallOptions): Promise<Entry | undefined> {
    return this.calls.read('get', options, async (connection, deadline) => {
      const [kv] = (await connection.kv.range(keyRange(key), { deadline })).kvs;
      return kv && toEntry(kv);
    });
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<Page> {
    const { key: first, range_end } = prefixRange(prefix);
    let key = first;
    let size = options.pageSize ?? DEFAULT_PAGE_SIZE;
    let revision: Revision | undefined;
    for (;;) {
      let response: IRangeResponse;
      try {
        response = await this.readRange({ key, range_end, limit: size, revision }, options);
      } catch (error) {
        if (size === 1 || !isTooLarge(error)) throw error;
        size = Math.ceil(size / 2); // big objects: as many round trips as it takes
        continue;
      }
      revision ??= revisionOf(response);
      const entries = response.kvs.map(toEntry);
      yield { entries, revision, clusterId: clusterIdOf(response) };
      const last = entries.at(-1);
      if (!response.more || !last) return;
      key = keyAfter(last.key);
    }
  }

  commit(txn: Txn, options?: CallOptions): Promise<Revision> {
    const { calls, clock } = this;
    return calls.run('commit', options, (scope) =>
      commitTxn({ calls, clock }, requireValidTxn(txn), scope),
    );
  }

  async watch(prefix: string, from: Revision, options: WatchOptions): Promise<void> {
    if (options.signal.aborted) return;
    if (this.closed) throw new UnavailableError('watch: the store is closed');
    const connection = this.endpoints.connectForWatch();
    const watch = new EtcdWatch(connection, prefix, from, options);
    this.watches.add(watch);
    try {
      await watch.run();
    } catch (error) {
      if (error instanceof UnavailableError) this.endpoints.avoid(connection.endpoint);
      throw error;
    } finally {
      this.watches.delete(watch);
    }
  }

  remembers({ key, revision, writeId }: HistoryMark, options?: CallOptions): Promise<Remembrance> {
    const request = { ...keyRange(key), revision: String(revision) };
    return this.calls.read('remembers', options, async (connection, deadline) => {
      try {
        const [kv] = (await connection.kv.range(request, { deadline })).kvs;
        const entry = kv && toEntry(kv);
        const isIt = entry?.modRevision === revision && writeIdOf(entry) === writeId;
        return isIt ? 'yes' : 'no';
      } catch (error) {
        const why = unreadableRevision(error);
        if (why === undefined) throw error;
        return why === 'future' ? 'no' : 'unknown';
      }
    });
  }

  async grantLease(ttlSeconds: number, options?: CallOptions): Promise<Lease> {
    // not tried twice: a lost reply leaves a lease behind, which runs out by itself
    const granted = await this.calls.run('grant-lease', options, (scope) =>
      this.calls.sendOnce(scope, 1, ({ leaseClient }, deadline) =>
        leaseClient.leaseGrant({ TTL: Math.ceil(ttlSeconds) }, { deadline }),
      ),
    );
    const id = toLeaseId(granted.ID);
    return {
      id,
      ttlSeconds: Number(granted.TTL),
      keepAlive: (call) => this.keepAlive(id, call),
      revoke: (call) => this.revoke(id, call),
    };
  }

  health(options?: CallOptions): Promise<StoreHealth> {
    return this.calls.run('health', options, async (scope) => {
      const [answer, members] = await Promise.all([
        this.calls.retrying(scope, (connection, deadline) =>
          Promise.all([
            connection.maintenance.alarm({ action: 'Get' }, { deadline }),
            // linearizable: a member that lost its cluster still tells its status
            connection.kv.range({ ...keyRange('health'), count_only: true }, { deadline }),
          ]),
        ),
        this.calls.onEach(scope, MEMBER_TIMEOUT_MS, memberHealth),
      ]);
      const [{ alarms }, range] = answer;
      return {
        clusterId: clusterIdOf(range),
        revision: revisionOf(range),
        alarms: [...new Set(alarms.map(({ alarm }) => alarm.toUpperCase()))],
        members: members.map(({ endpoint, result, error }) =>
          result ? { endpoint, ...result } : { endpoint, failure: reasonOf(error) },
        ),
      };
    });
  }

  /**
   * Goes on with another certificate: calls in flight end as they would have; running watches end with
   * UnavailableError, so that their owners resume them on a new connection without loss.
   * Errors: UnavailableError when no member takes the new credentials; then nothing changes.
   */
  async replaceCredentials(tls: EtcdTls): Promise<void> {
    await this.endpoints.replaceCredentials(tls, REPLACE_CREDENTIALS_TIMEOUT_MS);
    this.failWatches('the credentials were replaced');
  }

  close(): Promise<void> {
    this.closed = true;
    this.calls.close();
    this.failWatches('the store is closed');
    this.endpoints.close();
    return Promise.resolve();
  }

  private readRange(
    request: { key: Buffer; range_end: Buffer; limit: number; revision: Revision | undefined },
    options: CallOptions,
  ): Promise<IRangeResponse> {
    const { revision, ...rest } = request;
    return this.calls.read('list', options, (connection, deadline) =>
      connection.kv.range(
        { ...rest, ...(revision !== undefined && { revision: String(revision) }) },
        { deadline },
      ),
    );
  }

  private keepAlive(id: string, options?: CallOptions): Promise<number> {
    return this.calls.read('keep-alive', options, (connection, deadline) =>
      keepAliveOnce(connection, id, deadline),
    );
  }

  private revoke(id: string, options?: CallOptions): Promise<void> {
    return this.calls.read('revoke', options, async (connection, deadline) => {
      try {
        await connection.leaseClient.leaseRevoke({ ID: toWireLease(id) }, { deadline });
      } catch (error) {
        if (!(error instanceof EtcdLeaseInvalidError)) throw error; // gone: what was wanted
      }
    });
  }

  private failWatches(why: string): void {
    for (const watch of this.watches) watch.fail(new UnavailableError(`watch: ${why}`));
  }
}

async function memberHealth({ maintenance }: EtcdConnection, deadline: number) {
  const { version, dbSize } = await maintenance.status({ deadline });
  return { version, dbSizeBytes: Number(dbSize) };
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && isReplyTooLarge(error.cause);
}

function requireEndpoints({ endpoints, tls }: EtcdStoreOptions): void {
  const scheme = tls ? 'https' : 'http';
  for (const endpoint of endpoints) {
    const found = ENDPOINT.exec(endpoint)?.[1];
    if (found === scheme) continue;
    if (found === undefined) {
      throw new RangeError(`etcd endpoint ${endpoint} must look like ${scheme}://host:2379`);
    }
    throw new RangeError(
      tls
        ? `etcd endpoint ${endpoint} must start with https:// when TLS files are given`
        : `etcd endpoint ${endpoint} needs TLS files, or must start with http://`,
    );
  }
}
