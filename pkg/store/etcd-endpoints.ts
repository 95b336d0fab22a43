import type { Clock } from '../base/index.js';
import { UnavailableError } from '../base/index.js';
import { EtcdConnection } from './etcd-connection.js';
import type { EtcdTls } from './etcd-connection.js';

/** Where etcd is and how to connect. */
export interface EtcdEndpointsOptions {
  /** One URL per member; at least one. */
  readonly endpoints: readonly string[];
  readonly tls?: EtcdTls | undefined;
  readonly clock: Clock;
  readonly maxReplyBytes: number;
}

/** How a call on a connection ended, as far as the connection is concerned. */
export type ConnectionOutcome = 'answered' | 'timed-out' | 'failed';

interface Slot {
  readonly endpoint: string;
  connection: EtcdConnection;
  failures: number;
  connectedAtMs: number;
}

/** Failures in a row after which a client is thrown away: some channels never heal by themselves. */
const FAILURES_BEFORE_RECREATION = 3;
/** A client is not thrown away younger than this, whatever many calls in flight report. */
const MIN_CLIENT_AGE_MS = 1_000;
/** A member that does not connect in this time is passed over when there is another one. */
const CONNECT_TIMEOUT_MS = 1_500;

/**
 * The connections for calls: one per member, one of them preferred until it fails.
 */
export class EtcdEndpoints {
  private slots: readonly Slot[];
  private preferred = 0;
  private tls: EtcdTls | undefined;
  private recreationCount = 0;
  private closed = false;

  constructor(private readonly options: EtcdEndpointsOptions) {
    if (options.endpoints.length === 0) throw new RangeError('no etcd endpoint is given');
    this.tls = options.tls;
    this.slots = this.connectAll(options.tls);
  }

  /** How often a connection was thrown away and made anew. */
  get recreations(): number {
    return this.recreationCount;
  }

  get size(): number {
    return this.slots.length;
  }

  /** One for each member, in the order they were given in. */
  get all(): readonly EtcdConnection[] {
    return this.slots.map(({ connection }) => connection);
  }

  /** The connection to try next, in whatever state it is. For reads. */
  current(): EtcdConnection {
    return this.slotAt(this.preferred).connection;
  }

  /**
   * A connection that stands. For writes, which may be tried elsewhere only when they were not sent.
   * Errors: UnavailableError when no member can be reached: nothing was sent.
   */
  async connected(timeoutMs: number): Promise<EtcdConnection> {
    const limitMs = this.size === 1 ? timeoutMs : Math.min(timeoutMs, CONNECT_TIMEOUT_MS);
    for (let tried = 0; tried < this.size; tried += 1) {
      const connection = this.current();
      if (await connection.ready(limitMs)) return connection;
      this.report(connection, 'failed');
    }
    const all = this.slots.map(({ endpoint }) => endpoint).join(', ');
    throw new UnavailableError(`no connection to etcd at ${all}`);
  }

  /** Tells how a call went: after a failure the next member is preferred. */
  report(connection: EtcdConnection, outcome: ConnectionOutcome): void {
    const index = this.slots.findIndex((slot) => slot.connection === connection);
    if (index === -1) return; // replaced since
    const slot = this.slotAt(index);
    if (outcome === 'answered') {
      slot.failures = 0;
      return;
    }
    slot.failures += 1;
    if (index === this.preferred) this.preferred = (index + 1) % this.size;
    if (outcome === 'timed-out' || slot.failures >= FAILURES_BEFORE_RECREATION) {
      this.recreate(slot);
    }
  }

  /** A connection of its own for a watch; whoever asked closes it. */
  connectForWatch(): EtcdConnection {
    return this.connect(this.slotAt(this.preferred).endpoint, 'watch', this.tls);
  }

  /** Prefers another member than `endpoint`, where a watch just failed. */
  avoid(endpoint: string): void {
    if (this.slotAt(this.preferred).endpoint === endpoint) {
      this.preferred = (this.preferred + 1) % this.size;
    }
  }

  /**
   * Swaps all connections for ones with new credentials. Calls in flight end on the old ones.
   * Errors: UnavailableError when no member takes the new credentials: the old ones stay.
   */
  async replaceCredentials(tls: EtcdTls, timeoutMs: number): Promise<void> {
    const slots = this.connectAll(tls);
    const connected = await Promise.all(slots.map(({ connection }) => connection.ready(timeoutMs)));
    if (this.closed || !connected.includes(true)) {
      for (const { connection } of slots) connection.close();
      throw new UnavailableError(
        this.closed ? 'the store is closed' : 'etcd does not take the new credentials',
      );
    }
    const old = this.slots;
    this.slots = slots;
    this.tls = tls;
    this.preferred = connected.indexOf(true);
    for (const { connection } of old) connection.close();
  }

  /** Closes all connections; none is made any more. */
  close(): void {
    this.closed = true;
    for (const { connection } of this.slots) connection.close();
  }

  private recreate(slot: Slot): void {
    const now = this.options.clock.monotonicMs();
    if (this.closed || now - slot.connectedAtMs < MIN_CLIENT_AGE_MS) return;
    const old = slot.connection;
    slot.connection = this.connect(slot.endpoint, 'calls', this.tls);
    slot.connectedAtMs = now;
    slot.failures = 0;
    this.recreationCount += 1;
    old.close();
  }

  private connectAll(tls: EtcdTls | undefined): readonly Slot[] {
    return this.options.endpoints.map((endpoint) => ({
      endpoint,
      connection: this.connect(endpoint, 'calls', tls),
      failures: 0,
      connectedAtMs: this.options.clock.monotonicMs(),
    }));
  }

  private connect(endpoint: string, use: 'calls' | 'watch', tls: EtcdTls | undefined) {
    const { maxReplyBytes } = this.options;
    return new EtcdConnection({ endpoint, use, tls, maxReplyBytes });
  }

  private slotAt(index: number): Slot {
    const slot = this.slots[index];
    if (!slot) throw new RangeError(`no etcd endpoint ${String(index)}`);
    return slot;
  }
}
