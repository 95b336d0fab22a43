import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DockerEngine } from '../../pkg/engine/index.js';
import { CONTAINER_LABEL } from '../../pkg/agent/index.js';
import { aTemplate, anAssignment } from '../builders/assignment.js';
import { FAKE_CLUSTER, FakeManager } from '../fakes/fake-manager.js';
import { AgentFixture } from '../fixtures/agent.js';
import { importBusyboxImage } from '../fixtures/busybox-image.js';
import { DockerdFixture, describeWithDocker } from '../fixtures/dockerd.js';

const IMAGE = 'busybox:test';
const OURS = {
  [CONTAINER_LABEL.cluster]: FAKE_CLUSTER.clusterId,
  [CONTAINER_LABEL.node]: FAKE_CLUSTER.nodeId,
};
const FOREVER = aTemplate({
  command: ['sh', '-c', "trap 'exit 0' TERM; echo begun; while :; do sleep 3600 & wait $!; done"],
  networkMode: 'none',
});
const DEADLINE_MS = 30_000;

async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`not in time: ${what}`);
    await delay(20);
  }
}

const tasks = (count: number) =>
  Array.from({ length: count }, (_, index) => anAssignment(index + 1));

describeWithDocker('the agent on a Docker Engine', () => {
  let dockerd: DockerdFixture;
  let engine: DockerEngine;
  let manager: FakeManager;
  let agent: AgentFixture;

  const containers = () => engine.listContainers({ labels: OURS, all: true });
  const running = async () => (await engine.listContainers({ labels: OURS })).map(({ id }) => id);
  const allRunning = (count: number) =>
    until(`${String(count)} tasks running`, () =>
      tasks(count).every(({ taskId }) => manager.stateOf(taskId) === 'running'),
    );

  beforeAll(async () => {
    dockerd = await DockerdFixture.start({ liveRestore: true });
    engine = new DockerEngine({ host: dockerd.host });
    await importBusyboxImage(dockerd.socketPath, IMAGE);
  });
  afterAll(async () => {
    engine.close();
    await dockerd.dispose();
  });
  beforeEach(async () => {
    manager = new FakeManager();
    agent = await AgentFixture.create({ engine, manager, startConcurrency: 8 });
    await agent.start();
  });
  afterEach(async () => {
    await agent.dispose();
    for (const { id } of await containers()) await engine.removeContainer(id, { force: true });
  });

  it('starts twenty tasks, reports them, and removes what is taken away', async () => {
    manager.assign(FOREVER, ...tasks(20));
    await allRunning(20);
    expect(await running()).toHaveLength(20);
    expect(manager.reports.get('task1')).toMatchObject({ state: 'running', message: 'running' });
    manager.desire('task1', 'shutdown');
    await until('task1 is shut down', () => manager.stateOf('task1') === 'shutdown');
    expect(manager.reports.get('task1')).toMatchObject({ exitCode: 0 });
    manager.unassign(...tasks(20).map(({ taskId }) => taskId));
    await until('all containers are gone', async () => (await containers()).length === 0);
  });

  it('tells of a killed container at once', async () => {
    manager.assign(FOREVER, ...tasks(1));
    await allRunning(1);
    await engine.killContainer(manager.reports.get('task1')?.containerId ?? '');
    await until('the end is reported', () => manager.stateOf('task1') === 'failed');
    expect(manager.reports.get('task1')).toMatchObject({ reason: 'ExitCode', exitCode: 137 });
  });

  describe('restarts', () => {
    it('takes its containers over when it starts again', async () => {
      manager.assign(FOREVER, ...tasks(5));
      await allRunning(5);
      const before = await running();
      await agent.stop();
      expect(await running()).toEqual(before);
      manager.reports.clear();
      await agent.start();
      await allRunning(5);
      expect(await running()).toEqual(before);
    });

    it('takes them over without its copy of the assignments, too', async () => {
      manager.assign(FOREVER, ...tasks(3));
      await allRunning(3);
      const before = await running();
      await agent.stop();
      const { writeFile } = await import('node:fs/promises');
      await writeFile(agent.state.assignmentsFile, '{ damaged');
      manager.reports.clear();
      await agent.start();
      await allRunning(3);
      expect(await running()).toEqual(before);
    });

    it('vouches for the engine, and goes on when it comes back', async () => {
      manager.assign(FOREVER, ...tasks(3));
      await allRunning(3);
      const before = await running();
      await dockerd.kill();
      await until(
        'the engine is reported away',
        () => manager.batches.at(-1)?.engineHealthy === false,
      );
      await dockerd.startAgain();
      await until(
        'the engine is reported back',
        () => manager.batches.at(-1)?.engineHealthy === true,
      );
      expect(await running()).toEqual(before);
      await engine.killContainer(before[0] ?? '');
      await until('events flow again', () =>
        [...manager.reports.values()].some(({ state }) => state === 'failed'),
      );
    });
  });

  it('never touches a container of somebody else', async () => {
    const foreign = await engine.createContainer({
      name: `foreign-${String(process.pid)}`,
      body: {
        Image: IMAGE,
        Cmd: ['sleep', '3600'],
        Labels: { ...OURS, [CONTAINER_LABEL.node]: 'node2', [CONTAINER_LABEL.task]: 'task9' },
        HostConfig: { RestartPolicy: { Name: 'no' }, NetworkMode: 'none' },
      },
    });
    await engine.startContainer(foreign.id);
    try {
      manager.assign(FOREVER, ...tasks(1));
      await allRunning(1);
      manager.removeNode();
      expect(await agent.end).toBe('removed');
      expect(await containers()).toEqual([]);
      expect(await agent.state.findIdentity()).toBeUndefined();
      expect((await engine.inspectContainer(foreign.id))?.state).toBe('running');
    } finally {
      await engine.removeContainer(foreign.id, { force: true });
    }
  });

  it('follows logs for as long as they are wanted', async () => {
    manager.assign(FOREVER, ...tasks(1));
    await until('the agent is connected', () => manager.isConnected);
    for (const streamId of ['follow', 'whole']) {
      const order = { taskId: 'task1', follow: streamId === 'follow', tail: -1, since: '' };
      if (streamId === 'whole') await allRunning(1);
      manager.send({ type: 'logs', streamId, ...order });
    }
    await until('the whole log came', () => manager.streams.get('whole')?.done === true);
    expect(manager.streams.get('whole')?.lines).toMatchObject([
      { stream: 'stdout', line: 'begun' },
    ]);
    await until('the first line came', () => manager.streams.get('follow')?.lines.length === 1);
    expect(manager.streams.get('follow')?.done).toBe(false);
    manager.send({ type: 'cancel', streamId: 'follow' });
    await until('the stream is closed', () => manager.streams.get('follow')?.done === true);
  });
});
