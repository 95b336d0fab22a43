/**
 * One host for real: etcd, a Docker Engine, one manager and one agent as processes, driven by swarmctl.
 * Every scenario uses services of its own and leaves none behind.
 */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Task } from '../../api/v1/index.js';
import { DockerEngine, type ContainerSummary } from '../../pkg/engine/index.js';
import { TEST_IMAGE } from '../fixtures/busybox-image.js';
import { describeWithDocker } from '../fixtures/dockerd.js';
import { eventually } from '../fixtures/eventually.js';
import { OneHost } from '../fixtures/one-host.js';
import type { ProgramResult } from '../fixtures/program.js';

/** Ends at once on SIGTERM; prints a line to begin with. */
const RUN_FOREVER = [
  'sh',
  '-c',
  'echo up; trap "exit 0" TERM; while :; do sleep 1 & wait $!; done',
];

interface ServiceOptions {
  readonly replicas?: number;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly restartPolicy?: object;
  readonly env?: Readonly<Record<string, string>>;
}

function serviceYaml(name: string, options: ServiceOptions = {}): string {
  const { replicas = 1, image = TEST_IMAGE, command = RUN_FOREVER, restartPolicy, env } = options;
  return JSON.stringify({
    apiVersion: 'swarm/v1',
    kind: 'Service',
    metadata: { name },
    spec: {
      mode: { replicated: { replicas } },
      task: {
        container: {
          image,
          command,
          stopGracePeriod: '2s',
          pullPolicy: 'if-not-present',
          ...(env && { env }),
        },
        ...(restartPolicy && { restartPolicy }),
      },
    },
  });
}

describeWithDocker('one host', () => {
  let host: OneHost;
  let engine: DockerEngine;

  beforeAll(async () => {
    host = await OneHost.start({ dockerd: { liveRestore: true } });
    engine = new DockerEngine({ host: host.dockerd.host });
  });

  afterAll(async () => {
    engine.close();
    await host.dispose();
  });

  afterEach(async () => {
    const { items } = await host.client.list('services');
    for (const { metadata } of items) await must(['delete', 'service', metadata.name, '--wait']);
    await eventually(
      'engine without our containers',
      async () => (await containers()).length === 0,
    );
  });

  const must = async (args: readonly string[], input = ''): Promise<ProgramResult> => {
    const result = await host.swarmctl(args, { input, timeoutMs: 120_000 });
    expect(
      result,
      `${args.join(' ')}\n${result.stdout}${result.stderr}\n${host.manager.log.slice(-2000)}`,
    ).toMatchObject({
      code: 0,
    });
    return result;
  };
  const apply = (name: string, options: ServiceOptions = {}) =>
    must(['apply', '--wait', '--timeout', '90s', '-f', '-'], serviceYaml(name, options));
  const containers = (labels: Record<string, string> = {}): Promise<readonly ContainerSummary[]> =>
    engine.listContainers({ all: true, labels: { 'io.swarmkeeper.task': '', ...labels } });
  const running = async (service: string) =>
    (await containers({ 'io.swarmkeeper.service': service })).filter(
      ({ state }) => state === 'running',
    );
  const tasksOf = async (service: string): Promise<readonly Task[]> =>
    (await host.client.list('tasks', { fieldSelector: `spec.service=${service}` })).items;
  const untilRunning = (service: string, count: number) =>
    eventually(`${String(count)} running containers of ${service}`, async () => {
      const tasks = (await tasksOf(service)).filter(
        ({ spec, status }) => spec.desiredState === 'running' && status?.state === 'running',
      );
      return tasks.length === count && (await running(service)).length === count;
    });

  it('applies a service until it runs, and says "unchanged" the second time', async () => {
    expect((await apply('web', { replicas: 3 })).stdout).toContain('service/web created');
    expect(await running('web')).toHaveLength(3);
    expect((await apply('web', { replicas: 3 })).stdout).toContain('service/web unchanged');
    const listed = await must(['get', 'services', 'web', '--no-headers']);
    expect(listed.stdout).toMatch(/^web\s+replicated\s+3\/3\s/);
  });

  it('scales to 20 and to 0', async () => {
    await apply('many', { replicas: 1 });
    await must(['scale', 'many=20', '--wait']);
    expect(await running('many')).toHaveLength(20);
    await must(['scale', 'many=0', '--wait']);
    await eventually('no container', async () => (await running('many')).length === 0);
  });

  it('replaces a container that was killed', async () => {
    await apply('victim', { replicas: 2, restartPolicy: { delay: '0s' } });
    const [first] = await running('victim');
    await engine.killContainer(first?.id ?? '');
    await eventually('a replacement', async () => {
      const now = await running('victim');
      return now.length === 2 && now.every(({ id }) => id !== first?.id);
    });
    await untilRunning('victim', 2);
    const dead = (await tasksOf('victim')).find(({ status }) => status?.state === 'failed');
    expect(dead?.status).toMatchObject({ reason: 'ExitCode', exitCode: 137 });
  });

  it('reports a bad image with its reason and tries again with back-off', async () => {
    const yaml = serviceYaml('bad', {
      image: 'localhost:1/none:1',
      restartPolicy: { delay: '500ms', maxDelay: '3s' },
    });
    await must(['apply', '-f', '-'], yaml);
    await eventually(
      'two rejected tasks',
      async () => {
        const rejected = (await tasksOf('bad')).filter(
          ({ status }) => status?.state === 'rejected',
        );
        return rejected.length >= 2;
      },
      60_000,
    );
    const { stdout } = await must(['describe', 'service', 'bad']);
    expect(stdout).toMatch(/Registry|Image/);
    expect(stdout).toContain('localhost:1/none:1');
    const waits = (await tasksOf('bad')).map(({ spec }) => spec.failures);
    expect(Math.max(...waits)).toBeGreaterThanOrEqual(1);
  });

  it('holds a crash-looping command back', async () => {
    const yaml = serviceYaml('crash', {
      command: ['sh', '-c', 'exit 3'],
      restartPolicy: { delay: '0s', maxDelay: '30s' },
    });
    await must(['apply', '-f', '-'], yaml);
    await eventually(
      'a restart that is held back',
      async () => {
        const waiting = (await tasksOf('crash')).find(
          ({ spec }) => spec.desiredState === 'ready' && spec.failures >= 3,
        );
        return Date.parse(waiting?.spec.startAt ?? '') > Date.now() + 1000;
      },
      60_000,
    );
    const { stdout } = await must(['describe', 'service', 'crash']);
    expect(stdout).toContain('exited with code 3');
  });

  it('lets every container live when the agent is killed and started again', async () => {
    await apply('steady', { replicas: 5 });
    const before = (await running('steady')).map(({ id }) => id).sort();
    await host.agent.kill();
    await host.startAgent();
    await must(['wait', 'service/steady', '--for=running', '--timeout', '30s']);
    expect((await running('steady')).map(({ id }) => id).sort()).toEqual(before);
    await must(['scale', 'steady=6', '--wait']); // and it obeys
    expect((await running('steady')).map(({ id }) => id)).toEqual(expect.arrayContaining(before));
  });

  it('goes on when the manager is killed and started again', async () => {
    await apply('lasting', { replicas: 3 });
    const before = (await running('lasting')).map(({ id }) => id).sort();
    await host.manager.kill();
    expect((await running('lasting')).map(({ id }) => id).sort()).toEqual(before);
    await host.startManager();
    await must(['scale', 'lasting=4', '--wait']);
    expect((await running('lasting')).map(({ id }) => id)).toEqual(expect.arrayContaining(before));
  });

  it('goes on when etcd is killed and started again', async () => {
    await apply('memory', { replicas: 3 });
    const before = (await running('memory')).map(({ id }) => id).sort();
    await host.etcd.kill();
    const refused = await host.swarmctl(['scale', 'memory=4']);
    expect(refused, refused.stderr).toMatchObject({ code: 4 });
    await host.etcd.restart();
    await eventually(
      'a write that succeeds',
      async () => (await host.swarmctl(['scale', 'memory=4'])).code === 0,
    );
    await untilRunning('memory', 4);
    expect((await running('memory')).map(({ id }) => id)).toEqual(expect.arrayContaining(before));
  });

  it('survives an engine that is killed and started again', async () => {
    await apply('engine', { replicas: 3 });
    const before = (await running('engine')).map(({ id }) => id).sort();
    await host.dockerd.kill();
    await host.dockerd.startAgain();
    await eventually(
      'a node that is ready',
      async () => {
        const { items } = await host.client.list('nodes');
        return items.every(({ status }) => status?.state === 'ready');
      },
      60_000,
    );
    await untilRunning('engine', 3);
    // live-restore: nothing had to be started again
    expect((await running('engine')).map(({ id }) => id).sort()).toEqual(before);
    await must(['scale', 'engine=4', '--wait']);
  });

  it('replaces tasks one at a time when the template changes', async () => {
    await apply('rolling', { replicas: 3, env: { VERSION: '1' } });
    const before = (await running('rolling')).map(({ id }) => id);
    expect((await apply('rolling', { replicas: 3, env: { VERSION: '2' } })).stdout).toContain(
      'configured',
    );
    const after = (await running('rolling')).map(({ id }) => id);
    expect(after).toHaveLength(3);
    expect(after.filter((id) => before.includes(id))).toEqual([]);
    expect((await host.client.get('services', 'rolling')).status?.revision).toBe(2);
  });

  it('survives two applies racing each other', async () => {
    const race = await Promise.all(
      [2, 3].map((replicas) =>
        host.swarmctl(['apply', '-f', '-'], { input: serviceYaml('race', { replicas }) }),
      ),
    );
    expect(race.map(({ code }) => code)).toEqual([0, 0]);
    const wanted = (await host.client.get('services', 'race')).spec.mode?.replicated?.replicas ?? 0;
    expect([2, 3]).toContain(wanted);
    await untilRunning('race', wanted);
  });

  it('deletes a service while it starts', async () => {
    await must(['apply', '-f', '-'], serviceYaml('gone', { replicas: 10 }));
    await must(['delete', 'service', 'gone', '--wait', '--timeout', '60s']);
    expect(await containers({ 'io.swarmkeeper.service': 'gone' })).toEqual([]);
    await apply('gone', { replicas: 1 }); // the name is free again
  });

  it('refuses ten kinds of broken YAML, names the place, and applies nothing', async () => {
    const good =
      'apiVersion: swarm/v1\nkind: Service\nmetadata: { name: fine }\nspec: { task: { container: { image: a } } }\n---\n';
    for (const [text, said] of BROKEN) {
      const result = await host.swarmctl(['apply', '-f', '-'], { input: good + text });
      expect(result.stderr, text).toMatch(said);
      expect(result.stderr, text).not.toMatch(/\n\s+at /);
      expect(result.code, text).toBe(1);
    }
    expect((await host.client.list('services')).items).toEqual([]);
  });

  it('shows the output of a service, and follows it', async () => {
    await apply('talker', { replicas: 2 });
    const { stdout } = await must(['logs', 'talker', '--tail', '5']);
    expect(stdout.match(/talker\.[12].*\| up/g)).toHaveLength(2);
  });

  it('tells why a task is pending', async () => {
    const service = JSON.parse(serviceYaml('stuck')) as { spec: { task: object } };
    Object.assign(service.spec.task, { placement: { constraints: ['node.labels.disk == ssd'] } });
    await must(['apply', '-f', '-'], JSON.stringify(service));
    await eventually('the reason', async () =>
      (await must(['describe', 'service', 'stuck'])).stdout.includes('node.labels.disk == ssd'),
    );
    const { stdout } = await must(['get', 'tasks', '-o', 'json']);
    expect(stdout).toContain('0/1 nodes');
  });
});

const SPEC =
  'apiVersion: swarm/v1\nkind: Service\nmetadata: { name: x }\nspec:\n  task:\n    container:\n';
/** What is wrong, and what the user must read. Lines count from the good document before it. */
const BROKEN: readonly (readonly [string, RegExp])[] = [
  ['a: [1, 2\nb: 3\n', /stdin:\d+:\d+: /],
  ['a: 1\na: 2\n', /stdin:\d+:\d+: .*unique/],
  ['just text\n', /stdin:6:1: /],
  ['kind: Service\nmetadata: { name: x }\n', /apiVersion/],
  ['apiVersion: swarm/v1\nkind: Servce\nmetadata: { name: x }\n', /Servce.*Service/],
  [
    `${SPEC}      imgae: nginx\n`,
    /stdin:12:7: spec\.task\.container\.imgae: unknown field; did you mean image/,
  ],
  [
    `${SPEC}      image: nginx\n      stopGracePeriod: 10\n`,
    /stopGracePeriod: found 10, expected a duration/,
  ],
  [`${SPEC}      image: nginx\n      secrets: [a]\n`, /secrets: not supported yet/],
  [
    `${SPEC}      image: nginx\n  endpoint: { ports: [{ target: 80, published: 8080 }] }\n`,
    /ingress.*not supported yet/,
  ],
  [
    `${SPEC}      image: nginx\n    placement: { constraints: ["node.lables.x == y"] }\n`,
    /constraints\[0\]/,
  ],
];
