import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ContainerSpec, TaskReport } from '../../api/v1/index.js';
import { TASK_CONTAINER, TASK_IMAGE, TaskRunnerFixture } from '../../test/fixtures/task-runner.js';
import { UnavailableError } from '../base/index.js';

const http = { port: 80, path: '/ready' };

/** The agent's own probes, seen through the reports of a task. */
describe('TaskRunner with probes', () => {
  let fixture: TaskRunnerFixture;

  beforeEach(() => {
    fixture = new TaskRunnerFixture();
  });
  afterEach(() => fixture.dispose());

  const containerState = async () => (await fixture.engine.inspectContainer(TASK_CONTAINER))?.state;
  const seconds = (count: number) => fixture.pass(count * 1_000);

  it('is in service from its start on when it has none', async () => {
    await fixture.start();
    expect(fixture.last).toMatchObject({
      state: 'running',
      ready: true,
      readySince: '2026-01-01T00:00:00.000Z',
    });
    expect(fixture.reports.slice(0, -1).every(({ ready }) => ready === undefined)).toBe(true);
    expect(fixture.network.asked).toEqual([]);
  });

  describe('startup', () => {
    const slow: Partial<ContainerSpec> = {
      probes: { startup: { http, period: '2s', failureThreshold: 3 } },
    };

    it('keeps the task starting until it passes, and asks sooner than its period says', async () => {
      await fixture.start(slow);
      expect(fixture.last).toMatchObject({
        state: 'starting',
        message: 'waiting for the startup probe: connect ECONNREFUSED port 80',
      });
      fixture.network.answer(80, {});
      await fixture.pass(100);
      expect(fixture.last).toMatchObject({ state: 'running', message: 'running', ready: true });
      expect(fixture.network.asked).toHaveLength(2);
      await seconds(60);
      expect(fixture.network.asked).toHaveLength(2); // it passes once
    });

    it('gives the task its threshold in periods, then stops the container', async () => {
      await fixture.start(slow);
      await fixture.pass(3_900);
      expect(fixture.last?.state).toBe('starting');
      await fixture.pass(3_000);
      expect(fixture.last).toMatchObject({
        state: 'failed',
        reason: 'Unhealthy',
        error: 'startup probe failed: connect ECONNREFUSED port 80',
      });
      expect(await containerState()).toBe('exited');
      expect(fixture.last).not.toHaveProperty('ready');
    });

    it('comes beside the health check of Docker: both must pass', async () => {
      fixture.network.answer(80, {});
      await fixture.start({ ...slow, healthcheck: { test: ['CMD', 'true'] } });
      expect(fixture.last).toMatchObject({ state: 'starting', health: 'starting' });
      fixture.engine.setHealth(TASK_CONTAINER, 'healthy');
      fixture.task.lookAgain();
      await fixture.pass(0);
      expect(fixture.last).toMatchObject({ state: 'running', health: 'healthy', ready: true });
    });

    it('holds liveness and readiness back', async () => {
      const other = { http: { port: 81 }, period: '1s' };
      await fixture.start({ probes: { ...slow.probes, readiness: other, liveness: other } });
      await fixture.pass(3_000);
      expect(fixture.network.asked.filter((asked) => asked.includes(':81'))).toEqual([]);
    });

    it('tells of a task that ends meanwhile', async () => {
      await fixture.start(slow);
      fixture.engine.exitContainer(TASK_CONTAINER, 3);
      fixture.task.lookAgain();
      await fixture.pass(0);
      expect(fixture.last).toMatchObject({ state: 'failed', reason: 'ExitCode', exitCode: 3 });
      const asked = fixture.network.asked.length;
      await seconds(60);
      expect(fixture.network.asked).toHaveLength(asked);
    });
  });

  describe('readiness', () => {
    const gated: Partial<ContainerSpec> = {
      probes: { readiness: { http, period: '5s', failureThreshold: 2, successThreshold: 2 } },
    };

    it('is waited for while the task runs', async () => {
      await fixture.start(gated);
      expect(fixture.last).toMatchObject({
        state: 'running',
        ready: false,
        unready: { reason: 'ReadinessPending', message: 'connect ECONNREFUSED port 80' },
        message: 'not ready: connect ECONNREFUSED port 80',
      });
      fixture.network.answer(80, {});
      await seconds(6);
      expect(fixture.last).toMatchObject({ state: 'running', ready: true, message: 'running' });
      expect(fixture.last).not.toHaveProperty('unready');
    });

    it('takes the task out of service and back in, and never stops it', async () => {
      fixture.network.answer(80, {});
      await fixture.start(gated);
      await seconds(6);
      const { readySince = '' } = fixture.last ?? {};
      fixture.network.answer(80, { status: 503, body: 'overloaded' });
      await seconds(10);
      expect(fixture.last).toMatchObject({
        ready: false,
        unready: { reason: 'ReadinessFailed', message: 'HTTP 503: overloaded' },
      });
      await seconds(600);
      expect(fixture.last?.state).toBe('running');
      expect(await containerState()).toBe('running');
      fixture.network.answer(80, {});
      await seconds(10);
      expect(fixture.last).toMatchObject({ ready: true });
      expect(Date.parse(fixture.last?.readySince ?? '')).toBeGreaterThan(Date.parse(readySince));
    });

    it('reports what changes, and nothing else', async () => {
      fixture.network.answer(80, {});
      await fixture.start(gated);
      await seconds(6);
      const { length } = fixture.reports;
      await seconds(600);
      expect(fixture.reports).toHaveLength(length);
      fixture.network.answer(80, undefined); // one failure of two
      await seconds(5);
      fixture.network.answer(80, {});
      await seconds(600);
      expect(fixture.reports).toHaveLength(length);
      fixture.network.answer(80, { status: 500 });
      await seconds(600);
      expect(fixture.reports).toHaveLength(length + 1);
    });

    it('tells other words of the same failure once a minute at most', async () => {
      fixture.network.answer(80, {});
      await fixture.start(gated);
      await seconds(6);
      const { length } = fixture.reports;
      for (let second = 0; second < 120; second += 1) {
        fixture.network.answer(80, { status: 500, body: `uptime ${String(second)}` });
        await seconds(1);
      }
      expect(fixture.reports.length - length).toBeLessThanOrEqual(3);
    });

    it('has a deadline for each try', async () => {
      fixture.network.answer(80, { afterMs: 60_000 });
      await fixture.start(gated);
      await seconds(1);
      expect(fixture.last?.unready?.message).toBe('no answer within 1000ms');
    });

    it('begins after its delay', async () => {
      fixture.network.answer(80, {});
      await fixture.start({ probes: { readiness: { http, initialDelay: '3s' } } });
      await fixture.pass(2_999);
      expect(fixture.network.asked).toEqual([]);
      expect(fixture.last?.unready?.message).toBe('the readiness probe has not passed yet');
      await fixture.pass(1);
      expect(fixture.last?.ready).toBe(true);
    });
  });

  describe('liveness', () => {
    const alive: Partial<ContainerSpec> = {
      probes: { liveness: { http, period: '5s', failureThreshold: 3 } },
    };

    it('stops a container that does not answer any more: out of service first', async () => {
      fixture.network.answer(80, {});
      await fixture.start(alive);
      await seconds(60);
      expect(fixture.last).toMatchObject({ state: 'running', ready: true });
      fixture.network.answer(80, { status: 500, body: 'deadlock' });
      const { length } = fixture.reports;
      await seconds(15);
      expect(fixture.reports.slice(length)).toMatchObject([
        {
          state: 'running',
          ready: false,
          unready: { reason: 'Unhealthy' },
          message: 'stopping: liveness probe failed: HTTP 500: deadlock',
        },
        {
          state: 'failed',
          reason: 'Unhealthy',
          error: 'liveness probe failed: HTTP 500: deadlock',
          exitCode: 143,
        },
      ]);
      expect(await containerState()).toBe('exited');
    });

    it('says nothing of readiness', async () => {
      await fixture.start(alive);
      expect(fixture.last).toMatchObject({ state: 'running', ready: true });
    });

    it('leaves a container in peace that somebody paused', async () => {
      fixture.network.answer(80, {});
      await fixture.start(alive);
      await seconds(6);
      fixture.engine.pauseContainer(TASK_CONTAINER);
      fixture.task.lookAgain();
      fixture.network.answer(80, { afterMs: 60_000 });
      await seconds(300);
      expect(fixture.last?.state).toBe('running');
      fixture.engine.unpauseContainer(TASK_CONTAINER);
      fixture.task.lookAgain();
      await seconds(30);
      expect(fixture.last).toMatchObject({ state: 'failed', reason: 'Unhealthy' });
    });
  });

  describe('by a command', () => {
    const probes = { liveness: { exec: { command: ['check'] }, period: '1s' } };

    it('tells what it printed', async () => {
      const output = 'no disk\n';
      fixture.engine.behave(TASK_IMAGE, { exec: () => ({ exitCode: 1, output }) });
      await fixture.start({ probes });
      await seconds(4);
      expect(fixture.last).toMatchObject({
        reason: 'Unhealthy',
        error: 'liveness probe failed: exit code 1: no disk',
      });
    });

    it('does not hold it against the task that the engine is away', async () => {
      fixture.engine.behave(TASK_IMAGE, { exec: () => ({}) });
      await fixture.start({ probes });
      fixture.engine.goAway();
      await seconds(60);
      fixture.engine.comeBack();
      await seconds(10);
      expect(fixture.last?.state).toBe('running');
    });
  });

  describe('of a container', () => {
    const probes = { readiness: { http } };

    it('are sent to its own address', async () => {
      await fixture.start({ probes });
      const { address = '' } = (await fixture.engine.inspectContainer(TASK_CONTAINER)) ?? {};
      expect(fixture.network.asked).toEqual([`http://${address}:80/ready`]);
    });

    it('on the network of the host are sent there', async () => {
      await fixture.start({ probes, networkMode: 'host' });
      expect(fixture.network.asked).toEqual(['http://127.0.0.1:80/ready']);
    });

    it('without an address fail, and say so', async () => {
      // No rule can refuse this one: the engine was started with --bridge=none.
      await fixture.start({ probes, networkMode: 'none' });
      expect(fixture.network.asked).toEqual([]);
      expect(fixture.last?.unready?.message).toContain('has no address on this node');
    });
  });

  describe('after a restart of the agent', () => {
    const probed: Partial<ContainerSpec> = {
      probes: {
        readiness: { http, period: '10s', failureThreshold: 2 },
        liveness: { tcp: { port: 81 }, period: '10s', failureThreshold: 2 },
      },
    };

    it('goes on with what it knew, and asks at once', async () => {
      fixture.network.answer(80, {});
      fixture.network.answer(81, {});
      await fixture.start(probed);
      await seconds(30);
      const { readySince } = fixture.last ?? {};
      const { length } = fixture.network.asked;
      await fixture.restartAgent(probed, { awayMs: 60_000 });
      await seconds(1);
      expect(fixture.network.asked.length).toBeGreaterThan(length);
      expect(fixture.reports.map(({ ready }) => ready)).toEqual([true]);
      expect(fixture.last).toMatchObject({ state: 'running', readySince });
    });

    it.each([
      ['out of service', ({ ready }: TaskReport) => ready === false],
      ['starting', ({ state }: TaskReport) => state === 'starting'],
      ['preparing', ({ state }: TaskReport) => state === 'preparing'],
    ])(
      'does not go back to %s because what it kept is older than what it said',
      async (_what, is) => {
        fixture.network.answer(81, {});
        await fixture.start(probed);
        const older = fixture.reports.find(is);
        expect(older).toBeDefined();
        fixture.network.answer(80, {});
        await seconds(30);
        await fixture.restartAgent(probed, { report: older });
        await seconds(1);
        expect(fixture.reports.map(({ ready }) => ready)).toEqual([true]);
      },
    );

    it('tells all the same of what happens meanwhile', async () => {
      await fixture.start(probed);
      await fixture.task.release();
      fixture.engine.exitContainer(TASK_CONTAINER, 3);
      await fixture.restartAgent(probed);
      expect(fixture.last).toMatchObject({ state: 'failed', exitCode: 3 });
    });

    it('tells again of an end that it may have told to nobody', async () => {
      await fixture.start(probed);
      fixture.engine.exitContainer(TASK_CONTAINER, 3);
      fixture.task.lookAgain();
      await seconds(1);
      expect(fixture.last?.state).toBe('failed');
      await fixture.restartAgent(probed);
      expect(fixture.reports.map(({ state }) => state)).toEqual(['failed']);
    });

    it('keeps a task out of service that was so', async () => {
      fixture.network.answer(81, {});
      await fixture.start(probed);
      await seconds(30);
      const { unready } = fixture.last ?? {};
      expect(unready?.reason).toBe('ReadinessFailed');
      await fixture.restartAgent(probed);
      await seconds(1);
      expect(fixture.last).toMatchObject({ ready: false, unready });
      fixture.network.answer(80, {});
      await seconds(11);
      expect(fixture.last).toMatchObject({ ready: true });
    });

    it('goes on to stop what it began to stop', async () => {
      fixture.engine.behave(TASK_IMAGE, { onSignal: () => undefined });
      await fixture.start(probed);
      await seconds(25);
      expect(fixture.last?.unready?.reason).toBe('Unhealthy');
      fixture.network.answer(81, {}); // too late
      await fixture.restartAgent(probed);
      await seconds(11);
      expect(fixture.last).toMatchObject({ state: 'failed', reason: 'Unhealthy', exitCode: 137 });
    });

    it('waits for the startup probe of a task that was starting', async () => {
      const slow = { probes: { startup: { http, period: '10s' } } };
      await fixture.start(slow);
      await fixture.restartAgent(slow);
      expect(fixture.last?.state).toBe('starting');
      fixture.network.answer(80, {});
      await seconds(1);
      expect(fixture.last?.state).toBe('running');
    });

    it('takes a task of an agent that knew no readiness for ready', async () => {
      fixture.network.answer(81, {});
      await fixture.start({});
      const { ready: _ready, readySince: _since, ...old } = fixture.last!;
      await fixture.restartAgent(probed, { report: old });
      await seconds(1);
      expect(fixture.last).toMatchObject({ state: 'running', ready: true });
    });
  });
});

describe('the way out of a task', () => {
  let fixture: TaskRunnerFixture;

  beforeEach(() => {
    fixture = new TaskRunnerFixture();
  });
  afterEach(() => fixture.dispose());

  const stop = async () => {
    fixture.task.setDesired('shutdown');
    await fixture.pass(0);
  };
  const containerState = async () => (await fixture.engine.inspectContainer(TASK_CONTAINER))?.state;
  const kills = () => fixture.engine.callsOf('stopContainer');

  it('leads out of service before anything is stopped', async () => {
    fixture.engine.behave(TASK_IMAGE, { onSignal: () => undefined });
    await fixture.start();
    await stop();
    expect(fixture.last).toMatchObject({
      state: 'running',
      ready: false,
      unready: { reason: 'Stopping' },
      message: 'stopping',
    });
    await fixture.pass(10_000);
    expect(fixture.last).toMatchObject({ state: 'shutdown', exitCode: 137 });
    expect(fixture.last).not.toHaveProperty('ready');
  });

  it('waits until nobody sends it anything any more', async () => {
    let withdrawn = (): void => undefined;
    fixture.withdrawal = {
      withdrawn: (taskId) => {
        expect(taskId).toBe('task1');
        return new Promise((resolve) => (withdrawn = resolve));
      },
    };
    await fixture.start({ hooks: { preStop: { http: { port: 80 } } } });
    await stop();
    await fixture.pass(60_000);
    expect(fixture.last).toMatchObject({ ready: false });
    expect([fixture.network.asked.length, kills()]).toEqual([0, 0]);
    withdrawn();
    await fixture.pass(0);
    expect(fixture.network.asked).toHaveLength(1);
    expect(fixture.last?.state).toBe('shutdown');
  });

  it('asks no probe while it stops', async () => {
    const tcp = { port: 80 };
    const probes = { readiness: { tcp, period: '1s' }, liveness: { tcp, period: '1s' } };
    fixture.network.answer(80, {});
    fixture.engine.behave(TASK_IMAGE, { onSignal: () => undefined });
    await fixture.start({ probes });
    await fixture.pass(5_000);
    await stop();
    const { length } = fixture.network.asked;
    await fixture.pass(10_000);
    expect(fixture.network.asked).toHaveLength(length);
    expect(fixture.last?.state).toBe('shutdown');
  });

  describe('with a preStop hook', () => {
    it('runs it before the stop signal', async () => {
      const order: string[] = [];
      fixture.engine.behave(TASK_IMAGE, {
        exec: ([command = '']) => {
          order.push(command);
          return { takesMs: 3_000 };
        },
        onSignal: (signal) => {
          order.push(signal);
          return 0;
        },
      });
      await fixture.start({ hooks: { preStop: { exec: { command: ['drain'] } } } });
      await stop();
      await fixture.pass(2_999);
      expect(order).toEqual(['drain']);
      await fixture.pass(1);
      expect(order).toEqual(['drain', 'SIGTERM']);
      expect(fixture.last).toMatchObject({ state: 'shutdown', exitCode: 0 });
    });

    it.each([
      ['sleep', { sleep: '3s' }],
      ['a request', { http: { port: 80 } }],
      ['a command', { exec: { command: ['drain'] } }],
    ])('that is %s shares the grace with the signal', async (_what, preStop) => {
      fixture.network.answer(80, { afterMs: 3_000 });
      fixture.engine.behave(TASK_IMAGE, {
        exec: () => ({ takesMs: 3_000 }),
        onSignal: () => undefined,
      });
      await fixture.start({ hooks: { preStop }, stopGracePeriod: '10s' });
      await stop();
      await fixture.pass(3_000);
      expect(kills()).toBe(1);
      expect(await containerState()).toBe('running');
      await fixture.pass(6_999);
      expect(await containerState()).toBe('running');
      await fixture.pass(1);
      expect(fixture.last).toMatchObject({ state: 'shutdown', exitCode: 137 });
    });

    it('cuts one off that does not end, and keeps two seconds for the signal', async () => {
      fixture.engine.behave(TASK_IMAGE, {
        exec: () => ({ takesMs: 3_600_000 }),
        onSignal: () => undefined,
      });
      await fixture.start({ hooks: { preStop: { exec: { command: ['drain'] } } } });
      await stop();
      await fixture.pass(7_999);
      expect(kills()).toBe(0);
      await fixture.pass(1);
      expect(kills()).toBe(1);
      expect(fixture.last).toMatchObject({
        state: 'running',
        reason: 'PreStopFailed',
        error: 'preStop hook failed: no answer within 8000ms',
      });
      await fixture.pass(2_000);
      expect(fixture.last).toMatchObject({ state: 'shutdown', exitCode: 137 });
      expect(fixture.last?.error).toBeUndefined();
    });

    it('goes on after one that fails, and says so', async () => {
      fixture.engine.behave(TASK_IMAGE, {
        exec: () => ({ exitCode: 1, output: 'no such queue' }),
      });
      await fixture.start({ hooks: { preStop: { exec: { command: ['drain'] } } } });
      await stop();
      const errors = fixture.reports.map(({ error }) => error).filter(Boolean);
      expect(errors).toEqual(['preStop hook failed: exit code 1: no such queue']);
      expect(fixture.last?.state).toBe('shutdown');
    });

    it('does not wait for one when the container has ended', async () => {
      await fixture.start({ hooks: { preStop: { sleep: '50s' } }, stopGracePeriod: '60s' });
      await stop();
      await fixture.pass(1_000);
      fixture.engine.exitContainer(TASK_CONTAINER, 7);
      fixture.task.lookAgain();
      await fixture.pass(0);
      expect(fixture.last).toMatchObject({ state: 'shutdown', exitCode: 7 });
    });

    it('runs it before an unhealthy container is stopped, too', async () => {
      const preStop = { http: { port: 80, path: '/drain' } };
      await fixture.start({ hooks: { preStop }, healthcheck: { test: ['CMD', 'true'] } });
      fixture.engine.setHealth(TASK_CONTAINER, 'unhealthy', 'stuck');
      fixture.task.lookAgain();
      await fixture.pass(0);
      expect(fixture.network.asked).toHaveLength(1);
      expect(fixture.last).toMatchObject({ state: 'failed', reason: 'Unhealthy' });
    });

    it('runs it once when the engine does not stop the container at once', async () => {
      await fixture.start({ hooks: { preStop: { http: { port: 80 } } } });
      fixture.engine.failNext('stopContainer', new UnavailableError('cut'));
      await stop();
      await fixture.pass(10_000);
      expect(fixture.network.asked).toHaveLength(1);
      expect(fixture.last?.state).toBe('shutdown');
    });

    it('runs it once when the task is to be stopped while it is found unhealthy', async () => {
      fixture.network.answer(80, { afterMs: 5_000 });
      const preStop = { http: { port: 80, path: '/drain' } };
      await fixture.start({ hooks: { preStop }, healthcheck: { test: ['CMD', 'true'] } });
      fixture.engine.setHealth(TASK_CONTAINER, 'unhealthy');
      fixture.task.lookAgain();
      await fixture.pass(1_000);
      await stop();
      await fixture.pass(10_000);
      expect(fixture.network.asked).toHaveLength(1);
      expect(fixture.last).toMatchObject({ state: 'shutdown' });
    });

    it('has no more grace because the agent was started again', async () => {
      const container = { hooks: { preStop: { sleep: '8s' } } };
      fixture.engine.behave(TASK_IMAGE, { onSignal: () => undefined });
      await fixture.start(container);
      await stop();
      await fixture.pass(3_000);
      const assignment = { desiredState: 'shutdown' } as const;
      await fixture.restartAgent(container, { assignment, awayMs: 2_000 });
      await fixture.pass(2_999);
      expect(kills()).toBe(0);
      await fixture.pass(1);
      expect(kills()).toBe(1);
      await fixture.pass(2_000);
      expect(fixture.last).toMatchObject({ state: 'shutdown', exitCode: 137 });
    });

    it('leaves no timer behind when the agent leaves in the middle of it', async () => {
      await fixture.start({ hooks: { preStop: { sleep: '8s' } } });
      await stop();
      await fixture.task.release();
      await fixture.pass(0);
      expect(fixture.clock.sleeping).toBe(0);
      expect(await containerState()).toBe('running');
    });
  });
});
