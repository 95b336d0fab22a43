import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FakeClock } from '../../test/fakes/fake-clock.js';
import { MemoryEtcd } from '../../test/fakes/memory-etcd.js';
import { MemoryStore } from '../../test/fakes/memory-store.js';
import { recordingLogger } from '../../test/fakes/recording-logger.js';
import { CompactedError, InvalidObjectError, UnavailableError } from '../base/index.js';
import type { Entry, ListOptions, Page, Store } from '../store/index.js';
import { SINGLETON_KEY } from './collection.js';
import type { CollectionDefinition } from './collection.js';
import { WatchedWorldCache } from './watched-world-cache.js';
import type { WorldCacheOptions } from './watched-world-cache.js';
import type { HistoryBreak, ListReason } from './world-cache.js';

interface Animal {
  readonly species: string;
  readonly tags: readonly string[];
  readonly version: number;
}

const animals: CollectionDefinition<Animal> = {
  name: 'animals',
  marksHistory: true,
  decode(value, { modRevision }) {
    const { species, tags = [] } = value as Partial<Animal>;
    if (!species) {
      throw new InvalidObjectError('not an animal', [{ path: 'species', message: 'is missing' }]);
    }
    return { species, tags: [...tags], version: modRevision };
  },
  indexes: { species: ({ species }) => species, tag: ({ tags }) => tags },
};
const zoo: CollectionDefinition<{ readonly open: boolean }> = {
  name: 'zoo',
  decode: (value) => ({ open: (value as { open: boolean }).open }),
};

const ROOT = '/test/';
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

interface World {
  readonly clock: FakeClock;
  readonly store: MemoryStore;
  readonly etcd: MemoryEtcd;
  readonly cache: WatchedWorldCache;
  readonly lists: ListReason[];
  readonly log: ReturnType<typeof recordingLogger>;
  put(key: string, value: object): Promise<number>;
  remove(...keys: string[]): Promise<number>;
  /** Lets the cache catch up with everything that was written. */
  settle(): Promise<void>;
}

/** A running cache on a memory store whose client can be replaced by `wrap`. */
async function aWorld(
  options: Partial<WorldCacheOptions> = {},
  wrap: (store: MemoryStore) => Store = (store) => store,
): Promise<World> {
  const clock = new FakeClock();
  const etcd = new MemoryEtcd(clock);
  const writer = new MemoryStore({ clock }, etcd);
  const store = writer.connect();
  const lists: ListReason[] = [];
  const log = recordingLogger();
  const cache = new WatchedWorldCache({
    store: wrap(store),
    root: ROOT,
    collections: [animals, zoo],
    clock,
    log,
    random: () => 0.5,
    ...options,
    observer: { listed: (reason) => lists.push(reason), ...options.observer },
  });
  const stopping = new AbortController();
  const running = cache.run(stopping.signal);
  stops.push(async () => {
    stopping.abort();
    await running;
    await writer.close();
    etcd.stop();
  });
  await cache.synced;
  await nextTurn(); // the watch opens
  return {
    clock,
    store,
    etcd,
    cache,
    lists,
    log,
    put: (key, value) =>
      writer.commit({ compare: [], operations: [{ kind: 'put', key: ROOT + key, value }] }),
    remove: (...keys) =>
      writer.commit({
        compare: [],
        operations: keys.map((key) => ({ kind: 'delete', key: ROOT + key })),
      }),
    async settle() {
      await clock.advance(5000);
      // long work is done in slices of real time, which the clock does not know of
      for (let i = 0; i < 500 && cache.revision < store.revision; i += 1) await clock.advance(10);
    },
  };
}

const cat = { species: 'cat' };
const dog = { species: 'dog', tags: ['loud', 'loyal'] };

describe('WatchedWorldCache', () => {
  it('shows what is written, frozen, with its version, by key and by index', async () => {
    const { cache, put, remove, settle } = await aWorld();
    const created = await put('animals/tom', cat);
    await put('animals/rex', dog);
    await put('zoo', { open: true });
    await put('elsewhere/x', { any: 1 });
    await settle();
    const list = cache.collection(animals);
    expect(list.get('tom')).toEqual({ species: 'cat', tags: [], version: created });
    expect(Object.isFrozen(list.get('rex')?.tags)).toBe(true);
    expect(list.list().map(({ species }) => species)).toEqual(['cat', 'dog']);
    expect(list.byIndex('tag', 'loyal')).toEqual([list.get('rex')]);
    expect(list.byIndex('species', 'cow')).toEqual([]);
    expect(cache.collection(zoo).get(SINGLETON_KEY)).toEqual({ open: true });
    expect(cache.revision).toBe(created + 3); // keys of no collection move the world, too
    await put('animals/rex', { species: 'wolf' });
    await remove('animals/tom');
    await settle();
    expect(list.byIndex('tag', 'loyal')).toEqual([]);
    expect(list.byIndex('species', 'wolf')).toHaveLength(1);
    expect(list.size).toBe(1);
  });

  it('gives the same array until something changes', async () => {
    const { cache, put, settle } = await aWorld();
    await put('animals/tom', cat);
    await settle();
    const list = cache.collection(animals);
    const [all, cats] = [list.list(), list.byIndex('species', 'cat')];
    await put('zoo', { open: true });
    await settle();
    expect(list.list()).toBe(all);
    expect(list.byIndex('species', 'cat')).toBe(cats);
    await put('animals/rex', dog);
    await settle();
    expect(list.list()).toHaveLength(2);
    expect(list.byIndex('species', 'cat')).toBe(cats);
  });

  it('refuses unknown indexes and foreign definitions', async () => {
    const { cache } = await aWorld();
    expect(() => cache.collection(animals).byIndex('colour', 'red')).toThrow(RangeError);
    expect(() => cache.collection({ ...animals })).toThrow(RangeError);
  });

  it('applies a revision whole before anybody hears of it', async () => {
    const { cache, store, settle } = await aWorld();
    const seen: unknown[] = [];
    cache.collection(animals).onChange((_previous, current, { key }) => {
      const open = cache.collection(zoo).get(SINGLETON_KEY)?.open;
      seen.push([key, current?.species, open, cache.collection(animals).size]);
    });
    cache.onRevision((revision) => seen.push(revision));
    const revision = await store.commit({
      compare: [],
      operations: [
        { kind: 'put', key: `${ROOT}animals/tom`, value: cat },
        { kind: 'put', key: `${ROOT}animals/rex`, value: dog },
        { kind: 'put', key: `${ROOT}zoo`, value: { open: true } },
      ],
    });
    await settle();
    expect(seen).toEqual([['tom', 'cat', true, 2], ['rex', 'dog', true, 2], revision]);
  });

  it('lets listeners fail without harm to others, and forgets disposed ones', async () => {
    const { cache, put, settle, log } = await aWorld();
    const heard: string[] = [];
    cache.collection(animals).onChange(() => {
      throw new Error('a bug');
    });
    const other = cache.collection(animals).onChange((_p, _c, { key }) => heard.push(key));
    await put('animals/tom', cat);
    await settle();
    other[Symbol.dispose]();
    await put('animals/rex', dog);
    await settle();
    expect(heard).toEqual(['tom']);
    expect(log.linesOf('listener failed')).toHaveLength(2);
    expect(cache.collection(animals).size).toBe(2);
  });

  it('skips what it cannot read, says so, and takes it back when it is repaired', async () => {
    const { cache, put, settle } = await aWorld();
    await put('animals/tom', cat);
    await put('animals/rex', dog);
    await settle();
    const changes: unknown[] = [];
    cache.collection(animals).onChange((previous, current, { key }) => {
      changes.push([key, previous?.species, current?.species]);
    });
    await put('animals/tom', { colour: 'grey' });
    await settle();
    const list = cache.collection(animals);
    expect(list.get('tom')).toBeUndefined();
    expect([list.isInvalid('tom'), list.isInvalid('rex'), list.size]).toEqual([true, false, 1]);
    expect([...cache.invalid]).toEqual([
      [
        `${ROOT}animals/tom`,
        expect.objectContaining({ problems: [{ path: 'species', message: 'is missing' }] }),
      ],
    ]);
    await put('animals/tom', cat);
    await settle();
    expect(list.byIndex('species', 'cat')).toHaveLength(1);
    expect(cache.invalid.size).toBe(0);
    expect(changes).toEqual([
      ['tom', 'cat', undefined],
      ['tom', undefined, 'cat'],
    ]);
  });

  it('resumes after a cut from where it was: nothing lost, nothing twice, no list', async () => {
    const { cache, store, put, settle, lists } = await aWorld();
    const heard: string[] = [];
    cache.collection(animals).onChange((_p, _c, { key }) => heard.push(key));
    for (let i = 0; i < 20; i += 1) {
      await put(`animals/a${String(i)}`, cat);
      if (i % 4 === 0) store.cutWatches();
      if (i % 3 === 0) await settle();
    }
    await settle();
    expect(heard).toEqual(Array.from({ length: 20 }, (_, i) => `a${String(i)}`));
    expect(lists).toEqual(['start']);
  });

  it('lists again after a compaction and tells the difference only', async () => {
    const { cache, store, put, remove, settle, lists } = await aWorld();
    for (const key of ['a', 'b', 'c']) await put(`animals/${key}`, cat);
    await settle();
    const [before, changes] = [cache.collection(animals).get('a'), [] as unknown[]];
    cache.collection(animals).onChange((previous, current, { key }) => {
      changes.push([key, previous?.species, current?.species]);
    });
    store.failNext(new UnavailableError('away'), 'list');
    store.cutWatches();
    await nextTurn();
    await put('animals/b', dog);
    await remove('animals/c');
    await put('animals/d', cat);
    await put('animals/e', cat);
    await remove('animals/e');
    store.compact(store.revision);
    await settle();
    expect(lists).toEqual(['start', 'compacted']);
    expect(changes).toEqual([
      ['b', 'cat', 'dog'],
      ['d', undefined, 'cat'],
      ['c', 'cat', undefined],
    ]);
    expect(cache.collection(animals).get('a')).toBe(before);
    expect(cache.connected).toBe(true);
  });

  it('is synced once the store answers, however long that takes', async () => {
    const clock = new FakeClock();
    const store = new MemoryStore({ clock });
    const cache = new WatchedWorldCache({ store, root: ROOT, collections: [animals], clock });
    expect([cache.isSynced, cache.ready, cache.disconnectedMs]).toEqual([false, false, Infinity]);
    for (let i = 0; i < 5; i += 1) store.failNext(new UnavailableError('away'), 'list');
    const stopping = new AbortController();
    const ready = vi.fn();
    const running = cache.run(stopping.signal, ready);
    await clock.advance(50);
    expect(cache.isSynced).toBe(false);
    await clock.advance(20_000);
    await cache.synced;
    expect(ready).toHaveBeenCalledOnce();
    expect(cache.ready).toBe(true);
    stopping.abort();
    await running;
    await store.close();
  });

  it('stays readable while the store is away, and says for how long', async () => {
    const { cache, store, put, settle, clock } = await aWorld({ unreadyAfterMs: 10_000 });
    await put('animals/tom', cat);
    await settle();
    store.partition(true);
    await clock.advance(5_000); // until the watch notices
    await clock.advance(9000);
    expect([cache.connected, cache.ready, cache.disconnectedMs]).toEqual([false, true, 9000]);
    await clock.advance(2000);
    expect(cache.ready).toBe(false);
    expect(cache.collection(animals).size).toBe(1);
    store.partition(false);
    await clock.advance(5000);
    expect([cache.connected, cache.ready, cache.disconnectedMs]).toEqual([true, true, 0]);
  });

  it('lets wait for a revision, up to a deadline or an abort', async () => {
    const { cache, put, store, clock } = await aWorld();
    const next = store.revision + 1;
    const waits = [
      cache.waitForRevision(next),
      cache.waitForRevision(next + 1, { timeoutMs: 100 }),
    ];
    const aborting = new AbortController();
    const aborted = cache.waitForRevision(next + 5, { signal: aborting.signal });
    const failures = Promise.allSettled([...waits, aborted]);
    await put('animals/tom', cat);
    await waits[0];
    await expect(cache.waitForRevision(1)).resolves.toBeUndefined();
    aborting.abort(new Error('enough'));
    await clock.advance(100);
    const [, late, enough] = await failures;
    expect(late).toMatchObject({ reason: { code: 'ERR_UNAVAILABLE' } });
    expect(enough).toMatchObject({ reason: new Error('enough') });
  });

  it('nudges the watch on when somebody waits for a revision made elsewhere', async () => {
    let nudges = 0;
    const world: World = await aWorld({
      nudge: () => {
        nudges += 1;
        return world.put('touch', {});
      },
    });
    const { store, cache, clock } = world;
    const revision = await store.commit({
      compare: [],
      operations: [{ kind: 'put', key: '/other/event', value: {} }],
    });
    const waits = Promise.all([cache.waitForRevision(revision), cache.waitForRevision(revision)]);
    await clock.advance(1000);
    await waits;
    expect(nudges).toBe(1);
    const never = cache.waitForRevision(revision + 1000, { timeoutMs: 1000 });
    never.catch(() => undefined);
    await clock.advance(1000);
    await expect(never).rejects.toThrow('did not reach');
    expect(nudges).toBe(1);
  });

  it('moves on with progress notifications', async () => {
    const { store, cache, settle } = await aWorld();
    await store.commit({
      compare: [],
      operations: [{ kind: 'put', key: '/other/event', value: {} }],
    });
    store.notifyProgress();
    await settle();
    expect(cache.revision).toBe(store.revision);
  });

  it('remembers changes for those who resume, and says when it does not', async () => {
    const { cache, put, remove, settle } = await aWorld({ rememberedChanges: 3 });
    const start = cache.revision;
    await put('animals/a', cat);
    await put('animals/a', dog);
    await remove('animals/a');
    await settle();
    expect(
      cache
        .changesSince(start)
        .map(({ revision, collection, key, ...change }) => [
          revision - start,
          `${collection}/${key}`,
          (change.previous as Animal | undefined)?.species,
          (change.current as Animal | undefined)?.species,
        ]),
    ).toEqual([
      [1, 'animals/a', undefined, 'cat'],
      [2, 'animals/a', 'cat', 'dog'],
      [3, 'animals/a', 'dog', undefined],
    ]);
    expect(cache.changesSince(start + 2)).toHaveLength(1);
    expect(cache.changesSince(start + 99)).toEqual([]);
    expect(() => cache.changesSince(start - 1)).toThrow(CompactedError);
    await put('animals/b', cat);
    await settle();
    expect(() => cache.changesSince(start)).toThrow(CompactedError);
    expect(cache.changesSince(start + 1)).toHaveLength(3);
  });

  it('lets nobody resume from inside a gap that was bridged by a list', async () => {
    const { cache, store, put, settle } = await aWorld();
    await put('animals/a', cat);
    await settle();
    const before = cache.revision;
    store.failNext(new UnavailableError('away'), 'list');
    store.cutWatches();
    await nextTurn();
    for (const key of ['b', 'c', 'd']) await put(`animals/${key}`, cat);
    store.compact(store.revision);
    await settle();
    expect(cache.changesSince(before).map(({ key }) => key)).toEqual(['b', 'c', 'd']);
    expect(() => cache.changesSince(before + 1)).toThrow(CompactedError);
    expect(cache.changesSince(cache.revision)).toEqual([]);
  });

  it('applies a backlog of thousands of events in order and by whole revisions', async () => {
    const { cache, store, settle } = await aWorld();
    const sizes: number[] = [];
    cache.onRevision(() => sizes.push(cache.collection(animals).size));
    store.failNext(new UnavailableError('away'), 'list');
    store.cutWatches();
    for (let i = 0; i < 30; i += 1) {
      await store.commit({
        compare: [],
        operations: Array.from({ length: 100 }, (_, j) => ({
          kind: 'put',
          key: `${ROOT}animals/${String(i)}-${String(j)}`,
          value: cat,
        })),
      });
    }
    await settle();
    expect(cache.collection(animals).size).toBe(3000);
    expect(sizes.length).toBeGreaterThan(5); // in pieces
    expect(sizes.every((size) => size % 100 === 0)).toBe(true);
    expect(cache.revision).toBe(store.revision);
  });

  it('finds and repairs what the watch did not deliver', async () => {
    const mismatches: number[] = [];
    // a store that hides one write and one deletion from watches
    const { cache, put, remove, settle, clock, lists } = await aWorld(
      { compareEveryMs: 60_000, observer: { compared: (count) => mismatches.push(count) } },
      (store) => hidingStore(store, (key) => key.endsWith('hidden')),
    );
    await put('animals/tom', cat);
    await put('animals/hidden', cat);
    const compare = async () => {
      await clock.advance(61_000);
      for (let i = 0; i < 10; i += 1) await settle(); // lists take turns of the loop, not time
    };
    await compare();
    expect(mismatches[0]).toBe(1);
    expect(lists).toEqual(['start', 'mismatch']);
    expect(cache.collection(animals).size).toBe(2);
    await remove('animals/hidden');
    await compare();
    expect(cache.collection(animals).size).toBe(1);
    await compare();
    expect(mismatches.slice(0, 2)).toEqual([1, 1]);
    expect(mismatches.at(-1)).toBe(0);
  });

  it('lists when the watch contradicts what it knows', async () => {
    const hidden = { on: true };
    const { cache, put, remove, settle, lists } = await aWorld({}, (store) =>
      hidingStore(store, () => hidden.on),
    );
    await put('animals/tom', cat);
    await settle();
    hidden.on = false;
    await put('animals/tom', dog); // a second version of something it never saw created
    await settle();
    expect(lists).toEqual(['start', 'doubt']);
    expect(cache.collection(animals).get('tom')?.species).toBe('dog');
    hidden.on = true;
    await put('animals/rex', dog);
    await settle();
    hidden.on = false;
    await remove('animals/rex');
    await settle();
    expect(lists).toEqual(['start', 'doubt', 'doubt']);
    expect(cache.collection(animals).size).toBe(1);
  });

  it.each([
    ['cluster-changed' as const, { clusterId: 'another' }],
    ['revision-went-backwards' as const, { revision: 2 }],
  ])('notices that history was lost: %s', async (reason, lie) => {
    const header: { clusterId?: string; revision?: number } = {};
    const { cache, store, put, settle, lists } = await aWorld({}, (real) =>
      lyingStore(real, header),
    );
    await put('animals/tom', cat);
    await put('animals/rex', cat);
    await settle();
    const found: HistoryBreak[] = [];
    cache.onHistoryBroken((it) => found.push(it));
    Object.assign(header, lie);
    store.cutWatches();
    await settle();
    expect(found.map((it) => it.reason)).toEqual([reason]);
    expect(cache.historyBreak).toBe(found[0]);
    expect(lists).toEqual(['start', 'history-broken']);
    expect(() => cache.changesSince(1)).toThrow(CompactedError);
    cache.acknowledgeHistoryBreak();
    expect(cache.historyBreak).toBeUndefined();
  });

  it('notices that history was lost when its revision has been passed since', async () => {
    const { cache, store, etcd, put, settle } = await aWorld();
    await put('animals/tom', cat);
    const backup = etcd.backup();
    await put('animals/rex', cat);
    await settle();
    store.partition(true);
    etcd.restore(backup, etcd.clusterId);
    for (let n = 0; n < 5; n += 1) await put('animals/rex', dog); // as many writes as were lost, and more
    store.partition(false);
    store.cutWatches();
    await settle();
    expect(cache.historyBreak?.reason).toBe('write-missing');
    expect(cache.collection(animals).get('rex')?.species).toBe('dog');
  });

  it('knows the newest write, whatever it was told of in which order', async () => {
    const { cache, store, put, remove, settle, lists } = await aWorld();
    expect(cache.historyMark).toBeUndefined();
    const revision = await put('animals/tom', cat);
    await put('zoo', { open: true }); // does not mark history
    await settle();
    expect(cache.historyMark).toMatchObject({ key: '/test/animals/tom', revision });
    expect(await store.remembers(cache.historyMark!)).toBe('yes');
    await remove('animals/tom');
    compactQuietly(store);
    store.cutWatches();
    await settle();
    expect(cache.historyMark).toMatchObject({ revision });
    expect(cache.historyBreak).toBeUndefined();
    expect(lists).toEqual(['start']);
  });

  it('equals the store after any mix of writes, cuts and compactions', async () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('put' as const),
        key,
        species: fc.constantFrom('cat', 'dog', ''),
      }),
      fc.record({ kind: fc.constant('remove' as const), key }),
      fc.record({ kind: fc.constant('cut' as const) }),
      fc.record({ kind: fc.constant('compact' as const) }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(200) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const world = await aWorld();
        const { cache, store, put, remove, clock } = world;
        const mirror = new Map<string, Animal>();
        cache.collection(animals).onChange((previous, current, it) => {
          expect(mirror.get(it.key)).toBe(previous); // nothing lost, nothing twice
          if (current) mirror.set(it.key, current);
          else mirror.delete(it.key);
        });
        for (const it of steps) {
          if (it.kind === 'put') await put(`animals/${it.key}`, { species: it.species });
          if (it.kind === 'remove') await remove(`animals/${it.key}`);
          if (it.kind === 'cut') store.cutWatches();
          if (it.kind === 'wait') await clock.advance(it.ms);
          if (it.kind === 'compact') compactQuietly(store);
        }
        await world.settle();
        expect(world.log.linesOf('listener failed')).toEqual([]);
        expect(cache.collection(animals).list().length).toBe(mirror.size);
        for (const name of ['a', 'b', 'c', 'd', 'e']) {
          expect(cache.collection(animals).get(name)).toBe(mirror.get(name));
          await expectLikeStored(world, name);
        }
        for (const species of ['cat', 'dog']) {
          expect(new Set(cache.collection(animals).byIndex('species', species))).toEqual(
            new Set(
              cache
                .collection(animals)
                .list()
                .filter((it) => it.species === species),
            ),
          );
        }
      }),
      { numRuns: 60 },
    );
  });
});

async function expectLikeStored({ cache, store }: World, name: string): Promise<void> {
  const entry = await store.get(`${ROOT}animals/${name}`);
  const species = entry && (JSON.parse(entry.value) as Animal).species;
  const list = cache.collection(animals);
  expect(list.get(name)?.version).toBe(species ? entry.modRevision : undefined);
  expect(list.isInvalid(name)).toBe(species === '');
}

function compactQuietly(store: MemoryStore): void {
  try {
    store.compact(store.revision);
  } catch {
    // compacted there already
  }
}

/** Hides matching keys from watches, as a broken watch would. */
function hidingStore(store: MemoryStore, isHidden: (key: string) => boolean): Store {
  return Object.assign(Object.create(store) as MemoryStore, {
    watch: (prefix: string, from: number, options: Parameters<Store['watch']>[2]) =>
      store.watch(prefix, from, {
        ...options,
        onBatch: ({ events, revision }) => {
          const shown = events.filter(
            (event) => !isHidden(event.kind === 'put' ? event.entry.key : event.key),
          );
          options.onBatch({ events: shown, revision });
        },
      }),
  });
}

/** Tells what `header` says instead of the truth, on lists. */
function lyingStore(store: MemoryStore, header: Partial<Page>): Store {
  return Object.assign(Object.create(store) as MemoryStore, {
    async *list(prefix: string, options?: ListOptions): AsyncGenerator<Page> {
      for await (const page of store.list(prefix, options)) {
        const entries: readonly Entry[] = header.revision === undefined ? page.entries : [];
        yield { ...page, ...header, entries };
      }
    },
  });
}
