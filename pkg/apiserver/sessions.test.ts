import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SessionMessage, SessionRequest, TaskReport } from '../../api/v1/index.js';
import { UnavailableError } from '../base/index.js';
import type { SessionConnection, SwarmClient } from '../client/index.js';
import { puts, remove } from '../objects/index.js';
import {
  aNode,
  aNodeStatus,
  aRevision,
  aService,
  aTask,
  BUILT_AT,
} from '../../test/builders/objects.js';
import { ApiFixture, until } from '../../test/fixtures/api.js';

let api: ApiFixture;
let agent: SwarmClient;

/** Short periods: tests wait for them to pass. */
const PERIODS = { nodeHeartbeat: '200ms', nodeUnknownAfter: '400ms', nodeLostAfter: '1s' };

beforeEach(async () => {
  api = await ApiFixture.start();
  agent = await api.client('worker', 'n1');
  await api.put(puts.node(api.keys, aNode('n1')));
});
afterEach(() => api.dispose());

const hello: SessionRequest = { description: aNodeStatus().description, engineHealthy: true };
const healthy = { engineHealthy: true, tasks: [] };

/** Reads what the manager says in the background. */
function heard(session: SessionConnection): SessionMessage[] {
  const messages: SessionMessage[] = [];
  void (async () => {
    for await (const message of session.messages) messages.push(message);
  })().catch(() => undefined);
  return messages;
}

const report = (state: TaskReport['state'], more: Partial<TaskReport> = {}): TaskReport => ({
  state,
  at: '2026-01-01T00:00:00.000Z',
  message: '',
  ...more,
});

/** A service with tasks on node n1. */
async function assign(...ids: readonly string[]): Promise<void> {
  const service = aService();
  await api.put(
    puts.service(api.keys, service),
    puts.serviceRevision(api.keys, aRevision(service)),
    ...ids.map((id, index) =>
      puts.task(api.keys, aTask({ id, slot: index + 1, nodeId: 'n1' }).task),
    ),
  );
}

type Assignments = Extract<SessionMessage, { type: 'assignments' }>;
const assignmentsIn = (messages: readonly SessionMessage[]) =>
  messages.filter((message): message is Assignments => message.type === 'assignments');

describe('opening a session', () => {
  it('2.11.1 takes the next epoch, says who we are and what is assigned', async () => {
    await assign('t1');
    const session = await agent.openSession(hello);
    expect(session.opened).toMatchObject({ epoch: 1, nodeId: 'n1', clusterId: 'cluster1' });
    expect(session.opened.managers).toEqual([api.first.address]);
    const messages = heard(session);
    await until('assignments', () => messages.length > 0);
    expect(messages[0]).toMatchObject({
      type: 'assignments',
      complete: true,
      sequence: 1,
      set: [{ taskId: 't1', name: 'web.1', desiredState: 'running', template: 'uid-web/1' }],
    });
    expect(Object.keys(assignmentsIn(messages)[0]!.templates)).toEqual(['uid-web/1']);
    expect(api.world.nodeStatuses.get('n1')).toMatchObject({
      address: '127.0.0.1',
      session: { epoch: 1, managerId: 'm1', open: true },
      engineHealthy: true,
    });
  });

  it('2.11.1 ends the one before (scenario 54)', async () => {
    const first = heard(await agent.openSession(hello));
    const second = await agent.openSession(hello);
    expect(second.opened.epoch).toBe(2);
    await until('farewell', () => first.some(({ type }) => type === 'close'));
    expect(first.at(-1)).toMatchObject({ reason: 'replaced by a newer session', removed: false });
    expect(api.first.server.sessions.size).toBe(1);
  });

  it('at another manager ends the one here', async () => {
    const first = heard(await agent.openSession(hello));
    const elsewhere = await api.client('worker', 'n1', await api.addServer('m2'));
    const second = await elsewhere.openSession(hello);
    expect(second.opened.epoch).toBe(2);
    await until('farewell', () => first.some(({ type }) => type === 'close'));
    expect(api.first.server.sessions.size).toBe(0);
  });

  it('is refused for a node that was removed', async () => {
    await api.put(remove(api.keys.node('n1')));
    await expect(agent.openSession(hello)).rejects.toMatchObject({ code: 'ERR_NODE_REMOVED' });
    expect(await api.store.get(api.keys.nodeStatus('n1'))).toBeUndefined();
  });

  it('is not kept from it by a status that cannot be read', async () => {
    await api.put({ kind: 'put', key: api.keys.nodeStatus('n1'), value: { from: 'the future' } });
    const { revision } = await api.store.health();
    const session = await agent.openSession(hello);
    expect(session.opened.epoch).toBeGreaterThan(revision);
    expect(api.world.nodeStatuses.get('n1')?.session.open).toBe(true);
  });

  it('does not claim to be complete while a task cannot be read', async () => {
    await assign('t1');
    await api.put({ kind: 'put', key: api.keys.task('odd'), value: { from: 'the future' } });
    const messages = heard(await agent.openSession(hello));
    await until('assignments', () => messages.length > 0);
    expect(assignmentsIn(messages)[0]?.complete).toBe(false);
  });
});

describe('assignments', () => {
  it('2.11.6 are told as they change, in one message per tick, each template once', async () => {
    const messages = heard(await agent.openSession(hello));
    await until('first set', () => messages.length > 0);
    await assign('t1', 't2');
    await until('second set', () => assignmentsIn(messages).length === 2);
    const [, second] = assignmentsIn(messages);
    expect(second).toMatchObject({ complete: false, sequence: 2, removed: [] });
    expect(second?.set.map(({ taskId }) => taskId).sort()).toEqual(['t1', 't2']);
    expect(Object.keys(second!.templates)).toHaveLength(1);
    const stopped = aTask({ id: 't1', nodeId: 'n1', desiredState: 'shutdown' }).task;
    await api.put(puts.task(api.keys, stopped), remove(api.keys.task('t2')));
    await until('third set', () => assignmentsIn(messages).length === 3);
    expect(assignmentsIn(messages)[2]).toMatchObject({
      complete: false,
      sequence: 3,
      set: [{ taskId: 't1', desiredState: 'shutdown' }],
      removed: ['t2'],
      templates: {},
    });
  });

  it("carry the cluster's default log driver, also after it changed", async () => {
    const admin = await api.client('admin');
    const useLogDriver = (name: string) =>
      admin.patch('clusters', 'default', { spec: { defaultLogDriver: { name } } });
    const driversIn = (message: Assignments | undefined) =>
      Object.values(message?.templates ?? {}).map(({ task }) => task.logDriver?.name);
    await useLogDriver('local');
    await assign('t1');
    const messages = heard(await agent.openSession(hello));
    await until('first set', () => messages.length > 0);
    expect(driversIn(assignmentsIn(messages)[0])).toEqual(['local']);
    await useLogDriver('journald');
    await api.put(puts.task(api.keys, aTask({ id: 't2', slot: 2, nodeId: 'n1' }).task));
    await until('second set', () => assignmentsIn(messages).length === 2);
    expect(driversIn(assignmentsIn(messages)[1])).toEqual(['journald']);
  });

  it('2.11.6 are silent about what a node need not know', async () => {
    await assign('t1');
    const messages = heard(await agent.openSession(hello));
    await until('first set', () => messages.length > 0);
    const { task } = aTask({ id: 't1', nodeId: 'n1', restarts: 3 });
    await api.put(puts.task(api.keys, task), puts.task(api.keys, aTask({ id: 't9' }).task));
    await api.put(puts.task(api.keys, aTask({ id: 't2', nodeId: 'n1' }).task));
    await until('second set', () => assignmentsIn(messages).length === 2);
    expect(assignmentsIn(messages)[1]?.set.map(({ taskId }) => taskId)).toEqual(['t2']);
  });

  it('send a template later when it was not there', async () => {
    const service = aService();
    await api.put(puts.task(api.keys, aTask({ id: 't1', nodeId: 'n1' }).task));
    const messages = heard(await agent.openSession(hello));
    await until('first set', () => messages.length > 0);
    expect(assignmentsIn(messages)[0]?.templates).toEqual({});
    await api.put(puts.serviceRevision(api.keys, aRevision(service)));
    await until('template', () => assignmentsIn(messages).length === 2);
    expect(Object.keys(assignmentsIn(messages)[1]!.templates)).toEqual(['uid-web/1']);
  });

  it('keep a task whose object became unreadable', async () => {
    await assign('t1', 't2');
    const messages = heard(await agent.openSession(hello));
    await until('first set', () => messages.length > 0);
    await api.put({ kind: 'put', key: api.keys.task('t1'), value: { from: 'the future' } });
    await api.put(remove(api.keys.task('t2')));
    await until('second set', () => assignmentsIn(messages).length === 2);
    expect(assignmentsIn(messages)[1]?.removed).toEqual(['t2']);
  });
});

describe('reports', () => {
  const taskReports = (...reports: readonly [string, TaskReport][]) => ({
    ...healthy,
    tasks: reports.map(([taskId, of]) => ({ taskId, report: of })),
  });

  it('are stored when they are answered', async () => {
    await assign('t1');
    const session = await agent.openSession(hello);
    const answer = await session.report(taskReports(['t1', report('running')]));
    expect(answer).toEqual({ heartbeatMs: 2_000, refused: [] });
    expect(api.world.taskStatuses.get('t1')).toMatchObject({
      state: 'running',
      nodeId: 'n1',
      epoch: 1,
    });
    expect(api.first.events.map(({ reason }) => reason)).toContain('TaskStarted');
  });

  it('2.1.4 are kept beside the task, which nodes cannot write', async () => {
    await assign('t1');
    const before = api.world.tasks.get('t1');
    const session = await agent.openSession(hello);
    await session.report(taskReports(['t1', report('failed')]));
    expect(api.world.tasks.get('t1')).toEqual(before);
  });

  it('2.11.7 are refused when they are not ours, go back, or come from nowhere (scenario 58)', async () => {
    await assign('t1', 't2');
    await api.put(
      puts.node(api.keys, aNode('n2')),
      puts.task(api.keys, aTask({ id: 'other', nodeId: 'n2' }).task),
    );
    const session = await agent.openSession(hello);
    await session.report(taskReports(['t1', report('running')], ['t2', report('failed')]));
    const { refused } = await session.report(
      taskReports(
        ['t1', report('starting')],
        ['t2', report('complete')],
        ['other', report('running')],
        ['nothing', report('running')],
      ),
    );
    expect(Object.fromEntries(refused.map(({ taskId, reason }) => [taskId, reason]))).toEqual({
      t1: 'backwards: the task is running already',
      t2: 'the task has ended: failed',
      other: 'the task is not assigned to this node',
      nothing: 'unknown task',
    });
    expect(api.world.taskStatuses.get('other')).toBeUndefined();
  });

  it('write nothing when they say nothing new', async () => {
    await assign('t1');
    const session = await agent.openSession(hello);
    await session.report(taskReports(['t1', report('running')]));
    const { revision } = await api.store.health();
    await session.report(
      taskReports(['t1', report('running', { at: '2026-02-01T00:00:00.000Z' })]),
    );
    await session.report(healthy);
    expect((await api.store.health()).revision).toBe(revision);
  });

  it('of many tasks share few transactions', async () => {
    const ids = Array.from({ length: 90 }, (_, index) => `t${String(index)}`);
    await assign(...ids);
    const session = await agent.openSession(hello);
    const before = (await api.store.health()).revision;
    await session.report(
      taskReports(...ids.map((id): [string, TaskReport] => [id, report('running')])),
    );
    expect((await api.store.health()).revision - before).toBe(3);
    expect(api.world.taskStatuses.size).toBe(90);
  });

  it('of a session that is over are refused, whoever holds the next', async () => {
    await assign('t1');
    const old = await agent.openSession(hello);
    const other = await api.addServer('m2');
    await (await api.client('worker', 'n1', other)).openSession(hello);
    await expect(old.report(taskReports(['t1', report('running')]))).rejects.toMatchObject({
      code: 'ERR_NOT_FOUND',
    });
    expect(api.world.taskStatuses.get('t1')).toBeUndefined();
  });

  it('of a manager that does not know yet that its session is over fail in the store', async () => {
    await assign('t1');
    const old = await agent.openSession(hello);
    // What another manager does, while our watch is blind.
    const session = { epoch: 2, managerId: 'm2', open: true, reason: '', changedAt: BUILT_AT };
    const stored = puts.nodeStatus(api.keys, aNodeStatus('n1', { session }));
    const answer = Promise.all([
      api.store.connect().commit({ compare: [], operations: [stored] }),
      old.report(taskReports(['t1', report('running')])).catch((error: unknown) => error),
    ]);
    expect((await answer)[1]).toMatchObject({ code: 'ERR_NOT_FOUND' });
    expect(await api.store.get(api.keys.taskStatus('t1'))).toBeUndefined();
  });

  it('survive that somebody changed the task meanwhile', async () => {
    await assign('t1');
    const session = await agent.openSession(hello);
    const changed = aTask({ id: 't1', nodeId: 'n1', desiredState: 'shutdown' }).task;
    const [answer] = await Promise.all([
      session.report(taskReports(['t1', report('running')])),
      api.put(puts.task(api.keys, changed)),
    ]);
    expect(answer.refused).toEqual([]);
    expect(api.world.taskStatuses.get('t1')?.state).toBe('running');
  });

  it('leave nothing of a task that was deleted meanwhile', async () => {
    await assign('t1');
    const session = await agent.openSession(hello);
    const deleting = api.store
      .connect()
      .commit({ compare: [], operations: [remove(api.keys.task('t1'))] });
    await session.report(taskReports(['t1', report('running')]));
    await deleting;
    expect(await api.store.get(api.keys.taskStatus('t1'))).toBeUndefined();
  });

  it('are not answered as stored when etcd is away', async () => {
    await assign('t1');
    const session = await agent.openSession(hello);
    api.store.failNext(new UnavailableError('etcd is away'), 'commit');
    await expect(session.report(taskReports(['t1', report('running')]))).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
    });
    const again = await session.report(taskReports(['t1', report('running')]));
    expect(again.refused).toEqual([]);
  });

  it('2.11.7 keep the moment at which a state began', async () => {
    await assign('t1');
    const session = await agent.openSession(hello);
    await session.report(taskReports(['t1', report('running')]));
    const began = api.world.taskStatuses.get('t1')?.appliedAt;
    await session.report(taskReports(['t1', report('running', { health: 'healthy' })]));
    expect(api.world.taskStatuses.get('t1')).toMatchObject({ appliedAt: began, health: 'healthy' });
  });

  it('become events that say why', async () => {
    await assign('t1', 't2');
    const session = await agent.openSession(hello);
    const error = 'no such image: app:1';
    await session.report(
      taskReports(
        ['t1', report('failed', { reason: 'ExitCode', error: 'it crashed', exitCode: 3 })],
        ['t2', report('preparing', { reason: 'ImageNotFound', error })],
      ),
    );
    await session.report(
      taskReports([
        't2',
        report('preparing', { reason: 'ImageNotFound', error, message: 'again' }),
      ]),
    );
    const told = api.first.events.map(({ reason, message, type }) => ({ reason, message, type }));
    expect(told).toEqual([
      { reason: 'TaskFailed', message: 'it crashed, exit code 3', type: 'warning' },
      { reason: 'ImageNotFound', message: error, type: 'warning' },
    ]);
  });
});

describe('heartbeats', () => {
  beforeEach(async () => {
    await api.dispose();
    api = await ApiFixture.start({ spec: PERIODS });
    agent = await api.client('worker', 'n1');
    await api.put(puts.node(api.keys, aNode('n1')));
  });

  const sessionOf = () => api.world.nodeStatuses.get('n1')?.session;

  it('2.11.3 that stop end the session, and only then is something written (scenario 56)', async () => {
    const session = await agent.openSession(hello);
    const messages = heard(session);
    await session.report(healthy);
    expect(sessionOf()?.open).toBe(true);
    await until('closed session', () => sessionOf()?.open === false);
    expect(sessionOf()?.reason).toBe('heartbeat failure');
    await until('farewell', () => messages.at(-1)?.type === 'close');
    await expect(session.report(healthy)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
    expect((await agent.openSession(hello)).opened.epoch).toBe(2);
    await until('open session', () => sessionOf()?.open === true);
  });

  it('store what changed of the node', async () => {
    const session = await agent.openSession(hello);
    const { revision } = await api.store.health();
    await session.report({ engineHealthy: false, engineMessage: 'no answer', tasks: [] });
    expect(api.world.nodeStatuses.get('n1')).toMatchObject({
      engineHealthy: false,
      engineMessage: 'no answer',
    });
    expect((await api.store.health()).revision).toBe(revision + 1);
  });

  it('let a connection be opened again without a word in the store', async () => {
    const stop = new AbortController();
    await agent.openSession(hello, stop.signal);
    stop.abort(new Error('the cable was pulled'));
    const again = await agent.openSession(hello);
    expect(again.opened.epoch).toBe(2);
    expect(sessionOf()?.open).toBe(true);
  });

  it('end a session that a manager of the same id left open when it was killed', async () => {
    const session = { epoch: 7, managerId: 'm1', open: true, reason: '', changedAt: BUILT_AT };
    await api.put(puts.nodeStatus(api.keys, aNodeStatus('n1', { session })));
    await until('closed session', () => sessionOf()?.open === false);
    expect(sessionOf()).toMatchObject({ epoch: 7, reason: 'the manager has lost the session' });
  });
});

describe('an open session', () => {
  it('2.11.2 is told the managers whenever these change', async () => {
    const messages = heard(await agent.openSession(hello));
    const told = () =>
      messages.flatMap((message) => (message.type === 'managers' ? [message.managers] : []));
    const { address } = await api.addServer('m2');
    await until('the new one', () => told().length === 1);
    await api.put(remove(api.keys.manager('m2')));
    await until('those that are left', () => told().length === 2);
    expect(told()).toEqual([[address, api.first.address].sort(), [api.first.address]]);
  });
});

describe('a node that is removed', () => {
  it('2.11.8 is told so', async () => {
    const messages = heard(await agent.openSession(hello));
    await until('first set', () => messages.length > 0);
    await (await api.client()).delete('nodes', 'n1', { force: true });
    await until('farewell', () => messages.at(-1)?.type === 'close');
    expect(messages.at(-1)).toMatchObject({ reason: 'node removed', removed: true });
    expect(await api.store.get(api.keys.nodeStatus('n1'))).toBeUndefined();
  });

  it('is not told so when its object only became unreadable', async () => {
    const messages = heard(await agent.openSession(hello));
    await until('first set', () => messages.length > 0);
    await api.put({ kind: 'put', key: api.keys.node('n1'), value: { from: 'the future' } });
    await assign('t1');
    await until('second set', () => assignmentsIn(messages).length === 2);
    expect(messages.some(({ type }) => type === 'close')).toBe(false);
  });
});

describe('a manager that does not hear the store', () => {
  const deafen = () => {
    api.first.store.partition(true);
    api.first.store.cutWatches();
  };

  it('advises its nodes to go elsewhere, until it hears it again', async () => {
    const session = await agent.openSession(hello);
    expect(await session.report(healthy)).not.toHaveProperty('leave');
    deafen();
    await until('the advice', async () => (await session.report(healthy)).leave === true);
    api.first.store.partition(false);
    await until('its end', async () => !(await session.report(healthy)).leave);
  });

  it('takes no new ones, and says so at once; another manager does', async () => {
    const { address } = await api.addServer('m2');
    const session = await agent.openSession(hello);
    deafen();
    await until('the advice', async () => (await session.report(healthy)).leave === true);
    const began = performance.now();
    await expect(agent.openSession(hello)).rejects.toThrow('does not hear the store');
    expect(performance.now() - began).toBeLessThan(3_000);
    agent.useManagers([api.first.address, address]);
    const next = await agent.openSession(hello, undefined, { except: api.first.address });
    expect(next).toMatchObject({ manager: address, opened: { epoch: 2 } });
  });
});

describe('a manager that stops', () => {
  it('tells its nodes, writes nothing of them, and is gone soon', async () => {
    await assign('t1');
    const session = await agent.openSession(hello);
    const messages = heard(session);
    await until('first set', () => messages.length > 0);
    const { revision } = await api.store.health();
    const begun = performance.now();
    await api.first.stop();
    expect(performance.now() - begun).toBeLessThan(5_000);
    await until('farewell', () => messages.at(-1)?.type === 'close');
    expect(messages.at(-1)).toMatchObject({ reason: 'manager stops', removed: false });
    expect((await api.store.health()).revision).toBe(revision);
  });
});
