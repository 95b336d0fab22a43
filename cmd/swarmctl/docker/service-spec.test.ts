import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { serviceProblems, type ServiceSpec } from '../../../api/v1/index.js';
import { runLine } from '../../../test/fixtures/swarmctl.js';
import type { ClusterApi } from '../cluster-api.js';
import { SERVICE_NAME } from '../../../api/v1/index.js';
import { randomName } from './random-name.js';

const folder = mkdtempSync(join(tmpdir(), 'swarmctl-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Created {
  readonly metadata: { readonly name: string; labels: object };
  readonly spec: ServiceSpec;
}

/** What `service create` would send. */
async function created(...args: readonly string[]): Promise<Created> {
  let sent: Created | undefined;
  const create = (_plural: string, object: Created) => {
    sent = object;
    return Promise.resolve({ object: { metadata: { uid: 'id1' } } });
  };
  const api = { create, close: () => undefined } as unknown as ClusterApi;
  const env = { FROM_SHELL: 'shell' };
  const outcome = await runLine(['service', 'create', '--detach', ...args], {
    connect: () => Promise.resolve(api),
    env,
  });
  if (!sent) throw new Error(outcome.err);
  expect(outcome).toMatchObject({ code: 0, out: 'id1\n' });
  expect(serviceProblems({ apiVersion: 'swarm/v1', kind: 'Service', ...sent })).toEqual([]);
  return sent;
}
const containerOf = async (...flags: readonly string[]) =>
  (await created(...flags, 'app:1')).spec.task.container;
const refused = async (...args: readonly string[]) => {
  const connect = () => Promise.reject(new Error('must not be asked'));
  const { code, err } = await runLine(['service', 'create', ...args, 'app:1'], { connect });
  expect(code).toBe(2);
  return err.split('\n')[0];
};

describe('service create', () => {
  it('needs an image only, and finds a name', async () => {
    const { metadata, spec } = await created('nginx');
    expect(metadata.name).toMatch(SERVICE_NAME);
    expect(metadata.name).toMatch(/^[a-z]+_[a-z]+$/);
    expect(spec).toEqual({ mode: { replicated: {} }, task: { container: { image: 'nginx' } } });
  });

  it('leaves flags behind the image to the container', async () => {
    const { spec } = await created(
      '--name',
      'a',
      'alpine',
      'ping',
      '-c',
      '3',
      '--name',
      'x',
      '--tty=true',
    );
    expect(spec.task.container).toEqual({
      image: 'alpine',
      args: ['ping', '-c', '3', '--name', 'x', '--tty=true'],
    });
  });

  it('reads every kind of value', async () => {
    const { metadata, spec } = await created(
      ...[
        '--name',
        'web',
        '--label',
        'a=b',
        '-l',
        'c',
        '--replicas',
        '3',
        '--replicas-max-per-node',
        '2',
      ],
      ...['--constraint', 'node.labels.x==y', '--placement-pref', 'spread=node.labels.zone'],
      ...[
        '--limit-cpu',
        '.5',
        '--limit-memory',
        '512m',
        '--limit-pids',
        '100',
        '--reserve-cpu',
        '0.25',
      ],
      ...['--reserve-memory', '64MiB', '--generic-resource', 'GPU=2', '--memory-swap', '-1'],
      ...[
        '--memory-swappiness',
        '10',
        '--restart-condition',
        'on-failure',
        '--restart-delay',
        '90s',
      ],
      ...['--restart-max-attempts', '3', '--restart-window', '1h', '--log-driver', 'json-file'],
      ...['--log-opt', 'max-size=10m', '-p', 'published=8080,target=80,mode=host', 'app:1'],
    );
    expect(metadata).toEqual({ name: 'web', labels: { a: 'b', c: '' } });
    expect(spec).toEqual({
      mode: { replicated: { replicas: 3 } },
      task: {
        container: { image: 'app:1' },
        resources: {
          limits: { cpus: 0.5, memory: '512Mi', pids: 100 },
          reservations: {
            cpus: 0.25,
            memory: '64Mi',
            genericResources: [{ kind: 'GPU', value: 2 }],
          },
          memorySwap: -1,
          memorySwappiness: 10,
        },
        restartPolicy: { condition: 'on-failure', delay: '1m30s', maxAttempts: 3, window: '1h' },
        placement: {
          constraints: ['node.labels.x==y'],
          preferences: [{ spread: 'node.labels.zone' }],
          maxReplicasPerNode: 2,
        },
        logDriver: { name: 'json-file', options: { 'max-size': '10m' } },
      },
      endpoint: { ports: [{ target: 80, published: 8080, protocol: 'tcp', mode: 'host' }] },
    });
  });

  it('reads what concerns the container', async () => {
    const container = await containerOf(
      ...[
        '-u',
        '1:2',
        '--group',
        'audio',
        '-w',
        '/w',
        '--hostname',
        'h',
        '--entrypoint',
        `sh -c "a 'b' c"`,
      ],
      ...['--init', '--read-only', '-t', '--stop-signal', 'SIGINT', '--stop-grace-period', '3s'],
      ...['--cap-add', 'net_admin', '--cap-drop', 'ALL', '--sysctl', 'net.core.somaxconn=1024'],
      ...[
        '--ulimit',
        'nofile=10:20',
        '--dns',
        '1.1.1.1',
        '--dns-search',
        'a.b',
        '--dns-option',
        'ndots:2',
      ],
      ...[
        '--host',
        'a:10.0.0.1',
        '--host',
        'b:::1',
        '--container-label',
        'x=y',
        '--isolation',
        'default',
      ],
      ...['--oom-score-adj', '-5'],
    );
    expect(container).toEqual({
      image: 'app:1',
      command: ['sh', '-c', "a 'b' c"],
      dir: '/w',
      user: '1:2',
      groups: ['audio'],
      hostname: 'h',
      labels: { x: 'y' },
      tty: true,
      readOnly: true,
      init: true,
      stopSignal: 'SIGINT',
      stopGracePeriod: '3s',
      hosts: ['a:10.0.0.1', 'b:::1'],
      dnsConfig: { nameservers: ['1.1.1.1'], search: ['a.b'], options: ['ndots:2'] },
      capabilityAdd: ['CAP_NET_ADMIN'],
      capabilityDrop: ['ALL'],
      sysctls: { 'net.core.somaxconn': '1024' },
      ulimits: [{ name: 'nofile', soft: 10, hard: 20 }],
      oomScoreAdj: -5,
      isolation: 'default',
    });
  });

  it.each([
    [['--init=false'], { init: false }],
    [['--tty=false'], {}],
    [['--read-only=true'], { readOnly: true }],
  ])('lets switches have values: %j', async (flags, expected) => {
    expect(await containerOf(...flags)).toEqual({ image: 'app:1', ...expected });
  });

  it('takes variables from flags, the shell and files, flags last', async () => {
    const file = join(folder, 'a.env');
    writeFileSync(file, '# comment\n\nA=file\nB=two words=x\nFROM_SHELL\nNOT_SET\n');
    const { env } = await containerOf(
      '--env-file',
      file,
      '-e',
      'A=flag',
      '-e',
      'FROM_SHELL',
      '-e',
      'GONE',
    );
    expect(env).toEqual({ A: 'flag', B: 'two words=x', FROM_SHELL: 'shell' });
  });

  it('reads health checks', async () => {
    const flags = [
      '--health-cmd',
      'curl -f x || exit 1',
      '--health-interval',
      '5s',
      '--health-retries',
      '2',
    ];
    expect((await containerOf(...flags)).healthcheck).toEqual({
      test: ['CMD-SHELL', 'curl -f x || exit 1'],
      interval: '5s',
      retries: 2,
    });
    expect((await containerOf('--no-healthcheck')).healthcheck).toEqual({ test: ['NONE'] });
    expect(await refused('--no-healthcheck', '--health-cmd', 'x')).toBe(
      'error: --no-healthcheck conflicts with --health-* options',
    );
  });

  it.each([
    ['source=data,target=/d', { type: 'volume', source: 'data', target: '/d' }],
    [
      'type=bind,src=/a,dst=/b,readonly',
      { type: 'bind', source: '/a', target: '/b', readOnly: true },
    ],
    [
      'type=bind,source=/a,destination=/b,ro=false,bind-propagation=rslave',
      {
        type: 'bind',
        source: '/a',
        target: '/b',
        readOnly: false,
        bind: { propagation: 'rslave' },
      },
    ],
    [
      'type=tmpfs,target=/t,tmpfs-size=64m,tmpfs-mode=1770',
      { type: 'tmpfs', target: '/t', tmpfs: { size: '64Mi', mode: '1770' } },
    ],
    [
      'target=/d,volume-driver=local,"volume-opt=o=addr=1.2.3.4,rw",volume-opt=type=nfs,volume-label=a=b,volume-nocopy',
      {
        type: 'volume',
        target: '/d',
        volume: {
          driver: 'local',
          noCopy: true,
          driverOptions: { o: 'addr=1.2.3.4,rw', type: 'nfs' },
          labels: { a: 'b' },
        },
      },
    ],
  ])('reads --mount %s', async (text, mount) => {
    expect((await containerOf('--mount', text)).mounts).toEqual([mount]);
  });

  it.each([
    ['type=bind,target=/a', "source is required when specifying mount type 'bind'"],
    ['source=a', 'target is required'],
    ['type=floppy,target=/a', 'invalid mount type "floppy"'],
    ['target=/a,colour=red', "unexpected key 'colour' in 'colour=red'"],
    ['target', "invalid field 'target' must be a key=value pair"],
    [
      'type=bind,source=/a,target=/b,volume-nocopy',
      "cannot mix 'volume-*' options with mount type 'bind'",
    ],
    ['type=tmpfs,target=/a,tmpfs-size=x', "invalid size: 'x'"],
    ['type=cluster,source=a,target=/a', 'type=cluster (CSI) is not supported yet'],
    ['target=/a,readonly=maybe', 'invalid value for readonly: maybe'],
  ])('refuses --mount %s', async (text, why) => {
    expect(await refused('--mount', text)).toContain(why);
  });

  it.each([
    ['target=80,mode=host', { target: 80, protocol: 'tcp', mode: 'host' }],
    [
      'mode=host,published=53,target=53,protocol=udp',
      { target: 53, published: 53, protocol: 'udp', mode: 'host' },
    ],
  ])('reads --publish %s', async (text, port) => {
    expect((await created('-p', text, 'app:1')).spec.endpoint?.ports).toEqual([port]);
  });

  it.each([
    [
      '8080:80',
      'mode ingress is not supported yet; write --publish published=8080,target=80,mode=host',
    ],
    ['80/udp', 'write --publish target=80,protocol=udp,mode=host'],
    ['8000-8001:80-81', 'published=8000,target=80,mode=host'],
    ['8000-8001:80', 'ranges of ports must be of the same length'],
    ['published=1,target=2', 'mode ingress is not supported yet'],
    ['published=1,mode=host', 'missing mandatory field "target"'],
    ['target=80,mode=host,colour=red', 'invalid field key colour'],
    ['1.2.3.4:80:80', 'hostip is not supported'],
    ['70000', 'invalid port "70000"'],
    ['target=80,mode=magic', 'expected host, ingress'],
    ['80/icmp', 'expected tcp, udp, sctp'],
  ])('refuses --publish %s', async (text, why) => {
    expect(await refused('--publish', text)).toContain(why);
  });

  it.each([
    [['--replicas', 'x'], 'invalid argument "x" for "--replicas" flag'],
    [
      ['--mode', 'global', '--replicas', '2'],
      'replicas can only be used with replicated or replicated-job mode',
    ],
    [
      ['--mode', 'global', '--replicas-max-per-node', '2'],
      'replicas-max-per-node can only be used',
    ],
    [['--max-concurrent', '2'], 'max-concurrent can only be used with replicated-job mode'],
    [['--mode', 'odd'], 'expected replicated, global'],
    [['--limit-memory', '64q'], "invalid size: '64q'"],
    [['--limit-cpu', 'half'], 'failed to parse half as a rational number'],
    [['--restart-delay', '5'], 'time: invalid duration "5"'],
    [['--restart-condition', 'always'], 'expected none, on-failure, any'],
    [['--placement-pref', 'binpack=x'], 'unsupported placement preference strategy (binpack)'],
    [['--placement-pref', 'x'], 'must be of the format "<strategy>=<arg>"'],
    [['--ulimit', 'nofile'], 'invalid ulimit argument: nofile'],
    [['--ulimit', 'nofile=20:10'], 'soft limit must be less than or equal to hard limit'],
    [['--host', 'a'], 'bad format for add-host: "a"'],
    [['--host', 'a:b'], 'invalid IP address in add-host: "b"'],
    [['--dns', 'x'], 'x is not an ip address'],
    [['--generic-resource', 'GPU'], 'expected KIND=COUNT'],
    [['--env', '=x'], 'invalid environment variable: =x'],
    [['--env-file', '/nonexistent'], 'open /nonexistent: no such file or directory'],
    [['--entrypoint', 'sh -c "x'], 'a quote is not closed'],
    [['--log-opt', 'a=b'], '--log-opt needs --log-driver'],
    [['--network', 'x'], '--network is not supported yet'],
    [['--secret', 'x'], '--secret is not supported yet'],
    [['--config', 'x'], '--config is not supported yet'],
    [['--with-registry-auth'], '--with-registry-auth is not supported yet'],
    [['--update-parallelism', 'x'], 'invalid argument "x" for "--update-parallelism" flag'],
    [['--update-max-failure-ratio', '1.5'], 'expected a number from 0 to 1'],
    [['--rollback-failure-action', 'rollback'], 'expected pause, continue'],
    [['--endpoint-mode', 'magic'], 'expected vip, dnsrr'],
    [['--credential-spec', 'config://x'], 'config:// is not supported yet'],
    [['--credential-spec', 'x'], 'value must be prefixed with'],
  ])('refuses %j', async (flags, why) => {
    expect(await refused(...flags)).toContain(why);
  });
});

describe('randomName', () => {
  it('is a valid service name whatever the dice say', () => {
    expect(randomName(() => 0)).toBe('able_archimedes');
    expect(randomName((below) => below - 1)).toMatch(SERVICE_NAME);
  });
});
