import { afterEach, describe, expect, it } from 'vitest';
import type { TaskView } from '../pkg/lifecycle/index.js';
import { aService, type ServiceOptions } from '../test/builders/objects.js';
import { ControlPlane } from '../test/fakes/control-plane.js';
import { FakeClock } from '../test/fakes/fake-clock.js';
import { MemoryStore } from '../test/fakes/memory-store.js';
import { SimulatedNode, type SimulatedNodeOptions } from '../test/fakes/simulated-node.js';

/** One control plane on a store in memory, under a clock that the test moves. */
async function aCluster(nodes: number, options: Partial<SimulatedNodeOptions> = {}) {
  const clock = new FakeClock();
  const store = new MemoryStore({ clock });
  const plane = new ControlPlane({ store, clock });
  await plane.start();
  const members: SimulatedNode[] = [];
  const addNode = async (id: string, more: Partial<SimulatedNodeOptions> = {}) => {
    const parts = { store, clock, keys: plane.keys, world: plane.world };
    const node = new SimulatedNode({ ...parts, ...options, ...more, id });
    members.push(node);
    await node.join();
    return node;
  };
  for (let index = 1; index <= nodes; index += 1) await addNode(`n${String(index)}`);
  await plane.lead();
  const until = async (what: string, holds: () => boolean, withinMs = 60_000) => {
    const deadline = clock.monotonicMs() + withinMs;
    while (!holds()) {
      if (clock.monotonicMs() > deadline) throw new Error(`never: ${what}`);
      await clock.advance(10);
    }
  };
  /** Lets time pass in steps, so that whatever follows from one step happens before the next. */
  const pass = async (ms: number) => {
    const end = clock.monotonicMs() + ms;
    while (clock.monotonicMs() < end) {
      await clock.advance(Math.min(20, end - clock.monotonicMs()));
      await clock.advance(0);
    }
  };
  const running = (service = 'web') =>
    plane
      .tasksOf(service)
      .filter(({ state, task }) => state === 'running' && task.spec.desiredState === 'running');
  const apply = (service: ServiceOptions) => plane.apply(aService(service));
  const status = (service = 'web') => plane.world.serviceStatuses.get(service);
  const condition = (type: string, service = 'web') =>
    status(service)?.conditions.find((each) => each.type === type);
  cleanups.push(async () => {
    for (const node of members) node.stop();
    await plane.stop();
    await store.close();
  });
  return { clock, store, plane, members, addNode, until, pass, running, apply, status, condition };
}

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const slots = (tasks: readonly TaskView[]) => tasks.map(({ task }) => task.spec.slot).sort();

describe('the controllers together', () => {
  it('bring up a service, say so, and then write nothing', async () => {
    const { apply, until, running, status, condition, store, clock } = await aCluster(2);
    await apply({ replicas: 4 });
    await until('4 running', () => running().length === 4);
    await until('status', () => status()?.running === 4);
    expect(slots(running())).toEqual([1, 2, 3, 4]);
    expect(new Set(running().map(({ task }) => task.spec.nodeId)).size).toBe(2);
    expect(condition('Available')).toMatchObject({ status: 'true', reason: 'TasksRunning' });
    await until('a stable revision', () => status()?.stable?.length === 1);
    const before = store.revision;
    await clock.advance(120_000);
    expect(store.revision).toBe(before);
  });

  it('scale up and down', async () => {
    const { apply, until, running, plane } = await aCluster(3);
    await apply({ replicas: 20 });
    await until('20 running', () => running().length === 20);
    await apply({ replicas: 2 });
    await until('2 left', () => plane.tasksOf('web').length === 2);
    expect(running()).toHaveLength(2);
    await apply({ replicas: 0 });
    await until('none left', () => plane.tasksOf('web').length === 0);
  });

  it('create 250 tasks in transactions of at most 100 writes', async () => {
    const { apply, until, running, status } = await aCluster(5);
    await apply({ replicas: 250 });
    await until('250 running', () => running().length === 250);
    await until('status', () => status()?.running === 250);
  });

  it('2.6.4 restart a task that fails, after its delay (scenario 24)', async () => {
    const { apply, until, running, members, clock, plane, pass } = await aCluster(1);
    await apply({ replicas: 1, restartPolicy: { delay: '5s' } });
    await until('running', () => running().length === 1);
    const [first] = running();
    await clock.advance(120_000);
    await members[0]?.end(first?.task.metadata.uid ?? '');
    await pass(4_900);
    expect(running()).toHaveLength(0);
    expect(
      plane.tasksOf('web').find(({ task }) => task.spec.desiredState === 'ready'),
    ).toBeDefined();
    await pass(300);
    expect(running()).toHaveLength(1);
    // its node's report told it already
    expect(plane.events.messages('TaskFailed')).toEqual([]);
  });

  it('make a task again that was deleted by hand (scenario 20)', async () => {
    const { apply, until, running, plane, store } = await aCluster(2);
    await apply({ replicas: 2 });
    await until('2 running', () => running().length === 2);
    const uid = running()[0]?.task.metadata.uid ?? '';
    const operations = [{ kind: 'delete', key: plane.keys.task(uid) } as const];
    await store.commit({ compare: [], operations });
    await until(
      '2 again',
      () => running().length === 2 && plane.world.tasks.get(uid) === undefined,
    );
    expect(slots(running())).toEqual([1, 2]);
  });

  it.each([
    ['active', 'ready', 0],
    ['pause', 'ready', 0],
    ['active', 'unknown', 0],
    ['active', 'lost', 2],
    ['drain', 'ready', 2],
  ] as const)(
    '2.4.5 a node that is %s and %s loses %i of its 2 tasks (scenario 21)',
    async (availability, state, lost) => {
      const { apply, until, running, members, plane, store, pass } = await aCluster(2);
      await apply({ replicas: 4, restartPolicy: { condition: 'any' } });
      await until('4 running', () => running().length === 4);
      await pass(30_000); // no leader judges by what it did not hear itself
      if (availability !== 'active') await setAvailability(store, plane, 'n1', availability);
      if (state !== 'ready') await members[0]?.disconnect();
      await pass(state === 'lost' ? 20_000 : 2_000);
      expect(plane.world.nodeHealths.get('n1')?.state).toBe(state);
      const stay = running().filter(({ task }) => task.spec.nodeId === 'n1').length;
      expect(2 - stay).toBe(lost);
      expect(running()).toHaveLength(4);
    },
  );

  it.each([
    ['any', 'complete', 1],
    ['any', 'failed', 1],
    ['on-failure', 'failed', 1],
    ['on-failure', 'complete', 0],
    ['none', 'failed', 0],
  ] as const)(
    '2.6.2 restart policy %s, task %s: it is told to stop, and followed by %i (scenarios 22, 23)',
    async (condition, state, followers) => {
      const { apply, until, running, members, plane, pass } = await aCluster(1);
      await apply({ replicas: 1, restartPolicy: { condition, delay: '1s' } });
      await until('running', () => running().length === 1);
      const uid = running()[0]?.task.metadata.uid ?? '';
      await members[0]?.end(uid, state);
      await pass(3_000);
      expect(running()).toHaveLength(followers);
      expect(plane.world.tasks.get(uid)?.spec.desiredState).toBe('shutdown');
    },
  );

  it('2.6.8 count attempts for each slot and revision, not anew for a scale (scenario 25, S18)', async () => {
    const { apply, until, running, members, plane, pass } = await aCluster(1);
    const restartPolicy = { delay: '0s', maxAttempts: 1 };
    const failSlot = async (slot: number) => {
      const task = running().find(({ task: { spec } }) => spec.slot === slot);
      await members[0]?.end(task?.task.metadata.uid ?? '');
      await pass(5_000);
    };
    await apply({ replicas: 2, restartPolicy });
    await until('2 running', () => running().length === 2);
    await failSlot(1);
    await failSlot(2);
    expect(slots(running())).toEqual([1, 2]);
    await failSlot(1);
    expect(slots(running())).toEqual([2]);
    await apply({ replicas: 3, restartPolicy });
    await pass(5_000);
    expect(slots(running())).toEqual([2, 3]);
    await plane.resign(); // whoever leads now remembers nothing
    await plane.lead();
    await failSlot(2);
    expect(slots(running())).toEqual([3]);
    await apply({ replicas: 3, restartPolicy, image: 'app:2' });
    await until('all of the new revision', () => running().length === 3);
    await failSlot(1);
    expect(slots(running())).toEqual([1, 2, 3]);
  });

  it('2.12 find what happened while nobody led (scenario 27)', async () => {
    const { apply, until, running, members, plane, store, addNode, pass } = await aCluster(3);
    await apply({ replicas: 6, restartPolicy: { delay: '0s' } });
    await apply({ name: 'other', replicas: 1 });
    await until('running', () => running().length === 6 && running('other').length === 1);
    const on = (id: string) => running().filter(({ task }) => task.spec.nodeId === id);
    const [failed] = on('n1');
    await plane.resign();
    await members[0]?.end(failed?.task.metadata.uid ?? '');
    await setAvailability(store, plane, 'n2', 'drain');
    const keys = [plane.keys.node('n3'), plane.keys.service('other')];
    await store.commit({
      compare: [],
      operations: keys.map((key) => ({ kind: 'delete', key }) as const),
    });
    await addNode('n4');
    await plane.lead();
    await pass(20_000);
    expect(running()).toHaveLength(6);
    expect([...on('n2'), ...on('n3')]).toEqual([]);
    expect(plane.tasksOf('other')).toEqual([]);
  });

  it('restart a global task on its own node, as often as its policy allows (scenario 39)', async () => {
    const { apply, until, running, members, pass, plane } = await aCluster(2);
    const restartPolicy = { delay: '0s', maxAttempts: 2 };
    await apply({ name: 'agent', global: true, restartPolicy });
    await until('2 running', () => running('agent').length === 2);
    const onFirst = () => running('agent').filter(({ task }) => task.spec.nodeId === 'n1');
    for (const left of [1, 1, 0]) {
      await members[0]?.end(onFirst()[0]?.task.metadata.uid ?? '');
      await pass(5_000);
      expect(onFirst()).toHaveLength(left);
    }
    await plane.resign();
    await plane.lead();
    await pass(60_000);
    expect(onFirst()).toHaveLength(0);
    expect(running('agent')).toHaveLength(1);
  });

  it('make a global task again that was deleted by hand (scenario 38)', async () => {
    const { apply, until, running, plane, store } = await aCluster(2);
    await apply({ name: 'agent', global: true });
    await until('2 running', () => running('agent').length === 2);
    const uid = running('agent')[0]?.task.metadata.uid ?? '';
    const operations = [{ kind: 'delete', key: plane.keys.task(uid) } as const];
    await store.commit({ compare: [], operations });
    await until('2 again', () => running('agent').length === 2 && !plane.world.tasks.get(uid));
  });

  it('restart at once with delay 0 after a first failure', async () => {
    const { apply, until, running, members, clock } = await aCluster(1);
    await apply({ replicas: 1, restartPolicy: { delay: '0s' } });
    await until('running', () => running().length === 1);
    const [first] = running();
    await members[0]?.end(first?.task.metadata.uid ?? '');
    await clock.advance(1);
    await until('running again', () => running().length === 1, 50);
    expect(running()[0]?.task.metadata.uid).not.toBe(first?.task.metadata.uid);
  });

  it('hold a crash loop back longer each time, and keep little history', async () => {
    const { apply, plane, condition, pass } = await aCluster(1, {
      fateOf: () => ({ ends: 'failed', runMs: 100 }),
    });
    await apply({ replicas: 1, restartPolicy: { delay: '1s', maxDelay: '10s' } });
    await pass(60_000);
    const newest = plane.tasksOf('web').find(({ task }) => task.spec.desiredState !== 'shutdown');
    expect(newest?.task.spec.failures).toBeGreaterThanOrEqual(6);
    expect(newest?.task.spec.failures).toBeLessThanOrEqual(10);
    expect(plane.tasksOf('web').length).toBeLessThanOrEqual(6);
    expect(condition('Available')?.message).toContain('exit code 1');
    const delays = plane.events.messages('RestartDelayed');
    expect(delays.length).toBeGreaterThan(3);
    expect(delays.at(-1)).toMatch(
      /^restart \d+ is held back until .* after \d+ failures in a row \(exit code 1\)$/,
    );
    expect(delays.some((text) => text.includes(' after a failure ('))).toBe(true);
  });

  it('update one slot at a time, stop-first', async () => {
    const { apply, until, running, status, plane, condition } = await aCluster(2, {
      fateOf: () => ({ stopMs: 200, startMs: 200 }),
    });
    await apply({ replicas: 4 });
    await until('4 running', () => running().length === 4);
    await apply({ replicas: 4, image: 'app:2' });
    let fewest = 4;
    await until('all updated', () => {
      fewest = Math.min(fewest, running().length);
      return running().length === 4 && running().every(({ task }) => task.spec.revision === 2);
    });
    expect(fewest).toBe(3);
    await until('the end of the update', () => condition('Updating')?.reason === 'UpToDate');
    expect(status()?.update).toMatchObject({ state: 'completed', from: 1, to: 2, tasks: 4 });
    expect(plane.events.messages('UpdateStarted')).toHaveLength(1);
    expect(plane.events.messages('UpdateCompleted')).toHaveLength(1);
  });

  it('pause an update whose first task fails, and go on with the next spec', async () => {
    const { apply, until, running, clock, condition, status } = await aCluster(1, {
      fateOf: ({ spec }) => (spec.revision === 2 ? { ends: 'rejected' } : {}),
    });
    await apply({ replicas: 3 });
    await until('3 running', () => running().length === 3);
    await apply({ replicas: 3, image: 'bad' });
    await until('paused', () => condition('Updating')?.reason === 'UpdatePaused');
    await clock.advance(600_000);
    expect(running()).toHaveLength(2);
    expect(condition('Updating')?.message).toContain('no such image');
    await apply({ replicas: 3, image: 'app:1' });
    await until('back', () => running().length === 3 && status()?.updated === 3);
    // The two that were never touched run that template already.
    expect(
      running()
        .map(({ task }) => task.spec.revision)
        .sort(),
    ).toEqual([1, 1, 3]);
  });

  it('replace at once what never ran, when a bad image is corrected', async () => {
    const { apply, until, running, clock } = await aCluster(1, {
      fateOf: ({ spec }) => (spec.revision === 1 ? { ends: 'rejected' } : { startMs: 100 }),
    });
    await apply({ replicas: 10, image: 'bad' });
    await clock.advance(20_000);
    await apply({ replicas: 10, image: 'good' });
    await until('10 running', () => running().length === 10, 1_000);
  });

  it('delete a service to the last key', async () => {
    const { apply, until, running, plane, status, store } = await aCluster(2);
    await apply({ replicas: 150 });
    await until('running', () => running().length === 150);
    await plane.delete('web');
    await until('gone', () => plane.world.services.get('web') === undefined);
    expect(plane.tasksOf('web')).toEqual([]);
    expect(status()).toBeUndefined();
    expect(plane.world.serviceRevisions.size).toBe(0);
    expect(plane.world.taskStatuses.size).toBe(0);
    expect(store.revision).toBeGreaterThan(0);
  });

  it('3.1 say why a task is pending, once, and place it when there is room (scenario 2)', async () => {
    const { apply, until, running, clock, plane, addNode, status, store } = await aCluster(0);
    await apply({ replicas: 2, constraints: ['node.labels.disk == ssd'] });
    await addNode('n1');
    await clock.advance(5_000);
    expect(status()?.pending).toBe(2);
    const [task] = plane.tasksOf('web');
    expect(task?.task.spec.pending?.message).toContain('0/1 nodes');
    const before = store.revision;
    await clock.advance(60_000);
    expect(store.revision).toBe(before);
    await addNode('n2', { node: { labels: { disk: 'ssd' } } });
    await until('2 running', () => running().length === 2);
    expect(running().every(({ task: { spec } }) => spec.nodeId === 'n2')).toBe(true);
    expect(running().every(({ task: { spec } }) => spec.pending === undefined)).toBe(true);
  });

  it('2.14 move tasks away from a drained node, without delay', async () => {
    const { apply, until, running, plane, store } = await aCluster(2);
    await apply({ replicas: 4, restartPolicy: { delay: '30s' } });
    await until('4 running', () => running().length === 4);
    await setAvailability(store, plane, 'n1', 'drain');
    await until(
      'all on n2',
      () => running().length === 4 && running().every(({ task }) => task.spec.nodeId === 'n2'),
      2_000,
    );
  });

  it('2.11.5 replace tasks of a lost node, and not of one that is only unknown', async () => {
    const { apply, until, running, members, clock, plane } = await aCluster(2);
    await apply({ replicas: 4 });
    await until('4 running', () => running().length === 4);
    await clock.advance(60_000);
    await members[0]?.disconnect();
    await clock.advance(2_000);
    expect(plane.world.nodeHealths.get('n1')?.state).toBe('unknown');
    expect(running().filter(({ task }) => task.spec.nodeId === 'n1')).toHaveLength(2);
    await until(
      'replaced',
      () => running().filter(({ task }) => task.spec.nodeId === 'n2').length === 4,
      10_000,
    );
    await members[0]?.connect();
    await until(
      'old ones stopped',
      () =>
        plane
          .tasksOf('web')
          .filter(({ task }) => task.spec.nodeId === 'n1')
          .every(({ state }) => state === 'shutdown'),
      2_000,
    );
    expect(plane.world.nodeHealths.get('n1')?.state).toBe('ready');
  });

  it('2.5 give a global service a task on every node, as nodes come and go (scenarios 35, 36)', async () => {
    const { apply, until, running, addNode, plane, store, status } = await aCluster(2);
    await apply({ name: 'agent', global: true });
    await until('2 running', () => running('agent').length === 2);
    await addNode('n3');
    await until('3 running', () => running('agent').length === 3);
    await setAvailability(store, plane, 'n2', 'drain');
    await until('2 running', () => running('agent').length === 2);
    await until('status', () => status('agent')?.desired === 2 && status('agent')?.running === 2);
    await setAvailability(store, plane, 'n2', 'active');
    await until('3 again', () => running('agent').length === 3);
  });
});

async function setAvailability(
  store: MemoryStore,
  plane: ControlPlane,
  id: string,
  availability: 'active' | 'pause' | 'drain',
): Promise<void> {
  const node = plane.world.nodes.get(id);
  if (!node) throw new Error(`no node ${id}`);
  const { version: _version, ...metadata } = node.metadata;
  const value = { ...node, metadata, spec: { ...node.spec, availability } };
  await store.commit({
    compare: [],
    operations: [{ kind: 'put', key: plane.keys.node(id), value }],
  });
}
