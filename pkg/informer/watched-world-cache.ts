import { AbortScope, backoffMs, CompactedError, messageOf, TimeSlice } from '../base/index.js';
import type { BackoffOptions, Clock } from '../base/index.js';
import { nullLogger } from '../log/index.js';
import type { Logger } from '../log/index.js';
import type { HistoryMark, Remembrance, Revision, Store, WatchEvent } from '../store/index.js';
import { ChangeRing } from './change-ring.js';
import type { Change, CollectionDefinition, Informer, InvalidEntry } from './collection.js';
import { compareWorld } from './compare-world.js';
import { HistoryGuard } from './history-guard.js';
import type { StoreHeader } from './history-guard.js';
import { LiveInformer } from './live-informer.js';
import { Listeners } from './listeners.js';
import { RevisionWaiters } from './revision-waiters.js';
import { stageWorld } from './stage-world.js';
import type { StagedWorld } from './stage-world.js';
import { WatchInbox } from './watch-inbox.js';
import type {
  ForkedWorld,
  HistoryBreak,
  ListReason,
  WaitOptions,
  WorldCache,
  WorldCacheObserver,
} from './world-cache.js';
import { WorldFork } from './world-fork.js';
import { DoubtError, WorldState } from './world-state.js';

/** What a {@link WatchedWorldCache} is made of. */
export interface WorldCacheOptions {
  readonly store: Store;
  /** Prefix of everything that is mirrored, with its last slash: `keys.root`. */
  readonly root: string;
  readonly collections: readonly CollectionDefinition<unknown>[];
  readonly clock: Clock;
  /** Default: says nothing. */
  readonly log?: Logger;
  readonly observer?: WorldCacheObserver;
  /** Changes remembered for `changesSince`. Default 10,000. */
  readonly rememberedChanges?: number;
  /** Keys per page of a list. Default 500. */
  readonly pageSize?: number;
  /** Delay before the watch is resumed. Default 50 ms doubling to 3 s, half of it random. */
  readonly backoff?: BackoffOptions;
  /** How often the world is compared with a list, give or take a fifth. Default 10 minutes. */
  readonly compareEveryMs?: number;
  /** How long a difference must last to count. Default 2 s. */
  readonly compareGraceMs?: number;
  /** `ready` turns false when the watch was down for longer. Default 15 s. */
  readonly unreadyAfterMs?: number;
  /**
   * Writes anything under the root, so that the watch moves on. Used when somebody waits for a revision
   * that a write elsewhere made, such as an event's: no change under the root ever shows that one.
   */
  readonly nudge?: (signal: AbortSignal) => Promise<unknown>;
  /** Default Math.random. */
  readonly random?: () => number;
}

const DEFAULTS = {
  rememberedChanges: 10_000,
  pageSize: 500,
  backoff: { initialMs: 50, maxMs: 3000 },
  compareEveryMs: 600_000,
  compareGraceMs: 2000,
  unreadyAfterMs: 15_000,
  random: Math.random,
} as const;

/** A watch that lived this long starts from the shortest back-off again. */
const STEADY_MS = 5000;

/** Waiting longer than this for a revision is worth a nudge. */
const NUDGE_AFTER_MS = 250;

/**
 * Nothing is ever stored below this folder: listing it costs nothing, and the answer's header tells the
 * store's revision and identity.
 */
const EMPTY_FOLDER = '.empty/';

/** {@link WorldCache} by one list and one watch, resumed from our own last revision. */
export class WatchedWorldCache implements WorldCache {
  readonly name = 'world-cache';
  readonly synced: Promise<void>;
  isSynced = false;
  revision: Revision = 0;
  connected = false;
  lastEventAt: Date | undefined;

  private readonly options: WorldCacheOptions & typeof DEFAULTS;
  private readonly log: Logger;
  private readonly observer: WorldCacheObserver;
  private readonly informers: ReadonlyMap<string, LiveInformer>;
  private readonly ring: ChangeRing;
  private readonly waiters: RevisionWaiters;
  private readonly revisionListeners: Listeners<[Revision]>;
  private readonly history: HistoryGuard;
  private readonly historyListeners: Listeners<[HistoryBreak]>;
  private state: WorldState;
  private nextList: ListReason | undefined = 'start';
  private session: AbortScope | undefined;
  private disconnectedSinceMs: number;
  private nudging: Promise<unknown> | undefined;
  private readonly lifetime = new AbortController();
  private markSynced: () => void = () => undefined;

  constructor(options: WorldCacheOptions) {
    this.options = { ...DEFAULTS, ...options } as WorldCacheOptions & typeof DEFAULTS;
    this.log = (options.log ?? nullLogger).child({ component: this.name });
    this.observer = options.observer ?? {};
    this.state = new WorldState(options.root, options.collections);
    this.informers = new Map(
      options.collections.map((definition) => [
        definition.name,
        new LiveInformer(definition, () => this.state.collection(definition.name), this.log),
      ]),
    );
    this.ring = new ChangeRing(this.options.rememberedChanges);
    this.waiters = new RevisionWaiters(options.clock);
    this.history = new HistoryGuard(options.clock);
    this.revisionListeners = new Listeners(this.log);
    this.historyListeners = new Listeners(this.log);
    this.disconnectedSinceMs = options.clock.monotonicMs();
    this.synced = new Promise((resolve) => (this.markSynced = resolve));
  }

  /**
   * Keeps the world up until the signal aborts. Calls `ready` at the first list. Never rejects: while the
   * store is away the world stays as it was, see `connected`.
   */
  async run(signal: AbortSignal, ready: () => void = () => undefined): Promise<void> {
    void this.synced.then(ready);
    await Promise.all([this.follow(signal), this.compareNowAndThen(signal)]);
    this.lifetime.abort();
  }

  collection<T>(definition: CollectionDefinition<T>): Informer<T> {
    const informer = this.informers.get(definition.name);
    if (informer?.definition !== definition) {
      throw new RangeError(`the cache was not made with this collection "${definition.name}"`);
    }
    return informer as Informer<unknown> as Informer<T>;
  }

  async waitForRevision(revision: Revision, wait: WaitOptions = {}): Promise<void> {
    wait.signal?.throwIfAborted();
    if (revision <= this.revision) return;
    const scope = new AbortScope(wait.signal);
    void this.nudgeFor(revision, scope.signal);
    try {
      await this.waiters.wait(revision, wait);
    } finally {
      scope.abort();
      scope[Symbol.dispose]();
    }
  }

  onRevision(listener: (revision: Revision) => void): Disposable {
    return this.revisionListeners.add(listener);
  }

  onHistoryBroken(listener: (found: HistoryBreak) => void): Disposable {
    return this.historyListeners.add(listener);
  }

  get historyBreak(): HistoryBreak | undefined {
    return this.history.historyBreak;
  }

  acknowledgeHistoryBreak(): void {
    this.history.acknowledge();
  }

  get clusterId(): string | undefined {
    return this.history.clusterId;
  }

  get historyMark(): HistoryMark | undefined {
    return this.state.newest.mark;
  }

  changesSince(revision: Revision): readonly Change[] {
    return this.ring.since(revision);
  }

  get invalid(): ReadonlyMap<string, InvalidEntry> {
    return this.state.invalid;
  }

  fork(): Promise<ForkedWorld> {
    const { revision, clusterId, historyBreak } = this;
    return WorldFork.of(this.state, { revision, clusterId, historyBreak });
  }

  get disconnectedMs(): number {
    if (!this.isSynced) return Infinity;
    return this.connected ? 0 : this.options.clock.monotonicMs() - this.disconnectedSinceMs;
  }

  get ready(): boolean {
    return this.disconnectedMs <= this.options.unreadyAfterMs;
  }

  private async follow(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!isOver(signal)) {
      const before = { revision: this.revision, ms: this.options.clock.monotonicMs() };
      try {
        await this.catchUp(signal);
        await this.watch(signal);
        failures = 0;
      } catch (error) {
        if (isOver(signal)) return;
        failures = this.hasMadeProgress(before, error) ? 1 : failures + 1;
        this.noteBroken(error);
        await this.pause(backoffMs(this.options.backoff, failures, this.options.random), signal);
      }
    }
  }

  /** A doubt never counts as progress: its list is dear, and a lasting doubt is a bug. */
  private hasMadeProgress(
    before: { readonly revision: Revision; readonly ms: number },
    error: unknown,
  ): boolean {
    if (error instanceof DoubtError) return false;
    const livedMs = this.options.clock.monotonicMs() - before.ms;
    return this.revision > before.revision || livedMs >= STEADY_MS;
  }

  private noteBroken(error: unknown): void {
    if (error instanceof CompactedError) this.nextList = 'compacted';
    if (error instanceof DoubtError) this.nextList = 'doubt';
    this.observer.watchBroken?.(error);
    this.log.warn({ reason: messageOf(error), revision: this.revision }, 'watch broke');
  }

  /** Lists when there is a reason to; otherwise makes sure that a watch can go on where we are. */
  private async catchUp(signal: AbortSignal): Promise<void> {
    if (await this.isHistoryLost(signal)) this.nextList = 'history-broken';
    const reason = this.nextList;
    if (!reason) return;
    this.nextList = reason;
    const startedMs = this.options.clock.monotonicMs();
    const staged = await this.stage(reason !== 'history-broken', signal);
    await this.replaceWorld(staged);
    this.nextList = undefined;
    const durationMs = this.options.clock.monotonicMs() - startedMs;
    const objects = [...this.state.all()].reduce((sum, { size }) => sum + size, 0);
    this.observer.listed?.(reason, { objects, changes: staged.changes.length, durationMs });
    this.log.info({ reason, objects, revision: this.revision, durationMs }, 'listed the world');
  }

  /** A revision alone does not tell: a store that was put back may have passed the one that we knew. */
  private async isHistoryLost(signal: AbortSignal): Promise<boolean> {
    if (this.revision === 0) return false; // nothing was seen yet
    const header = await this.readHeader(signal);
    const { historyMark: mark } = this;
    const remembers = mark && (await this.options.store.remembers(mark, { signal }));
    return header !== undefined && this.noteHistory(header, remembers);
  }

  private async readHeader(signal: AbortSignal): Promise<StoreHeader | undefined> {
    const { store, root } = this.options;
    for await (const page of store.list(`${root}${EMPTY_FOLDER}`, { pageSize: 1, signal })) {
      return page;
    }
    return undefined;
  }

  private async stage(trustVersions: boolean, signal: AbortSignal): Promise<StagedWorld> {
    const { store, pageSize } = this.options;
    const options = { store, previous: this.state, trustVersions, pageSize, signal };
    const staged = await stageWorld(options);
    return this.noteHistory(staged) ? stageWorld({ ...options, trustVersions: false }) : staged;
  }

  /** True when the history is not the one that the world in use was made of. */
  private noteHistory(header: StoreHeader, remembers?: Remembrance): boolean {
    const found = this.history.check(header, this.revision, remembers);
    if (!found) return false;
    this.nextList = 'history-broken';
    this.revision = 0; // nothing of the new history was seen yet
    this.ring.reset(Infinity);
    this.log.error({ historyBreak: found }, 'the store lost history');
    this.observer.historyBroken?.(found);
    this.historyListeners.call(found);
    return true;
  }

  private async replaceWorld({ state, changes, revision }: StagedWorld): Promise<void> {
    const before = this.revision;
    this.state = state;
    this.revision = revision;
    if (before === 0) this.ring.reset(revision);
    else this.ring.pushDifference(changes, before, revision);
    this.lastEventAt = this.options.clock.now();
    const slice = new TimeSlice();
    for (const change of changes) {
      this.informers.get(change.collection)?.announce(change);
      if (slice.isSpent) await slice.yield();
    }
    this.isSynced = true;
    this.markSynced();
    this.announceRevision();
  }

  private async watch(signal: AbortSignal): Promise<void> {
    const session = new AbortScope(signal);
    this.session = session;
    const inbox = new WatchInbox(
      (events, revision) => this.applyBatch(events, revision),
      (error) => session.abort(error),
    );
    try {
      await this.options.store.watch(this.options.root, this.revision + 1, {
        signal: session.signal,
        onBatch: (batch) => inbox.push(batch),
        onProgress: (revision) => inbox.push({ events: [], revision }),
        onOpen: () => this.noteConnected(),
      });
    } finally {
      this.noteDisconnected();
      await inbox.close();
      session[Symbol.dispose]();
      this.session = undefined;
    }
    if (inbox.failure) throw inbox.failure;
  }

  private noteConnected(): void {
    this.connected = true;
    this.lastEventAt = this.options.clock.now();
  }

  private noteDisconnected(): void {
    if (this.connected) this.disconnectedSinceMs = this.options.clock.monotonicMs();
    this.connected = false;
  }

  private applyBatch(events: readonly WatchEvent[], revision: Revision): void {
    this.state.requireContinuation(events, this.revision);
    if (revision < this.revision) throw new DoubtError(`revision ${revision} is in the past`);
    const changes = events.map((event) => this.state.apply(event));
    const seen = changes.filter((change) => change !== undefined);
    this.ring.push(seen);
    this.revision = revision;
    this.lastEventAt = this.options.clock.now();
    for (const change of seen) this.informers.get(change.collection)?.announce(change);
    this.observer.applied?.(events.length, revision);
    this.announceRevision();
  }

  private announceRevision(): void {
    this.observer.invalidObjects?.(this.invalidCount());
    this.waiters.release(this.revision);
    this.revisionListeners.call(this.revision);
  }

  private invalidCount(): number {
    let count = 0;
    for (const collection of this.state.all()) count += collection.keyCount - collection.size;
    return count;
  }

  private async compareNowAndThen(signal: AbortSignal): Promise<void> {
    const { compareEveryMs, random } = this.options;
    for (;;) {
      await this.pause(compareEveryMs * (0.8 + 0.4 * random()), signal);
      if (signal.aborted) return;
      if (!this.connected) continue;
      try {
        await this.compare(signal);
      } catch (error) {
        this.log.warn({ reason: messageOf(error) }, 'comparison with the store failed');
      }
    }
  }

  private async compare(signal: AbortSignal): Promise<void> {
    const { store, clock, pageSize, compareGraceMs: graceMs } = this.options;
    const world = () => this.state;
    const keys = await compareWorld({ store, clock, world, pageSize, graceMs, signal });
    this.observer.compared?.(keys.length);
    if (keys.length === 0) return;
    this.log.error({ mismatches: keys.length, example: keys[0] }, 'cache differed from the store');
    this.nextList = 'mismatch';
    this.session?.abort();
  }

  /** Makes the watch move on when a waiter's revision was made elsewhere. Never rejects. */
  private async nudgeFor(revision: Revision, signal: AbortSignal): Promise<void> {
    const { nudge, clock } = this.options;
    if (!nudge) return;
    try {
      await clock.sleep(NUDGE_AFTER_MS, signal);
      const header = await this.readHeader(signal);
      if (!header || header.revision < revision) return; // a revision of the future
      this.nudging ??= nudge(this.lifetime.signal).finally(() => (this.nudging = undefined));
      await this.nudging;
    } catch (error) {
      if (!signal.aborted) this.log.debug({ reason: messageOf(error) }, 'nudge failed');
    }
  }

  /** Sleeps; an abort just ends it. */
  private async pause(ms: number, signal: AbortSignal): Promise<void> {
    await this.options.clock.sleep(ms, signal).catch(() => undefined);
  }
}

/** A function, because the compiler believes that a signal it has seen once never changes. */
function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}
