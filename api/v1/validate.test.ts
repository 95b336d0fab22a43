import { describe, expect, it } from 'vitest';
import { canonicalTemplate, normaliseServiceSpec } from './normalise.js';
import type { ServiceSpec } from './service.js';
import { clusterProblems, cronJobProblems, serviceProblems } from './validate.js';

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
    [
      'ingress ports',
      { ...container(), endpoint: { ports: [{ target: 80 }] } },
      'spec.endpoint.ports[0].mode',
    ],
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
      'found replicated and global, expected exactly one of replicated, global, replicatedJob, globalJob',
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

  it.each([
    [{ parallelism: 2, order: 'start-first', delay: '5s', canary: '10%', maxFailureRatio: 0.2 }],
    [{ parallelism: '25%', failureAction: 'rollback', progressDeadline: '0' }],
    [{ maxSurge: 1 }],
    [{ maxSurge: 0, maxUnavailable: '20%' }],
  ])('accepts the update policy %j', (update) => {
    expect(said(service({ ...container(), update }))).toEqual({});
  });

  it.each([
    [{ maxSurge: 1, parallelism: 2 }, 'spec.update.parallelism', 'cannot be given together'],
    [{ maxUnavailable: 1, order: 'stop-first' }, 'spec.update.order', 'cannot be given together'],
    [{ maxSurge: 0, maxUnavailable: '0%' }, 'spec.update', 'nothing could ever be replaced'],
    [{ maxSurge: 0 }, 'spec.update', 'nothing could ever be replaced'],
    [{ parallelism: '120%' }, 'spec.update.parallelism', 'expected a whole number of at least 0'],
    [{ parallelism: -1 }, 'spec.update.parallelism', 'expected a whole number of at least 0'],
    [{ maxFailureRatio: 1.1 }, 'spec.update.maxFailureRatio', 'expected a number from 0 to 1'],
    [{ maxFailureRatio: -0.1 }, 'spec.update.maxFailureRatio', 'expected a number from 0 to 1'],
    [{ delay: '-1s' }, 'spec.update.delay', 'expected a duration'],
    [{ monitor: '-1s' }, 'spec.update.monitor', 'expected a duration'],
    [{ order: 'recreate' }, 'spec.update.order', 'expected one of stop-first, start-first'],
  ])('refuses the update policy %j (scenario 53)', (update, path, words) => {
    expect(said(service({ ...container(), update }))[path]).toContain(words);
  });

  it.each([
    [{ canary: 1 }, 'spec.rollback.canary', 'unknown field'],
    [
      { failureAction: 'rollback' },
      'spec.rollback.failureAction',
      'expected one of pause, continue',
    ],
  ])('refuses the rollback policy %j', (rollback, path, words) => {
    expect(said(service({ ...container(), rollback }))[path]).toContain(words);
  });

  it('refuses two tasks on one node for a port that one of them has', () => {
    const ports = [{ target: 80, published: 8080, mode: 'host' }];
    const global = { ...container(), mode: { global: {} }, endpoint: { ports } };
    const update = { order: 'start-first' };
    expect(said(service({ ...global, update }))['spec.update.order']).toContain('port 8080');
    expect(said(service({ ...global, rollback: { maxSurge: 1 } }))).toHaveProperty([
      'spec.rollback.maxSurge',
    ]);
    expect(said(service({ ...container(), endpoint: { ports }, update }))).toEqual({});
    const free = [{ target: 80, mode: 'host' }];
    expect(said(service({ ...global, endpoint: { ports: free }, update }))).toEqual({});
  });

  it('accepts jobs, and refuses what has no meaning for them', () => {
    const job = { totalCompletions: 10, maxConcurrent: 3, backoffLimit: 0, deadline: '1h' };
    const replicated = { ...container(), mode: { replicatedJob: job } };
    expect(said(service(replicated))).toEqual({});
    const global = { ...container(), mode: { globalJob: { ttlAfterFinished: '10m' } } };
    expect(said(service(global))).toEqual({});
    expect(said(service({ ...replicated, update: { delay: '1s' }, rollback: {} }))).toEqual({
      'spec.update': 'not for jobs: a changed template starts another run',
      'spec.rollback': 'not for jobs: a changed template starts another run',
    });
    const placement = { constraints: [], maxReplicasPerNode: 1 };
    const task = { ...container().task, placement };
    expect(said(service({ ...replicated, task }))).toEqual({});
    expect(said(service({ ...global, task }))).toEqual({
      'spec.task.placement.maxReplicasPerNode': 'only for replicated services and jobs',
    });
  });

  it.each([
    [{ replicatedJob: { totalCompletions: 0 } }, 'spec.mode.replicatedJob.totalCompletions'],
    [{ replicatedJob: { maxConcurrent: -1 } }, 'spec.mode.replicatedJob.maxConcurrent'],
    [{ replicatedJob: { backoffLimit: 1.5 } }, 'spec.mode.replicatedJob.backoffLimit'],
    [{ globalJob: { deadline: 'soon' } }, 'spec.mode.globalJob.deadline'],
    [{ globalJob: { totalCompletions: 3 } }, 'spec.mode.globalJob.totalCompletions'],
  ])('refuses the mode %j', (mode, path) => {
    expect(Object.keys(said(service({ ...container(), mode })))).toEqual([path]);
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

describe('cronJobProblems', () => {
  const cronJob = (spec: object, name = 'backup') => ({
    apiVersion: 'swarm/v1',
    kind: 'CronJob',
    metadata: { name },
    spec: { schedule: '@daily', job: container(), ...spec },
  });
  const found = (value: unknown) =>
    Object.fromEntries(cronJobProblems(value).map(({ path, message }) => [path, message]));

  it('accepts the smallest cron job, and one that says everything', () => {
    expect(found(cronJob({}))).toEqual({});
    const everything = {
      timeZone: 'Europe/Berlin',
      concurrency: 'forbid',
      startingDeadline: '10s',
      suspend: true,
      history: { successful: 0, failed: 1000 },
      job: { labels: { a: 'b' }, mode: { globalJob: { backoffLimit: 1 } }, ...container() },
    };
    expect(found(cronJob(everything))).toEqual({});
  });

  it.each([
    [{ concurrency: 'never' }, 'spec.concurrency', /allow.*forbid.*replace/],
    [{ startingDeadline: '9s' }, 'spec.startingDeadline', /found 9s, expected at least 10s/],
    [{ startingDeadline: 'soon' }, 'spec.startingDeadline', /duration/],
    [{ history: { failed: -1 } }, 'spec.history.failed', /0/],
    [{ suspended: true }, 'spec.suspended', /suspend/],
    [{ job: {} }, 'spec.job.task', /required/],
    [
      { job: { mode: {}, ...container() } },
      'spec.job.mode',
      /found none, expected exactly one of replicatedJob, globalJob/,
    ],
    [
      { job: { mode: { replicatedJob: {}, globalJob: {} }, ...container() } },
      'spec.job.mode',
      /found replicatedJob and globalJob/,
    ],
    [{ job: { mode: { replicated: {} }, ...container() } }, 'spec.job.mode.replicated', /./],
    [{ job: { ...container(), update: {} } }, 'spec.job.update', /./],
    [
      { job: container({ secrets: ['a'] }) },
      'spec.job.task.container.secrets',
      /not supported yet/,
    ],
  ])('refuses %j at its path', (spec, path, message) => {
    const problems = found(cronJob(spec));
    expect(Object.keys(problems)).toEqual([path]);
    expect(problems[path]).toMatch(message);
  });

  it('leaves room for the time in the names of runs', () => {
    expect(found(cronJob({}, 'a'.repeat(52)))).toEqual({});
    expect(found(cronJob({}, 'a'.repeat(53)))['metadata.name']).toContain('at most 52 characters');
    expect(found(cronJob({}, 'Backup'))['metadata.name']).toContain('a-z, 0-9');
  });
});
