import { afterEach, describe, expect, it } from 'vitest';
import { ConflictError, UnavailableError } from '../../pkg/base/index.js';
import type { GuardedTxn, GuardedWriter } from '../../pkg/controller/index.js';
import { aService } from '../../test/builders/objects.js';
import { ControlPlane } from '../../test/fakes/control-plane.js';
import { FakeClock } from '../../test/fakes/fake-clock.js';
import { MemoryStore } from '../../test/fakes/memory-store.js';
import { SimulatedNode } from '../../test/fakes/simulated-node.js';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function aCluster(wrap: (writer: GuardedWriter) => GuardedWriter = (writer) => writer) {
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
  await plane.start();
  const node = new SimulatedNode({ id: 'n1', store, clock, keys: plane.keys, world: plane.world });
  cleanups.push(() => {
    node.stop();
  });
  await node.join();
  await plane.lead();
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 20) {
      await clock.advance(20);
      await clock.advance(0);
    }
  };
  const running = () => plane.tasksOf('web').filter(({ state }) => state === 'running');
  return { clock, store, plane, node, pass, running, txns };
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

describe('ServiceReconciler', () => {
  it('creates the revision with the first tasks, and all in transactions that etcd takes', async () => {
    const { plane, pass, txns } = await aCluster();
    await plane.apply(aService({ replicas: 250 }));
    await pass(200);
    const [first] = txns.filter(({ operations }) =>
      operations.some(({ key }) => key.startsWith('/test/service-revisions/')),
    );
    expect(first?.operations).toHaveLength(100);
    for (const { operations } of txns) expect(operations.length).toBeLessThanOrEqual(100);
    expect(plane.tasksOf('web')).toHaveLength(250);
    expect(plane.world.serviceRevisions.size).toBe(1);
  });

  it('counts what goes out of service and comes back into it', async () => {
    const { plane, node, pass, running } = await aCluster();
    await plane.apply(aService({ replicas: 2 }));
    await pass(500);
    const ready = () => plane.world.serviceStatuses.get('web')?.ready;
    expect(ready()).toBe(2);
    const [first] = running();
    await node.stand(first!.task.metadata.uid, false);
    await pass(100);
    expect(ready()).toBe(1);
    expect(plane.world.serviceStatuses.get('web')?.running).toBe(2);
    await node.stand(first!.task.metadata.uid, true);
    await pass(100);
    expect(ready()).toBe(2);
  });

  it.each([1, 2, 3, 4, 5, 6, 8, 10])('2.12 goes on after a crash at write %i', async (writes) => {
    const broken = breakingAfter(writes);
    const { plane, pass, running } = await aCluster(broken.wrap);
    await plane.apply(aService({ replicas: 250 }));
    await pass(500);
    await plane.resign();
    broken.mend();
    await plane.lead();
    await pass(2_000);
    expect(running()).toHaveLength(250);
    expect(plane.tasksOf('web')).toHaveLength(250);
    expect(plane.world.serviceRevisions.size).toBe(1);
  });

  it.each([1, 2, 3, 5, 8, 11])(
    '2.4.3 deletes to the end after a crash at write %i',
    async (writes) => {
      const broken = breakingAfter(Infinity);
      const later = breakingAfter(writes);
      let wild = false;
      const { plane, pass, running } = await aCluster((writer) => {
        const [calm, failing] = [broken.wrap(writer), later.wrap(writer)];
        return { commit: (txn, context) => (wild ? failing : calm).commit(txn, context) };
      });
      await plane.apply(aService({ replicas: 150 }));
      await pass(1_000);
      expect(running()).toHaveLength(150);
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
    },
  );

  it('writes few statuses while many tasks start', async () => {
    const { plane, pass, running, txns } = await aCluster();
    await plane.apply(aService({ replicas: 100 }));
    await pass(1_000);
    expect(running()).toHaveLength(100);
    const statuses = txns.filter(({ operations }) =>
      operations.some(({ key }) => key === plane.keys.serviceStatus('web')),
    );
    expect(statuses.length).toBeLessThan(6);
    expect(plane.world.serviceStatuses.get('web')?.running).toBe(100);
  });

  it('refuses to act on a service that has changed meanwhile, and looks again at once', async () => {
    let isFirst = true;
    const { plane, pass } = await aCluster((writer) => ({
      commit: (txn, context) => {
        if (!isFirst || !txn.operations.some(({ key }) => key.startsWith('/test/tasks/'))) {
          return writer.commit(txn, context);
        }
        isFirst = false;
        return Promise.reject(new ConflictError('the service has changed'));
      },
    }));
    await plane.apply(aService({ replicas: 2 }));
    await pass(300);
    expect(isFirst).toBe(false);
    expect(plane.tasksOf('web')).toHaveLength(2);
  });

  it('numbers revisions past those that an earlier service of the name left', async () => {
    const { store, plane, pass } = await aCluster();
    await plane.apply(aService({ replicas: 1 }));
    await pass(300);
    await plane.resign();
    const key = plane.keys.service('web');
    await store.commit({ compare: [], operations: [{ kind: 'delete', key }] });
    await plane.apply(aService({ uid: 'another', replicas: 1 }));
    await plane.lead();
    await pass(1_000);
    expect(plane.world.serviceStatuses.get('web')).toMatchObject({
      serviceUid: 'another',
      revision: 2,
      running: 1,
    });
  });

  it('leaves an object that it cannot read alone', async () => {
    const { store, plane, pass, running } = await aCluster();
    await plane.apply(aService({ replicas: 2 }));
    await pass(500);
    const key = plane.keys.service('web');
    await store.commit({ compare: [], operations: [{ kind: 'put', key, value: { bad: true } }] });
    await pass(1_000);
    expect(plane.world.services.get('web')).toBeUndefined();
    expect(running()).toHaveLength(2);
  });
});
