import { AbortScope, backoffMs, messageOf, UnavailableError } from '../base/index.js';
import type { Clock } from '../base/index.js';
import { nullLogger } from '../log/index.js';
import type { Logger } from '../log/index.js';
import type { Operation, Revision, Store } from '../store/index.js';
import { defaultMarginMs, takeLease } from './lease-keeper.js';
import type { LeaseKeeper } from './lease-keeper.js';

/** What a {@link LeasePresence} is made of. */
export interface LeasePresenceOptions {
  readonly store: Store;
  /** Our own key, such as `keys.manager(id)`. */
  readonly key: string;
  /** A key without a lease, which says the same and outlives us. */
  readonly lastingKey?: string;
  /** What it says of us. */
  readonly value: object;
  readonly clock: Clock;
  /** Default: says nothing. */
  readonly log?: Logger;
  /** How long the key outlives us after a crash, in seconds. Default 15. */
  readonly ttlSeconds?: number;
}

const DEFAULT_TTL_SECONDS = 15;
const BACKOFF = { initialMs: 200, maxMs: 5000 };
const RELEASE_TIMEOUT_MS = 2000;

/**
 * Says that this process is there: a key on a lease of its own, made again whenever it or its lease
 * was lost, and gone at once when we leave in good order.
 */
export class LeasePresence {
  readonly name = 'presence';
  private readonly log: Logger;
  private readonly ttlSeconds: number;
  private value: object;
  private keeper: LeaseKeeper | undefined;
  /** What the lasting key says, as far as we wrote it since the key was made last. */
  private recorded: object | undefined;
  /** Writes are one after the other, so that an older value never comes last. */
  private writing: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: LeasePresenceOptions) {
    this.log = (options.log ?? nullLogger).child({ component: this.name });
    this.ttlSeconds = options.ttlSeconds ?? DEFAULT_TTL_SECONDS;
    this.value = options.value;
  }

  /** True while the key is on a lease that is ours for certain. */
  get isPresent(): boolean {
    return (this.keeper?.leftMs ?? 0) > 0;
  }

  /** Keeps the key until the signal aborts; calls `ready` when it is there first. Never rejects. */
  async run(signal: AbortSignal, ready: () => void = () => undefined): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        await this.hold(signal, () => {
          failures = 0;
          ready();
        });
      } catch (error) {
        if (isOver(signal)) return;
        failures += 1;
        this.log.warn({ reason: messageOf(error) }, 'presence was lost');
        await this.options.clock.sleep(backoffMs(BACKOFF, failures), signal).catch(() => undefined);
      }
    }
  }

  /**
   * Replaces what the key says, at once when it is there and else when it is made again.
   * Errors: UnavailableError; the value is then written later.
   */
  async update(value: object): Promise<void> {
    this.value = value;
    if (this.isPresent) await this.touch();
  }

  /**
   * Writes the key anew; resolves to the write's revision.
   * Errors: UnavailableError, also while there is no lease.
   */
  touch(signal?: AbortSignal): Promise<Revision> {
    const write = this.writing.then(() => this.write(signal));
    this.writing = write.catch(() => undefined);
    return write;
  }

  /** One lease, until it is lost (rejects) or the signal aborts. */
  private async hold(signal: AbortSignal, onPresent: () => void): Promise<void> {
    const { store, clock } = this.options;
    const marginMs = defaultMarginMs(this.ttlSeconds);
    const keeper = await takeLease({ store, clock, marginMs, ttlSeconds: this.ttlSeconds }, signal);
    const scope = new AbortScope(signal);
    this.keeper = keeper;
    this.recorded = undefined;
    try {
      await this.touch(signal);
      onPresent();
      const lost = keeper.keep(scope.signal).then((loss) => {
        throw new Error(`lease ${loss}`);
      });
      await Promise.race([lost, this.repairForever(keeper, scope.signal)]);
    } finally {
      this.keeper = undefined;
      scope.abort();
      scope[Symbol.dispose]();
      await keeper.release(RELEASE_TIMEOUT_MS);
    }
  }

  /** Somebody may have deleted the key, or taken it over, while its lease lived on. */
  private async repairForever(keeper: LeaseKeeper, signal: AbortSignal): Promise<never> {
    const { store, key, clock } = this.options;
    for (;;) {
      await clock.sleep(this.ttlSeconds * 1000, signal);
      try {
        const entry = await store.get(key, { signal });
        if (entry?.leaseId === keeper.lease.id) continue;
        this.log.warn({ key }, 'presence key was taken away');
        await this.touch(signal);
      } catch {
        signal.throwIfAborted(); // the store is away: the lease tells when that matters
      }
    }
  }

  private async write(signal: AbortSignal | undefined): Promise<Revision> {
    const { store, key, lastingKey } = this.options;
    if (!this.keeper) throw new UnavailableError('there is no lease at the moment');
    const { value } = this;
    const leaseId = this.keeper.lease.id;
    const isRecorded = lastingKey === undefined || this.recorded === value;
    const operations: Operation[] = [
      { kind: 'put', key, value, leaseId },
      ...(isRecorded ? [] : [{ kind: 'put', key: lastingKey, value } as const]),
    ];
    const revision = await store.commit({ compare: [], operations }, signal ? { signal } : {});
    this.recorded = value;
    return revision;
  }
}

/** A function, because the compiler believes that a signal it has seen once never changes. */
function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}
