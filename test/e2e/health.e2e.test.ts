/**
 * Probes and the way out of tasks on a real engine: one host, containers on a bridge of their own, a busybox httpd
 * in each. Every scenario uses a service of its own.
 */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { ContainerSpec, Task } from '../../api/v1/index.js';
import { DockerEngine } from '../../pkg/engine/index.js';
import { TEST_IMAGE } from '../fixtures/busybox-image.js';
import { describeWithDocker } from '../fixtures/dockerd.js';
import { eventually } from '../fixtures/eventually.js';
import { OneHost } from '../fixtures/one-host.js';
import type { ProgramResult } from '../fixtures/program.js';

/** Serves the files of /www on port 80 after `before`, and says when it is asked to end. */
const serve = (before = ':') => [
  'sh',
  '-c',
  `trap "echo term; exit 0" TERM; mkdir -p /www; touch /www/ready /www/alive; echo up; ${before}
   httpd -p 80 -h /www; while :; do sleep 1 & wait $!; done`,
];
const http = (path: string) => ({ http: { port: 80, path } });

describeWithDocker('probes on a real engine', () => {
  let host: OneHost;
  let engine: DockerEngine;

  beforeAll(async () => {
    host = await OneHost.start({
      dockerd: { bridge: true, liveRestore: true, args: ['--userland-proxy=false'] },
    });
    engine = new DockerEngine({ host: host.dockerd.host });
  });
  afterAll(async () => {
    engine.close();
    await host.dispose();
  });
  afterEach(async () => {
    const { items } = await host.client.list('services');
    for (const { metadata } of items) await must(['delete', 'service', metadata.name, '--wait']);
  });

  async function must(args: readonly string[], input = ''): Promise<ProgramResult> {
    const result = await host.swarmctl(args, { input, timeoutMs: 120_000 });
    const context = `${args.join(' ')}\n${result.stdout}${result.stderr}\n${host.agent.log.slice(-2000)}`;
    expect(result, context).toMatchObject({ code: 0 });
    return result;
  }

  function apply(name: string, container: Partial<ContainerSpec>, flags: readonly string[] = []) {
    const yaml = JSON.stringify({
      apiVersion: 'swarm/v1',
      kind: 'Service',
      metadata: { name },
      spec: {
        task: {
          container: {
            image: TEST_IMAGE,
            pullPolicy: 'if-not-present',
            command: serve(),
            ...container,
          },
          restartPolicy: { delay: '0s' },
        },
      },
    });
    return must(['apply', ...flags, '-f', '-'], yaml);
  }
  const applied = (name: string, container: Partial<ContainerSpec>) =>
    apply(name, container, ['--wait', '--timeout', '60s']);

  async function tasksOf(service: string): Promise<readonly Task[]> {
    const query = { fieldSelector: `spec.service=${service}` };
    return (await host.client.list('tasks', query)).items;
  }
  const live = async (service: string) =>
    (await tasksOf(service)).find(({ spec }) => spec.desiredState === 'running');
  const containerOf = async (service: string) => (await live(service))?.status?.containerId ?? '';
  const statusOf = async (service: string) => (await host.client.get('services', service)).status;

  async function inside(service: string, script: string): Promise<void> {
    const command = ['sh', '-c', script];
    const id = await containerOf(service);
    expect(await engine.execInContainer(id, { command, timeoutMs: 20_000 })).toMatchObject({
      exitCode: 0,
    });
  }

  /** Collects what the tasks of a service are said to be, in service or not, until it is asked for. */
  function watchStandings(service: string) {
    const seen: (boolean | undefined)[] = [];
    const stop = new AbortController();
    const watching = (async () => {
      const query = { fieldSelector: `spec.service=${service}`, signal: stop.signal };
      for await (const line of host.client.watch('tasks', query)) {
        if ('object' in line) seen.push(line.object.status?.ready);
      }
    })().catch(() => undefined);
    const end = async () => {
      stop.abort(new Error('enough'));
      await watching;
      return seen;
    };
    return { end };
  }

  it('takes a task out of service and back in, by a file that it serves', async () => {
    await applied('web', { probes: { readiness: { ...http('/ready'), period: '200ms' } } });
    const container = await containerOf('web');
    expect(await statusOf('web')).toMatchObject({ running: 1, ready: 1 });
    await inside('web', 'rm /www/ready');
    await eventually('not ready', async () => (await statusOf('web'))?.ready === 0);
    expect((await live('web'))?.status).toMatchObject({
      state: 'running',
      ready: false,
      containerId: container,
      unready: { reason: 'ReadinessFailed' },
    });
    expect((await live('web'))?.status?.unready?.message).toContain('HTTP 404');
    expect((await must(['get', 'tasks'])).stdout).toContain('not ready: HTTP 404');
    expect((await statusOf('web'))?.running).toBe(1);
    await inside('web', 'touch /www/ready');
    await eventually('ready', async () => (await statusOf('web'))?.ready === 1);
    expect(await containerOf('web')).toBe(container);
    await eventually('the event', async () =>
      (await must(['events', '--for', 'service/web'])).stdout.includes('TaskUnready'),
    );
  });

  it('asks a command where there is no network', async () => {
    const command = ['test', '-f', '/www/ready'];
    const readiness = { exec: { command }, period: '1s', timeout: '20s' }; // a busy machine is no answer
    await applied('cell', { networkMode: 'none', probes: { readiness } });
    await inside('cell', 'rm /www/ready');
    await eventually('not ready', async () => (await statusOf('cell'))?.ready === 0);
    expect((await live('cell'))?.status?.unready?.message).toContain('exit code 1');
    await inside('cell', 'touch /www/ready');
    await eventually('ready', async () => (await statusOf('cell'))?.ready === 1);
  });

  it('restarts a task that does not live any more', async () => {
    await applied('stuck', { probes: { liveness: { ...http('/alive'), period: '200ms' } } });
    const before = await containerOf('stuck');
    await inside('stuck', 'rm /www/alive');
    await eventually('another container', async () => {
      const now = await containerOf('stuck');
      return now !== '' && now !== before;
    });
    const dead = (await tasksOf('stuck')).find(({ status }) => status?.state === 'failed');
    expect(dead?.status).toMatchObject({ reason: 'Unhealthy', exitCode: 0 });
    expect(dead?.status?.error).toContain('liveness probe failed: HTTP 404');
    await eventually('running', async () => (await statusOf('stuck'))?.ready === 1);
  });

  it('gives a slow start its time, and no more', async () => {
    const startup = { tcp: { port: 80 }, period: '500ms', failureThreshold: 60 };
    const slow = serve('sleep 3;');
    await apply('slow', { command: slow, probes: { startup } });
    await eventually('starting', async () => (await live('slow'))?.status?.state === 'starting');
    await eventually('its words', async () => {
      const { message = '' } = (await live('slow'))?.status ?? {};
      return message.includes('startup probe') && message.includes('ECONNREFUSED');
    });
    await must(['wait', 'service/slow', '--for=running', '--timeout', '60s']);
    expect((await tasksOf('slow')).filter(({ status }) => status?.state === 'failed')).toEqual([]);

    const impatient = { ...startup, period: '200ms', failureThreshold: 2 };
    await apply('late', { command: slow, probes: { startup: impatient } });
    await eventually('given up', async () =>
      (await tasksOf('late')).some(({ status }) => status?.reason === 'Unhealthy'),
    );
    await eventually('shown as backoff', async () =>
      /Backoff .*next try in \w+ \(failure \d+ in a row, Unhealthy\)/.test(
        (await must(['service', 'ps', 'late'])).stdout,
      ),
    );
    expect((await must(['get', 'tasks'])).stdout).toMatch(/late\.1 .* backoff .* next try in /);
  });

  it('runs the preStop hook before the stop signal, and out of service first', async () => {
    const preStop = { exec: { command: ['sh', '-c', 'echo hook > /proc/1/fd/1; sleep 1'] } };
    await applied('leaving', { hooks: { preStop } });
    const id = await containerOf('leaving');
    const lines: string[] = [];
    const following = (async () => {
      for await (const { data } of engine.streamLogs(id, { follow: true })) {
        lines.push(data.toString());
      }
    })();
    const standings = watchStandings('leaving');
    await eventually('the log', () => Promise.resolve(lines.includes('up')));
    await must(['scale', 'leaving=0', '--wait']);
    await following;
    expect(lines).toEqual(['up', 'hook', 'term']);
    expect(await standings.end()).toContain(false);
  });

  it('keeps tasks in service while their agent is away and comes back', async () => {
    const probes = { readiness: { ...http('/ready'), period: '500ms' } };
    await applied('steady', { probes });
    const standings = watchStandings('steady');
    await host.agent.kill();
    await host.startAgent();
    await eventually('that it was asked', async () =>
      /swarm_agent_probe_tries_total\{.*outcome="success"\} [2-9]/.test(
        await host.metrics('agent'),
      ),
    );
    await must(['wait', 'service/steady', '--for=running', '--timeout', '30s']);
    expect(await standings.end()).not.toContain(false);
    expect((await live('steady'))?.status).toMatchObject({ ready: true });
  });
});
