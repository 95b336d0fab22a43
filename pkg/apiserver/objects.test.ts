import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Service } from '../../api/v1/index.js';
import { InvalidObjectError, hasCode } from '../base/index.js';
import type { SwarmClient } from '../client/index.js';
import { puts } from '../objects/index.js';
import {
  aNode,
  aNodeHealth,
  aNodeStatus,
  aRevision,
  aService,
  aTask,
} from '../../test/builders/objects.js';
import { ApiFixture } from '../../test/fixtures/api.js';

let api: ApiFixture;
let admin: SwarmClient;

beforeEach(async () => {
  api = await ApiFixture.start();
  admin = await api.client();
});
afterEach(() => api.dispose());

/** A service as a person writes it. */
function wish(changes: { name?: string; replicas?: number; image?: string } = {}): Service {
  const { name = 'web', replicas = 1, image = 'app:1' } = changes;
  return {
    apiVersion: 'swarm/v1',
    kind: 'Service',
    metadata: { name },
    spec: { mode: { replicated: { replicas } }, task: { container: { image } } },
  };
}

const problemsOf = async (work: Promise<unknown>) => {
  const error: unknown = await work.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(InvalidObjectError);
  return (error as InvalidObjectError).problems;
};

describe('creating', () => {
  it('sets what the server sets and shows zeros for a status', async () => {
    const { result, object, revision } = await admin.create('services', wish());
    expect(result).toBe('created');
    expect(object.metadata).toMatchObject({ name: 'web', generation: 1, labels: {} });
    expect(object.metadata.version).toBe(revision);
    expect(object.status).toMatchObject({ observedGeneration: 0, running: 0, desired: 0 });
    expect(await admin.get('services', 'web')).toEqual(object);
  });

  it('refuses a second one of the name', async () => {
    await admin.create('services', wish());
    await expect(admin.create('services', wish())).rejects.toMatchObject({
      code: 'ERR_ALREADY_EXISTS',
    });
  });

  it('names every problem with its path', async () => {
    const bad = {
      ...wish(),
      spec: {
        mode: { replicatedJob: {} },
        task: { container: { imag: 'x' }, placement: { constraints: [] } },
      },
    };
    const paths = (await problemsOf(admin.create('services', bad))).map(({ path }) => path);
    expect(paths).toContain('spec.task.container.imag');
    expect(paths).toContain('spec.task.container.image');
  });

  it('refuses constraints that nobody could meet', async () => {
    const bad = wish();
    const spec = {
      ...bad.spec,
      task: { ...bad.spec.task, placement: { constraints: ['node.role == worker', 'disk ~ ssd'] } },
    };
    const problems = await problemsOf(admin.create('services', { ...bad, spec }));
    expect(problems).toEqual([
      {
        path: 'spec.task.placement.constraints[1]',
        message: expect.stringMatching(/column 6: found "~", expected one of ==/) as string,
      },
    ]);
  });

  it('refuses an object that is too large', async () => {
    const env = { BIG: 'x'.repeat(600 * 1024) };
    const big = { ...wish(), spec: { task: { container: { image: 'a', env } } } };
    await expect(admin.create('services', big)).rejects.toMatchObject({ code: 'ERR_TOO_LARGE' });
  });

  it('refuses a body over a megabyte', async () => {
    const env = { BIG: 'x'.repeat(1100 * 1024) };
    const huge = { ...wish(), spec: { task: { container: { image: 'a', env } } } };
    await expect(admin.create('services', huge)).rejects.toSatisfy(
      // The server may cut the connection before we have sent it all.
      (error) => hasCode(error, 'ERR_TOO_LARGE') || hasCode(error, 'ERR_UNAVAILABLE'),
    );
  });
});

describe('applying', () => {
  it('creates, then changes, then leaves alone what means the same', async () => {
    const every = (interval: string) => {
      const container = { image: 'app:1', healthcheck: { test: ['NONE'], interval } };
      return { ...wish(), spec: { task: { container } } };
    };
    expect((await admin.apply('services', every('30s'))).result).toBe('created');
    const changed = await admin.apply('services', every('90s'));
    expect(changed.result).toBe('configured');
    expect(changed.object.metadata.generation).toBe(2);
    const written = (await api.store.health()).revision;
    const same = await admin.apply('services', every('1m30s'));
    expect(same.result).toBe('unchanged');
    expect(same.object).toEqual(changed.object);
    expect((await api.store.health()).revision).toBe(written);
  });

  it('makes no new generation for labels alone', async () => {
    await admin.apply('services', wish());
    const labelled = { ...wish(), metadata: { name: 'web', labels: { tier: 'front' } } };
    const { result, object } = await admin.apply('services', labelled);
    expect(result).toBe('configured');
    expect(object.metadata).toMatchObject({ generation: 1, labels: { tier: 'front' } });
  });

  it('ends all of many racing applies, with one of their wishes', async () => {
    const wishes = [1, 2, 3, 4, 5].map((replicas) => wish({ replicas }));
    const results = await Promise.allSettled(wishes.map((each) => admin.apply('services', each)));
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0);
    const { metadata, spec } = await admin.get('services', 'web');
    const writes = results.filter(
      (each) => each.status === 'fulfilled' && each.value.result !== 'unchanged',
    );
    expect(metadata.generation).toBe(writes.length);
    expect([1, 2, 3, 4, 5]).toContain(spec.mode?.replicated?.replicas);
  });

  it('refuses a stale version and writes nothing (scenario 52)', async () => {
    const { object } = await admin.apply('services', wish());
    await admin.apply('services', wish({ replicas: 2 }));
    const stale = { ...wish({ replicas: 9 }), metadata: object.metadata };
    await expect(admin.apply('services', stale)).rejects.toMatchObject({ code: 'ERR_CONFLICT' });
    expect((await admin.get('services', 'web')).spec.mode?.replicated?.replicas).toBe(2);
  });

  it('refuses another mode with its path', async () => {
    await admin.apply('services', wish());
    const global = { ...wish(), spec: { ...wish().spec, mode: { global: {} } } };
    const problems = await problemsOf(admin.apply('services', global));
    expect(problems).toMatchObject([{ path: 'spec.mode' }]);
  });

  it('refuses a name that is not that of the address', async () => {
    await admin.apply('services', wish());
    const problems = await problemsOf(admin.replace('services', 'web', wish({ name: 'other' })));
    expect(problems).toMatchObject([{ path: 'metadata.name' }]);
  });
});

describe('dry run', () => {
  it('validates and answers, and writes nothing', async () => {
    const before = (await api.store.health()).revision;
    const created = await admin.create('services', wish(), { dryRun: true });
    expect(created).toMatchObject({ result: 'created', dryRun: true });
    await problemsOf(admin.create('services', wish({ name: 'NO' }), { dryRun: true }));
    expect((await api.store.health()).revision).toBe(before);
    await admin.create('services', wish());
    const after = (await api.store.health()).revision;
    const changed = await admin.apply('services', wish({ replicas: 5 }), { dryRun: true });
    expect(changed.object.spec.mode?.replicated?.replicas).toBe(5);
    expect((await admin.delete('services', 'web', { dryRun: true })).result).toBe('deleting');
    expect((await api.store.health()).revision).toBe(after);
  });
});

describe('patching', () => {
  it('changes parts and removes what is null', async () => {
    const labels = { a: '1', b: '2' };
    await admin.create('services', { ...wish(), metadata: { name: 'web', labels } });
    const { object } = await admin.patch('services', 'web', {
      metadata: { labels: { a: null, c: '3' } },
      spec: { mode: { replicated: { replicas: 7 } } },
    });
    expect(object.metadata.labels).toEqual({ b: '2', c: '3' });
    expect(object.spec.mode?.replicated?.replicas).toBe(7);
    expect(object.spec.task.container.image).toBe('app:1');
  });

  it('holds a version in the patch as a precondition', async () => {
    const { object } = await admin.create('services', wish());
    await admin.patch('services', 'web', { metadata: { labels: { a: '1' } } });
    const patch = { metadata: { version: object.metadata.version, labels: { a: '2' } } };
    await expect(admin.patch('services', 'web', patch)).rejects.toMatchObject({
      code: 'ERR_CONFLICT',
    });
  });

  it('loses no one of many racing patches', async () => {
    await admin.create('services', wish());
    const labels = ['a', 'b', 'c', 'd'];
    await Promise.all(
      labels.map((label) =>
        admin.patch('services', 'web', { metadata: { labels: { [label]: 'x' } } }),
      ),
    );
    expect(Object.keys((await admin.get('services', 'web')).metadata.labels ?? {}).sort()).toEqual(
      labels,
    );
  });
});

describe('deleting', () => {
  it('marks a service, whose controllers take it apart', async () => {
    await admin.create('services', wish());
    const first = await admin.delete('services', 'web');
    expect(first.result).toBe('deleting');
    expect(first.object.metadata.deletingAt).toBeDefined();
    expect(first.object.metadata.generation).toBe(1);
    await expect(admin.apply('services', wish({ replicas: 2 }))).rejects.toThrow(/being deleted/);
    await expect(admin.create('services', wish())).rejects.toThrow(/being deleted/);
  });

  it('says that there is none', async () => {
    await expect(admin.delete('services', 'web')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  });

  it('heeds a version', async () => {
    const { object } = await admin.create('services', wish());
    const version = (object.metadata.version ?? 0) - 1;
    await expect(admin.delete('services', 'web', { version })).rejects.toMatchObject({
      code: 'ERR_CONFLICT',
    });
  });
});

describe('nodes', () => {
  beforeEach(() =>
    api.put(
      puts.node(api.keys, aNode('n1')),
      puts.nodeStatus(api.keys, aNodeStatus('n1')),
      puts.nodeHealth(api.keys, aNodeHealth('n1')),
    ),
  );

  it('show both halves, the verdict and the counts of their tasks', async () => {
    const running = aTask({ id: 't1', state: 'running', nodeId: 'n1' });
    await api.put(puts.task(api.keys, running.task), puts.taskStatus(api.keys, running.status!));
    const node = await admin.get('nodes', 'host-n1');
    expect(node.status).toMatchObject({
      state: 'ready',
      address: '10.0.0.1',
      tasks: { running: 1, wanted: 1 },
      description: { hostname: 'host-n1' },
      conditions: [
        { type: 'EngineHealthy', status: 'true' },
        { type: 'HistoryKept', status: 'true', reason: 'StoreContinues' },
      ],
    });
  });

  it('can be drained and labelled, not promoted', async () => {
    const patch = { spec: { availability: 'drain' }, metadata: { labels: { disk: 'ssd' } } };
    const { object } = await admin.patch('nodes', 'n1', patch);
    expect(object.spec.availability).toBe('drain');
    const problems = await problemsOf(admin.patch('nodes', 'n1', { spec: { role: 'manager' } }));
    expect(problems[0]?.path).toBe('spec.role');
    expect(problems[0]?.message).toMatch(/not supported yet/);
  });

  it('are removed with all that is known of them, ready ones only by force', async () => {
    await expect(admin.delete('nodes', 'n1')).rejects.toThrow(/is ready/);
    expect((await admin.delete('nodes', 'n1', { force: true, dryRun: true })).result).toBe(
      'deleted',
    );
    expect((await admin.delete('nodes', 'n1', { force: true })).result).toBe('deleted');
    expect(api.world.nodeStatuses.get('n1')).toBeUndefined();
    expect(api.world.nodeHealths.get('n1')).toBeUndefined();
    await expect(admin.get('nodes', 'n1')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  });
});

describe('the cluster', () => {
  it('changes its settings and shows no secrets', async () => {
    const { object } = await admin.patch('clusters', 'default', {
      spec: { taskHistoryLimit: 2 },
    });
    expect(object.spec.taskHistoryLimit).toBe(2);
    expect(JSON.stringify(object)).not.toMatch(/ciphertext|caKey/);
    expect(object.status?.clusterId).toBe('cluster1');
    expect((await admin.joinTokens()).worker).toBe(api.tokens.worker);
  });

  it('refuses periods that contradict each other', async () => {
    const spec = { nodeHeartbeat: '4s', nodeUnknownAfter: '5s' };
    const problems = await problemsOf(admin.patch('clusters', 'default', { spec }));
    expect(problems.map(({ path }) => path)).toEqual(['spec.nodeUnknownAfter']);
  });
});

describe('reading', () => {
  it('finds tasks by name, id and the beginning of an id', async () => {
    const old = aTask({ id: 'aaaa1', state: 'failed', createdAt: '2026-01-02T00:00:00.000Z' });
    const live = aTask({ id: 'aaaa2', state: 'running' });
    const other = aTask({ id: 'bbbb1', slot: 2 });
    for (const { task, status } of [old, live, other]) {
      await api.put(
        puts.task(api.keys, task),
        ...(status ? [puts.taskStatus(api.keys, status)] : []),
      );
    }
    expect((await admin.get('tasks', 'web.1')).metadata.uid).toBe('aaaa2');
    expect((await admin.get('tasks', 'aaaa1')).metadata.uid).toBe('aaaa1');
    const pending = await admin.get('tasks', 'bbbb');
    expect(pending.status).toMatchObject({ state: 'pending', message: 'waiting for a node' });
    await expect(admin.get('tasks', 'aaaa')).rejects.toMatchObject({ code: 'ERR_BAD_REQUEST' });
    await expect(admin.get('tasks', 'bbb')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  });

  it('finds revisions by service and number, and managers', async () => {
    await api.put(puts.serviceRevision(api.keys, aRevision(aService())));
    expect((await admin.get('servicerevisions', 'web/1')).revision).toBe(1);
    expect((await admin.get('managers', 'host-m1')).status.leader).toBe(false);
  });

  it('shows no status that speaks of an earlier service of the name', async () => {
    const { object } = await admin.create('services', wish());
    const status = { ...object.status!, running: 3, version: 0 };
    await api.put(puts.serviceStatus(api.keys, 'web', { ...status, serviceUid: 'earlier' }));
    expect((await admin.get('services', 'web')).status?.running).toBe(0);
    const uid = object.metadata.uid!;
    await api.put(puts.serviceStatus(api.keys, 'web', { ...status, serviceUid: uid }));
    expect((await admin.get('services', 'web')).status?.running).toBe(3);
  });

  it('selects by labels and fields', async () => {
    for (const [name, tier] of [
      ['a', 'front'],
      ['b', 'back'],
      ['c', undefined],
    ] as const) {
      const labels = tier === undefined ? {} : { tier };
      await admin.create('services', { ...wish({ name }), metadata: { name, labels } });
    }
    const names = async (query: { labelSelector?: string; fieldSelector?: string }) =>
      (await admin.list('services', query)).items.map(({ metadata }) => metadata.name);
    expect(await names({ labelSelector: 'tier=front' })).toEqual(['a']);
    expect(await names({ labelSelector: 'tier!=front' })).toEqual(['b', 'c']);
    expect(await names({ labelSelector: 'tier' })).toEqual(['a', 'b']);
    expect(await names({ labelSelector: '!tier' })).toEqual(['c']);
    expect(await names({ fieldSelector: 'metadata.name=b' })).toEqual(['b']);
    await expect(names({ fieldSelector: 'spec.image=x' })).rejects.toThrow(
      /allowed: metadata.name/,
    );
  });

  it('pages at one revision while the world goes on', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await admin.create('services', wish({ name }));
    const first = await admin.list('services', { limit: 2 });
    expect(first.metadata.remaining).toBe(3);
    await admin.create('services', wish({ name: 'bb' }));
    await admin.patch('services', 'd', { spec: { mode: { replicated: { replicas: 9 } } } });
    await api.put({ kind: 'delete', key: api.keys.service('e') });
    const second = await admin.list('services', { limit: 10, continue: first.metadata.continue! });
    expect(second.metadata.revision).toBe(first.metadata.revision);
    expect(second.items.map(({ metadata }) => metadata.name)).toEqual(['c', 'd', 'e']);
    expect(second.items[1]?.spec.mode?.replicated?.replicas).toBe(1);
    expect((await admin.listAll('services', { limit: 2 })).items).toHaveLength(5);
  });

  it('refuses query parameters that mean nothing', async () => {
    const client = admin as unknown as { list(plural: string): Promise<unknown> };
    await expect(client.list('services?limits=3')).rejects.toThrow(
      /unknown query parameter "limits"; allowed: /,
    );
  });

  it('lists again when a page is of a revision that nobody remembers', async () => {
    const token = Buffer.from(JSON.stringify([-5, 'a'])).toString('base64url');
    await expect(admin.list('services', { continue: token })).rejects.toMatchObject({
      code: 'ERR_COMPACTED',
    });
  });
});

describe('two managers', () => {
  it('never show a client anything older than it has seen', async () => {
    const second = await api.addServer('m2');
    const everywhere = await api.client('admin', 'admin2');
    everywhere.useManagers([second.address]);
    const { revision } = await admin.create('services', wish());
    const seen = await everywhere.get('services', 'web', { minRevision: revision });
    expect(seen.metadata.version).toBe(revision);
  });

  it('says that a revision cannot be reached', async () => {
    const far = (await api.store.health()).revision + 1_000;
    await expect(
      admin.list('services', { minRevision: far, timeoutMs: 400 }),
    ).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
  });
});

describe('failures', () => {
  it('are told without details when nobody foresaw them', async () => {
    await admin.create('services', wish());
    api.store.failNext(new Error('the secret is 42'), 'get');
    await expect(admin.apply('services', wish({ replicas: 2 }))).rejects.toSatisfy(
      (error) => hasCode(error, 'ERR_INTERNAL') && !String(error).includes('42'),
    );
    expect(api.first.log.linesOf('request failed')).toHaveLength(1);
  });
});
