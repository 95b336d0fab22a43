import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SystemClock, UnavailableError, newWriteId } from '../../pkg/base/index.js';
import { WatchedWorldCache, type CollectionDefinition } from '../../pkg/informer/index.js';
import { EtcdStore, troublesOf, type Operation } from '../../pkg/store/index.js';
import { EtcdFixture, describeWithEtcd } from '../fixtures/etcd.js';

const WAIT = { timeout: 30_000, interval: 10 };

const items: CollectionDefinition<object> = { name: 'items', decode: (value) => value as object };

describeWithEtcd('three members of etcd', () => {
  let members: readonly EtcdFixture[];
  let store: EtcdStore;
  let cache: WatchedWorldCache;
  let root: string;
  let running: Promise<void>;
  const stopping = { now: new AbortController() };
  /** Why the cache was filled from a list: a watch that lost something would be among it. */
  let lists: string[];
  let heard: string[];
  let written: string[];
  let tried: string[];

  beforeEach(async () => {
    members = await EtcdFixture.startMembers(3);
    [lists, heard, written, tried] = [[], [], [], []];
    root = `/members/${newWriteId()}/`;
    store = new EtcdStore({ endpoints: members.map(({ endpoint }) => endpoint) });
    cache = new WatchedWorldCache({
      store,
      root,
      collections: [items],
      clock: new SystemClock(),
      observer: { listed: (reason) => lists.push(reason) },
    });
    cache.collection(items).onChange((_previous, _current, { key }) => heard.push(key));
    stopping.now = new AbortController();
    running = cache.run(stopping.now.signal);
    await cache.synced;
  });
  afterEach(async () => {
    for (const member of members) member.resume();
    stopping.now.abort();
    await running;
    await store.close();
    await Promise.all(members.map((member) => member.dispose()));
  });

  let next = 0;
  const write = async () => {
    const key = String((next += 1));
    const operations: Operation[] = [{ kind: 'put', key: `${root}items/${key}`, value: {} }];
    tried.push(key);
    await store.commit({ compare: [], operations });
    written.push(key);
  };
  const writeMany = async (count: number) => {
    for (let done = 0; done < count; done += 1) await write();
  };
  /**
   * Everything that was written was heard once, in order, by the watch alone. A write that failed may have been
   * applied, or be applied later.
   */
  const nothingWasLost = async () => {
    await vi.waitFor(() => {
      expect(heard.filter((key) => written.includes(key))).toEqual(written);
    }, WAIT);
    expect(new Set(heard).size).toBe(heard.length);
    expect(tried).toEqual(expect.arrayContaining(heard));
    expect(lists).toEqual(['start']);
  };
  const leader = async () => {
    for (const member of members) if (await member.leads()) return member;
    throw new Error('no member leads');
  };

  it('may be killed one after the other, the leader too: calls go on, and no watch loses anything', async () => {
    for (const member of members) {
      await writeMany(5);
      await member.kill();
      await vi.waitFor(write, WAIT); // while the others elect a leader, nothing can be written
      await writeMany(5);
      expect((await store.health()).members.filter(({ failure }) => failure !== undefined)).toEqual(
        [{ endpoint: member.endpoint, failure: expect.any(String) as string }],
      );
      await member.restart();
    }
    await nothingWasLost();
    expect(troublesOf(await store.health()).filter(({ isAdvice }) => !isAdvice)).toEqual([]);
  });

  it('may hang, the leader too, with our watch on it', async () => {
    await writeMany(5);
    const [first] = members; // the one that the watch is on: preferred until it fails
    first!.pause();
    await vi.waitFor(write, WAIT);
    await writeMany(5);
    const health = await store.health();
    expect(troublesOf(health).map(({ reason }) => reason)).toContain('MemberDown');
    await nothingWasLost();
    first!.resume();
    (await leader()).pause();
    await vi.waitFor(write, WAIT);
    await nothingWasLost();
  });

  it('refuse everything without a quorum, within the deadline, and go on when it is back', async () => {
    await writeMany(5);
    const [, second, third] = members;
    await Promise.all([second!.kill(), third!.kill()]);
    const operations: Operation[] = [{ kind: 'put', key: `${root}items/never`, value: {} }];
    const compare = [{ key: `${root}items/never`, modRevision: 7 }];
    const call = { timeoutMs: 1_500 };
    await expect(store.commit({ compare, operations }, call)).rejects.toThrow(UnavailableError);
    await expect(store.get(`${root}items/1`, call)).rejects.toThrow(UnavailableError);
    await expect(store.health(call)).rejects.toThrow(UnavailableError);
    await Promise.all([second!.restart(), third!.restart()]);
    await vi.waitFor(write, WAIT);
    await writeMany(5);
    await nothingWasLost();
  });
});
