/**
 * What an operator sees at night: parts that are frozen, killed in the middle of work, or taken out of
 * service. Each time the containers must go on where they can, and nothing may be doubled or left behind.
 */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { DockerEngine, type ContainerSummary } from '../../pkg/engine/index.js';
import { TEST_IMAGE } from '../fixtures/busybox-image.js';
import { describeWithDocker } from '../fixtures/dockerd.js';
import { eventually } from '../fixtures/eventually.js';
import { OneHost } from '../fixtures/one-host.js';
import type { ProgramResult } from '../fixtures/program.js';

/** Ends at once on SIGTERM. */
const RUN_FOREVER = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1 & wait $!; done'];
/** Of the cluster under test, so that nobody has to wait for the usual ones. */
const PERIODS = { nodeHeartbeat: '500ms', nodeUnknownAfter: '1500ms', nodeLostAfter: '3s' };

const serviceYaml = (name: string, replicas: number) =>
  JSON.stringify({
    apiVersion: 'swarm/v1',
    kind: 'Service',
    metadata: { name },
    spec: {
      mode: { replicated: { replicas } },
      task: {
        container: { image: TEST_IMAGE, pullPolicy: 'if-not-present', command: RUN_FOREVER },
        restartPolicy: { delay: '0s' },
      },
    },
  });

describeWithDocker('faults', () => {
  let host: OneHost;
  let engine: DockerEngine;

  beforeAll(async () => {
    host = await OneHost.start({ dockerd: { liveRestore: true } });
    engine = new DockerEngine({ host: host.dockerd.host });
    await host.client.patch('clusters', 'default', { spec: PERIODS });
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
    const { items: tasks } = await host.client.list('tasks');
    expect(tasks).toEqual([]);
  });

  const must = async (args: readonly string[], input = ''): Promise<ProgramResult> => {
    const result = await host.swarmctl(args, { input, timeoutMs: 90_000 });
    expect(result, `${args.join(' ')}\n${result.stdout}${result.stderr}`).toMatchObject({
      code: 0,
    });
    return result;
  };
  const apply = (name: string, replicas: number) =>
    must(['apply', '--wait', '--timeout', '60s', '-f', '-'], serviceYaml(name, replicas));
  const containers = (): Promise<readonly ContainerSummary[]> =>
    engine.listContainers({ all: true, labels: { 'io.swarmkeeper.task': '' } });
  const running = async () => (await containers()).filter(({ state }) => state === 'running');
  const ids = async () => (await containers()).map(({ id }) => id).sort();
  const untilNode = (state: string) =>
    eventually(`a node that is ${state}`, async () => {
      const { items } = await host.client.list('nodes');
      return items.every(({ status }) => status?.state === state);
    });
  /** Every task runs in one container of its own, and there is no other. */
  const untilSettled = (name: string, replicas: number) =>
    eventually(`${String(replicas)} settled tasks of ${name}`, async () => {
      const { items } = await host.client.list('tasks', { fieldSelector: `spec.service=${name}` });
      const running = items.filter(({ status }) => status?.state === 'running');
      const found = (await containers()).filter(({ state }) => state === 'running');
      const owners = new Set(found.map(({ labels }) => labels['io.swarmkeeper.task']));
      const own = running.every(({ metadata }) => owners.has(metadata.uid ?? ''));
      return running.length === replicas && found.length === replicas && own;
    });

  it('leaves containers alone when the only agent was silent for so long that it was lost', async () => {
    await apply('quiet', 3);
    const before = await ids();
    host.agent.pause();
    await untilNode('lost');
    await eventually('an honest status', async () => {
      const { status } = await host.client.get('services', 'quiet');
      return status?.running === 0;
    });
    expect((await must(['describe', 'service', 'quiet'])).stdout).toContain(
      '3 tasks on lost nodes',
    );
    host.agent.resume();
    await untilNode('ready');
    await untilSettled('quiet', 3);
    expect(await ids()).toEqual(before);
  });

  it('leaves containers alone when the only engine was away for as long', async () => {
    await apply('upgraded', 3);
    const before = await ids();
    await host.dockerd.kill();
    await untilNode('lost');
    await host.dockerd.startAgain();
    await untilNode('ready');
    await untilSettled('upgraded', 3);
    expect(await ids()).toEqual(before);
  });

  it('says that an engine hangs, waits for it, and doubles nothing when it goes on', async () => {
    await apply('hung', 3);
    const before = await ids();
    await host.dockerd.pause();
    await untilNode('lost');
    const { items } = await host.client.list('nodes');
    expect(items[0]?.status?.reason).toMatch(/^engine/);
    const node = items[0]?.metadata.name ?? '';
    expect((await must(['describe', 'node', node])).stdout).toMatch(/lost.*engine/s);
    expect((await must(['describe', 'service', 'hung'])).stdout).toContain('3 tasks on lost nodes');
    host.dockerd.resume();
    await untilNode('ready');
    await untilSettled('hung', 3);
    expect(await ids()).toEqual(before);
    await must(['scale', 'hung=4', '--wait']); // and it obeys
    await untilSettled('hung', 4);
  });

  it('starts each container once when the engine hangs among its starts', async () => {
    await must(['apply', '-f', '-'], serviceYaml('begun', 12));
    await eventually('some containers', async () => (await containers()).length >= 4);
    await host.dockerd.pause();
    await untilNode('lost');
    host.dockerd.resume();
    await untilNode('ready');
    await untilSettled('begun', 12);
    await eventually('no other container', async () => (await containers()).length === 12);
  });

  it('starts each container once when the agent is killed among its starts', async () => {
    await must(['apply', '-f', '-'], serviceYaml('many', 12));
    await eventually('some containers', async () => (await containers()).length >= 4);
    await host.agent.kill();
    await host.startAgent();
    await untilSettled('many', 12);
    expect(await containers()).toHaveLength(12);
  });

  it('goes on with a deletion, and with waiting for it, when the manager is killed', async () => {
    await apply('gone', 4);
    const waiting = host.swarmctl(['delete', 'service', 'gone', '--wait', '--timeout', '60s']);
    await eventually('tasks that go', async () => {
      const { items } = await host.client.list('tasks');
      return items.some(({ spec }) => spec.desiredState === 'remove');
    });
    await host.manager.kill();
    await host.startManager();
    expect(await waiting).toMatchObject({ code: 0 });
  });

  it('empties a node that is drained, and fills it again', async () => {
    await apply('moved', 2);
    const { items } = await host.client.list('nodes');
    const name = items[0]?.metadata.name ?? '';
    const stays = await host.swarmctl(['drain', name, '--wait', '--timeout', '2s']);
    expect(stays).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('moved.1 stays until the one in its place serves') as string,
    });
    expect(await running()).toHaveLength(2);
    await must(['node', 'update', '--label-add', 'disk=ssd', name]);
    await must(['drain', name, '--force', '--wait', '--timeout', '20s']);
    expect(await running()).toEqual([]);
    expect((await must(['get', 'tasks'])).stdout).toContain('1 drained');
    await must(['uncordon', name]);
    await untilSettled('moved', 2);
    expect((await host.client.get('nodes', name)).metadata.labels).toEqual({ disk: 'ssd' });
  });

  it('moves over to a manager that came later when the first one is killed', async () => {
    await apply('lasting', 2);
    const before = await ids();
    const second = await host.addManager();
    await eventually(
      'an agent that knows both',
      async () => (await host.agentsManagers()).length === 2,
    );
    await host.manager.kill();
    await host.client.patch('services', 'lasting', {
      spec: { mode: { replicated: { replicas: 3 } } },
    });
    await untilSettled('lasting', 3);
    expect(await ids()).toEqual(expect.arrayContaining(before));
    await host.startManager();
    await second.kill();
    await untilNode('ready');
    await must(['scale', 'lasting=4', '--wait']);
    await untilSettled('lasting', 4);
  });
});
