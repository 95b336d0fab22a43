import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  CompactedError,
  ConflictError,
  newWriteId,
  NotFoundError,
  UnavailableError,
} from '../../pkg/base/index.js';
import {
  decodeEntry,
  InvalidTransactionError,
  MAX_TXN_COMPARES,
  MAX_TXN_OPERATIONS,
} from '../../pkg/store/index.js';
import type { Entry, Operation, Page, Revision, Store, WatchBatch } from '../../pkg/store/index.js';

/** A store under test, and what only the side that made it can do. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Forgets history before `revision`. */
  compact(revision: Revision): Promise<void>;
  /** Lets this much time pass for leases. */
  passTime(ms: number): Promise<void>;
  dispose(): Promise<void>;
}

/** Longest time that a real store may take until something is seen. */
const WAIT = { timeout: 10_000, interval: 10 };

/**
 * The promises of the port `Store`, checked against whatever `open` gives: the same suite for the real
 * store and for the one in memory. `open` must give an empty store, or one whose keys of other runs
 * do not start with the keys used here.
 */
export function describeStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(name, () => {
    let under: StoreUnderTest;
    let store: Store;
    /** Each test has keys of its own: a real etcd serves them all. */
    let root = '';
    let runs = 0;

    beforeEach(async () => {
      under = await open();
      ({ store } = under);
      runs += 1;
      root = `/conformance/${String(process.pid)}-${String(runs)}-${newWriteId()}/`;
    });
    afterEach(() => under.dispose());

    const put = (key: string, value: object): Operation => ({
      kind: 'put',
      key: root + key,
      value,
    });
    const remove = (key: string): Operation => ({ kind: 'delete', key: root + key });
    const write = (...operations: Operation[]) => store.commit({ compare: [], operations });
    const at = (key: string) => store.get(root + key);
    const valueOf = (entry: Entry | undefined) => entry && decodeEntry(entry).value;
    const revisionNow = async () => (await store.health()).revision;

    describe('get and commit', () => {
      it('gives undefined for a key that is not there', async () => {
        expect(await at('none')).toBeUndefined();
      });

      it('stores an object with its revisions and its write id', async () => {
        const writeId = newWriteId();
        const created = await store.commit({
          compare: [],
          operations: [put('a', { n: 1 })],
          writeId,
        });
        const updated = await write(put('a', { n: 2 }));
        const entry = await at('a');
        expect(entry).toMatchObject({ createRevision: created, modRevision: updated });
        expect(updated).toBeGreaterThan(created);
        expect(valueOf(entry)).toEqual({ n: 2 });
        expect(entry && 'leaseId' in entry).toBe(false);
        expect(entry && decodeEntry(entry).writeId).not.toBe(writeId);
      });

      it('keeps every character of a value', async () => {
        const value = { text: 'Grüße, 世界 🚢 "\\\n', nested: { list: [1, 'a', { b: [] }] } };
        await write(put('text', value));
        expect(valueOf(await at('text'))).toEqual(value);
      });

      it('writes all operations in one revision', async () => {
        await write(put('old', {}));
        const revision = await write(put('a', {}), put('b', {}), remove('old'));
        expect((await at('a'))?.modRevision).toBe(revision);
        expect((await at('b'))?.modRevision).toBe(revision);
        expect(await at('old')).toBeUndefined();
      });

      it('creates only when the key does not exist', async () => {
        const create = {
          compare: [{ key: `${root}a`, modRevision: 0 }],
          operations: [put('a', {})],
        };
        await store.commit(create);
        await expect(store.commit(create)).rejects.toThrow(ConflictError);
        await write(remove('a'));
        await expect(store.commit(create)).resolves.toBeGreaterThan(0);
      });

      it('compares the revision of the last write', async () => {
        const first = await write(put('a', { n: 1 }));
        const update = (modRevision: Revision, n: number) =>
          store.commit({
            compare: [{ key: `${root}a`, modRevision }],
            operations: [put('a', { n })],
          });
        await update(first, 2);
        await expect(update(first, 3)).rejects.toThrow(ConflictError);
        expect(valueOf(await at('a'))).toEqual({ n: 2 });
      });

      it('compares the revision of the creation, for fences', async () => {
        const createRevision = await write(put('leader', { n: 1 }));
        await write(put('leader', { n: 2 }));
        const fenced = () =>
          store.commit({
            compare: [{ key: `${root}leader`, createRevision }],
            operations: [put('work', {})],
          });
        await fenced();
        await write(remove('leader'));
        await expect(fenced()).rejects.toThrow(ConflictError);
        await write(put('leader', { n: 3 }));
        await expect(fenced()).rejects.toThrow(ConflictError);
      });

      it('does nothing at all when one of several compares is lost', async () => {
        const held = await write(put('a', {}));
        const lost = store.commit({
          compare: [
            { key: `${root}a`, modRevision: held },
            { key: `${root}b`, modRevision: 1 },
          ],
          operations: [put('a', { n: 9 }), remove('a2'), put('c', {})],
        });
        await expect(lost).rejects.toThrow(ConflictError);
        expect((await at('a'))?.modRevision).toBe(held);
        expect(await at('c')).toBeUndefined();
      });

      it('lets exactly one of many racing writers win', async () => {
        const create = () =>
          store.commit({
            compare: [{ key: `${root}a`, modRevision: 0 }],
            operations: [put('a', {})],
          });
        const results = await Promise.allSettled(Array.from({ length: 16 }, create));
        expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      });

      it('makes no revision when nothing changed', async () => {
        const before = await write(put('a', {}));
        expect(await write(remove('never-there'))).toBe(before);
        const checked = store.commit({
          compare: [{ key: `${root}a`, modRevision: before }],
          operations: [],
        });
        expect(await checked).toBe(before);
        const lost = store.commit({
          compare: [{ key: `${root}a`, modRevision: 1 }],
          operations: [],
        });
        await expect(lost).rejects.toThrow(ConflictError);
      });

      it('takes as many operations and compares as it promises, and refuses more', async () => {
        const puts = (n: number) =>
          Array.from({ length: n }, (_, i) => put(`many/${String(i)}`, {}));
        const compares = (n: number) =>
          Array.from({ length: n }, (_, i) => ({ key: `${root}c/${String(i)}`, modRevision: 0 }));
        await store.commit({
          compare: compares(MAX_TXN_COMPARES),
          operations: puts(MAX_TXN_OPERATIONS),
        });
        const before = await revisionNow();
        await expect(write(...puts(129))).rejects.toThrow(InvalidTransactionError);
        await expect(write(...puts(MAX_TXN_OPERATIONS + 1))).rejects.toThrow(
          InvalidTransactionError,
        );
        await expect(
          store.commit({ compare: compares(MAX_TXN_COMPARES + 1), operations: [] }),
        ).rejects.toThrow(InvalidTransactionError);
        expect(await revisionNow()).toBe(before);
      });

      it('refuses a key written twice and an empty key', async () => {
        await expect(write(put('a', {}), remove('a'))).rejects.toThrow(InvalidTransactionError);
        const empty = store.commit({ compare: [], operations: [{ kind: 'delete', key: '' }] });
        await expect(empty).rejects.toThrow(InvalidTransactionError);
      });

      it.each([1_600_000, 3_000_000])('refuses a value of %i bytes', async (bytes) => {
        await expect(write(put('big', { blob: 'x'.repeat(bytes) }))).rejects.toThrow(
          InvalidTransactionError,
        );
        await write(put('small', {})); // and is none the worse for it
      });

      it('rejects with the reason of a signal that aborted before', async () => {
        const signal = AbortSignal.abort(new Error('changed my mind'));
        await expect(store.get(`${root}a`, { signal })).rejects.toThrow('changed my mind');
        await expect(
          store.commit({ compare: [], operations: [put('a', {})] }, { signal }),
        ).rejects.toThrow('changed my mind');
        expect(await at('a')).toBeUndefined();
      });
    });

    describe('list', () => {
      const pagesOf = async (prefix: string, pageSize?: number) => {
        const pages: Page[] = [];
        const options = pageSize === undefined ? {} : { pageSize };
        for await (const page of store.list(root + prefix, options)) pages.push(page);
        return pages;
      };
      const keysOf = (pages: readonly Page[]) =>
        pages.flatMap(({ entries }) => entries.map(({ key }) => key.slice(root.length)));

      it('gives one empty page with a revision when there is nothing', async () => {
        const revision = await write(put('other', {}));
        const pages = await pagesOf('nothing/');
        expect(pages).toHaveLength(1);
        expect(pages[0]).toMatchObject({ entries: [], revision });
      });

      it('gives the keys below a prefix in order, in pages of one revision', async () => {
        const names = Array.from({ length: 7 }, (_, i) => `list/${String(i)}`);
        await write(...names.toReversed().map((name) => put(name, {})), put('list0', {}));
        const pages = await pagesOf('list/', 3);
        expect(pages.map(({ entries }) => entries.length)).toEqual([3, 3, 1]);
        expect(keysOf(pages)).toEqual(names);
        expect(new Set(pages.map(({ revision }) => revision)).size).toBe(1);
        const { clusterId } = await store.health();
        expect(new Set(pages.map((page) => page.clusterId))).toEqual(new Set([clusterId]));
      });

      it('does not see what is written while it runs', async () => {
        await write(put('list/a', { n: 1 }), put('list/b', { n: 1 }), put('list/c', { n: 1 }));
        const seen: Entry[] = [];
        for await (const page of store.list(`${root}list/`, { pageSize: 1 })) {
          seen.push(...page.entries);
          await write(put('list/b', { n: 2 }), remove('list/c'), put('list/d', {}));
        }
        expect(seen.map(valueOf)).toEqual([{ n: 1 }, { n: 1 }, { n: 1 }]);
      });

      it('ends with CompactedError when compaction overtakes it', async () => {
        await write(put('list/a', {}), put('list/b', {}));
        const pages = store.list(`${root}list/`, { pageSize: 1 })[Symbol.asyncIterator]();
        await pages.next();
        await under.compact(await write(put('list/a', {})));
        await expect(pages.next()).rejects.toThrow(CompactedError);
      });
    });

    describe('watch', () => {
      const stops: AbortController[] = [];
      afterEach(() => {
        for (const stop of stops.splice(0)) stop.abort();
      });

      function startWatch(from: Revision, prefix = '') {
        const stop = new AbortController();
        stops.push(stop);
        const batches: WatchBatch[] = [];
        const progress: Revision[] = [];
        const opened = vi.fn();
        const ended = store.watch(root + prefix, from, {
          signal: stop.signal,
          onBatch: (batch) => batches.push(batch),
          onProgress: (revision) => progress.push(revision),
          onOpen: opened,
        });
        ended.catch(() => undefined); // looked at by the tests that expect it
        const events = () => batches.flatMap((batch) => batch.events);
        return { stop, batches, progress, opened, ended, events };
      }
      const describeEvent = (event: WatchBatch['events'][number]) =>
        event.kind === 'put'
          ? `put ${event.entry.key.slice(root.length)}`
          : `delete ${event.key.slice(root.length)}`;

      it('confirms, then tells of puts and deletes in order, whole revisions at a time', async () => {
        const watch = startWatch((await revisionNow()) + 1);
        await vi.waitFor(() => {
          expect(watch.opened).toHaveBeenCalledOnce();
        }, WAIT);
        await write(put('b', { n: 1 }), put('a', { n: 1 }));
        const last = await write(remove('b'), put('c', {}));
        await vi.waitFor(() => {
          expect(watch.events()).toHaveLength(4);
        }, WAIT);
        expect(watch.events().map(describeEvent)).toEqual(['put b', 'put a', 'delete b', 'put c']);
        expect(watch.batches.at(-1)?.revision).toBe(last);
        const [, a, deleted] = watch.events();
        expect(a).toEqual({ kind: 'put', entry: await at('a') });
        expect(deleted).toMatchObject({ modRevision: last });
      });

      it('starts in the past, with the revision asked for', async () => {
        await write(put('a', { n: 1 }));
        const from = await write(put('a', { n: 2 }));
        await write(put('a', { n: 3 }));
        const watch = startWatch(from);
        await vi.waitFor(() => {
          expect(watch.events()).toHaveLength(2);
        }, WAIT);
        const values = watch.events().map((event) => event.kind === 'put' && valueOf(event.entry));
        expect(values).toEqual([{ n: 2 }, { n: 3 }]);
        expect(watch.batches.at(-1)?.revision).toBe((await at('a'))?.modRevision);
      });

      it('waits for a revision that is still to come', async () => {
        const watch = startWatch((await revisionNow()) + 2);
        await vi.waitFor(() => {
          expect(watch.opened).toHaveBeenCalled();
        }, WAIT);
        await write(put('early', {}));
        await write(put('due', {}));
        await vi.waitFor(() => {
          expect(watch.events().map(describeEvent)).toEqual(['put due']);
        }, WAIT);
      });

      it('keeps to its prefix', async () => {
        const watch = startWatch((await revisionNow()) + 1, 'in/');
        await write(put('in/a', {}), put('out/a', {}), put('in', {}));
        await write(put('in/b', {}));
        await vi.waitFor(() => {
          expect(watch.events().map(describeEvent)).toEqual(['put in/a', 'put in/b']);
        }, WAIT);
      });

      it('resolves when its signal aborts, and is silent from then on', async () => {
        const watch = startWatch((await revisionNow()) + 1);
        await vi.waitFor(() => {
          expect(watch.opened).toHaveBeenCalled();
        }, WAIT);
        watch.stop.abort();
        await watch.ended;
        await write(put('a', {}));
        const other = startWatch(await revisionNow());
        await vi.waitFor(() => {
          expect(other.events()).toHaveLength(1);
        }, WAIT);
        expect(watch.events()).toHaveLength(0);
      });

      it('resolves at once when its signal has aborted before', async () => {
        const onBatch = vi.fn();
        await store.watch(root, 1, { signal: AbortSignal.abort(), onBatch });
        expect(onBatch).not.toHaveBeenCalled();
      });

      it('ends with CompactedError when its start is compacted', async () => {
        const first = await write(put('a', { n: 1 }));
        await write(put('a', { n: 2 }));
        const last = await write(put('a', { n: 3 }));
        await under.compact(last);
        await expect(startWatch(first).ended).rejects.toThrow(CompactedError);
        const fresh = startWatch(last);
        await vi.waitFor(() => {
          expect(fresh.events()).toHaveLength(1);
        }, WAIT);
      });

      it('ends with the error of a listener that throws', async () => {
        const broken = new Error('listener broke');
        const ended = store.watch(root, (await revisionNow()) + 1, {
          signal: AbortSignal.timeout(WAIT.timeout),
          onBatch: () => {
            throw broken;
          },
        });
        const failed = expect(ended).rejects.toBe(broken);
        await write(put('a', {}));
        await failed;
      });
    });

    describe('remembers', () => {
      const marked = async (key: string) => {
        const writeId = newWriteId();
        const revision = await store.commit({ compare: [], operations: [put(key, {})], writeId });
        return { key: root + key, revision, writeId };
      };

      it('knows a write that was overwritten or deleted since', async () => {
        const [first, second] = [await marked('a'), await marked('b')];
        await write(put('a', {}), remove('b'));
        expect(await store.remembers(first)).toBe('yes');
        expect(await store.remembers(second)).toBe('yes');
      });

      it('does not know what is not part of its history', async () => {
        const mark = await marked('a');
        const other = await marked('b');
        const lies = [
          { ...mark, writeId: newWriteId() },
          { ...mark, revision: other.revision },
          { ...mark, key: `${root}none` },
          { ...mark, revision: other.revision + 1_000_000 },
        ];
        for (const lie of lies) expect(await store.remembers(lie)).toBe('no');
      });

      it('cannot tell what was compacted', async () => {
        const [before, kept] = [await marked('a'), await marked('a')];
        await under.compact(kept.revision);
        expect(await store.remembers(before)).toBe('unknown');
        expect(await store.remembers(kept)).toBe('yes');
      });
    });

    describe('leases', () => {
      it("deletes a lease's keys in one revision when nobody keeps it alive", async () => {
        const lease = await store.grantLease(2);
        const leaseId = lease.id;
        const from = await revisionNow();
        await write(
          { kind: 'put', key: `${root}a`, value: {}, leaseId },
          { kind: 'put', key: `${root}b`, value: {}, leaseId },
          put('lasting', {}),
        );
        expect((await at('a'))?.leaseId).toBe(leaseId);
        await under.passTime(lease.ttlSeconds * 1000);
        await vi.waitFor(async () => {
          expect(await at('a')).toBeUndefined();
        }, WAIT);
        expect(await at('b')).toBeUndefined();
        expect(await at('lasting')).toBeDefined();
        expect(await revisionNow()).toBe(from + 2);
        expect(await lease.keepAlive()).toBe(0);
      });

      it('lives as long as it is kept alive', async () => {
        const lease = await store.grantLease(2);
        await write({ kind: 'put', key: `${root}a`, value: {}, leaseId: lease.id });
        for (let i = 0; i < 3; i += 1) {
          await under.passTime(lease.ttlSeconds * 600);
          expect(await lease.keepAlive()).toBe(lease.ttlSeconds);
        }
        expect(await at('a')).toBeDefined();
      });

      it('deletes its keys at once when it is revoked; revoking again is no error', async () => {
        const lease = await store.grantLease(60);
        await write({ kind: 'put', key: `${root}a`, value: {}, leaseId: lease.id });
        await lease.revoke();
        expect(await at('a')).toBeUndefined();
        await lease.revoke();
        expect(await lease.keepAlive()).toBe(0);
      });

      it('gives a key to the lease of its last write', async () => {
        const [first, second] = [await store.grantLease(60), await store.grantLease(60)];
        const leased = (key: string, leaseId: string): Operation => ({
          kind: 'put',
          key: root + key,
          value: {},
          leaseId,
        });
        await write(leased('a', first.id), leased('b', first.id));
        await write(leased('a', second.id), put('b', {}));
        await first.revoke();
        expect((await at('a'))?.leaseId).toBe(second.id);
        expect(await at('b')).toBeDefined();
        await second.revoke();
        expect(await at('a')).toBeUndefined();
      });

      it('refuses to put a key on a lease that is gone', async () => {
        const lease = await store.grantLease(60);
        await lease.revoke();
        const late = write({ kind: 'put', key: `${root}a`, value: {}, leaseId: lease.id });
        await expect(late).rejects.toThrow(NotFoundError);
      });

      it('raises a lease that is too short', async () => {
        expect((await store.grantLease(1)).ttlSeconds).toBe(2);
      });
    });

    describe('health and close', () => {
      it('tells revision, version and cluster', async () => {
        const revision = await write(put('a', {}));
        const health = await store.health();
        expect(health).toMatchObject({ revision, alarms: [] });
        expect(health.clusterId).toMatch(/^[0-9a-f]+$/u);
        expect(health.members).toHaveLength(1);
        const [member] = health.members;
        expect(member?.failure).toBeUndefined();
        expect(member?.version).toMatch(/^\d+\.\d+\.\d+/u);
        expect(member?.dbSizeBytes).toBeGreaterThan(0);
      });

      it('ends watches and every later call with UnavailableError', async () => {
        const ended = store.watch(root, 1, {
          signal: AbortSignal.timeout(WAIT.timeout),
          onBatch: () => undefined,
        });
        const watching = expect(ended).rejects.toThrow(UnavailableError);
        await store.close();
        await watching;
        await expect(store.get(`${root}a`)).rejects.toThrow(UnavailableError);
        await expect(
          store.watch(root, 1, { signal: new AbortController().signal, onBatch: () => undefined }),
        ).rejects.toThrow(UnavailableError);
      });
    });
  });
}
