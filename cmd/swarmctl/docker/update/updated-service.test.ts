import { describe, expect, it } from 'vitest';
import { serviceProblems, type ServiceSpec } from '../../../../api/v1/index.js';
import { runLine } from '../../../../test/fixtures/swarmctl.js';
import type { ClusterApi } from '../../cluster-api.js';
import { mergePatch } from '../../../../api/v1/index.js';
import { changedCapabilities } from '../capabilities.js';

type Container = ServiceSpec['task']['container'];

interface Written {
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: ServiceSpec;
}

/** What `service update` makes of a service. */
async function updated(before: Partial<Written>, ...flags: readonly string[]): Promise<Written> {
  const { labels = {}, spec = specOf({}) } = before;
  const metadata = { name: 'web', labels, version: 7 };
  const service = { apiVersion: 'swarm/v1', kind: 'Service', metadata, spec };
  let after: unknown = service;
  const api = {
    get: () => Promise.resolve(service),
    patch: (_plural: string, _name: string, patch: { metadata: { version: number } }) => {
      expect(patch.metadata.version).toBe(7);
      after = mergePatch(service, patch);
      return Promise.resolve({ result: 'configured', object: after });
    },
    close: () => undefined,
  } as unknown as ClusterApi;
  const outcome = await runLine(['service', 'update', '--detach', 'web', ...flags], {
    connect: () => Promise.resolve(api),
    env: { FROM_SHELL: 'shell' },
  });
  if (outcome.code !== 0) throw new Error(outcome.err);
  expect(outcome).toEqual({ code: 0, out: 'web\n', err: '' });
  const result = after as typeof service;
  const isRollout = JSON.stringify(result.spec).includes('parallelism');
  if (!isRollout) expect(serviceProblems(result)).toEqual([]);
  return { labels: result.metadata.labels, spec: result.spec };
}

const specOf = (container: Partial<Container>, task: object = {}): ServiceSpec => ({
  mode: { replicated: { replicas: 2 } },
  task: { container: { image: 'app:1', ...container }, ...task },
});
const containerOf = async (before: Partial<Container>, ...flags: readonly string[]) => {
  const { image: _image, ...container } = (await updated({ spec: specOf(before) }, ...flags)).spec
    .task.container;
  return container;
};
const taskOf = async (before: object, ...flags: readonly string[]) => {
  const { container: _container, ...task } = (await updated({ spec: specOf({}, before) }, ...flags))
    .spec.task;
  return task;
};
const refused = async (...args: readonly string[]) => {
  const service = {
    metadata: { name: 'web', version: 1 },
    spec: { ...specOf({}), mode: { global: {} } },
  };
  const api = { get: () => Promise.resolve(service), close: () => undefined };
  const connect = () => Promise.resolve(api as unknown as ClusterApi);
  const { code, err } = await runLine(['service', 'update', ...args, 'web'], { connect });
  expect(code).toBe(2);
  return err;
};

describe('service update', () => {
  it('changes nothing that no flag names', async () => {
    const spec = specOf(
      { args: ['-v'], env: { A: 1 }, mounts: [{ target: '/a' }], tty: true, groups: [] },
      { restartPolicy: { delay: '1s' }, placement: { constraints: ['node.role==worker'] } },
    );
    const before = { labels: { a: 'b' }, spec };
    expect(await updated(before, '--image', 'app:2')).toEqual({
      ...before,
      spec: {
        ...spec,
        task: {
          ...spec.task,
          container: {
            image: 'app:2',
            args: ['-v'],
            env: { A: 1 },
            mounts: [{ target: '/a' }],
            tty: true,
          },
        },
      },
    });
  });

  it.each<[Partial<Container>, readonly string[], Partial<Container>]>([
    // what runs
    [{ args: ['a'] }, ['--args', `-v "x y"`], { args: ['-v', 'x y'] }],
    [{ args: ['a'] }, ['--args', ''], {}],
    [{}, ['--entrypoint', 'sh -c'], { command: ['sh', '-c'] }],
    [
      { dir: '/a', user: 'b', hostname: 'c' },
      ['-w', '/x', '-u', '', '--hostname', 'h'],
      { dir: '/x', hostname: 'h' },
    ],
    [{}, ['--tty', '--read-only', '--init'], { tty: true, readOnly: true, init: true }],
    [
      { tty: true, readOnly: true, init: true },
      ['--tty=false', '--read-only=false', '--init=false'],
      { tty: false, readOnly: false, init: false },
    ],
    [
      { stopSignal: 'SIGINT' },
      ['--stop-signal', '', '--stop-grace-period', '90s'],
      { stopGracePeriod: '1m30s' },
    ],
    [
      {},
      ['--isolation', 'process', '--oom-score-adj', '-5'],
      { isolation: 'process', oomScoreAdj: -5 },
    ],
    [
      { privileges: { noNewPrivileges: true } },
      ['--credential-spec', 'file://a.json'],
      { privileges: { noNewPrivileges: true, credentialSpec: { file: 'a.json' } } },
    ],
    // variables and labels: by name
    [
      { env: { A: '1', B: '2' } },
      ['--env-add', 'A=3', '--env-add', 'FROM_SHELL', '--env-rm', 'B'],
      { env: { A: '3', FROM_SHELL: 'shell' } },
    ],
    [{ env: { A: '1' } }, ['--env-add', 'A=2', '--env-rm', 'A'], {}],
    [
      { labels: { a: '1', b: '2' } },
      ['--container-label-add', 'a=3', '--container-label-rm', 'b'],
      { labels: { a: '3' } },
    ],
    // mounts: by target
    [
      { mounts: [{ target: '/a', source: 'x' }, { target: '/b' }] },
      ['--mount-add', 'source=y,target=/a', '--mount-add', 'target=/c', '--mount-rm', '/b'],
      {
        mounts: [
          { target: '/a', source: 'y', type: 'volume' },
          { target: '/c', type: 'volume' },
        ],
      },
    ],
    [{ mounts: [{ target: '/a' }] }, ['--mount-rm', '/a'], {}],
    // groups, hosts, name servers
    [
      { groups: ['a', 'b'] },
      ['--group-add', 'c', '--group-add', 'a', '--group-rm', 'b'],
      { groups: ['a', 'c'] },
    ],
    [
      { hosts: ['a:1.1.1.1', 'a:2.2.2.2', 'b:3.3.3.3'] },
      ['--host-rm', 'a', '--host-add', 'c:4.4.4.4'],
      { hosts: ['b:3.3.3.3', 'c:4.4.4.4'] },
    ],
    [{ hosts: ['a:1.1.1.1', 'a:2.2.2.2'] }, ['--host-rm', 'a:1.1.1.1'], { hosts: ['a:2.2.2.2'] }],
    [
      { hosts: ['a:1.1.1.1'] },
      ['--host-rm', 'a', '--host-add', 'a:2.2.2.2'],
      { hosts: ['a:2.2.2.2'] },
    ],
    [
      { dnsConfig: { nameservers: ['1.1.1.1'], search: ['a.b'], options: ['x'] } },
      [
        '--dns-add',
        '2.2.2.2',
        '--dns-rm',
        '1.1.1.1',
        '--dns-search-rm',
        'a.b',
        '--dns-option-add',
        'y',
      ],
      { dnsConfig: { nameservers: ['2.2.2.2'], options: ['x', 'y'] } },
    ],
    // kernel
    [
      { sysctls: { 'net.a': '1' } },
      ['--sysctl-add', 'net.b=2', '--sysctl-rm', 'net.a'],
      { sysctls: { 'net.b': '2' } },
    ],
    [
      {
        ulimits: [
          { name: 'nofile', soft: 1 },
          { name: 'core', soft: 2 },
        ],
      },
      ['--ulimit-add', 'nofile=3:4', '--ulimit-rm', 'core'],
      { ulimits: [{ name: 'nofile', soft: 3, hard: 4 }] },
    ],
    [
      { capabilityAdd: ['NET_ADMIN'], capabilityDrop: ['CAP_CHOWN'] },
      ['--cap-drop', 'net_admin', '--cap-add', 'chown', '--cap-add', 'sys_time'],
      { capabilityAdd: ['CAP_SYS_TIME'] },
    ],
    // health checks merge with what is there
    [
      { healthcheck: { test: ['CMD', 'a'], interval: '1s' } },
      ['--health-interval', '2s', '--health-retries', '5'],
      { healthcheck: { test: ['CMD', 'a'], interval: '2s', retries: 5 } },
    ],
    [
      { healthcheck: { test: ['CMD', 'a'], interval: '1s' } },
      ['--health-cmd', 'b c'],
      { healthcheck: { test: ['CMD-SHELL', 'b c'], interval: '1s' } },
    ],
    [
      { healthcheck: { test: ['CMD', 'a'], interval: '1s' } },
      ['--health-cmd', ''],
      { healthcheck: { interval: '1s' } },
    ],
    [
      { healthcheck: { test: ['NONE'] } },
      ['--health-timeout', '2s'],
      { healthcheck: { timeout: '2s' } },
    ],
    [
      { healthcheck: { test: ['CMD', 'a'], interval: '1s' } },
      ['--no-healthcheck'],
      { healthcheck: { test: ['NONE'] } },
    ],
  ])('makes of the container %j with %j %j', async (before, flags, after) => {
    expect(await containerOf(before, ...flags)).toEqual(after);
  });

  it.each<[object, readonly string[], object]>([
    [
      { resources: { limits: { cpus: 1, memory: '64Mi' } } },
      ['--limit-memory', '128m', '--limit-pids', '9'],
      { resources: { limits: { cpus: 1, memory: '128Mi', pids: 9 } } },
    ],
    [
      { resources: { limits: { cpus: 1, memory: '64Mi' } } },
      ['--limit-memory', '0', '--reserve-cpu', '0.5'],
      { resources: { limits: { cpus: 1 }, reservations: { cpus: 0.5 } } },
    ],
    [{ resources: { limits: { cpus: 1 } } }, ['--limit-cpu', '0'], {}],
    [
      {
        resources: {
          reservations: {
            genericResources: [
              { kind: 'GPU', value: 1 },
              { kind: 'SSD', value: 1 },
            ],
          },
        },
      },
      ['--generic-resource-add', 'GPU=2', '--generic-resource-rm', 'SSD'],
      { resources: { reservations: { genericResources: [{ kind: 'GPU', value: 2 }] } } },
    ],
    [
      { resources: { limits: { memory: '1Gi' } } },
      ['--memory-swap', '-1', '--memory-swappiness', '10'],
      { resources: { limits: { memory: '1Gi' }, memorySwap: -1, memorySwappiness: 10 } },
    ],
    [
      { resources: { limits: { memory: '1Gi' }, memorySwap: -1, memorySwappiness: 10 } },
      ['--memory-swap', '2g', '--memory-swappiness', '-1'],
      { resources: { limits: { memory: '1Gi' }, memorySwap: '2Gi' } },
    ],
    [
      { restartPolicy: { condition: 'any', delay: '1s' } },
      ['--restart-condition', 'none', '--restart-max-attempts', '3', '--restart-window', '1h'],
      { restartPolicy: { condition: 'none', delay: '1s', maxAttempts: 3, window: '1h' } },
    ],
    [
      { placement: { constraints: ['node.role == worker', 'node.labels.a==b'] } },
      [
        '--constraint-rm',
        'node.role==worker',
        '--constraint-add',
        'node.labels.c!=d',
        '--constraint-add',
        'node.labels.a == b',
      ],
      { placement: { constraints: ['node.labels.a == b', 'node.labels.c!=d'] } },
    ],
    [
      { placement: { preferences: [{ spread: 'node.labels.a' }, { spread: 'node.labels.b' }] } },
      [
        '--placement-pref-rm',
        'spread=node.labels.a',
        '--placement-pref-add',
        'spread=node.labels.c',
        '--replicas-max-per-node',
        '2',
      ],
      {
        placement: {
          preferences: [{ spread: 'node.labels.b' }, { spread: 'node.labels.c' }],
          maxReplicasPerNode: 2,
        },
      },
    ],
    [
      { logDriver: { name: 'local', options: { a: '1' } } },
      ['--log-opt', 'b=2'],
      { logDriver: { name: 'local', options: { a: '1', b: '2' } } },
    ],
    [
      { logDriver: { name: 'local', options: { a: '1' } } },
      ['--log-driver', 'json-file', '--log-opt', 'b=2'],
      { logDriver: { name: 'json-file', options: { b: '2' } } },
    ],
    [{ forceUpdate: 4 }, ['--force'], { forceUpdate: 5 }],
    [{}, ['--force'], { forceUpdate: 1 }],
  ])('makes of the task %j with %j %j', async (before, flags, after) => {
    expect(await taskOf(before, ...flags)).toEqual(after);
  });

  it('changes labels by key, and replicas', async () => {
    const flags = ['--label-add', 'a=2', '--label-add', 'c', '--label-rm', 'b', '--replicas', '5'];
    const { labels, spec } = await updated({ labels: { a: '1', b: '1' } }, ...flags);
    expect(labels).toEqual({ a: '2', c: '' });
    expect(spec.mode).toEqual({ replicated: { replicas: 5 } });
  });

  const host = (published: number, target: number, protocol: 'tcp' | 'udp' = 'tcp') =>
    ({ published, target, protocol, mode: 'host' }) as const;

  it.each([
    [['80'], [host(53, 53), host(53, 53, 'udp')]],
    [['53/udp'], [host(8080, 80), host(8081, 80), host(53, 53)]],
    [['8080:80'], [host(8081, 80), host(53, 53), host(53, 53, 'udp')]],
    [['published=8081,target=80,mode=host'], [host(8080, 80), host(53, 53), host(53, 53, 'udp')]],
    [
      ['published=8081,target=80,mode=ingress'],
      [host(8080, 80), host(8081, 80), host(53, 53), host(53, 53, 'udp')],
    ],
    [['50-90'], [host(53, 53, 'udp')]],
    [['80', '53', '53/udp'], undefined],
  ])('unpublishes %j', async (removed, ports) => {
    const before = [host(8080, 80), host(8081, 80), host(53, 53), host(53, 53, 'udp')];
    const flags = removed.flatMap((text) => ['--publish-rm', text]);
    const { spec } = await updated(
      { spec: { ...specOf({}), endpoint: { ports: before } } },
      ...flags,
    );
    expect(spec.endpoint?.ports).toEqual(ports);
  });

  it('publishes, and nothing twice', async () => {
    const before = { spec: { ...specOf({}), endpoint: { ports: [host(8080, 80)] } } };
    const add = (port: number) => [
      '--publish-add',
      `published=${String(port)},target=80,mode=host`,
    ];
    const { spec } = await updated(before, ...add(8080), ...add(8081));
    expect(spec.endpoint?.ports).toEqual([host(8080, 80), host(8081, 80)]);
  });

  it('keeps of the update and rollback settings what it does not change', async () => {
    const before = { spec: { ...specOf({}), update: { parallelism: 1, delay: '1s' } } };
    const { spec } = await updated(
      before,
      ...['--update-parallelism', '0', '--update-order', 'start-first', '--update-monitor', '10s'],
      ...['--update-failure-action', 'rollback', '--update-max-failure-ratio', '.25'],
      ...[
        '--rollback-parallelism',
        '3',
        '--rollback-delay',
        '0s',
        '--rollback-order',
        'stop-first',
      ],
    );
    expect(spec.update).toEqual({
      parallelism: 0,
      delay: '1s',
      order: 'start-first',
      monitor: '10s',
      failureAction: 'rollback',
      maxFailureRatio: 0.25,
    });
    expect(spec.rollback).toEqual({ parallelism: 3, delay: '0s', order: 'stop-first' });
  });

  it.each([
    [['--replicas', '2'], 'replicas can only be used with replicated or replicated-job mode'],
    [['--max-concurrent', '2'], 'max-concurrent can only be used with replicated-job mode'],
    [['--replicas-max-per-node', '2'], 'replicas-max-per-node can only be used'],
    [
      ['--no-healthcheck', '--health-retries', '2'],
      '--no-healthcheck conflicts with --health-* options',
    ],
    [['--log-opt', 'a=b'], '--log-opt needs --log-driver'],
    [['--mount-add', 'source=a'], 'target is required'],
    [['--publish-add', '8080:80'], 'mode ingress is not supported yet'],
    [['--publish-rm', 'published=8080'], 'missing mandatory field "target"'],
    [['--env-add', '=x'], 'invalid environment variable: =x'],
    [['--network-add', 'x'], '--network-add is not supported yet'],
    [['--secret-rm', 'x'], '--secret-rm is not supported yet'],
    [['--config-add', 'x'], '--config-add is not supported yet'],
    [['--with-registry-auth'], '--with-registry-auth is not supported yet'],
  ])('refuses %j', async (flags, why) => {
    expect(await refused(...flags)).toContain(why);
  });

  it('refuses a switch that is neither on nor off', async () => {
    const line = ['service', 'update', 'web', '--tty=nonsense'];
    expect((await runLine(line)).err).toContain("unknown option '--tty=nonsense'");
  });
});

describe('changedCapabilities', () => {
  it.each([
    ['adds', {}, { add: ['net_admin'] }, { add: ['CAP_NET_ADMIN'] }],
    ['undoes a drop', { drop: ['CAP_CHOWN'] }, { add: ['CHOWN'] }, {}],
    ['undoes an addition', { add: ['CAP_CHOWN'] }, { drop: ['chown'] }, {}],
    ['adds what is in both', {}, { add: ['CHOWN'], drop: ['CHOWN'] }, { add: ['CAP_CHOWN'] }],
    ['repeats nothing', { add: ['CHOWN'] }, { add: ['cap_chown'] }, { add: ['CAP_CHOWN'] }],
    [
      'drops all, and adds one',
      {},
      { drop: ['all'], add: ['CHOWN'] },
      { add: ['CAP_CHOWN'], drop: ['ALL'] },
    ],
    [
      'forgets',
      { add: ['CHOWN'], drop: ['KILL'] },
      { add: ['RESET', 'SYS_TIME'], drop: ['RESET'] },
      { add: ['CAP_SYS_TIME'] },
    ],
  ] as const)('%s', (...[, before, flags, after]) => {
    const none = { add: [], drop: [] };
    expect(changedCapabilities({ ...none, ...before }, { ...none, ...flags })).toEqual({
      ...none,
      ...after,
    });
  });
});
