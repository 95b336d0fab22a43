import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Assignment, ContainerSpec, TaskReport } from '../../api/v1/index.js';
import { aTemplate, anAssignment } from '../../test/builders/assignment.js';
import { FakeClock } from '../../test/fakes/fake-clock.js';
import { FakeEngine } from '../../test/fakes/fake-engine.js';
import type { FakeBehaviour } from '../../test/fakes/fake-container.js';
import { aProbeSurroundings } from '../../test/fixtures/task-runner.js';
import { NotFoundError, UnavailableError } from '../base/index.js';
import { EngineRefusedError, ImagePuller } from '../engine/index.js';
import { nullLogger } from '../log/index.js';
import { ImageSupply } from './image-supply.js';
import { StartPool } from './start-pool.js';
import { TaskRunner, type TaskPast } from './task-runner.js';
import { noEndpoints } from './withdrawal.js';

const IMAGE = 'busybox:test';
const NAME = 'web.1.task1';

describe('TaskRunner', () => {
  let clock: FakeClock;
  let engine: FakeEngine;
  let reports: TaskReport[];
  let runner: TaskRunner;
  let starts: StartPool;

  beforeEach(() => {
    clock = new FakeClock();
    engine = new FakeEngine(clock);
    engine.addImage(IMAGE);
    reports = [];
    starts = new StartPool(4);
  });
  afterEach(() => runner.release());

  function make(
    container: Partial<ContainerSpec> = {},
    assignment: Partial<Assignment> = {},
    past: TaskPast = {},
  ): TaskRunner {
    const around = {
      engine,
      images: new ImageSupply({ engine, images: new ImagePuller(engine), clock }),
      starts,
      clock,
      log: nullLogger,
      probes: aProbeSurroundings(engine, clock),
      withdrawal: noEndpoints,
      nodeFacts: () => ({
        clusterId: 'cluster1',
        nodeId: 'node1',
        hostname: 'host1',
        os: 'linux',
        architecture: 'amd64',
        engineApiVersion: '1.41',
      }),
      report: (_taskId: string, report: TaskReport) => void reports.push(report),
    };
    const order = { assignment: anAssignment(1, assignment), template: aTemplate(container) };
    runner = new TaskRunner(around, order, past);
    return runner;
  }

  async function run(container: Partial<ContainerSpec> = {}, assignment: Partial<Assignment> = {}) {
    make(container, assignment).start();
    await settle();
  }

  async function settle(): Promise<void> {
    for (let turn = 0; turn < 10; turn += 1) await clock.advance(0);
  }

  async function runWith(behaviour: FakeBehaviour, container: Partial<ContainerSpec> = {}) {
    engine.behave(IMAGE, behaviour);
    await run(container);
  }

  const states = () => [...new Set(reports.map(({ state }) => state))];
  const last = () => reports.at(-1)!;

  it('2.2.5, 2.2.6 goes from assignment to running through every state', async () => {
    await run();
    expect(states()).toEqual(['accepted', 'preparing', 'ready', 'starting', 'running']);
    expect(last()).toMatchObject({ message: 'running', pid: expect.any(Number) as number });
    expect(last().containerId).toBe((await engine.inspectContainer(NAME))!.id);
  });

  it('2.2.4 asks the engine for no more than it must', async () => {
    await run();
    expect(Object.fromEntries(engine.calls)).toEqual({
      inspectImage: 1,
      createContainer: 1,
      startContainer: 1,
      inspectContainer: 1,
    });
  });

  it('2.2.7 waits with a container that is only to be ready', async () => {
    await run({}, { desiredState: 'ready' });
    expect(last().state).toBe('ready');
    expect(engine.callsOf('startContainer')).toBe(0);
    runner.setDesired('running');
    await settle();
    expect(last().state).toBe('running');
  });

  it.each([
    [
      'the exit code',
      { exitAfterMs: 5, exitCode: 3 },
      { state: 'failed', reason: 'ExitCode', exitCode: 3 },
    ],
    ['a good end', { exitAfterMs: 5 }, { state: 'complete', exitCode: 0 }],
    [
      'a lack of memory',
      { exitAfterMs: 5, exitCode: 137, oomKilled: true },
      { state: 'failed', reason: 'OOMKilled' },
    ],
    [
      'a start that the engine refuses',
      { startError: new EngineRefusedError('port is taken') },
      { state: 'failed', reason: 'EngineRefused', error: 'port is taken' },
    ],
  ])('2.2.3 tells of %s', async (_what, behaviour, expected) => {
    await runWith(behaviour);
    await clock.advance(10);
    runner.lookAgain();
    await settle();
    expect(last()).toMatchObject(expected);
    expect(last().pid).toBeUndefined();
  });

  describe('with a health check', () => {
    const healthcheck = { test: ['CMD', 'true'] };

    it('is starting until it is healthy', async () => {
      await runWith({}, { healthcheck });
      expect(last()).toMatchObject({ state: 'starting', health: 'starting' });
      engine.setHealth(NAME, 'healthy');
      runner.lookAgain();
      await settle();
      expect(last()).toMatchObject({ state: 'running', health: 'healthy' });
    });

    it.each(['starting', 'running'])('stops an unhealthy container that was %s', async (state) => {
      await runWith({}, { healthcheck });
      if (state === 'running') {
        engine.setHealth(NAME, 'healthy');
        runner.lookAgain();
        await settle();
      }
      expect(last().state).toBe(state);
      engine.setHealth(NAME, 'unhealthy', 'no answer at port 80\n');
      runner.lookAgain();
      await settle();
      expect(last()).toMatchObject({
        state: 'failed',
        reason: 'Unhealthy',
        error: 'unhealthy container: no answer at port 80',
      });
      expect((await engine.inspectContainer(NAME))!.state).toBe('exited');
    });
  });

  describe('images', () => {
    it.each(['ImageNotFound', 'RegistryUnauthorized', 'InvalidImageReference'] as const)(
      '2.2.8 rejects for %s at once',
      async (failure) => {
        engine.addToRegistry('none:1', { failure });
        await run({ image: 'none:1' });
        expect(last()).toMatchObject({ state: 'rejected', reason: failure });
        expect(engine.callsOf('pullImage')).toBe(1);
      },
    );

    it('2.2.8 asks a registry out of reach three times, with growing pauses (scenario 67)', async () => {
      engine.addToRegistry('none:1', { failure: 'RegistryUnreachable' });
      await run({ image: 'none:1' });
      expect(last().state).toBe('preparing');
      expect(last().message).toContain('trying again');
      await clock.advance(10_000);
      await settle();
      expect(last()).toMatchObject({ state: 'rejected', reason: 'RegistryUnreachable' });
      expect(engine.callsOf('pullImage')).toBe(3);
    });

    it('forgives a failed pull when the image is there', async () => {
      engine.addToRegistry(IMAGE, { failure: 'RegistryUnreachable' });
      await run({ pullPolicy: 'always' });
      expect(last().state).toBe('running');
      expect(engine.callsOf('pullImage')).toBe(1);
    });

    it('does not pull under policy never', async () => {
      await run({ image: 'none:1', pullPolicy: 'never' });
      expect(last()).toMatchObject({ state: 'rejected', reason: 'ImageNotPresent' });
      expect(engine.callsOf('pullImage')).toBe(0);
    });

    it('tells of the progress once a second at most', async () => {
      engine.addToRegistry('big:1', { pullMs: 5_000 });
      await run({ image: 'big:1' });
      const progress = reports.filter(({ message }) => message.startsWith('pulling'));
      expect(progress).toHaveLength(1);
    });

    it('gets an image again that vanished before the container was made', async () => {
      engine.failNext('createContainer', new NotFoundError('No such image: busybox:test'));
      await run();
      expect(last()).toMatchObject({ state: 'preparing', error: 'No such image: busybox:test' });
      engine.removeImage(IMAGE);
      engine.addToRegistry(IMAGE);
      await clock.advance(1_000);
      await settle();
      expect(last().state).toBe('running');
      expect(engine.callsOf('pullImage')).toBe(1);
    });
  });

  describe('stopping', () => {
    it('2.2.1 ends a running task in good order', async () => {
      await run();
      runner.setDesired('shutdown');
      await settle();
      expect(last()).toMatchObject({ state: 'shutdown', exitCode: 143 });
    });

    it('2.2.1 cuts a pull short', async () => {
      engine.addToRegistry('big:1', { pullMs: 60_000 });
      await run({ image: 'big:1' });
      runner.setDesired('remove');
      await settle();
      expect(last().state).toBe('shutdown');
      expect(engine.containerNames).toEqual([]);
    });

    it('does not wait for its turn to start', async () => {
      starts = new StartPool(1);
      const never = new AbortController();
      void starts.run(() => new Promise(() => undefined), { signal: never.signal });
      await run();
      expect(last().state).toBe('preparing');
      runner.setDesired('shutdown');
      await settle();
      expect(last().state).toBe('shutdown');
    });

    it('lets a start that is under way end first', async () => {
      engine.behave(IMAGE, { startMs: 500 });
      await run();
      runner.setDesired('shutdown');
      await clock.advance(1_000);
      await settle();
      expect(last().state).toBe('shutdown');
      expect((await engine.inspectContainer(NAME))!.state).toBe('exited');
    });

    it('keeps its grace when the task is to be removed meanwhile', async () => {
      engine.behave(IMAGE, { onSignal: () => undefined });
      await run({ stopGracePeriod: '20s' });
      runner.setDesired('shutdown');
      await clock.advance(15_000);
      runner.setDesired('remove');
      await clock.advance(6_000);
      await settle();
      expect(engine.callsOf('stopContainer')).toBe(1);
      expect(last()).toMatchObject({ state: 'shutdown', exitCode: 137 });
    });

    it('goes on until the engine does it', async () => {
      await run();
      engine.goAway();
      runner.setDesired('shutdown');
      await clock.advance(5_000);
      expect(last().state).toBe('running');
      engine.comeBack();
      await clock.advance(20_000);
      await settle();
      expect(last().state).toBe('shutdown');
      expect(last().error).toBeUndefined();
    });

    it('2.2.2 stays where it is when it is told less than it was', async () => {
      await run();
      const told = reports.length;
      runner.setDesired('ready');
      await settle();
      expect(reports).toHaveLength(told);
      expect(last().state).toBe('running');
    });

    it('2.2.2 never goes back', async () => {
      await run({}, { desiredState: 'shutdown' });
      expect(last().state).toBe('shutdown');
      runner.setDesired('running');
      await settle();
      expect(engine.containerNames).toEqual([]);
    });
  });

  describe('lost answers', () => {
    it('takes over the container of a creation whose answer was lost', async () => {
      engine.failNext('createContainer', new UnavailableError('cut'), { done: true });
      await run();
      await clock.advance(1_000);
      await settle();
      expect(last().state).toBe('running');
      expect(engine.containerNames).toEqual([NAME]);
    });

    it.each([true, false])('2.2.8 looks whether a start happened (%s)', async (done) => {
      engine.failNext('startContainer', new UnavailableError('cut'), { done });
      await run();
      expect(last()).toMatchObject({ state: 'starting', error: 'cut' });
      await clock.advance(1_000);
      await settle();
      expect(last().state).toBe('running');
      expect(last().error).toBeUndefined();
      expect(engine.callsOf('startContainer')).toBe(done ? 1 : 2);
    });

    it('does not take the container of somebody else', async () => {
      await engine.createContainer({
        name: NAME,
        body: { Image: IMAGE, HostConfig: { RestartPolicy: { Name: 'no' } } },
      });
      await run();
      expect(last()).toMatchObject({ state: 'rejected', reason: 'ContainerNameTaken' });
      await runner.remove(new AbortController().signal);
      expect(engine.containerNames).toEqual([NAME]);
    });
  });

  it('2.2.9 rejects what no container can be made of', async () => {
    await run({ env: { WHERE: '{{.Node.Nowhere}}' } });
    expect(last().state).toBe('rejected');
    expect(last().error).toContain('unknown placeholder {{.Node.Nowhere}}');
    expect(engine.containerNames).toEqual([]);
  });

  it('2.2.10 does nothing when it is told again what it was told', async () => {
    await run();
    const told = reports.length;
    const calls = Object.fromEntries(engine.calls);
    runner.setDesired('running');
    await settle();
    expect(reports).toHaveLength(told);
    expect(Object.fromEntries(engine.calls)).toEqual(calls);
  });

  it('fails when somebody removes its container', async () => {
    await run();
    await engine.removeContainer(NAME, { force: true });
    runner.lookAgain();
    await settle();
    expect(last()).toMatchObject({ state: 'failed', reason: 'ContainerRemoved' });
  });

  describe('after a restart of the agent', () => {
    async function again(report: TaskReport | undefined, assignment: Partial<Assignment> = {}) {
      await runner.release();
      const container = await engine.inspectContainer(NAME);
      reports = [];
      make({}, assignment, { container, report }).start();
      await settle();
    }

    it('2.2.3 keeps a running container', async () => {
      await run();
      await again(runner.report);
      expect(states()).toEqual(['running']);
      await again(undefined);
      expect(states()).toEqual(['starting', 'running']);
      expect(engine.callsOf('startContainer')).toBe(1);
    });

    it('sees what ended meanwhile', async () => {
      await run();
      await runner.release();
      engine.exitContainer(NAME, 7);
      await again(runner.report);
      expect(last()).toMatchObject({ state: 'failed', exitCode: 7 });
    });

    it('keeps an end that it knows', async () => {
      await run();
      engine.exitContainer(NAME, 0);
      runner.lookAgain();
      await settle();
      await again(runner.report, { desiredState: 'shutdown' });
      expect(states()).toEqual(['complete']);
    });

    it('starts what was ready and never began', async () => {
      await run({}, { desiredState: 'ready' });
      await again(runner.report);
      expect(last().state).toBe('running');
    });

    it('makes the container of a ready task again when it is gone', async () => {
      await run({}, { desiredState: 'ready' });
      await engine.removeContainer(NAME);
      await again(runner.report);
      expect(last().state).toBe('running');
    });

    it('does not run a task twice whose container is gone', async () => {
      await run();
      await engine.removeContainer(NAME, { force: true });
      await again(runner.report);
      expect(last()).toMatchObject({ state: 'failed', reason: 'ContainerRemoved' });
      expect(engine.containerNames).toEqual([]);
    });
  });

  it('2.2.11 removes its container, running or not', async () => {
    await run();
    await runner.remove(new AbortController().signal);
    expect(engine.containerNames).toEqual([]);
  });
});
