import { describe, expect, it } from 'vitest';
import { ConflictError, UnavailableError } from '../../pkg/base/index.js';
import { FakeClock } from './fake-clock.js';
import { MemoryStore } from './memory-store.js';
import { describeStore } from './store-conformance.js';

describeStore('MemoryStore', () => {
  const clock = new FakeClock();
  const store = new MemoryStore({ clock });
  return Promise.resolve({
    store,
    compact: (revision) => {
      store.compact(revision);
      return Promise.resolve();
    },
    passTime: (ms) => clock.advance(ms),
    dispose: () => store.close(),
  });
});

describe('faults of MemoryStore', () => {
  const put = (key: string) => ({ kind: 'put', key, value: {} }) as const;
  const write = (store: MemoryStore, key: string) =>
    store.commit({ compare: [], operations: [put(key)] });
  const quiet = { signal: new AbortController().signal, onBatch: () => undefined };

  it('loses a reply: the write is there, its caller sees UnavailableError', async () => {
    const store = new MemoryStore();
    store.loseNextReply();
    await expect(write(store, 'a')).rejects.toThrow(UnavailableError);
    expect(await store.get('a')).toBeDefined();
    await write(store, 'b');
  });

  it('fails the next call of a kind and applies nothing', async () => {
    const store = new MemoryStore();
    store.failNext(new ConflictError('planned'), 'commit');
    expect(await store.get('a')).toBeUndefined();
    await expect(write(store, 'a')).rejects.toThrow('planned');
    expect(await store.get('a')).toBeUndefined();
    await write(store, 'a');
  });

  it('cuts running watches of this client only', async () => {
    const store = new MemoryStore();
    const other = store.connect();
    const seen: number[] = [];
    const stop = new AbortController();
    const surviving = other.watch('', 1, {
      signal: stop.signal,
      onBatch: ({ revision }) => seen.push(revision),
    });
    const cut = expect(store.watch('', 1, quiet)).rejects.toThrow(UnavailableError);
    store.cutWatches();
    await cut;
    const revision = await write(store, 'a');
    await Promise.resolve();
    expect(seen).toEqual([revision]);
    stop.abort();
    await surviving;
  });

  it('under a partition: calls end at their deadline and watches when they were blind too long', async () => {
    const clock = new FakeClock();
    const store = new MemoryStore({ clock });
    const other = store.connect();
    const broken = expect(store.watch('', 1, quiet)).rejects.toThrow(UnavailableError);
    store.partition(true);
    const late = expect(write(store, 'a')).rejects.toThrow(UnavailableError);
    await write(other, 'b');
    await clock.advance(4_999);
    expect(clock.sleeping).toBe(2);
    await clock.advance(1);
    await late;
    await clock.advance(10_000);
    await broken;
    store.partition(false);
    expect(await store.get('a')).toBeUndefined();
    expect(await store.get('b')).toBeDefined();
  });

  it('lets a watch go on where it was when the partition ends in time', async () => {
    const clock = new FakeClock();
    const store = new MemoryStore({ clock });
    const seen: number[] = [];
    const stop = new AbortController();
    const watching = store.watch('', 1, {
      signal: stop.signal,
      onBatch: ({ revision }) => seen.push(revision),
    });
    await clock.advance(0);
    store.partition(true);
    const revision = await write(store.connect(), 'a');
    await clock.advance(4_000);
    expect(seen).toEqual([]);
    store.partition(false);
    await clock.advance(60_000);
    expect(seen).toEqual([revision]);
    stop.abort();
    await watching;
  });

  it('lets leases run out while their owner is cut off', async () => {
    const clock = new FakeClock();
    const store = new MemoryStore({ clock });
    const other = store.connect();
    const lease = await store.grantLease(10);
    await store.commit({
      compare: [],
      operations: [{ kind: 'put', key: 'leader', value: {}, leaseId: lease.id }],
    });
    store.partition(true);
    await clock.advance(9_999);
    expect(await other.get('leader')).toBeDefined();
    await clock.advance(1);
    expect(await other.get('leader')).toBeUndefined();
  });
});
