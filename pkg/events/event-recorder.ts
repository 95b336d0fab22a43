import type { Event } from '../../api/v1/index.js';
import { abortReason, backoffMs, hasCode, messageOf, newUid, type Clock } from '../base/index.js';
import type { Logger } from '../log/index.js';
import type { Keys, Lease, Store } from '../store/index.js';
import { TokenBucket } from './token-bucket.js';

/** Something that happened, as whoever saw it says it. */
export interface EventReport {
  readonly type: Event['type'];
  /** A CamelCase word, such as TaskFailed. */
  readonly reason: string;
  readonly message: string;
  readonly regarding: Event['regarding'];
  /** Service that it belongs to. */
  readonly service?: string | undefined;
  /** Who saw it: a controller, or agent/<node>. */
  readonly source: string;
}

/** Takes note of what happened. Never blocks and never fails: events are nice to have. */
export interface EventRecorder {
  record(report: EventReport): void;
}
export const EventRecorder = Symbol('EventRecorder');

/** What a {@link StoreEventRecorder} is made of. */
export interface EventRecorderOptions {
  readonly store: Store;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly log: Logger;
  /** Events that wait to be written; more are dropped. Default 1,000. */
  readonly capacity?: number;
  /** Least time between two writes. Default 500 ms. */
  readonly flushMs?: number;
  /** How long an event is kept at least. Default 1 hour. */
  readonly keepSeconds?: number;
  /**
   * Events written per second over a long time, and at once after a quiet one; both bound how many there
   * are in the store. Default 5 and 2,000.
   */
  readonly ratePerSecond?: number;
  readonly burst?: number;
}

const DEFAULTS = {
  capacity: 1_000,
  flushMs: 500,
  keepSeconds: 3_600,
  ratePerSecond: 5,
  burst: 2_000,
} as const;

/** Events share a lease for this long; it lives by as much longer, so that the first is no worse off. */
const LEASE_ROTATION_MS = 600_000;
/** An event that happens again within this counts up instead of being a new one. */
const REPEAT_MS = 600_000;
/** Events written in one transaction. */
const BATCH = 100;
/** Longer messages are cut: an engine's error may be a whole page. */
const MAX_MESSAGE = 1_000;
const RETRY = { initialMs: 500, maxMs: 10_000 };

/** One event, written or about to be. */
interface Known {
  readonly id: string;
  readonly report: EventReport;
  readonly firstAt: string;
  lastAt: string;
  lastMs: number;
  count: number;
}

/** {@link EventRecorder} that writes to the store, a few events at a time, while it runs. */
export class StoreEventRecorder implements EventRecorder {
  readonly name = 'event-recorder';
  private readonly settings: Required<
    Omit<EventRecorderOptions, 'store' | 'keys' | 'clock' | 'log'>
  >;
  /** Events by what they say, least recently seen first. */
  private readonly known = new Map<string, Known>();
  /** What has to be written, in order. */
  private readonly queue = new Set<Known>();
  private readonly budget: TokenBucket;
  private lease: { readonly lease: Lease; readonly until: number } | undefined;
  private wake: () => void = () => undefined;
  private droppedCount = 0;
  private writtenCount = 0;

  constructor(private readonly options: EventRecorderOptions) {
    this.settings = { ...DEFAULTS, ...definedOnly(options) };
    const { ratePerSecond, burst } = this.settings;
    this.budget = new TokenBucket({ ratePerSecond, burst, nowMs: options.clock.monotonicMs() });
  }

  /** Events that were never written, because too many came at once. */
  get dropped(): number {
    return this.droppedCount;
  }

  /** Writes of events so far. */
  get written(): number {
    return this.writtenCount;
  }

  record(reported: EventReport): void {
    const { clock } = this.options;
    const report = { ...reported, message: reported.message.slice(0, MAX_MESSAGE) };
    const key = keyOf(report);
    const nowMs = clock.monotonicMs();
    const before = this.known.get(key);
    if (before && nowMs - before.lastMs < REPEAT_MS) {
      this.repeat(key, before, nowMs);
      return;
    }
    if (this.queue.size >= this.settings.capacity || !this.budget.take(nowMs)) {
      this.droppedCount += 1;
      return;
    }
    const at = clock.now().toISOString();
    const event = { id: newUid(), report, firstAt: at, lastAt: at, lastMs: nowMs, count: 1 };
    this.known.delete(key);
    this.known.set(key, event);
    this.enqueue(event);
    if (this.known.size > this.settings.capacity) this.forgetOldest();
  }

  /** Writes events until the signal aborts; what waits then is written if that is quick. Never rejects. */
  async run(signal: AbortSignal, ready: () => void = () => undefined): Promise<void> {
    ready();
    let failures = 0;
    while (!signal.aborted) {
      failures = (await this.writeNext(signal)) ? 0 : failures + 1;
      const pauseMs = failures === 0 ? this.settings.flushMs : backoffMs(RETRY, failures);
      await this.options.clock.sleep(pauseMs, signal).catch(() => undefined);
    }
    await this.flushBatch().catch(() => undefined); // the last words of a manager that stops
  }

  /** False when it failed. */
  private async writeNext(signal: AbortSignal): Promise<boolean> {
    try {
      await this.untilSomethingWaits(signal);
      await this.flushBatch(signal);
      return true;
    } catch (error) {
      if (!signal.aborted) {
        this.options.log.debug({ reason: messageOf(error) }, 'writing events failed');
      }
      return false;
    }
  }

  private repeat(key: string, event: Known, nowMs: number): void {
    event.count += 1;
    event.lastAt = this.options.clock.now().toISOString();
    event.lastMs = nowMs;
    this.known.delete(key);
    this.known.set(key, event);
    if (this.queue.has(event)) return;
    // A count that is not written now is written with the next repetition.
    if (this.queue.size < this.settings.capacity && this.budget.take(nowMs)) this.enqueue(event);
  }

  private enqueue(event: Known): void {
    this.queue.add(event);
    this.wake();
  }

  private forgetOldest(): void {
    for (const [key, event] of this.known) {
      if (this.queue.has(event)) continue;
      this.known.delete(key);
      return;
    }
  }

  private async flushBatch(signal?: AbortSignal): Promise<void> {
    const batch = [...this.queue].slice(0, BATCH);
    if (batch.length === 0) return;
    const leaseId = await this.leaseId(signal);
    // From here on a repetition of one of them queues it again.
    for (const event of batch) this.queue.delete(event);
    const { store, keys } = this.options;
    const operations = batch.map((event) => ({
      kind: 'put' as const,
      key: keys.event(event.id),
      value: stored(event),
      leaseId,
    }));
    try {
      await store.commit({ compare: [], operations }, { ...(signal && { signal }) });
      this.writtenCount += batch.length;
    } catch (error) {
      if (hasCode(error, 'ERR_NOT_FOUND')) this.lease = undefined; // expired while etcd was away
      for (const event of batch) this.queue.add(event);
      throw error;
    }
  }

  private async leaseId(signal: AbortSignal | undefined): Promise<string> {
    const { store, clock } = this.options;
    const nowMs = clock.monotonicMs();
    if (this.lease && nowMs < this.lease.until) return this.lease.lease.id;
    const ttlSeconds = this.settings.keepSeconds + LEASE_ROTATION_MS / 1000;
    const lease = await store.grantLease(ttlSeconds, { ...(signal && { signal }) });
    this.lease = { lease, until: nowMs + LEASE_ROTATION_MS };
    return lease.id;
  }

  private untilSomethingWaits(signal: AbortSignal): Promise<void> {
    if (this.queue.size > 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        reject(abortReason(signal));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.wake = () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
    });
  }
}

function keyOf({ reason, message, regarding: { kind, name, uid } }: EventReport): string {
  return JSON.stringify([kind, uid === '' ? name : uid, reason, message]);
}

function stored({ id, report, firstAt, lastAt, count }: Known): Event {
  const { service, ...rest } = report;
  return {
    apiVersion: 'swarm/v1',
    kind: 'Event',
    metadata: { name: id, uid: id, generation: 1, createdAt: firstAt, updatedAt: lastAt },
    ...rest,
    ...(service !== undefined && { service }),
    count,
    firstAt,
    lastAt,
  };
}

function definedOnly<T extends object>(options: T): T {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as T;
}
