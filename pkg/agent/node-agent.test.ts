import { writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aTemplate, anAssignment } from '../../test/builders/assignment.js';
import { FakeClock } from '../../test/fakes/fake-clock.js';
import { FakeEngine } from '../../test/fakes/fake-engine.js';
import { FAKE_CLUSTER, FakeManager } from '../../test/fakes/fake-manager.js';
import { AgentFixture } from '../../test/fixtures/agent.js';
import { NodeRemovedError, NotFoundError, UnavailableError } from '../base/index.js';
import { CONTAINER_LABEL } from './container-body.js';

const OURS = {
  [CONTAINER_LABEL.cluster]: FAKE_CLUSTER.clusterId,
  [CONTAINER_LABEL.node]: FAKE_CLUSTER.nodeId,
};

describe('NodeAgent', () => {
  let clock: FakeClock;
  let engine: FakeEngine;
  let manager: FakeManager;
  let fixture: AgentFixture;

  beforeEach(async () => {
    clock = new FakeClock();
    engine = new FakeEngine(clock);
    engine.addImage('busybox:test');
    manager = new FakeManager();
    fixture = await AgentFixture.create({ engine, manager, clock });
  });
  afterEach(() => fixture.dispose());

  /** Lets work settle that needs the disk, which no fake clock moves; `stepMs` also moves the time. */
  async function until(what: string, isTrue: () => boolean, stepMs = 0): Promise<void> {
    const deadline = performance.now() + 10_000;
    while (!isTrue()) {
      if (performance.now() > deadline) throw new Error(`not in time: ${what}`);
      await clock.advance(stepMs);
      await delay(1);
    }
  }

  const isRunning = (taskId: string) => () => manager.stateOf(taskId) === 'running';
  const assign = (...slots: number[]) => {
    manager.assign(aTemplate(), ...slots.map((slot) => anAssignment(slot)));
  };

  async function startWith(...slots: number[]): Promise<void> {
    assign(...slots);
    await fixture.start();
    for (const slot of slots) {
      await until(`task${String(slot)} runs`, isRunning(`task${String(slot)}`), 20);
    }
  }

  async function createContainer(name: string, labels: Record<string, string>): Promise<void> {
    const HostConfig = { RestartPolicy: { Name: 'no' } } as const;
    const body = { Image: 'busybox:test', Labels: labels, HostConfig };
    await engine.createContainer({ name, body });
  }

  it('runs what it is told, and ends what it is told', async () => {
    await startWith(1, 2);
    manager.desire('task1', 'shutdown');
    await until('task1 is shut down', () => manager.stateOf('task1') === 'shutdown', 20);
    manager.unassign('task1');
    await until('its container is gone', () => engine.containerNames.length === 1, 20);
    expect(engine.containerNames).toEqual(['web.2.task2']);
    expect(fixture.agent?.health()).toEqual({ unhealthy: [], notReady: [] });
  });

  it('tells of an end as soon as the engine does', async () => {
    await startWith(1);
    const listsBefore = engine.callsOf('listContainers');
    engine.exitContainer('web.1.task1', 5);
    await until('the end is told', () => manager.stateOf('task1') === 'failed', 20);
    expect(engine.callsOf('listContainers')).toBe(listsBefore);
  });

  it('finds by list what no event told of', async () => {
    await startWith(1);
    engine.goAway({ containersSurvive: false });
    engine.comeBack();
    await until('the end is told', () => manager.stateOf('task1') === 'failed', 20);
    expect(manager.reports.get('task1')?.exitCode).toBe(137);
  });

  describe('containers that are not of a task of ours', () => {
    it('removes those of this node whose task is not assigned', async () => {
      await createContainer('web.9.task9', { ...OURS, [CONTAINER_LABEL.task]: 'task9' });
      await fixture.start();
      await until('it is gone', () => engine.containerNames.length === 0, 20);
    });

    it.each([
      ['of another cluster', { ...OURS, [CONTAINER_LABEL.cluster]: 'cluster2' }],
      ['of another node', { ...OURS, [CONTAINER_LABEL.node]: 'node2' }],
      ['without labels', {}],
    ])('does not touch those %s', async (_what, labels) => {
      await createContainer('foreign', { ...labels, [CONTAINER_LABEL.task]: 'task9' });
      await startWith(1);
      await clock.advance(60_000);
      manager.removeNode();
      await until('the agent has ended', () => engine.containerNames.length === 1, 20);
      expect(await fixture.end).toBe('removed');
      expect(engine.containerNames).toEqual(['foreign']);
    });

    it('removes one that the engine was creating when the node was removed', async () => {
      const create = engine.createContainer.bind(engine);
      engine.createContainer = async ({ signal, ...request }) => {
        void clock.sleep(500).then(() => create(request));
        await clock.sleep(60_000, signal);
        throw new UnavailableError('no answer');
      };
      assign(1);
      await fixture.start();
      await until('it is prepared', () => manager.stateOf('task1') === 'preparing', 20);
      manager.removeNode();
      let end = '';
      void fixture.end.then((how) => (end = how));
      await until('the agent has ended', () => end === 'removed', 100);
      await clock.advance(1_000);
      expect(engine.containerNames).toEqual([]);
    });

    it('removes nothing while no manager has spoken', async () => {
      await createContainer('web.9.task9', { ...OURS, [CONTAINER_LABEL.task]: 'task9' });
      manager.openError = new UnavailableError('no manager');
      await fixture.start();
      await until('it has listed', () => engine.callsOf('listContainers') > 0, 20);
      await clock.advance(120_000);
      expect(engine.containerNames).toEqual(['web.9.task9']);
    });

    it('removes nothing after the session broke', async () => {
      await startWith(1);
      manager.openError = new UnavailableError('no manager');
      manager.cut();
      await createContainer('web.9.task9', { ...OURS, [CONTAINER_LABEL.task]: 'task9' });
      await clock.advance(120_000);
      expect(engine.containerNames).toEqual(['web.1.task1', 'web.9.task9']);
    });
  });

  describe('sessions', () => {
    it('2.11.1 sends all reports again in a new one', async () => {
      await startWith(1, 2);
      manager.reports.clear();
      manager.cut();
      await until('all is reported again', () => manager.reports.size === 2, 50);
      expect(manager.sessionsOpened).toBe(2);
      expect(engine.callsOf('startContainer')).toBe(2);
    });

    it('goes on with another manager when its own advises it, without a gap', async () => {
      manager.addresses = ['10.0.0.1:2377', '10.0.0.2:2377'];
      await startWith(1);
      const standing = () => fixture.agent?.health().notReady;
      manager.advisesToLeave.add('10.0.0.1:2377');
      await until(
        'another session',
        () => {
          expect(standing()).toEqual([]);
          return manager.sessionsOpened === 2;
        },
        50,
      );
      assign(2);
      await until('task2 runs', isRunning('task2'), 20);
      expect(manager.managersChosen).toEqual(['10.0.0.1:2377', '10.0.0.2:2377']);
      await clock.advance(60_000);
      expect(manager.sessionsOpened).toBe(2);
      expect(engine.callsOf('startContainer')).toBe(2);
    });

    it('stays with a manager that advises it to leave while no other takes it', async () => {
      manager.addresses = ['10.0.0.1:2377', '10.0.0.2:2377'];
      await startWith(1);
      manager.advisesToLeave.add('10.0.0.1:2377');
      manager.openError = new UnavailableError('this manager does not hear the store');
      await clock.advance(60_000);
      assign(2);
      await until('task2 runs', isRunning('task2'), 20);
      expect(manager.sessionsOpened).toBe(1);
      manager.openError = undefined;
      await until('another session', () => manager.sessionsOpened === 2, 50);
    });

    it('2.11.6 opens a new one when a message was lost', async () => {
      await startWith(1);
      manager.loseMessage();
      assign(2);
      await until('task2 runs', isRunning('task2'), 50);
      expect(manager.sessionsOpened).toBe(2);
    });

    it('opens a new one when the manager does not know it any more', async () => {
      await startWith(1);
      manager.reportErrors.push(new NotFoundError('no such session'));
      await until('another session', () => manager.sessionsOpened === 2, 100);
    });

    it('does not believe a manager that lives in the past', async () => {
      await startWith(1);
      manager.unassign('task1');
      await until('the container is gone', () => engine.containerNames.length === 0, 20);
      const seen = manager.revision;
      assign(1);
      manager.revision = seen - 5;
      manager.behind = 5;
      manager.cut();
      await until('another session', () => manager.sessionsOpened === 2, 50);
      await clock.advance(5_000);
      expect(engine.containerNames).toEqual([]);
      manager.send({ type: 'ping', revision: seen + 1 });
      await until('task1 is there', () => engine.containerNames.length === 1, 20);
    });

    it('keeps the addresses of managers that it learns of', async () => {
      manager.addresses = ['10.0.0.8:2377', '10.0.0.9:2377'];
      await startWith(1);
      const expected = ['10.0.0.8:2377', '10.0.0.9:2377', '10.0.0.1:2377'];
      expect(manager.used).toEqual(expected);
      await fixture.stop();
      expect((await fixture.state.requireIdentity()).managers).toEqual(expected);
    });

    it('keeps those that it learns of during a session', async () => {
      await startWith(1);
      manager.send({ type: 'managers', managers: ['10.0.0.7:2377'] });
      const expected = ['10.0.0.7:2377', '10.0.0.1:2377'];
      await until('the news', () => manager.used.join() === expected.join());
      await fixture.stop();
      expect((await fixture.state.requireIdentity()).managers).toEqual(expected);
    });

    it('vouches for the engine', async () => {
      await startWith(1);
      engine.goAway();
      await until('told', () => manager.batches.at(-1)?.engineHealthy === false, 50);
      expect(fixture.agent?.health().notReady).toHaveLength(1);
      engine.comeBack();
      await until('told', () => manager.batches.at(-1)?.engineHealthy === true, 50);
      expect(manager.stateOf('task1')).toBe('running');
    });

    it('describes the node again when its engine changed', async () => {
      await startWith(1);
      expect(manager.requests[0]?.description).toMatchObject({ hostname: 'host1' });
      engine.description = { ...engine.description, engineVersion: '99.0' };
      engine.goAway();
      engine.comeBack();
      const told = () =>
        manager.batches.some((batch) => batch.description?.engineVersion === '99.0');
      await until('described', told, 50);
    });

    it.each(['opening', 'reporting'])(
      'leaves when it learns at %s that it was removed',
      async (when) => {
        await startWith(1);
        manager.removeNode();
        if (when === 'reporting') manager.reportErrors.push(new NodeRemovedError('removed'));
        await until('clean', () => engine.containerNames.length === 0, 100);
        expect(await fixture.end).toBe('removed');
        expect(await fixture.state.findIdentity()).toBeUndefined();
      },
    );
  });

  describe('when the store lost history', () => {
    const words = 'the store is at revision 3, and this node has seen revision 11';
    /** Two tasks run; then the store is an older one, in which only the first exists, and a third. */
    async function lose(): Promise<void> {
      await startWith(1, 2);
      manager.endSession('the store lost history');
      manager.unassign('task2');
      assign(3);
      manager.revision = 3;
      await until('it is told', () => manager.batches.at(-1)?.historyLost !== undefined, 50);
    }
    const accept = () => {
      manager.store = { ...manager.store, acceptedAt: '2026-02-01T00:00:00.000Z' };
      manager.endSession('the history of the store was accepted');
    };
    const names = () => [...engine.containerNames].sort();

    it('keeps what it runs, starts nothing and says why', async () => {
      await lose();
      manager.desire('task1', 'shutdown');
      manager.revision = 5_000;
      manager.send({ type: 'ping', revision: 5_000 });
      await clock.advance(120_000);
      expect(names()).toEqual(['web.1.task1', 'web.2.task2']);
      expect(manager.stateOf('task1')).toBe('running');
      expect(manager.batches.at(-1)?.historyLost).toMatchObject({ reason: words });
      expect(fixture.agent?.health().notReady).toEqual([
        `frozen, the store lost history: ${words}`,
      ]);
      expect(manager.requests.at(-1)?.historyMark).toBeUndefined();
    });

    it('does so over a restart of the agent', async () => {
      await lose();
      await fixture.stop();
      await fixture.start();
      await until('it is told again', () => manager.requests.length === 3, 50);
      await clock.advance(120_000);
      expect(names()).toEqual(['web.1.task1', 'web.2.task2']);
      expect(manager.batches.at(-1)?.historyLost).toMatchObject({ reason: words });
    });

    it('does not believe that it was removed', async () => {
      await startWith(1, 2);
      manager.revision = 3;
      manager.removeNode();
      await until('it is frozen', () => fixture.agent?.health().notReady.length === 2, 50);
      await clock.advance(120_000);
      expect(names()).toEqual(['web.1.task1', 'web.2.task2']);
      manager.store = { ...manager.store, acceptedAt: '2026-02-01T00:00:00.000Z' };
      manager.removeNode();
      await until('it has left', () => engine.containerNames.length === 0, 1_000);
      expect(await fixture.end).toBe('removed');
    });

    it('does what is declared once a person has accepted that', async () => {
      await lose();
      accept();
      await until('task2 is gone', () => !names().includes('web.2.task2'), 100);
      await until('task3 runs', isRunning('task3'), 20);
      expect(names()).toEqual(['web.1.task1', 'web.3.task3']);
      await until('it is told', () => manager.batches.at(-1)?.historyLost === undefined, 50);
      expect(fixture.agent?.health().notReady).toEqual([]);
    });

    it('goes on when the store is back', async () => {
      await lose();
      manager.revision = 20;
      manager.endSession('manager stops');
      await until('task3 runs', isRunning('task3'), 100);
      expect(names()).toEqual(['web.1.task1', 'web.3.task3']);
    });

    it('notices a store that passed what it had seen, by the newest write it knows of', async () => {
      const mark = { key: '/swarm/tasks/task1', revision: 12, writeId: 'w1' };
      await startWith(1);
      manager.send({ type: 'ping', revision: 12, mark });
      manager.store = { ...manager.store, remembers: 'no' };
      manager.revision = 5_000;
      manager.endSession('manager stops');
      await until('it is told', () => manager.batches.at(-1)?.historyLost !== undefined, 50);
      expect(manager.requests.at(-1)?.historyMark).toEqual(mark);
    });
  });

  describe('without any manager', () => {
    async function restartAlone(): Promise<void> {
      await fixture.stop();
      manager.openError = new UnavailableError('no manager');
      await fixture.start();
    }

    it('takes over what runs, and goes on with what never began (scenario 66)', async () => {
      engine.addToRegistry('big:1', { pullMs: 60_000 });
      await startWith(1);
      manager.assign(aTemplate({ image: 'big:1' }), anAssignment(2, { template: 'uid1/2' }));
      await until('task2 prepares', () => manager.stateOf('task2') === 'preparing', 20);
      await until('it is pulled', () => engine.callsOf('pullImage') === 1, 20);
      await restartAlone();
      await until('task2 is pulled again', () => engine.callsOf('pullImage') === 2, 500);
      await until('task2 is started', () => engine.callsOf('startContainer') === 2, 5_000);
      expect(engine.containerNames).toEqual(['web.1.task1', 'web.2.task2']);
    });

    it('does nothing with a copy that is damaged', async () => {
      await startWith(1);
      await fixture.stop();
      await writeFile(fixture.state.assignmentsFile, '{"format":1,"assignments":[{');
      manager.openError = new UnavailableError('no manager');
      await fixture.start();
      const words = 'the copy of the assignments is of no use';
      await until('it is told', () => fixture.log.linesOf(words).length === 1);
      await clock.advance(60_000);
      expect(engine.containerNames).toEqual(['web.1.task1']);
    });
  });

  it('keeps what it knew of an end over a restart', async () => {
    await startWith(1);
    engine.exitContainer('web.1.task1', 0);
    await until('the end is told', () => manager.stateOf('task1') === 'complete', 20);
    manager.desire('task1', 'shutdown');
    await fixture.stop();
    manager.reports.clear();
    await fixture.start();
    await until('reported again', () => manager.reports.has('task1'), 20);
    expect(manager.stateOf('task1')).toBe('complete');
  });

  it('starts a bounded number of containers at once', async () => {
    engine.behave('busybox:test', { startMs: 100 });
    await startWith(1, 2, 3, 4, 5, 6, 7, 8, 9);
    expect(engine.mostStartsAtOnce).toBe(4);
  });
});
