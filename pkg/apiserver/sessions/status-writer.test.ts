import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TaskReport } from '../../../api/v1/index.js';
import { SystemClock, UnavailableError } from '../../base/index.js';
import type { EventReport } from '../../events/index.js';
import { WatchedWorldCache } from '../../informer/index.js';
import { nullLogger } from '../../log/index.js';
import { allCollections, puts, remove, worldOf, type World } from '../../objects/index.js';
import { decodeEntry, keysUnder, type Operation } from '../../store/index.js';
import { aNodeStatus, aTask } from '../../../test/builders/objects.js';
import { MemoryStore } from '../../../test/fakes/memory-store.js';
import type { LiveSession } from './live-session.js';
import { StatusWriter } from './status-writer.js';

const keys = keysUnder('/test');
const AT = '2026-01-01T00:00:00.000Z';

let store: MemoryStore;
let world: World;
let writer: StatusWriter;
let fenced: string[];
let events: EventReport[];
let stop: AbortController;

const put = (...operations: readonly Operation[]) => store.commit({ compare: [], operations });
const report = (taskId: string, state: TaskReport['state'], message = '') => ({
  taskId,
  report: { state, at: AT, message },
});

/** A session as its manager knows it; node-status must have been written before. */
function sessionOf(nodeId: string, version: number): LiveSession {
  const { version: _version, ...status } = aNodeStatus(nodeId);
  const facts: Partial<LiveSession> = {
    ...{ nodeId, epoch: 1, version },
    ...{ status, storedStatus: status },
  };
  return facts as unknown as LiveSession;
}

async function stored(key: string): Promise<Record<string, unknown> | undefined> {
  const entry = await store.get(key);
  return entry && (decodeEntry(entry).value as Record<string, unknown>);
}

/** A world that knows what is stored now, and nothing of what comes after. */
async function blindWorld(): Promise<World> {
  const cache = new WatchedWorldCache({
    store,
    root: keys.root,
    collections: allCollections,
    clock: new SystemClock(),
  });
  const reading = new AbortController();
  const run = cache.run(reading.signal);
  await cache.synced;
  reading.abort();
  await run;
  const blind = { waitForRevision: () => Promise.resolve() };
  return { ...worldOf(cache), cache: blind as never };
}

beforeEach(async () => {
  store = new MemoryStore();
  stop = new AbortController();
  fenced = [];
  events = [];
});
afterEach(() => store.close());

async function begin(...taskIds: readonly string[]): Promise<LiveSession> {
  const tasks = taskIds.map((id, index) => aTask({ id, slot: index + 1, nodeId: 'n1' }).task);
  const version = await put(
    puts.nodeStatus(keys, aNodeStatus('n1')),
    ...tasks.map((task) => puts.task(keys, task)),
  );
  await open();
  return sessionOf('n1', version);
}

async function open(): Promise<void> {
  world = await blindWorld();
  writer = new StatusWriter({
    world,
    store,
    keys,
    clock: new SystemClock(),
    log: nullLogger,
    events: { record: (event) => events.push(event) },
    onFenced: (session, reason) => fenced.push(`${session.nodeId} ${reason}`),
  });
  stop.abort();
}

describe('StatusWriter', () => {
  it('stores the newest of several reports that came before it began', async () => {
    const session = await begin('t1');
    const answers = await Promise.all([
      writer.submit(session, [report('t1', 'preparing', 'first')], false),
      writer.submit(session, [report('t1', 'starting', 'second')], false),
    ]);
    expect(answers).toEqual([[], []]);
    const entry = await store.get(keys.taskStatus('t1'));
    expect(entry?.modRevision).toBe(entry?.createRevision);
    expect(await stored(keys.taskStatus('t1'))).toMatchObject({
      state: 'starting',
      message: 'second',
      epoch: 1,
    });
  });

  it('writes nothing for a session whose epoch is over', async () => {
    const session = await begin('t1');
    const newer = { ...aNodeStatus('n1').session, epoch: 2, managerId: 'm2' };
    await put(puts.nodeStatus(keys, aNodeStatus('n1', { session: newer })));
    await expect(writer.submit(session, [report('t1', 'running')], false)).rejects.toMatchObject({
      code: 'ERR_NOT_FOUND',
    });
    expect(fenced).toEqual(['n1 replaced']);
    expect(await stored(keys.taskStatus('t1'))).toBeUndefined();
    expect(events).toEqual([]);
  });

  it('writes nothing for a node that was removed, its own status neither', async () => {
    const session = await begin('t1');
    await put(remove(keys.nodeStatus('n1')));
    await expect(writer.submit(session, [], true)).rejects.toMatchObject({
      code: 'ERR_NODE_REMOVED',
    });
    expect(fenced).toEqual(['n1 removed']);
    expect(await stored(keys.nodeStatus('n1'))).toBeUndefined();
  });

  it('goes on when its own node status was written by another of its writes', async () => {
    const session = await begin('t1');
    await put(puts.nodeStatus(keys, aNodeStatus('n1', { engineMessage: 'changed' })));
    expect(await writer.submit(session, [report('t1', 'running')], false)).toEqual([]);
    expect(await stored(keys.taskStatus('t1'))).toMatchObject({ state: 'running' });
  });

  it('judges by what is stored when the cache was behind', async () => {
    const session = await begin('t1', 't2');
    const orphaned = { ...aTask({ id: 't1', state: 'orphaned' }).status!, nodeId: 'n1' };
    await put(puts.taskStatus(keys, orphaned), remove(keys.task('t2')));
    const refused = await writer.submit(
      session,
      [report('t1', 'running'), report('t2', 'running')],
      false,
    );
    expect(refused).toEqual([
      { taskId: 't1', reason: 'the task has ended: orphaned' },
      { taskId: 't2', reason: 'unknown task' },
    ]);
    expect(await stored(keys.taskStatus('t2'))).toBeUndefined();
  });

  it('lets no session pay for the lost race of another one', async () => {
    const other = aTask({ id: 't2', slot: 2, nodeId: 'n2' }).task;
    const versionOther = await put(
      puts.nodeStatus(keys, aNodeStatus('n2')),
      puts.task(keys, other),
    );
    const session = await begin('t1');
    const newer = { ...aNodeStatus('n1').session, epoch: 2 };
    await put(puts.nodeStatus(keys, aNodeStatus('n1', { session: newer })));
    const [lost, won] = await Promise.allSettled([
      writer.submit(session, [report('t1', 'running')], false),
      writer.submit(sessionOf('n2', versionOther), [report('t2', 'running')], false),
    ]);
    expect(lost.status).toBe('rejected');
    expect(won).toEqual({ status: 'fulfilled', value: [] });
    expect(await stored(keys.taskStatus('t2'))).toMatchObject({ state: 'running', nodeId: 'n2' });
  });

  it('needs no more compares in a transaction than etcd takes', async () => {
    const ids = Array.from({ length: 85 }, (_, index) => `t${String(index)}`);
    const session = await begin(...ids);
    const sizes: number[] = [];
    const commit = store.commit.bind(store);
    store.commit = (txn, options) => {
      sizes.push(Math.max(txn.compare.length, txn.operations.length));
      return commit(txn, options);
    };
    await writer.submit(
      session,
      ids.map((id) => report(id, 'running')),
      false,
    );
    expect(sizes).toHaveLength(3);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(128);
  });

  it('says that it is not stored when etcd does not answer, and stores it the next time', async () => {
    const session = await begin('t1');
    store.loseNextReply();
    await expect(writer.submit(session, [report('t1', 'running')], false)).rejects.toBeDefined();
    expect(await writer.submit(session, [report('t1', 'running')], false)).toEqual([]);
    expect(await stored(keys.taskStatus('t1'))).toMatchObject({ state: 'running' });
  });

  it('stores what a node is with its next word when that failed, though it is no news then', async () => {
    const session = await begin('t1');
    session.status = { ...session.status, engineHealthy: false };
    store.failNext(new UnavailableError('etcd does not answer'));
    await expect(writer.submit(session, [], true)).rejects.toBeDefined();
    expect(await stored(keys.nodeStatus('n1'))).toMatchObject({ engineHealthy: true });
    expect(await writer.submit(session, [], false)).toEqual([]);
    expect(await stored(keys.nodeStatus('n1'))).toMatchObject({ engineHealthy: false });
    const { version } = session;
    await writer.submit(session, [], false);
    expect(session.version).toBe(version);
  });
});
