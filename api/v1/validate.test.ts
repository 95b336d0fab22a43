import { describe, expect, it } from 'vitest';
import { canonicalTemplate, normaliseServiceSpec } from './normalise.js';
import type { ServiceSpec } from './service.js';
import { clusterProblems, serviceProblems } from './validate.js';

const service = (spec: object, name = 'web') => ({
  apiVersion: 'swarm/v1',
  kind: 'Service',
  metadata: { name },
  spec,
});
const container = (more: object = {}) => ({
  task: { container: { image: 'nginx:1.27', ...more } },
});
const said = (value: unknown) =>
  Object.fromEntries(serviceProblems(value).map(({ path, message }) => [path, message]));

describe('serviceProblems', () => {
  it('accepts the smallest service', () => {
    expect(serviceProblems(service(container()))).toEqual([]);
  });

  it.each([
    [
      'networks',
      { task: { container: { image: 'a' }, networks: [{ target: 'x' }] } },
      'spec.task.networks',
    ],
    ['secrets', container({ secrets: ['a'] }), 'spec.task.container.secrets'],
    ['configs', container({ configs: ['a'] }), 'spec.task.container.configs'],
    ['jobs', { ...container(), mode: { replicatedJob: {} } }, 'spec.mode.replicatedJob'],
    [
      'ingress ports',
      { ...container(), endpoint: { ports: [{ target: 80 }] } },
      'spec.endpoint.ports[0].mode',
    ],
    ['parallel updates', { ...container(), update: { parallelism: 2 } }, 'spec.update.parallelism'],
    [
      'CSI volumes',
      container({ mounts: [{ type: 'cluster', source: 'a', target: '/a' }] }),
      'spec.task.container.mounts[0].type',
    ],
  ])('refuses %s as not supported yet', (_what, spec, path) => {
    expect(said(service(spec))[path]).toContain('not supported yet');
  });

  it('wants exactly one mode', () => {
    const spec = { ...container(), mode: { replicated: {}, global: {} } };
    expect(said(service(spec))['spec.mode']).toBe(
      'found replicated and global, expected exactly one of replicated, global',
    );
  });

  it('refuses a mount target given twice, and options of another type', () => {
    const mounts = [{ target: '/a' }, { target: '/a', tmpfs: {} }];
    expect(said(service(container({ mounts })))).toEqual({
      'spec.task.container.mounts[1].target': '/a is mounted twice',
      'spec.task.container.mounts[1].tmpfs': 'is only for type tmpfs; this is a volume',
    });
  });

  it('refuses a reservation above its limit, and less than Swarm allows', () => {
    const resources = {
      limits: { memory: '8Mi', cpus: 0.5 },
      reservations: { memory: '16Mi', cpus: 1 },
    };
    const { task } = container();
    expect(said(service({ task: { ...task, resources } }))).toEqual({
      'spec.task.resources.reservations.memory': 'is more than the limit',
      'spec.task.resources.reservations.cpus': 'is more than the limit',
    });
    const little = { limits: { memory: '1Mi' } };
    expect(said(service({ task: { ...task, resources: little } }))).toEqual({
      'spec.task.resources.limits.memory': 'is too little, expected at least 4Mi',
    });
  });

  it('refuses names that cannot be host names', () => {
    expect(said(service(container(), 'Web.1'))['metadata.name']).toContain('found "Web.1"');
  });

  it.each(['nginx', 'a/b:1', 'localhost:5000/x/y:z', `a@sha256:${'0'.repeat(64)}`])(
    'accepts image %s',
    (image) => {
      expect(serviceProblems(service(container({ image })))).toEqual([]);
    },
  );

  it.each(['', 'Nginx', 'a b', 'a:', 'a//b'])('refuses image %j', (image) => {
    expect(Object.keys(said(service(container({ image }))))).toEqual(['spec.task.container.image']);
  });
});

describe('clusterProblems', () => {
  it('keeps thresholds sane', () => {
    const cluster = {
      apiVersion: 'swarm/v1',
      kind: 'Cluster',
      metadata: { name: 'default' },
      spec: { nodeLostAfter: '10ms' },
    };
    expect(clusterProblems(cluster)).toEqual([
      { path: 'spec.nodeLostAfter', message: 'found 10ms, expected at least 1s' },
    ]);
  });
});

describe('canonicalTemplate', () => {
  const canonical = (task: unknown) =>
    canonicalTemplate({ task } as Parameters<typeof canonicalTemplate>[0]);

  it('is the same for templates that mean the same', () => {
    const plain = {
      container: { image: 'a' },
      resources: { limits: { memory: '64Mi', cpus: 0.5 } },
    };
    const wordy = {
      restartPolicy: { delay: '5000ms', condition: 'any' },
      resources: { limits: { cpus: '0.50', memory: '65536k' } },
      container: { env: {}, image: 'a', stopGracePeriod: '10s' },
    };
    expect(canonical(wordy)).toBe(canonical(plain));
  });

  it('differs when anything that matters differs', () => {
    expect(canonical({ container: { image: 'a', env: { X: '1' } } })).not.toBe(
      canonical({ container: { image: 'a', env: { X: '2' } } }),
    );
    expect(canonical({ container: { image: 'a', args: ['b', 'c'] } })).not.toBe(
      canonical({ container: { image: 'a', args: ['c', 'b'] } }),
    );
  });
});

describe('normaliseServiceSpec', () => {
  it('spells the mode out and adds nothing else', () => {
    const spec = container() as ServiceSpec;
    expect(normaliseServiceSpec(spec)).toEqual({ ...spec, mode: { replicated: { replicas: 1 } } });
  });
});
