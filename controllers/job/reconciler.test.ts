import { afterEach, describe, expect, it } from 'vitest';
import { ConflictError, UnavailableError } from '../../pkg/base/index.js';
import type { GuardedTxn, GuardedWriter } from '../../pkg/controller/index.js';
import { isLive } from '../../pkg/lifecycle/index.js';
import { aService } from '../../test/builders/objects.js';
import { ControlPlane } from '../../test/fakes/control-plane.js';
import { FakeClock } from '../../test/fakes/fake-clock.js';
import { MemoryStore } from '../../test/fakes/memory-store.js';
import { SimulatedNode, type TaskFate } from '../../test/fakes/simulated-node.js';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface ClusterOptions {
  readonly wrap?: (writer: GuardedWriter) => GuardedWriter;
  readonly fate?: (slot: number, restarts: number) => TaskFate;
}

const COMPLETES: TaskFate = { ends: 'complete', runMs: 100 };
const FAILS: TaskFate = { ends: 'failed', runMs: 100 };

async function aCluster({ wrap = (writer) => writer, fate = () => COMPLETES }: ClusterOptions) {
  const clock = new FakeClock();
  const store = new MemoryStore({ clock });
  const txns: GuardedTxn[] = [];
  const wrapWriter = (writer: GuardedWriter): GuardedWriter =>
    wrap({
      commit: (txn, context) => {
        txns.push(txn);
        return writer.commit(txn, context);
      },
    });
  const plane = new ControlPlane({ store, clock, wrapWriter });
  cleanups.push(
    () => store.close(),
    () => plane.stop(),
  );
  await plane.start({ nodeUnknownAfter: '2s', nodeLostAfter: '4s' });
  await plane.lead();
  const pass = async (ms: number, stepMs = 20) => {
    for (let passed = 0; passed < ms; passed += stepMs) {
      await clock.advance(stepMs);
      await clock.advance(0);
    }
  };
  const addNode = async (id: string) => {
    const { keys, world } = plane;
    const fateOf = ({ spec }: { spec: { slot: number; restarts: number } }) =>
      fate(spec.slot, spec.restarts);
    const node = new SimulatedNode({ id, store: store.connect(), clock, keys, world, fateOf });
    cleanups.push(() => {
      node.stop();
    });
    await node.join();
    await pass(300);
    return node;
  };
  const drain = async (id: string, availability = 'drain') => {
    const { version: _version, ...metadata } = plane.world.nodes.get(id)!.metadata;
    const node = {
      ...plane.world.nodes.get(id)!,
      metadata,
      spec: { role: 'worker', availability },
    };
    const operations = [{ kind: 'put', key: plane.keys.node(id), value: node } as const];
    await store.commit({ compare: [], operations });
  };
  const status = (name = 'web') => plane.world.serviceStatuses.get(name);
  const verdict = (name = 'web') =>
    (status(name)?.conditions ?? [])
      .filter(({ status: is, type }) => is === 'true' && type !== 'Progressing')
      .map(({ type, reason }) => `${type} ${reason}`)
      .join();
  const running = () => plane.tasksOf('web').filter(({ state }) => state === 'running');
  return { clock, store, plane, addNode, pass, drain, status, verdict, running, txns };
}

/** Fails every write from the n-th on until it is mended, as a crash between two writes does. */
function breakingAfter(writes: number) {
  let left = writes;
  return {
    mend: () => {
      left = Infinity;
    },
    wrap: (writer: GuardedWriter): GuardedWriter => ({
      commit: (txn, context) => {
        left -= 1;
        if (left < 0) return Promise.reject(new UnavailableError('crashed'));
        return writer.commit(txn, context);
      },
    }),
  };
}

const TEN = aService({ job: { totalCompletions: 10, maxConcurrent: 3 } });

describe('JobReconciler', () => {
  it('completes ten tasks, three at a time, and stays quiet then', async () => {
    const { plane, addNode, pass, running, verdict, status, store } = await aCluster({});
    await addNode('n1');
    await plane.apply(TEN);
    let most = 0;
    for (let step = 0; step < 100 && verdict() === ''; step += 1) {
      await pass(20);
      most = Math.max(most, running().length);
    }
    expect(most).toBe(3);
    expect(verdict()).toBe('Complete TasksCompleted');
    expect(status()?.job).toMatchObject({ iteration: 1, total: 10, succeeded: 10, failed: 0 });
    expect(
      plane
        .tasksOf('web')
        .map(({ task }) => task.spec.slot)
        .sort((a, b) => a - b),
    ).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(plane.events.messages('JobStarted')).toEqual(['run 1 started']);
    expect(plane.events.messages('JobComplete')).toEqual(['10 tasks completed']);
    await pass(1_000, 100);
    const { revision } = store;
    await pass(1_300_000, 10_000);
    expect(store.revision).toBe(revision);
  });

  it.each([1, 2, 3, 4, 5, 6, 8, 11, 15, 20])(
    'reaches the same end after a crash at write %i',
    async (writes) => {
      const broken = breakingAfter(writes);
      const { plane, addNode, pass, verdict } = await aCluster({
        wrap: broken.wrap,
        // The third slot fails once.
        fate: (slot, restarts) => (slot === 3 && restarts === 0 ? FAILS : COMPLETES),
      });
      await addNode('n1');
      await plane.apply(TEN);
      await pass(1_000);
      await plane.resign();
      broken.mend();
      await plane.lead();
      await pass(10_000, 100);
      expect(verdict()).toBe('Complete TasksCompleted');
      const tasks = plane.tasksOf('web');
      expect(tasks.filter(({ state }) => state === 'complete')).toHaveLength(10);
      expect(tasks.filter(({ state }) => state === 'failed')).toHaveLength(1);
      expect(tasks).toHaveLength(11);
      expect(plane.world.serviceRevisions.size).toBe(1);
    },
  );

  it.each([1, 2, 3, 4, 6, 9])(
    'fails after the same number of tries after a crash at write %i',
    async (writes) => {
      const broken = breakingAfter(writes);
      const { plane, addNode, pass, verdict, status } = await aCluster({
        wrap: broken.wrap,
        fate: () => FAILS,
      });
      await addNode('n1');
      const job = { totalCompletions: 2, maxConcurrent: 1, backoffLimit: 3 };
      await plane.apply(aService({ job, restartPolicy: { delay: '100ms', maxDelay: '1s' } }));
      await pass(2_000);
      await plane.resign();
      broken.mend();
      await plane.lead();
      await pass(20_000, 100);
      expect(verdict()).toBe('Failed BackoffLimitExceeded');
      expect(status()?.job).toMatchObject({ failed: 4, active: 0 });
      expect(plane.tasksOf('web')).toHaveLength(4);
      expect(plane.tasksOf('web').filter(isLive)).toEqual([]);
    },
  );

  it('moves tasks away from a drained node without counting failures (S12)', async () => {
    const { plane, addNode, pass, drain, status, verdict } = await aCluster({
      fate: () => ({ ends: 'complete', runMs: 2_000, stopMs: 100 }),
    });
    await addNode('n1');
    await addNode('n2');
    const job = { totalCompletions: 4, backoffLimit: 0 };
    await plane.apply(aService({ job, restartPolicy: { condition: 'none' } }));
    await pass(500);
    await drain('n1');
    await pass(4_000, 50);
    expect(verdict()).toBe('Complete TasksCompleted');
    expect(status()?.job).toMatchObject({ succeeded: 4, failed: 0 });
    const complete = plane.tasksOf('web').filter(({ state }) => state === 'complete');
    expect(complete.map(({ task }) => task.spec.nodeId)).toEqual(['n2', 'n2', 'n2', 'n2']);
    expect(plane.tasksOf('web').filter(({ state }) => state === 'shutdown')).toHaveLength(2);
  });

  it('moves tasks away from a lost node without counting failures', async () => {
    const { plane, addNode, pass, status, verdict } = await aCluster({
      fate: () => ({ ends: 'complete', runMs: 20_000 }),
    });
    const first = await addNode('n1');
    await addNode('n2');
    await pass(6_000, 100);
    await plane.apply(aService({ job: { totalCompletions: 2, backoffLimit: 0 } }));
    await pass(500);
    await first.disconnect();
    await pass(40_000, 100);
    expect(verdict()).toBe('Complete TasksCompleted');
    expect(status()?.job).toMatchObject({ succeeded: 2, failed: 0 });
  });

  it('runs again when it is forced to, and not when it is scaled', async () => {
    const { plane, addNode, pass, verdict, status } = await aCluster({});
    await addNode('n1');
    await plane.apply(aService({ job: { totalCompletions: 2 } }));
    await pass(1_000);
    await plane.apply(aService({ job: { totalCompletions: 4 } }));
    await pass(1_000);
    expect(status()?.job).toMatchObject({ iteration: 1, total: 2, succeeded: 2 });
    await plane.apply(aService({ job: { totalCompletions: 4 }, forceUpdate: 1 }));
    await pass(1_000);
    expect(status()?.job).toMatchObject({ iteration: 2, total: 4, succeeded: 4 });
    expect(verdict()).toBe('Complete TasksCompleted');
    expect(plane.events.messages('JobComplete')).toHaveLength(2);
  });

  it('scenario 40: stops the run before, and starts the new one when it has stopped', async () => {
    const { plane, addNode, pass, running } = await aCluster({
      fate: () => ({ ends: 'complete', runMs: 60_000, stopMs: 1_000 }),
    });
    await addNode('n1');
    const job = { totalCompletions: 3, maxConcurrent: 3 };
    await plane.apply(aService({ job }));
    await pass(500);
    expect(running()).toHaveLength(3);
    await plane.apply(aService({ job, forceUpdate: 1 }));
    await pass(500);
    const fresh = plane.tasksOf('web').filter(({ task }) => task.spec.revision === 2);
    expect(fresh.map(({ state }) => state)).toEqual(['ready', 'ready', 'ready']);
    await pass(1_000);
    expect(running().map(({ task }) => task.spec.revision)).toEqual([2, 2, 2]);
    expect(plane.tasksOf('web')).toHaveLength(3);
  });

  it('stops everything at its deadline', async () => {
    const { plane, addNode, pass, verdict, running } = await aCluster({ fate: () => ({}) });
    await addNode('n1');
    await plane.apply(aService({ job: { totalCompletions: 2, deadline: '5s' } }));
    await pass(4_000, 100);
    expect(running()).toHaveLength(2);
    await pass(1_500, 100);
    expect(verdict()).toBe('Failed DeadlineExceeded');
    expect(running()).toHaveLength(0);
    expect(plane.events.messages('JobFailed')).toEqual([
      'DeadlineExceeded: 0 of 2 tasks completed within 5s',
    ]);
  });

  it('scenario 42: gives a new node a task of a global job at once', async () => {
    const { plane, addNode, pass, verdict, status } = await aCluster({});
    await addNode('n1');
    await plane.apply(aService({ globalJob: {} }));
    await pass(1_000);
    expect(verdict()).toBe('Complete TasksCompleted');
    await addNode('n2');
    await pass(1_000);
    expect(verdict()).toBe('Complete TasksCompleted');
    expect(status()?.job).toMatchObject({ total: 2, succeeded: 2 });
    const nodes = plane.tasksOf('web').map(({ task }) => task.spec.nodeId);
    expect(nodes.sort()).toEqual(['n1', 'n2']);
  });

  it('deletes a finished job after its time, whole', async () => {
    const { plane, addNode, pass, verdict } = await aCluster({});
    await addNode('n1');
    await plane.apply(aService({ job: { ttlAfterFinished: '10s' } }));
    await pass(1_000);
    expect(verdict()).toBe('Complete TasksCompleted');
    await pass(12_000, 100);
    const { services, serviceStatuses, serviceRevisions, tasks, taskStatuses } = plane.world;
    const left = [services, serviceStatuses, serviceRevisions, tasks, taskStatuses];
    expect(left.map(({ size }) => size)).toEqual([0, 0, 0, 0, 0]);
    expect(plane.events.messages('JobExpired')).toHaveLength(1);
  });

  it.each([1, 2, 3, 4])('deletes to the end after a crash at write %i', async (writes) => {
    const later = breakingAfter(writes);
    let wild = false;
    const { plane, addNode, pass, running } = await aCluster({
      fate: () => ({}),
      wrap: (writer) => {
        const failing = later.wrap(writer);
        return { commit: (txn, context) => (wild ? failing : writer).commit(txn, context) };
      },
    });
    await addNode('n1');
    await plane.apply(aService({ job: { totalCompletions: 60 } }));
    await pass(1_000);
    expect(running()).toHaveLength(60);
    wild = true;
    await plane.delete('web');
    await pass(500);
    await plane.resign();
    wild = false;
    await plane.lead();
    await pass(2_000);
    expect(plane.world.services.size).toBe(0);
    expect(plane.world.serviceStatuses.size).toBe(0);
    expect(plane.world.serviceRevisions.size).toBe(0);
    expect(plane.world.tasks.size).toBe(0);
  });

  it('makes many tasks in transactions that etcd takes', async () => {
    const { plane, addNode, pass, txns } = await aCluster({});
    await addNode('n1');
    await plane.apply(aService({ job: { totalCompletions: 250 } }));
    await pass(1_000);
    for (const { operations } of txns) expect(operations.length).toBeLessThanOrEqual(100);
    expect(plane.tasksOf('web')).toHaveLength(250);
  });

  it('looks again at once when the job has changed meanwhile', async () => {
    let isFirst = true;
    const { plane, addNode, pass } = await aCluster({
      wrap: (writer) => ({
        commit: (txn, context) => {
          if (!isFirst || !txn.operations.some(({ key }) => key.startsWith('/test/tasks/'))) {
            return writer.commit(txn, context);
          }
          isFirst = false;
          return Promise.reject(new ConflictError('the service has changed'));
        },
      }),
    });
    await addNode('n1');
    await plane.apply(aService({ job: { totalCompletions: 2 } }));
    await pass(300);
    expect(isFirst).toBe(false);
    expect(plane.tasksOf('web')).toHaveLength(2);
  });
});
