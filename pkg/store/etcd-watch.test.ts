import { EventEmitter } from 'node:events';
import type { IWatchRequest } from 'etcd3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CompactedError, UnavailableError } from '../base/index.js';
import type { EtcdConnection } from './etcd-connection.js';
import { EtcdWatch } from './etcd-watch.js';
import type { Revision, WatchBatch } from './store.js';

/** The server's side of a watch stream, played by the test. */
class FakeStream extends EventEmitter {
  readonly requests: IWatchRequest[] = [];
  cancelled = 0;
  write(request: IWatchRequest) {
    this.requests.push(request);
  }
  cancel() {
    this.cancelled += 1;
    this.emit('error', Object.assign(new Error('1 CANCELLED: cancelled'), { code: 1 }));
  }
  answer(parts: object = {}) {
    const header = { revision: '1000', cluster_id: '1' };
    const rest = { watch_id: '0', created: false, canceled: false, fragment: false };
    this.emit('data', {
      header,
      ...rest,
      compact_revision: '0',
      cancel_reason: '',
      events: [],
      ...parts,
    });
  }
  events(revisions: readonly number[], fragment = false) {
    this.answer({ fragment, events: revisions.map(eventAt) });
  }
}

function eventAt(revision: number, index: number) {
  const text = String(revision);
  const kv = {
    key: Buffer.from(`/k/${text}/${String(index)}`),
    value: Buffer.from('{}'),
    create_revision: text,
    mod_revision: text,
    lease: '0',
  };
  return { type: revision % 2 === 0 ? 'Put' : 'Delete', kv };
}

describe('EtcdWatch', () => {
  let stream: FakeStream;
  let stop: AbortController;
  let closed: number;
  const batches: WatchBatch[] = [];
  const progress: Revision[] = [];

  beforeEach(() => {
    vi.useFakeTimers();
    stream = new FakeStream();
    stop = new AbortController();
    closed = 0;
    batches.splice(0);
    progress.splice(0);
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  async function start(from = 10, onBatch = (batch: WatchBatch) => void batches.push(batch)) {
    const connection = {
      watchStream: () => Promise.resolve(stream),
      close: () => (closed += 1),
    } as unknown as EtcdConnection;
    const watch = new EtcdWatch(connection, '/k/', from, {
      signal: stop.signal,
      onBatch,
      onProgress: (revision) => progress.push(revision),
    });
    const ended = watch.run();
    ended.catch(() => undefined); // looked at by the tests that expect it
    await Promise.resolve();
    await Promise.resolve();
    return { watch, ended };
  }
  const revisionsOf = (batch: WatchBatch | undefined) =>
    batch?.events.map((event) => (event.kind === 'put' ? event.entry : event).modRevision);

  it('asks for what it is to watch', async () => {
    await start(10);
    expect(stream.requests).toEqual([
      {
        create_request: {
          key: Buffer.from('/k/'),
          range_end: Buffer.from('/k0'),
          start_revision: '10',
          progress_notify: true,
          prev_kv: false,
          fragment: true,
        },
      },
    ]);
  });

  it('takes the revision from the events, not from a header that is ahead of them', async () => {
    await start();
    stream.answer({ created: true });
    stream.events([10, 11, 12]);
    expect(batches.map(({ revision }) => revision)).toEqual([12]);
  });

  it('never splits a revision over batches, whatever the fragments', async () => {
    await start();
    stream.events([10, 11, 11], true);
    stream.events([11], true);
    stream.answer({ header: { revision: '99' } }); // no progress while a revision is incomplete
    stream.events([11, 12, 12], true);
    stream.events([12, 13]);
    expect(batches.map(revisionsOf)).toEqual([[10], [11, 11, 11, 11], [12, 12, 12, 13]]);
    expect(batches.map(({ revision }) => revision)).toEqual([10, 11, 13]);
    expect(progress).toEqual([]);
  });

  it('passes nothing on twice', async () => {
    await start();
    stream.events([9, 10, 11]);
    stream.events([11, 12]);
    stream.events([12]);
    expect(batches.map(revisionsOf)).toEqual([[10, 11], [12]]);
  });

  it('takes progress from its own notifications only', async () => {
    await start();
    stream.answer({ header: { revision: '50' } });
    stream.answer({ header: { revision: '70' }, watch_id: '-1' });
    stream.events([51, 52]);
    stream.answer({ header: { revision: '40' } });
    expect(progress).toEqual([50]);
  });

  it.each([
    ['compacted', { compact_revision: '40' }, CompactedError],
    ['compacted when it is made', { created: true, compact_revision: '40' }, CompactedError],
    ['cancelled with a reason', { cancel_reason: 'etcdserver: no leader' }, UnavailableError],
    ['cancelled without', {}, UnavailableError],
  ])('ends when it is %s', async (_how, parts, expected) => {
    const { ended } = await start();
    stream.answer({ canceled: true, ...parts });
    await expect(ended).rejects.toThrow(expected);
    expect({ closed, cancelled: stream.cancelled }).toEqual({ closed: 1, cancelled: 1 });
  });

  it('ends once, however often the stream breaks, and hears nothing afterwards', async () => {
    const { watch, ended } = await start();
    stream.emit('error', Object.assign(new Error('14 UNAVAILABLE: gone'), { code: 14 }));
    stream.emit('error', Object.assign(new Error('14 UNAVAILABLE: again'), { code: 14 }));
    stream.emit('end');
    stream.events([10]);
    watch.fail(new Error('too late'));
    await expect(ended).rejects.toThrow('gone');
    await expect(ended).rejects.toThrow(UnavailableError);
    expect(batches).toEqual([]);
  });

  it('ends when the server ends the stream', async () => {
    const { ended } = await start();
    stream.emit('end');
    await expect(ended).rejects.toThrow(UnavailableError);
  });

  it('resolves when it is aborted, cancels the stream and closes the connection', async () => {
    const { ended } = await start();
    stop.abort();
    stream.events([10]);
    await ended;
    expect({ closed, cancelled: stream.cancelled }).toEqual({ closed: 1, cancelled: 1 });
    expect(batches).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('hands on what a listener throws, as it is', async () => {
    const broken = new Error('broken');
    const { ended } = await start(10, () => {
      throw broken;
    });
    stream.events([10]);
    await expect(ended).rejects.toBe(broken);
  });

  it('gives up on a server that does not confirm', async () => {
    const { ended } = await start();
    await vi.advanceTimersByTimeAsync(9_999);
    expect(closed).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    await expect(ended).rejects.toThrow(UnavailableError);
  });

  it('asks for a sign of life in a silence, and gives up when there is none', async () => {
    const { ended } = await start();
    stream.answer({ created: true });
    await vi.advanceTimersByTimeAsync(2_500);
    expect(stream.requests.at(-1)).toEqual({ progress_request: {} });
    stream.answer({ watch_id: '-1' });
    await vi.advanceTimersByTimeAsync(4_999);
    expect(closed).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    await expect(ended).rejects.toThrow(UnavailableError);
    expect(stream.requests).toHaveLength(3);
  });
});
