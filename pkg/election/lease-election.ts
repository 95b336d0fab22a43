import { backoffMs, ConflictError, messageOf, newWriteId } from '../base/index.js';
import type { Clock, WriteId } from '../base/index.js';
import { nullLogger } from '../log/index.js';
import type { Logger } from '../log/index.js';
import { writeIdOf } from '../store/index.js';
import type { Revision, Store } from '../store/index.js';
import { observeKey, untilAbsent } from './key-observer.js';
import type { LeaderElection, LeaderElectionObserver, LeaderIdentity } from './leader-election.js';
import { LeaseTerm } from './leader-term.js';
import type { LeaderTerm } from './leader-term.js';
import { defaultMarginMs, takeLease } from './lease-keeper.js';
import type { LeaseKeeper } from './lease-keeper.js';

/** What a {@link LeaseElection} is made of. */
export interface LeaseElectionOptions {
  readonly store: Store;
  /** The leader key: `keys.leader`. */
  readonly key: string;
  readonly identity: LeaderIdentity;
  readonly clock: Clock;
  /** Default: says nothing. */
  readonly log?: Logger;
  readonly observer?: LeaderElectionObserver;
  /**
   * How long the leader key outlives its leader, in seconds: the time without a leader after a crash.
   * Default 5, at least 2 (etcd grants no less).
   */
  readonly ttlSeconds?: number;
  /** By how much we stop before etcd may elect another. Default a fifth of the TTL, up to 1 s. */
  readonly marginMs?: number;
  /** Default Math.random. */
  readonly random?: () => number;
}

const DEFAULT_TTL_SECONDS = 5;
const MIN_TTL_SECONDS = 2;
const BACKOFF = { initialMs: 200, maxMs: 5000 };

/** How long giving up a lease may take; it ends by itself otherwise. */
const RELEASE_TIMEOUT_MS = 2000;

/** A lease with the leader key on it. */
interface Seat {
  readonly keeper: LeaseKeeper;
  readonly epoch: Revision;
}

/**
 * {@link LeaderElection} by one key on a lease. Safe for three reasons, of which each would nearly do: the
 * key can be created once, we stop before the lease can end, and every write carries the fence.
 */
export class LeaseElection implements LeaderElection {
  readonly name = 'leader-election';
  private readonly log: Logger;
  private readonly observer: LeaderElectionObserver;
  private readonly ttlSeconds: number;
  private current: LeaseTerm | undefined;

  constructor(private readonly options: LeaseElectionOptions) {
    this.log = (options.log ?? nullLogger).child({ component: this.name });
    this.observer = options.observer ?? {};
    this.ttlSeconds = Math.max(MIN_TTL_SECONDS, options.ttlSeconds ?? DEFAULT_TTL_SECONDS);
  }

  isLeader(): boolean {
    return this.current?.isValid ?? false;
  }

  get term(): LeaderTerm | undefined {
    return this.isLeader() ? this.current : undefined;
  }

  async run(onElected: (term: LeaderTerm) => Promise<void>, signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        await untilAbsent(this.observation(), signal);
        const seat = await this.takeSeat(signal);
        const servedWell = !seat || (await this.serve(seat, onElected, signal));
        failures = servedWell ? 0 : failures + 1;
      } catch (error) {
        failures += 1;
        if (!isOver(signal)) this.log.warn({ reason: messageOf(error) }, 'campaign failed');
      }
      if (failures > 0) await this.pause(failures, signal);
    }
  }

  /** Undefined when another was faster. */
  private async takeSeat(signal: AbortSignal): Promise<Seat | undefined> {
    const keeper = await this.takeLease(signal);
    const writeId = newWriteId();
    try {
      const epoch = await this.createKey(keeper, writeId, signal);
      if (keeper.leftMs > 0) return { keeper, epoch };
    } catch (error) {
      const epoch = await this.findOwnKey(keeper, writeId);
      if (epoch !== undefined && keeper.leftMs > 0 && !signal.aborted) return { keeper, epoch };
      await keeper.release(RELEASE_TIMEOUT_MS);
      if (error instanceof ConflictError) return undefined;
      throw error;
    }
    await keeper.release(RELEASE_TIMEOUT_MS);
    return undefined;
  }

  private takeLease(signal: AbortSignal): Promise<LeaseKeeper> {
    const { store, clock, marginMs = defaultMarginMs(this.ttlSeconds) } = this.options;
    const onFailure = (error: unknown, leftMs: number) => {
      this.observer.keepAliveFailed?.(error, leftMs);
      this.log.warn({ reason: messageOf(error), leftMs }, 'keep-alive of the leader lease failed');
    };
    return takeLease({ store, clock, marginMs, onFailure, ttlSeconds: this.ttlSeconds }, signal);
  }

  private createKey(keeper: LeaseKeeper, writeId: WriteId, signal: AbortSignal): Promise<Revision> {
    const { store, key, identity: value } = this.options;
    return store.commit(
      {
        compare: [{ key, createRevision: 0 }],
        operations: [{ kind: 'put', key, value, leaseId: keeper.lease.id }],
        writeId,
      },
      { signal, timeoutMs: keeper.leftMs },
    );
  }

  /** After a reply that was lost or says "conflict": is the key ours after all? */
  private async findOwnKey(keeper: LeaseKeeper, writeId: WriteId): Promise<Revision | undefined> {
    if (keeper.leftMs <= 0) return undefined;
    const { store, key } = this.options;
    const entry = await store.get(key, { timeoutMs: keeper.leftMs }).catch(() => undefined);
    const isOurs = entry?.leaseId === keeper.lease.id && writeIdOf(entry) === writeId;
    return isOurs ? entry.createRevision : undefined;
  }

  /** One term, to the end of its work. False when the work gave up although we led. */
  private async serve(
    { keeper, epoch }: Seat,
    onElected: (term: LeaderTerm) => Promise<void>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const term = new LeaseTerm(this.options.key, epoch, keeper, this.options.clock);
    const watch = this.watchOver(term, keeper, signal);
    this.current = term;
    this.log.info({ epoch }, 'elected leader');
    this.observer.elected?.(epoch);
    try {
      await onElected(term);
    } catch (error) {
      if (term.isValid) this.log.error({ error, epoch }, "the leader's work failed");
    }
    const gaveUp = term.isValid;
    term.end("the leader's work ended");
    this.current = undefined;
    await keeper.release(RELEASE_TIMEOUT_MS);
    await watch;
    return !gaveUp;
  }

  /** Ends the term when the lease is lost, the key is not ours any more, or we resign. Never rejects. */
  private async watchOver(
    term: LeaseTerm,
    keeper: LeaseKeeper,
    signal: AbortSignal,
  ): Promise<void> {
    const resign = () => {
      term.end('resigned');
    };
    const onEntry = (entry: { readonly createRevision: Revision } | undefined) => {
      if (entry?.createRevision !== term.epoch) term.end('the leader key was taken away');
    };
    term.signal.addEventListener('abort', () => this.noteEnd(term), { once: true });
    signal.addEventListener('abort', resign, { once: true });
    if (signal.aborted) resign();
    await Promise.all([
      keeper.keep(term.signal).then(
        (loss) => term.end(loss === 'gone' ? 'the lease is gone' : 'the lease ran out'),
        () => undefined, // the term ended first
      ),
      observeKey({ ...this.observation(), onEntry }, term.signal),
    ]);
    signal.removeEventListener('abort', resign);
  }

  private noteEnd(term: LeaseTerm): void {
    const reason = messageOf(term.signal.reason);
    this.log.info({ epoch: term.epoch, reason }, 'leadership ended');
    this.observer.termEnded?.(term.epoch, reason);
  }

  private observation() {
    const { store, key, clock } = this.options;
    return { store, key, clock, pollMs: (this.ttlSeconds * 1000) / 2 };
  }

  private async pause(failures: number, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.options;
    await clock.sleep(backoffMs(BACKOFF, failures, random), signal).catch(() => undefined);
  }
}

/** A function, because the compiler believes that a signal it has seen once never changes. */
function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}
