import { request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Service, WatchLine } from '../../api/v1/index.js';
import { readJsonLines, type SwarmClient } from '../client/index.js';
import { puts } from '../objects/index.js';
import { clientTlsOptions } from '../pki/index.js';
import { aService, aServiceSpec, aTask, aTaskStatus } from '../../test/builders/objects.js';
import { ApiFixture, until } from '../../test/fixtures/api.js';

let api: ApiFixture;
let admin: SwarmClient;

beforeEach(async () => {
  api = await ApiFixture.start();
  admin = await api.client();
});
afterEach(() => api.dispose());

const wish = (name: string, labels: Record<string, string> = {}) => ({
  apiVersion: 'swarm/v1',
  kind: 'Service',
  metadata: { name, labels },
  spec: aServiceSpec(),
});

const watcher = () => api.certificate('watcher', 'swarm-admin');

/** A watch without the client's own resuming. */
async function rawWatch(query: string, identity = watcher()): Promise<IncomingMessage> {
  const { certificate: cert, key } = await identity;
  const [host, port] = api.first.address.split(':');
  const ca = api.authority.certificate;
  return new Promise((resolve, reject) => {
    const sent = request({
      ...clientTlsOptions({ ca, cert, key }),
      host,
      port: Number(port),
      agent: false,
      path: `/v1/services?watch=true${query}`,
    });
    sent.once('response', resolve).once('error', reject).end();
  });
}

/** Reads lines in the background. */
function collected(lines: AsyncIterable<WatchLine<Service>>): WatchLine<Service>[] {
  const found: WatchLine<Service>[] = [];
  void (async () => {
    for await (const line of lines) found.push(line);
  })().catch(() => undefined);
  return found;
}

const brief = (line: WatchLine<Service>): string =>
  'object' in line ? `${line.type} ${line.object.metadata.name}` : line.type;

describe('a watch', () => {
  it('tells first of all that exist, then a bookmark, then changes', async () => {
    await admin.create('services', wish('a'));
    const stop = new AbortController();
    const lines = collected(admin.watch('services', { signal: stop.signal }));
    await until('bookmark', () => lines.some(({ type }) => type === 'bookmark'));
    await admin.create('services', wish('b'));
    await admin.patch('services', 'a', { metadata: { labels: { x: '1' } } });
    await api.put({ kind: 'delete', key: api.keys.service('b') });
    await until('deletion', () => lines.some((line) => line.type === 'deleted'));
    stop.abort();
    expect(lines.map(brief).filter((text) => text !== 'bookmark')).toEqual([
      'added a',
      'added b',
      'modified a',
      'deleted b',
    ]);
  });

  it('goes on after a revision, in order, without what was before', async () => {
    const { revision } = await admin.create('services', wish('a'));
    await admin.create('services', wish('b'));
    await admin.create('services', wish('c'));
    const response = await rawWatch(`&since=${String(revision)}`);
    const lines = collected(readJsonLines(response));
    await until('two lines', () => lines.length >= 2);
    expect(lines.map(brief)).toEqual(['added b', 'added c']);
    response.destroy();
  });

  it('tells of a change of the status, too', async () => {
    const service = aService({ name: 'a' });
    await api.put(puts.service(api.keys, service));
    const revision = api.world.cache.revision;
    const lines = collected(readJsonLines(await rawWatch(`&since=${String(revision)}`)));
    await api.put(
      puts.serviceStatus(api.keys, 'a', {
        serviceUid: service.metadata.uid,
        observedGeneration: 1,
        revision: 1,
        desired: 1,
        running: 1,
        updated: 1,
        pending: 0,
        failed: 0,
        conditions: [],
      }),
    );
    await until('line', () => lines.length > 0);
    expect(lines[0]).toMatchObject({ type: 'modified', object: { status: { running: 1 } } });
  });

  it('tells of an object that was made again that it is another one', async () => {
    const { revision } = await admin.create('services', wish('a'));
    await api.put({ kind: 'delete', key: api.keys.service('a') });
    await admin.create('services', wish('a'));
    const lines = collected(readJsonLines(await rawWatch(`&since=${String(revision)}`)));
    await until('two lines', () => lines.length >= 2);
    expect(lines.map(brief)).toEqual(['deleted a', 'added a']);
  });

  it('selects, and takes leave of what does not match any more', async () => {
    await admin.create('services', wish('a', { tier: 'front' }));
    await admin.create('services', wish('b', { tier: 'back' }));
    const stop = new AbortController();
    const lines = collected(
      admin.watch('services', { labelSelector: 'tier=front', signal: stop.signal }),
    );
    await until('bookmark', () => lines.some(({ type }) => type === 'bookmark'));
    await admin.patch('services', 'b', { metadata: { labels: { tier: 'front' } } });
    await admin.patch('services', 'a', { metadata: { labels: { tier: 'back' } } });
    await admin.patch('services', 'a', { metadata: { labels: { other: '1' } } });
    await admin.patch('services', 'b', { metadata: { labels: { other: '1' } } });
    await until('last line', () => lines.map(brief).at(-1) === 'modified b');
    stop.abort();
    expect(lines.map(brief).filter((text) => text !== 'bookmark')).toEqual([
      'added a',
      'added b',
      'deleted a',
      'modified b',
    ]);
  });

  it('that selects is silent about what is made, changes and goes without ever matching', async () => {
    await admin.create('services', wish('a', { tier: 'front' }));
    const lines = collected(readJsonLines(await rawWatch('&labelSelector=tier%3Dfront')));
    await until('bookmark', () => lines.some(({ type }) => type === 'bookmark'));
    await admin.create('services', wish('b', { tier: 'back' }));
    await admin.patch('services', 'b', { metadata: { labels: { other: '1' } } });
    await api.put({ kind: 'delete', key: api.keys.service('b') });
    await admin.patch('services', 'a', { metadata: { labels: { other: '1' } } });
    await until('last line', () => lines.map(brief).at(-1) === 'modified a');
    expect(lines.map(brief).filter((text) => text !== 'bookmark')).toEqual([
      'added a',
      'modified a',
    ]);
  });

  it('of the client that selects hears of nothing else when it goes on with another manager', async () => {
    const { certificate: cert, key } = await api.certificate('admin', 'swarm-admin');
    const second = await api.addServer('m2');
    const both = api.clientWith({ ca: api.authority.certificate, cert, key }, [
      api.first.address,
      second.address,
    ]);
    await admin.create('services', wish('a', { tier: 'front' }));
    await admin.create('services', wish('b', { tier: 'back' }));
    const stop = new AbortController();
    const query = { labelSelector: 'tier=front', signal: stop.signal };
    const lines = collected(both.watch('services', query));
    await until('bookmark', () => lines.some(({ type }) => type === 'bookmark'));
    const elsewhere = await api.client('admin', 'admin2', second);
    await api.first.stop();
    await elsewhere.patch('services', 'b', { metadata: { labels: { other: '1' } } });
    await elsewhere.patch('services', 'a', { metadata: { labels: { other: '1' } } });
    await until('last line', () => lines.map(brief).at(-1) === 'modified a');
    stop.abort();
    expect(lines.map(brief).filter((text) => text !== 'bookmark')).toEqual([
      'added a',
      'modified a',
    ]);
  });

  it('is refused when its revision is too old', async () => {
    await api.dispose();
    api = await ApiFixture.start({ cache: { rememberedChanges: 2 } });
    admin = await api.client();
    const { revision } = await admin.create('services', wish('a'));
    for (const name of ['b', 'c', 'd', 'e']) await admin.create('services', wish(name));
    const response = await rawWatch(`&since=${String(revision)}`);
    expect(response.statusCode).toBe(410);
    response.destroy();
  });

  it('of the client reads all again then, and tells only the difference', async () => {
    await api.dispose();
    api = await ApiFixture.start({ cache: { rememberedChanges: 2 } });
    admin = await api.client();
    await admin.create('services', wish('a'));
    const { revision } = await admin.create('services', wish('b'));
    for (const name of ['c', 'd', 'e']) await admin.create('services', wish(name));
    const stop = new AbortController();
    const lines = collected(admin.watch('services', { since: revision, signal: stop.signal }));
    await until('bookmark', () => lines.some(({ type }) => type === 'bookmark'));
    stop.abort();
    expect(lines.map(brief)).toEqual([
      'added a',
      'added b',
      'added c',
      'added d',
      'added e',
      'bookmark',
    ]);
  });

  it('of the client goes on with another manager and tells nothing twice', async () => {
    const second = await api.addServer('m2');
    const both = api.clientWith(
      await (async () => {
        const { certificate: cert, key } = await api.certificate('admin', 'swarm-admin');
        return { ca: api.authority.certificate, cert, key };
      })(),
      [api.first.address, second.address],
    );
    const stop = new AbortController();
    await admin.create('services', wish('a'));
    const lines = collected(both.watch('services', { signal: stop.signal }));
    await until('bookmark', () => lines.some(({ type }) => type === 'bookmark'));
    const elsewhere = await api.client('admin', 'admin2', second);
    await api.first.stop();
    await elsewhere.create('services', wish('b'));
    await until('line of b', () => lines.some((line) => brief(line) === 'added b'));
    stop.abort();
    expect(lines.map(brief).filter((text) => text !== 'bookmark')).toEqual(['added a', 'added b']);
  });

  it('ends with a bookmark when the server stops', async () => {
    await admin.create('services', wish('a'));
    const lines = collected(readJsonLines(await rawWatch('')));
    await until('bookmark', () => lines.some(({ type }) => type === 'bookmark'));
    const seen = lines.length;
    await api.first.stop();
    await until('goodbye', () => lines.length > seen);
    expect(lines.at(-1)).toMatchObject({ type: 'bookmark' });
  });
});

describe('a client that reads too slowly', () => {
  it('is told the newest state only, and nothing is kept for it', async () => {
    const env = (turn: number) => ({ TURN: String(turn), FILL: 'x'.repeat(100_000) });
    const service = (turn: number) => {
      const base = aService({ name: 'big', uid: 'uid-big' });
      const container = { ...base.spec.task.container, env: env(turn) };
      return { ...base, spec: { ...base.spec, task: { ...base.spec.task, container } } };
    };
    await api.put(puts.service(api.keys, service(0)));
    const response = await rawWatch('');
    response.pause();
    for (let turn = 1; turn <= 150; turn += 1) await api.put(puts.service(api.keys, service(turn)));
    const lines: WatchLine<Service>[] = collected(readJsonLines(response));
    const turnOf = (line: WatchLine<Service>) =>
      'object' in line ? line.object.spec.task.container.env : undefined;
    await until('newest state', () =>
      lines.some(
        (line) => (turnOf(line) as Record<string, string> | undefined)?.['TURN'] === '150',
      ),
    );
    // 150 states of 100 kB were made; the buffers of the kernel and ours hold some of them.
    expect(lines.length).toBeLessThan(150);
    response.destroy();
  });
});

describe('many watches', () => {
  it('count among the streams of their caller, not among the calls', async () => {
    const one = watcher();
    const responses = await Promise.all(Array.from({ length: 65 }, () => rawWatch('', one)));
    const statuses = new Set(responses.map(({ statusCode }) => statusCode));
    for (const response of responses) response.destroy();
    expect([...statuses]).toEqual([200]);
  });
});

describe('a watch of tasks', () => {
  it('shows both halves as one object', async () => {
    const { task } = aTask({ id: 't1', nodeId: 'n1' });
    await api.put(puts.task(api.keys, task));
    const stop = new AbortController();
    const states: (string | undefined)[] = [];
    const watching = (async () => {
      for await (const line of admin.watch('tasks', { signal: stop.signal })) {
        if ('object' in line) states.push(line.object.status?.state);
      }
    })();
    await until('first line', () => states.length === 1);
    await api.put(puts.taskStatus(api.keys, aTaskStatus('t1', 'running')));
    await until('second line', () => states.length === 2);
    stop.abort();
    await watching;
    expect(states).toEqual(['assigned', 'running']);
  });
});
