import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CHANGE_CAUSE, type Service } from '../../api/v1/index.js';
import type { SwarmClient } from '../client/index.js';
import { puts } from '../objects/index.js';
import { aNode } from '../../test/builders/objects.js';
import { ApiFixture } from '../../test/fixtures/api.js';

let api: ApiFixture;
let admin: SwarmClient;

beforeEach(async () => {
  api = await ApiFixture.start();
  admin = await api.client();
});
afterEach(() => api.dispose());

interface Fields {
  readonly replicas?: number | null;
  readonly image?: string | null;
  readonly container?: object;
  readonly labels?: object | null;
  readonly spec?: object;
  readonly metadata?: object;
}

/** A document as a person writes it: it names an image, and what it is told to. */
function document({ replicas, image = 'app:1', container, labels, spec, metadata }: Fields = {}) {
  return {
    apiVersion: 'swarm/v1',
    kind: 'Service',
    metadata: { name: 'web', ...(labels !== undefined && { labels }), ...metadata },
    spec: {
      ...(replicas !== undefined && { mode: { replicated: { replicas } } }),
      task: { container: { ...(image !== null && { image }), ...container } },
      ...spec,
    },
  };
}

const apply = (fields: Fields = {}) => admin.apply('services', document(fields));
const scale = (replicas: number) =>
  admin.patch('services', 'web', { spec: { mode: { replicated: { replicas } } } });
const setImage = (image: string) =>
  admin.patch('services', 'web', { spec: { task: { container: { image } } } });
const replicasOf = ({ spec }: Service) => spec.mode?.replicated?.replicas;
const live = () => admin.get('services', 'web');
const revision = async () => (await api.store.health()).revision;

describe('apply, and others', () => {
  it('leaves replicas to whoever scaled, as long as the document names none', async () => {
    await apply();
    await scale(5);
    const { result, object } = await apply({ container: { args: ['-v'] } });
    expect(result).toBe('configured');
    expect(replicasOf(object)).toBe(5);
  });

  it('takes replicas back when the document names them', async () => {
    await apply({ replicas: 3 });
    await scale(5);
    expect(replicasOf((await apply({ replicas: 3 })).object)).toBe(3);
  });

  it('leaves replicas that were scaled when the document stops naming them', async () => {
    await apply({ replicas: 3 });
    await scale(5);
    expect(replicasOf((await apply()).object)).toBe(5);
  });

  it('even when they were scaled there and back', async () => {
    await apply({ replicas: 3 });
    await scale(5);
    await scale(3);
    expect(replicasOf((await apply()).object)).toBe(3);
  });

  it('goes back to the default when a document stops naming what nobody touched', async () => {
    await apply({ replicas: 3 });
    expect(replicasOf((await apply()).object)).toBe(1);
  });

  it('leaves labels of others, and removes its own', async () => {
    await apply({ labels: { tier: 'web', old: 'x' } });
    await admin.patch('services', 'web', { metadata: { labels: { team: 'red' } } });
    const { object } = await apply({ labels: { tier: 'web' } });
    expect(object.metadata.labels).toEqual({ tier: 'web', team: 'red' });
  });

  it('leaves an image that was set, as long as the document names none', async () => {
    await apply();
    await setImage('app:2');
    const { object } = await apply({ image: null, container: { args: ['-v'] } });
    expect(object.spec.task.container).toEqual({ image: 'app:2', args: ['-v'] });
  });

  it('says what is missing when the document gives up what it needs', async () => {
    await apply();
    await expect(apply({ image: null })).rejects.toMatchObject({
      problems: [{ path: 'spec.task.container.image' }],
    });
  });

  it('replaces lists whole', async () => {
    const mounts = (...targets: readonly string[]) => ({
      container: { mounts: targets.map((target) => ({ target })) },
    });
    await apply(mounts('/a', '/b'));
    await admin.patch('services', 'web', {
      spec: { task: { container: { mounts: [{ target: '/a' }, { target: '/z' }] } } },
    });
    const { object } = await apply(mounts('/b'));
    expect(object.spec.task.container.mounts).toEqual([{ target: '/b' }]);
  });

  it('takes null for "no value", whoever gave it one', async () => {
    await apply({ labels: { tier: 'web' } });
    await scale(5);
    await admin.patch('services', 'web', { metadata: { labels: { team: 'red' } } });
    const { object } = await apply({ replicas: null, labels: { team: null } });
    expect(replicasOf(object)).toBe(1);
    expect(object.metadata.labels).toEqual({});
  });

  it('creates without what is null', async () => {
    const { result, object } = await apply({ replicas: null, labels: null });
    expect(result).toBe('created');
    expect(replicasOf(object)).toBe(1);
    expect(object.metadata.labels).toEqual({});
  });

  it('sees no change in a default that is spelled out', async () => {
    await apply();
    const written = await revision();
    const spelled = { container: { stopGracePeriod: '10s' }, replicas: 1 };
    expect((await apply(spelled)).result).toBe('unchanged');
    expect((await apply()).result).toBe('unchanged');
    expect(await revision()).toBe(written);
  });

  it('merges into what was created without a document', async () => {
    await admin.create('services', document({ replicas: 4, container: { tty: true } }));
    const { object } = await apply({ image: 'app:2' });
    expect(replicasOf(object)).toBe(4);
    expect(object.spec.task.container).toEqual({ image: 'app:2', tty: true });
  });

  it('notes whose fields they are, even when nothing changes', async () => {
    await admin.create('services', document({ replicas: 4 }));
    const before = await live();
    const { result, object } = await apply({ replicas: 4 });
    expect(result).toBe('unchanged');
    expect(object.metadata.generation).toBe(before.metadata.generation);
    expect(object.metadata.updatedAt).toBe(before.metadata.updatedAt);
    expect(replicasOf((await apply()).object)).toBe(1);
  });

  it('of two documents that race ends as one after the other', async () => {
    await apply();
    await Promise.all([apply({ labels: { a: '1' } }), apply({ replicas: 6 })]);
    const { metadata, spec } = await live();
    const ends = [
      { labels: { a: '1' }, replicas: 1 },
      { labels: {}, replicas: 6 },
    ];
    expect(ends).toContainEqual({
      labels: metadata.labels,
      replicas: spec.mode?.replicated?.replicas,
    });
  });

  it('and a scale that race lose neither', async () => {
    await apply();
    await Promise.all([scale(7), apply({ container: { args: ['-v'] } })]);
    const service = await live();
    expect(replicasOf(service)).toBe(7);
    expect(service.spec.task.container.args).toEqual(['-v']);
  });

  it('answers a dry run with the merged object, and writes nothing', async () => {
    await apply({ replicas: 3, labels: { tier: 'web' } });
    await scale(5);
    const written = await revision();
    const { object, result } = await admin.apply('services', document({ image: 'app:2' }), {
      dryRun: true,
    });
    expect(result).toBe('configured');
    expect(replicasOf(object)).toBe(5);
    expect(object.metadata.labels).toEqual({});
    expect(await revision()).toBe(written);
  });

  it('names problems by the paths of the document', async () => {
    await apply();
    await expect(
      apply({ container: { imag: 'x' }, spec: { update: { order: 'sideways' } } }),
    ).rejects.toMatchObject({
      problems: [{ path: 'spec.task.container.imag' }, { path: 'spec.update.order' }],
    });
  });

  it.each([
    ['no spec', { spec: null }],
    ['a spec that is none', { spec: 'all of it' }],
    ['labels that are none', { metadata: { name: 'web', labels: ['a'] } }],
    ['a field that is none', { sepc: {} }],
  ])('refuses %s', async (_what, odd) => {
    await apply();
    await expect(admin.apply('services', { ...document(), ...odd })).rejects.toMatchObject({
      code: 'ERR_INVALID_OBJECT',
    });
  });
});

describe('replace', () => {
  it('is whole: what it does not name is gone', async () => {
    await apply({ labels: { tier: 'web' } });
    await scale(5);
    const { object } = await admin.replace('services', 'web', document({ image: 'app:2' }));
    expect(replicasOf(object)).toBe(1);
    expect(object.metadata.labels).toEqual({});
  });

  it('takes the fields that it changes from the document', async () => {
    await apply({ replicas: 3, labels: { tier: 'web' } });
    await admin.replace('services', 'web', document({ replicas: 4, labels: { tier: 'web' } }));
    const { applied } = await admin.get('services', 'web', { showApplied: true });
    expect(applied).toEqual({
      labels: { tier: 'web' },
      spec: { task: { container: { image: 'app:1' } } },
    });
  });
});

describe('the applied document', () => {
  it('is shown to those who ask, in single reads and lists', async () => {
    await apply({ replicas: 2 });
    expect(await live()).not.toHaveProperty('applied');
    const wanted = { spec: document({ replicas: 2 }).spec };
    expect(await admin.get('services', 'web', { showApplied: true })).toMatchObject({
      applied: wanted,
    });
    const { items } = await admin.listAll('services', { showApplied: true });
    expect(items).toMatchObject([{ applied: wanted }]);
    expect((await admin.listAll('services')).items[0]).not.toHaveProperty('applied');
  });

  it('is no part of what is applied', async () => {
    await apply({ replicas: 2 });
    const shown = await admin.get('services', 'web', { showApplied: true });
    expect((await admin.apply('services', shown)).result).toBe('unchanged');
  });

  it('shrinks as others take over', async () => {
    await apply({ replicas: 2 });
    await scale(3);
    await setImage('app:2');
    const { applied } = await admin.get('services', 'web', { showApplied: true });
    expect(applied).toEqual({});
  });

  it('is gone with a service, and not with one of the name', async () => {
    await apply({ replicas: 2 });
    await api.put({ kind: 'delete', key: api.keys.service('web') });
    await admin.create('services', document());
    await scale(4);
    expect(replicasOf((await apply()).object)).toBe(4);
  });
});

describe('nodes and the cluster', () => {
  it('are merged, too, and never created', async () => {
    await api.put(puts.node(api.keys, aNode('n1', { labels: { disk: 'ssd' } })));
    const node = (labels: object, name = 'host-n1') => ({
      apiVersion: 'swarm/v1',
      kind: 'Node',
      metadata: { name, labels },
      spec: { role: 'worker', availability: 'active' },
    });
    const { object } = await admin.apply('nodes', node({ zone: 'a' }));
    expect(object.metadata.labels).toEqual({ disk: 'ssd', zone: 'a' });
    expect((await admin.apply('nodes', node({}))).object.metadata.labels).toEqual({ disk: 'ssd' });
    await expect(admin.apply('nodes', node({}, 'other'))).rejects.toMatchObject({
      code: 'ERR_NOT_FOUND',
    });
    const settings = (spec: object) => ({
      apiVersion: 'swarm/v1',
      kind: 'Cluster',
      metadata: { name: 'default' },
      spec,
    });
    const limit = { taskHistoryLimit: 2 };
    expect((await admin.apply('clusters', settings(limit))).object.spec).toEqual(limit);
    expect((await admin.apply('clusters', settings({}))).object.spec).toEqual({});
  });
});

describe('the cause of a change', () => {
  const causeOf = ({ metadata }: Service) => metadata.annotations?.[CHANGE_CAUSE];

  it('is kept with what it caused, and goes with the next template', async () => {
    await admin.apply('services', document(), { cause: 'first' });
    expect(causeOf(await live())).toBe('first');
    await scale(3);
    expect(causeOf(await live())).toBe('first');
    expect((await apply()).result).toBe('unchanged');
    await setImage('app:2');
    expect(causeOf(await live())).toBeUndefined();
    await admin.patch(
      'services',
      'web',
      { spec: { task: { forceUpdate: 1 } } },
      { cause: 'again' },
    );
    expect(causeOf(await live())).toBe('again');
    await admin.replace('services', 'web', { ...document(), metadata: (await live()).metadata });
    expect(causeOf(await live())).toBeUndefined();
  });

  it('is nothing to write alone', async () => {
    await apply();
    const { result } = await admin.apply('services', document(), { cause: 'nothing happened' });
    expect(result).toBe('unchanged');
    expect(causeOf(await live())).toBeUndefined();
  });

  it('stays when the document states it itself', async () => {
    const metadata = { annotations: { [CHANGE_CAUSE]: 'as in the file' } };
    await apply({ metadata });
    expect(causeOf((await apply({ metadata, image: 'app:2' })).object)).toBe('as in the file');
  });

  it('is not a novel', async () => {
    await expect(
      admin.apply('services', document(), { cause: 'x'.repeat(1_025) }),
    ).rejects.toMatchObject({ code: 'ERR_BAD_REQUEST' });
  });
});

describe('a JSON patch', () => {
  const patch = (...steps: readonly object[]) =>
    admin.patch('services', 'web', steps, { type: 'json' });

  it('changes items of lists, under conditions', async () => {
    await apply({ container: { args: ['a', 'b'] } });
    const path = '/spec/task/container/args';
    const { object } = await patch(
      { op: 'test', path: `${path}/0`, value: 'a' },
      { op: 'remove', path: `${path}/0` },
      { op: 'add', path: `${path}/-`, value: 'c' },
    );
    expect(object.spec.task.container.args).toEqual(['b', 'c']);
    await expect(patch({ op: 'test', path: `${path}/0`, value: 'a' })).rejects.toMatchObject({
      code: 'ERR_CONFLICT',
    });
  });

  it('can hold the version', async () => {
    const { object } = await apply();
    const guarded = (to: string) =>
      patch(
        { op: 'test', path: '/metadata/version', value: object.metadata.version },
        { op: 'replace', path: '/spec/task/container/image', value: to },
      );
    expect((await guarded('app:2')).result).toBe('configured');
    await expect(guarded('app:3')).rejects.toMatchObject({ code: 'ERR_CONFLICT' });
  });

  it('is checked like every other write', async () => {
    await apply();
    await expect(
      patch({ op: 'add', path: '/spec/task/container/imag', value: 'x' }),
    ).rejects.toMatchObject({ problems: [{ path: 'spec.task.container.imag' }] });
    await expect(patch({ op: 'remove', path: '/spec' })).rejects.toMatchObject({
      code: 'ERR_INVALID_OBJECT',
    });
    await expect(patch({ op: 'remove', path: '/nothing' })).rejects.toMatchObject({
      code: 'ERR_BAD_REQUEST',
    });
  });
});
