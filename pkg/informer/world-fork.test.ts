import { describe, expect, it } from 'vitest';
import { SystemClock } from '../base/index.js';
import { MemoryStore } from '../../test/fakes/memory-store.js';
import { WatchedWorldCache, type CollectionDefinition } from './index.js';

interface Thing {
  readonly colour: string;
  readonly version: number;
}

const things: CollectionDefinition<Thing> = {
  name: 'things',
  decode: (value, { modRevision }) => ({ ...(value as Thing), version: modRevision }),
  indexes: { colour: ({ colour }) => colour },
};
const key = (name: string) => `/t/things/${name}`;
const put = (name: string, colour: string) =>
  ({ kind: 'put', key: key(name), value: { colour } }) as const;

async function aCache() {
  const store = new MemoryStore();
  const stopping = new AbortController();
  await store.commit({ compare: [], operations: [put('a', 'red'), put('b', 'red')] });
  const clock = new SystemClock();
  const cache = new WatchedWorldCache({ store, root: '/t/', collections: [things], clock });
  const running = cache.run(stopping.signal);
  await cache.synced;
  const stop = async () => {
    stopping.abort();
    await running;
  };
  return { store, cache, stop };
}

describe('WorldFork', () => {
  it('begins as the world is, with its revision, objects and indexes', async () => {
    const { cache, stop } = await aCache();
    const fork = await cache.fork();
    expect(fork.revision).toBe(cache.revision);
    expect(fork.collection(things).byIndex('colour', 'red')).toHaveLength(2);
    expect(fork.collection(things).get('a')).toBe(cache.collection(things).get('a'));
    await stop();
  });

  it('and its origin do not see what is written to the other', async () => {
    const { store, cache, stop } = await aCache();
    const fork = await cache.fork();
    fork.commit([], [put('a', 'blue'), { kind: 'delete', key: key('b') }]);
    expect(cache.collection(things).get('a')).toMatchObject({ colour: 'red' });
    expect(cache.collection(things).size).toBe(2);
    const revision = await store.commit({ compare: [], operations: [put('c', 'green')] });
    await cache.waitForRevision(revision);
    expect(fork.collection(things).get('c')).toBeUndefined();
    expect(fork.collection(things).size).toBe(1);
    await stop();
  });

  it('tells its readers of each write, when all of it is there', async () => {
    const { cache, stop } = await aCache();
    const fork = await cache.fork();
    const seen: unknown[] = [];
    fork.collection(things).onChange((before, after, meta) => {
      seen.push([meta.key, before?.colour, after?.colour, fork.collection(things).size]);
    });
    const revision = fork.commit([], [put('a', 'blue'), put('c', 'green')]);
    expect(seen).toEqual([
      ['a', 'red', 'blue', 3],
      ['c', undefined, 'green', 3],
    ]);
    expect(fork.collection(things).get('a')?.version).toBe(revision);
    await expect(fork.waitForRevision(revision)).resolves.toBeUndefined();
    await stop();
  });

  it('refuses a write whose compare is lost, whole', async () => {
    const { cache, stop } = await aCache();
    const fork = await cache.fork();
    const { version = 0 } = fork.collection(things).get('a') ?? {};
    fork.commit([{ key: key('a'), modRevision: version }], [put('a', 'blue')]);
    const stale = [{ key: key('a'), modRevision: version }];
    expect(() => fork.commit(stale, [put('b', 'blue')])).toThrow('/t/things/a has changed');
    expect(() => fork.commit([{ key: key('b'), modRevision: 0 }], [])).toThrow();
    expect(fork.collection(things).get('b')).toMatchObject({ colour: 'red' });
    await stop();
  });

  it('can be forked again', async () => {
    const { cache, stop } = await aCache();
    const fork = await cache.fork();
    fork.commit([], [put('a', 'blue')]);
    const other = await fork.fork();
    other.commit([], [put('a', 'green')]);
    expect(fork.collection(things).get('a')).toMatchObject({ colour: 'blue' });
    expect(other.collection(things).byIndex('colour', 'green')).toHaveLength(1);
    await stop();
  });
});
