import { afterEach, describe, expect, it } from 'vitest';
import { UnavailableError } from '../base/index.js';
import { WatchedWorldCache } from '../informer/index.js';
import { nullLogger } from '../log/index.js';
import { keysUnder } from '../store/index.js';
import { FakeClock } from '../../test/fakes/fake-clock.js';
import { MemoryStore } from '../../test/fakes/memory-store.js';
import { eventLogOf, events } from './event-log.js';
import {
  StoreEventRecorder,
  type EventRecorderOptions,
  type EventReport,
} from './event-recorder.js';

const keys = keysUnder('/test');
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

function aReport(message: string, more: Partial<EventReport> = {}): EventReport {
  return {
    type: 'normal',
    reason: 'TaskFailed',
    message,
    regarding: { kind: 'Task', name: 'web.1', uid: 't1' },
    service: 'web',
    source: 'test',
    ...more,
  };
}

async function aRecorder(options: Partial<EventRecorderOptions> = {}) {
  const clock = new FakeClock();
  const store = new MemoryStore({ clock });
  const recorder = new StoreEventRecorder({ store, keys, clock, log: nullLogger, ...options });
  const cache = new WatchedWorldCache({
    store,
    root: keys.eventsRoot,
    collections: [events],
    clock,
  });
  const stop = new AbortController();
  const runs = [recorder.run(stop.signal), cache.run(stop.signal)];
  await cache.synced;
  const finish = async () => {
    stop.abort();
    await Promise.all(runs);
  };
  cleanups.push(async () => {
    await finish();
    await store.close();
  });
  return { clock, store, recorder, log: eventLogOf(cache), finish };
}

describe('StoreEventRecorder', () => {
  it('writes events, by object and by service', async () => {
    const { clock, recorder, log } = await aRecorder();
    const heard: string[] = [];
    log.onChange((_before, after) => heard.push(after?.message ?? 'gone'));
    recorder.record(aReport('one'));
    await clock.advance(300);
    recorder.record(aReport('two', { regarding: { kind: 'Node', name: 'h1', uid: 'n1' } }));
    await clock.advance(300);
    expect(log.list().map(({ message }) => message)).toEqual(['one', 'two']);
    expect(log.byRegarding('Task', 'web.1').map(({ message }) => message)).toEqual(['one']);
    expect(log.byRegarding('Node', 'n1').map(({ message }) => message)).toEqual(['two']);
    expect(log.byService('web')).toHaveLength(2);
    expect(heard).toEqual(['one', 'two']);
  });

  it('counts what happens again instead of writing it anew', async () => {
    const { clock, recorder, log } = await aRecorder();
    for (let round = 0; round < 3; round += 1) {
      recorder.record(aReport('again'));
      await clock.advance(1_000);
    }
    expect(log.list()).toMatchObject([
      { count: 3, firstAt: '2026-01-01T00:00:00.000Z', lastAt: '2026-01-01T00:00:02.000Z' },
    ]);
    await clock.advance(700_000);
    recorder.record(aReport('again'));
    await clock.advance(1_000);
    expect(log.list().map(({ count }) => count)).toEqual([3, 1]);
  });

  it('writes many at once in few transactions, at most every 500 ms', async () => {
    const { clock, store, recorder, log } = await aRecorder();
    const before = store.revision;
    for (let index = 0; index < 120; index += 1) recorder.record(aReport(`e${String(index)}`));
    await clock.advance(150);
    expect(log.list()).toHaveLength(100);
    await clock.advance(500);
    expect(log.list()).toHaveLength(120);
    expect(store.revision - before).toBe(2);
  });

  it('drops what is too much, and counts it', async () => {
    const { clock, recorder, log } = await aRecorder({ capacity: 10 });
    for (let index = 0; index < 15; index += 1) recorder.record(aReport(`e${String(index)}`));
    expect(recorder.dropped).toBe(5);
    await clock.advance(1_000);
    expect(log.list()).toHaveLength(10);
    expect(recorder.written).toBe(10);
  });

  it('lets no more through than its rate over a long time', async () => {
    const { clock, recorder } = await aRecorder({ burst: 3, ratePerSecond: 1 });
    for (let index = 0; index < 10; index += 1) recorder.record(aReport(`a${String(index)}`));
    expect(recorder.dropped).toBe(7);
    await clock.advance(2_000);
    for (let index = 0; index < 10; index += 1) recorder.record(aReport(`b${String(index)}`));
    expect(recorder.dropped).toBe(15);
  });

  it('tries again while the store is away, and never fails its caller', async () => {
    const { clock, store, recorder, log } = await aRecorder();
    store.failNext(new UnavailableError('away'), 'grant-lease');
    store.failNext(new UnavailableError('away'), 'commit');
    recorder.record(aReport('one'));
    await clock.advance(5_000);
    expect(log.list()).toHaveLength(1);
  });

  it('lets events go after their hour, and shares a lease among those of ten minutes', async () => {
    const { clock, recorder, log } = await aRecorder();
    recorder.record(aReport('old'));
    await clock.advance(601_000);
    recorder.record(aReport('new'));
    await clock.advance(3_000_000);
    expect(log.list().map(({ message }) => message)).toEqual(['old', 'new']);
    await clock.advance(700_000);
    expect(log.list().map(({ message }) => message)).toEqual(['new']);
  });

  it('writes on a new lease when the old one is gone', async () => {
    const { clock, recorder, log } = await aRecorder({ keepSeconds: 1 });
    recorder.record(aReport('one'));
    await clock.advance(1_000);
    await clock.advance(602_000);
    recorder.record(aReport('two'));
    await clock.advance(5_000);
    expect(log.list().map(({ message }) => message)).toEqual(['two']);
  });

  it('writes its last words when it is stopped', async () => {
    const { store, recorder, finish } = await aRecorder();
    recorder.record(aReport('last'));
    await finish();
    const entries = [];
    for await (const page of store.list(keys.eventsRoot)) entries.push(...page.entries);
    expect(entries).toHaveLength(1);
  });
});
