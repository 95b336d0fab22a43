import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  CHANGE_CAUSE,
  type RolloutOrder,
  type ServiceStatus,
  type StoredService,
  type UpdateStatus,
} from '../../api/v1/index.js';
import type { SwarmClient } from '../client/index.js';
import { puts } from '../objects/index.js';
import { aRevision, aService, BUILT_AT } from '../../test/builders/objects.js';
import { ApiFixture, until } from '../../test/fixtures/api.js';

let api: ApiFixture;
let admin: SwarmClient;

beforeEach(async () => {
  api = await ApiFixture.start();
  admin = await api.client();
});
afterEach(() => api.dispose());

const SERVICE = aService({ image: 'app:3', replicas: 4, meta: { labels: { tier: 'web' } } });

/** Revisions 1 to 3 with images app:1 to app:3, of which the last is in the spec. */
async function aHistory(service: StoredService = SERVICE): Promise<void> {
  const images = ['app:1', 'app:2', 'app:3'];
  await api.put(
    puts.service(api.keys, service),
    ...images.map((image, index) =>
      puts.serviceRevision(api.keys, aRevision(aService({ image }), index + 1)),
    ),
  );
}

/** What the leader tells of the latest update, to revision 3. */
async function told(update: Partial<UpdateStatus>, more: Partial<ServiceStatus> = {}) {
  const status: UpdateStatus = {
    state: 'updating',
    attempt: 1,
    from: 2,
    to: 3,
    wanted: 3,
    retries: 0,
    tasks: 4,
    failed: [],
    startedAt: BUILT_AT,
    message: '',
    ...update,
  };
  const counts = { desired: 4, running: 4, updated: 1, pending: 0, failed: 0 };
  const found = { observedGeneration: 1, revision: 3, ...counts, conditions: [], ...more };
  await api.put(
    puts.serviceStatus(api.keys, 'web', { ...found, update: status, serviceUid: 'uid-web' }),
  );
}

const order = (action: RolloutOrder['action'], more: Partial<RolloutOrder> = {}) =>
  admin.rollout('web', { action, ...more });
const refusal = async (work: Promise<unknown>): Promise<string> => {
  const error: unknown = await work.catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'ERR_CONFLICT' });
  return (error as Error).message;
};

describe('rollout pause and resume', () => {
  it('are kept beside the spec, as orders of a new generation', async () => {
    await aHistory();
    const { result, object } = await order('pause');
    expect(result).toBe('configured');
    expect(object.rollout).toMatchObject({ paused: true });
    expect(object.metadata.generation).toBe(2);
    expect(object.spec).toEqual(SERVICE.spec);
    expect((await order('pause')).result).toBe('unchanged');
    const resumed = await order('resume');
    expect(resumed.object.rollout).not.toHaveProperty('paused');
    expect(resumed.object.rollout).not.toHaveProperty('retries');
  });

  it('survive whatever else is written', async () => {
    await aHistory();
    await order('pause');
    const { metadata, spec } = SERVICE;
    const document = { apiVersion: 'swarm/v1', kind: 'Service', metadata: { name: 'web' }, spec };
    await admin.apply('services', document);
    await admin.patch('services', 'web', { spec: { mode: { replicated: { replicas: 9 } } } });
    await admin.replace('services', 'web', { ...document, metadata: { name: metadata.name } });
    expect((await admin.get('services', 'web')).rollout?.paused).toBe(true);
  });

  it.each([
    [{ state: 'paused', reason: 'TasksFailed' }],
    [{ state: 'paused', reason: 'ProgressDeadlineExceeded' }],
    [{ state: 'rollback_paused', reason: 'TasksFailed' }],
    [{ state: 'rollback_completed', to: 2 }],
    [{ state: 'rollback_started', to: 2 }],
  ] as const)('resume tries again after %j', async (update) => {
    await aHistory();
    await told(update);
    expect((await order('resume')).object.rollout).toMatchObject({ retries: 1 });
    expect((await order('resume')).object.rollout).toMatchObject({ retries: 2 });
  });

  it.each([
    [{ state: 'updating' }, 'the rollout of service web is not paused'],
    [{ state: 'completed' }, 'the rollout of service web is not paused'],
    [
      { state: 'paused', reason: 'AwaitingPromotion' },
      'the rollout of service web waits for its promotion: promote or abort it',
    ],
  ] as const)('resume is refused after %j', async (update, words) => {
    await aHistory();
    await told(update);
    expect(await refusal(order('resume'))).toBe(words);
  });
});

describe('rollout promote and abort', () => {
  const withCanary = { ...SERVICE, spec: { ...SERVICE.spec, update: { canary: 1 } } };

  it('promote the revision that is under way', async () => {
    await aHistory(withCanary);
    await told({ state: 'paused', reason: 'AwaitingPromotion' });
    expect((await order('promote')).object.rollout).toMatchObject({ promoted: 3 });
    expect((await order('promote')).result).toBe('unchanged');
  });

  it('promote is refused without a canary, and when nothing is under way', async () => {
    await aHistory();
    await told({});
    expect(await refusal(order('promote'))).toContain('spec.update.canary is not set');
    await aHistory(withCanary);
    await told({ state: 'completed' });
    expect(await refusal(order('promote'))).toContain('no canary to promote now');
  });

  it('abort goes back, also when it was paused', async () => {
    await aHistory();
    await told({});
    await order('pause');
    const { object } = await order('abort');
    expect(object.rollout).toMatchObject({ aborted: 3 });
    expect(object.rollout).not.toHaveProperty('paused');
    expect((await order('abort')).result).toBe('unchanged');
    const resumed = await order('resume');
    expect(resumed.object.rollout).not.toHaveProperty('aborted');
  });

  it.each([
    [{ state: 'completed' }, 'no rollout of service web is under way'],
    [{ state: 'rollback_started', to: 2 }, 'is rolling back already'],
    [{ from: undefined }, 'has no earlier revision to go back to'],
  ] as const)('abort is refused after %j', async (update, words) => {
    await aHistory();
    await told(update as Partial<UpdateStatus>);
    expect(await refusal(order('abort'))).toContain(words);
  });
});

describe('rollout undo', () => {
  it('takes the template of the revision before, and leaves replicas and labels alone (scenario 34)', async () => {
    await aHistory();
    const { object } = await order('undo');
    expect(object.spec).toMatchObject({
      mode: { replicated: { replicas: 4 } },
      task: { container: { image: 'app:2' } },
    });
    expect(object.metadata.labels).toEqual({ tier: 'web' });
    expect(object.metadata.annotations?.[CHANGE_CAUSE]).toBe('undo to revision 2');
    expect(object.rollout).toMatchObject({ undo: 2 });
  });

  it('goes to any revision that is kept, for the reason that is given', async () => {
    await aHistory();
    await order('pause');
    const { object } = await admin.rollout(
      'web',
      { action: 'undo', toRevision: 1 },
      { cause: 'the login is broken' },
    );
    expect(object.spec.task.container.image).toBe('app:1');
    expect(object.metadata.annotations?.[CHANGE_CAUSE]).toBe('the login is broken');
    expect(object.rollout).toMatchObject({ undo: 1 });
    expect(object.rollout).not.toHaveProperty('paused');
  });

  it('goes where an automatic rollback went', async () => {
    await aHistory();
    await told({ state: 'rollback_completed', from: 3, to: 1 });
    expect((await order('undo')).object.spec.task.container.image).toBe('app:1');
  });

  it('drops an endpoint that the earlier revision had not', async () => {
    const endpoint = { ports: [{ target: 80, mode: 'host' as const }] };
    await aHistory({ ...SERVICE, spec: { ...SERVICE.spec, endpoint } });
    expect((await order('undo', { toRevision: 2 })).object.spec).not.toHaveProperty('endpoint');
  });

  it('changes nothing when that is what runs', async () => {
    await aHistory();
    expect((await order('undo', { toRevision: 3 })).result).toBe('unchanged');
  });

  it('names the revisions there are when there is none of the number, or none to go back to', async () => {
    await aHistory();
    await expect(order('undo', { toRevision: 7 })).rejects.toMatchObject({
      code: 'ERR_NOT_FOUND',
      message: 'service web has no revision 7; it has 1, 2, 3',
    });
    await api.put(puts.service(api.keys, aService({ name: 'new' })));
    expect(await refusal(admin.rollout('new', { action: 'undo' }))).toContain(
      'has no earlier revision to go back to',
    );
  });

  it('is over when somebody writes another template', async () => {
    await aHistory();
    await order('undo');
    await admin.patch('services', 'web', { spec: { mode: { replicated: { replicas: 5 } } } });
    expect((await admin.get('services', 'web')).rollout).toMatchObject({ undo: 2 });
    await admin.patch('services', 'web', { spec: { task: { container: { image: 'app:9' } } } });
    const { rollout, metadata } = await admin.get('services', 'web');
    expect(rollout).not.toHaveProperty('undo');
    expect(metadata.annotations?.[CHANGE_CAUSE]).toBeUndefined();
  });

  it('takes what it changed from the document that was applied', async () => {
    await aHistory();
    const document = {
      apiVersion: 'swarm/v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { task: { container: { image: 'app:3' } } },
    };
    await admin.apply('services', document);
    await order('undo');
    await admin.apply('services', document);
    expect((await admin.get('services', 'web')).spec.task.container.image).toBe('app:3');
  });
});

describe('rollout restart', () => {
  it('forces new tasks, and is refused while the rollout is paused', async () => {
    await aHistory();
    const { object } = await order('restart');
    expect(object.spec.task.forceUpdate).toBe(1);
    expect(object.metadata.annotations?.[CHANGE_CAUSE]).toBe('restarted by order');
    await order('pause');
    expect(await refusal(order('restart'))).toContain('is paused; resume it first');
  });
});

describe('every order', () => {
  it('is only tried in a dry run', async () => {
    await aHistory();
    const { object, dryRun } = await admin.rollout('web', { action: 'undo' }, { dryRun: true });
    expect(dryRun).toBe(true);
    expect(object.spec.task.container.image).toBe('app:2');
    expect((await admin.get('services', 'web')).spec.task.container.image).toBe('app:3');
  });

  it('can be for one version only', async () => {
    await aHistory();
    const { metadata } = await admin.get('services', 'web');
    await order('restart', { version: metadata.version! });
    expect(await refusal(order('restart', { version: metadata.version! }))).toContain(
      'it changed since it was read',
    );
  });

  it('is checked', async () => {
    await aHistory();
    await expect(order('pause', { toRevision: 1 })).rejects.toMatchObject({
      code: 'ERR_BAD_REQUEST',
    });
    await expect(
      admin.rollout('web', { action: 'explode' } as unknown as RolloutOrder),
    ).rejects.toMatchObject({ code: 'ERR_INVALID_OBJECT' });
    await expect(admin.rollout('none', { action: 'pause' })).rejects.toMatchObject({
      code: 'ERR_NOT_FOUND',
    });
  });

  it('is refused while the service is being deleted', async () => {
    await aHistory();
    await admin.delete('services', 'web');
    expect(await refusal(order('restart'))).toContain('is being deleted');
  });
});

describe('revisions', () => {
  it('show whether they are current and stable, and tell watchers when that changes', async () => {
    await aHistory();
    await told({ state: 'rollback_completed', from: 3, to: 2 }, { stable: [1, 2] });
    const { items } = await admin.list('servicerevisions');
    expect(
      items.map(({ revision, status }) => [revision, status?.current, status?.stable]),
    ).toEqual([
      [1, false, true],
      [2, true, true],
      [3, false, false],
    ]);
    const seen: string[] = [];
    const stop = new AbortController();
    const since = api.world.cache.revision;
    const watching = (async () => {
      for await (const line of admin.watch('servicerevisions', { since, signal: stop.signal })) {
        if (line.type === 'modified')
          seen.push(`${String(line.object.revision)} ${String(line.object.status?.stable)}`);
      }
    })();
    await told({ state: 'completed' }, { stable: [1, 2, 3], running: 4 });
    await until('news of the revisions', () => seen.includes('3 true'));
    stop.abort();
    await watching;
  });
});
