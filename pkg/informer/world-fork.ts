import { CompactedError, ConflictError, TimeSlice, type WriteId } from '../base/index.js';
import { nullLogger } from '../log/index.js';
import { encodeValue, type Compare, type Operation, type Revision } from '../store/index.js';
import type { Change, CollectionDefinition, Informer, InvalidEntry } from './collection.js';
import { Listeners } from './listeners.js';
import { LiveInformer } from './live-informer.js';
import type { ForkedWorld, HistoryBreak, WaitOptions } from './world-cache.js';
import { WorldState } from './world-state.js';

/** What a fork takes from the world it comes from, besides its objects. */
export interface ForkPoint {
  readonly revision: Revision;
  readonly clusterId: string | undefined;
  readonly historyBreak: HistoryBreak | undefined;
}

/** Nobody loses a reply here, so writes need not be told from each other. */
const OURS = 'fork' as WriteId;

/** {@link ForkedWorld}; shares the objects of its origin, which are frozen. */
export class WorldFork implements ForkedWorld {
  readonly synced = Promise.resolve();
  readonly isSynced = true;
  readonly connected = true;
  readonly lastEventAt = undefined;
  readonly disconnectedMs = 0;
  readonly ready = true;
  /** A fork is in no store that could remember it. */
  readonly historyMark = undefined;
  readonly clusterId: string | undefined;
  readonly historyBreak: HistoryBreak | undefined;
  private readonly informers: ReadonlyMap<string, LiveInformer>;
  private readonly revisionListeners = new Listeners<[Revision]>(nullLogger);
  private at: Revision;

  private constructor(
    private readonly state: WorldState,
    { revision, clusterId, historyBreak }: ForkPoint,
  ) {
    this.at = revision;
    this.clusterId = clusterId;
    this.historyBreak = historyBreak;
    this.informers = new Map(
      state.definitions.map((definition) => [
        definition.name,
        new LiveInformer(definition, () => state.collection(definition.name), nullLogger),
      ]),
    );
  }

  /** Copies `source` as it is now, a slice at a time; whatever changes in it meanwhile is not seen. */
  static async of(source: WorldState, point: ForkPoint): Promise<WorldFork> {
    const state = new WorldState(source.root, source.definitions);
    const entries = [...source.all()].map(
      (collection) => [collection.definition.name, [...collection.entries()]] as const,
    );
    const slice = new TimeSlice();
    for (const [name, stored] of entries) {
      const collection = state.collection(name);
      for (const [key, each] of stored) {
        collection.put(key, each);
        if (slice.isSpent) await slice.yield();
      }
    }
    return new WorldFork(state, point);
  }

  get revision(): Revision {
    return this.at;
  }

  get invalid(): ReadonlyMap<string, InvalidEntry> {
    return this.state.invalid;
  }

  collection<T>(definition: CollectionDefinition<T>): Informer<T> {
    const informer = this.informers.get(definition.name);
    if (informer?.definition !== definition) {
      throw new RangeError(`the fork has no collection "${definition.name}"`);
    }
    return informer as Informer<unknown> as Informer<T>;
  }

  commit(compare: readonly Compare[], operations: readonly Operation[]): Revision {
    for (const each of compare) this.requireHolds(each);
    this.at += 1;
    const changes = operations.flatMap((operation) => this.apply(operation) ?? []);
    for (const change of changes) this.informers.get(change.collection)?.announce(change);
    this.revisionListeners.call(this.at);
    return this.at;
  }

  waitForRevision(revision: Revision, { signal }: WaitOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    if (revision <= this.at) return Promise.resolve();
    return Promise.reject(new RangeError(`the fork is at ${this.at}; nobody else writes to it`));
  }

  onRevision(listener: (revision: Revision) => void): Disposable {
    return this.revisionListeners.add(listener);
  }

  changesSince(revision: Revision): readonly Change[] {
    if (revision >= this.at) return [];
    throw new CompactedError('a fork remembers no changes');
  }

  onHistoryBroken(): Disposable {
    return { [Symbol.dispose]: () => undefined };
  }

  acknowledgeHistoryBreak(): void {
    // A fork's history is its own.
  }

  fork(): Promise<WorldFork> {
    const { revision, clusterId, historyBreak } = this;
    return WorldFork.of(this.state, { revision, clusterId, historyBreak });
  }

  private requireHolds(compare: Compare): void {
    const found = this.state.find(compare.key);
    const holds =
      'modRevision' in compare
        ? compare.modRevision === (found?.modRevision ?? 0)
        : compare.createRevision === (found?.createRevision ?? 0);
    if (!holds) throw new ConflictError(`${compare.key} has changed`);
  }

  private apply(operation: Operation): Change | undefined {
    const { key } = operation;
    const modRevision = this.at;
    const known = this.state.find(key);
    if (operation.kind === 'delete') {
      return known && this.state.apply({ kind: 'delete', key, modRevision });
    }
    const value = encodeValue(operation.value, OURS);
    const createRevision = known?.createRevision ?? modRevision;
    return this.state.apply({ kind: 'put', entry: { key, value, createRevision, modRevision } });
  }
}
