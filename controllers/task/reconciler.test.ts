import { afterEach, describe, expect, it } from 'vitest';
import { ConflictError, UnavailableError } from '../../pkg/base/index.js';
import type { GuardedContext, GuardedTxn, GuardedWriter } from '../../pkg/controller/index.js';
import { puts } from '../../pkg/objects/index.js';
import { aService, aTask, aTaskStatus } from '../../test/builders/objects.js';
import { ControlPlane } from '../../test/fakes/control-plane.js';
import { FakeClock } from '../../test/fakes/fake-clock.js';
import { FakeTerm } from '../../test/fakes/fake-term.js';
import { MemoryStore } from '../../test/fakes/memory-store.js';
import { SimulatedNode, type TaskFate } from '../../test/fakes/simulated-node.js';
import { GroupCommit } from './group-commit.js';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Options {
  readonly nodes: readonly string[];
  readonly fate?: TaskFate;
  /** Runs before a transaction is committed. */
  readonly before?: (txn: GuardedTxn, plane: ControlPlane, store: MemoryStore) => Promise<void>;
}

async function aCluster({ nodes, fate = {}, before }: Options) {
  const clock = new FakeClock();
  const store = new MemoryStore({ clock });
  const txns: GuardedTxn[] = [];
  const wrapWriter = (writer: GuardedWriter): GuardedWriter => ({
    commit: async (txn, context) => {
      txns.push(txn);
      await before?.(txn, plane, store);
      return writer.commit(txn, context);
    },
  });
  const plane: ControlPlane = new ControlPlane({ store, clock, wrapWriter });
  cleanups.push(
    () => store.close(),
    () => plane.stop(),
  );
  await plane.start();
  const members = new Map<string, SimulatedNode>();
  for (const id of nodes) {
    const parts = { store, clock, keys: plane.keys, world: plane.world, fateOf: () => fate };
    const node = new SimulatedNode({ ...parts, id });
    members.set(id, node);
    cleanups.push(() => {
      node.stop();
    });
    await node.join();
  }
  await plane.lead();
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 20) {
      await clock.advance(20);
      await clock.advance(0);
    }
  };
  const running = () => plane.tasksOf('web').filter(({ state }) => state === 'running');
  return { clock, store, plane, members, pass, running, txns };
}

async function drain(plane: ControlPlane, store: MemoryStore, id: string): Promise<void> {
  const node = plane.world.nodes.get(id);
  if (!node) return;
  const { version: _version, ...metadata } = node.metadata;
  const value = { ...node, metadata, spec: { ...node.spec, availability: 'drain' } };
  const key = plane.keys.node(id);
  await store.commit({ compare: [], operations: [{ kind: 'put', key, value }] });
}

const places = ({ operations }: GuardedTxn) =>
  operations.some(
    (operation) =>
      operation.kind === 'put' &&
      operation.key.startsWith('/test/tasks/') &&
      JSON.stringify(operation.value).includes('"nodeId"'),
  );

const movesTask = ({ operations }: GuardedTxn) =>
  operations.some(
    (operation) => operation.kind === 'put' && JSON.stringify(operation.value).includes('"moves"'),
  );

describe('placement', () => {
  it('3.1 decides again when a node is drained between decision and write (scenario 16, S11)', async () => {
    let drained = '';
    const { plane, pass, running } = await aCluster({
      nodes: ['n1', 'n2'],
      before: async (txn, cluster, store) => {
        const isPlacement = txn.compare.some(({ key }) => key === cluster.keys.node('n1'));
        if (drained !== '' || !isPlacement || !places(txn)) return;
        drained = 'n1';
        await drain(cluster, store, 'n1');
      },
    });
    const seen: (string | undefined)[] = [];
    plane.world.tasks.onChange((_before, after) => seen.push(after?.spec.nodeId));
    await plane.apply(aService({ replicas: 4 }));
    await pass(500);
    expect(drained).toBe('n1');
    expect(running()).toHaveLength(4);
    expect(seen).not.toContain('n1');
  });

  it('has no place for tasks that were told to stop before anybody led (scenario 11)', async () => {
    const { plane, store, pass, running } = await aCluster({ nodes: ['n1'] });
    await plane.apply(aService({ replicas: 1 }));
    await pass(500);
    await plane.resign();
    const spec = running()[0]?.task.spec;
    const tasks = (['shutdown', 'remove'] as const).map((desiredState, index) => {
      const { task } = aTask({ id: desiredState, slot: 2 + index, desiredState });
      return { ...task, spec: { ...task.spec, serviceUid: spec?.serviceUid ?? '' } };
    });
    const seen: (string | undefined)[] = [];
    plane.world.tasks.onChange((_before, after) => seen.push(after?.spec.nodeId));
    const operations = tasks.map((task) => puts.task(plane.keys, task));
    await store.commit({ compare: [], operations });
    await plane.lead();
    await pass(2_000);
    expect(seen.filter((nodeId) => nodeId !== undefined)).toEqual([]);
    expect(plane.tasksOf('web')).toHaveLength(1);
  });

  it('puts the placements of a hundred tasks into one transaction', async () => {
    const { plane, pass, running, txns } = await aCluster({ nodes: ['n1'] });
    await plane.apply(aService({ replicas: 98 }));
    await pass(500);
    expect(running()).toHaveLength(98);
    const placing = txns.filter(({ compare }) =>
      compare.some(({ key }) => key === plane.keys.node('n1')),
    );
    expect(placing.filter(places)).toHaveLength(1);
  });

  it('does not let a bad image escape its back-off by failing while it is prepared', async () => {
    const { plane, pass } = await aCluster({ nodes: ['n1'], fate: { ends: 'rejected' } });
    await plane.apply(aService({ replicas: 1, restartPolicy: { delay: '1s', maxDelay: '1m' } }));
    await pass(10_000);
    // At once, prepared in the first wait of 1 s, then after 2, 4 and 8 s: not ten times.
    const restarts = Math.max(...plane.tasksOf('web').map(({ task }) => task.spec.restarts));
    expect(restarts).toBeGreaterThanOrEqual(3);
    expect(restarts).toBeLessThanOrEqual(5);
  });

  it('3.4.1 prefers other nodes after five failures (scenario 3)', async () => {
    const { plane, members, pass, running } = await aCluster({ nodes: ['n1', 'n2'] });
    await plane.apply(aService({ replicas: 1, restartPolicy: { delay: '0s', maxDelay: '1s' } }));
    const ends = { n1: 0, n2: 0 };
    for (let round = 0; round < 12; round += 1) {
      await pass(1_500);
      const [task] = running();
      const nodeId = task?.task.spec.nodeId as 'n1' | 'n2' | undefined;
      if (!task || nodeId === undefined) continue;
      ends[nodeId] += 1;
      if (nodeId === 'n1') await members.get('n1')?.end(task.task.metadata.uid);
      else break;
    }
    expect(ends.n2).toBe(1);
    expect(ends.n1).toBeLessThanOrEqual(5);
  });
});

describe('enforcement', () => {
  it('2.10 moves tasks when a label that they need goes (scenario 48)', async () => {
    const { store, plane, pass, running } = await aCluster({ nodes: ['n1', 'n2'] });
    const label = async (id: string, labels: Record<string, string>) => {
      const node = plane.world.nodes.get(id);
      if (!node) throw new Error('no node');
      const { version: _version, ...metadata } = node.metadata;
      const value = { ...node, metadata: { ...metadata, labels } };
      const key = plane.keys.node(id);
      await store.commit({ compare: [], operations: [{ kind: 'put', key, value }] });
    };
    await label('n1', { disk: 'ssd' });
    await plane.apply(aService({ replicas: 2, constraints: ['node.labels.disk == ssd'] }));
    await pass(500);
    expect(running().map(({ task }) => task.spec.nodeId)).toEqual(['n1', 'n1']);
    await label('n2', { disk: 'ssd' });
    await label('n1', {});
    await pass(1_000);
    expect(running().map(({ task }) => task.spec.nodeId)).toEqual(['n2', 'n2']);
    expect(plane.events.messages('TaskMoved')[0]).toContain('constraint node.labels.disk == ssd');
  });
});

describe('slots', () => {
  it('2.11.8 orphan the tasks of a removed node and replace them (scenario 59)', async () => {
    const { store, plane, members, pass, running } = await aCluster({ nodes: ['n1', 'n2'] });
    await plane.apply(aService({ replicas: 2 }));
    await pass(500);
    members.get('n1')?.stop();
    const key = plane.keys.node('n1');
    await store.commit({ compare: [], operations: [{ kind: 'delete', key }] });
    await pass(1_000);
    expect(running().map(({ task }) => task.spec.nodeId)).toEqual(['n2', 'n2']);
    const states = plane.tasksOf('web').map(({ state }) => state);
    expect(states.filter((state) => state === 'orphaned')).toHaveLength(1);
  });

  it('keep their tasks when a lost node comes back between decision and write', async () => {
    let returned = false;
    const { plane, members, pass, running } = await aCluster({
      nodes: ['n1', 'n2'],
      before: async (txn, cluster) => {
        const isLost = cluster.world.nodeHealths.get('n1')?.state === 'lost';
        if (returned || !isLost || !movesTask(txn)) return;
        returned = true;
        await members.get('n1')?.connect();
        await pass(200);
      },
    });
    await plane.apply(aService({ replicas: 2 }));
    await pass(60_000);
    const before = running().map(({ task }) => task.metadata.uid);
    await members.get('n1')?.disconnect();
    await pass(60_000);
    expect(returned).toBe(true);
    expect(running().map(({ task }) => task.metadata.uid)).toEqual(before);
  });

  it('2.12 delete the tasks of a service that was deleted by hand, and what else it left (scenario 27)', async () => {
    const { store, plane, pass } = await aCluster({ nodes: ['n1'] });
    await plane.apply(aService({ replicas: 3 }));
    await pass(500);
    const key = plane.keys.service('web');
    await store.commit({ compare: [], operations: [{ kind: 'delete', key }] });
    await pass(1_000);
    expect(plane.tasksOf('web')).toEqual([]);
    expect(plane.world.serviceRevisions.size).toBe(0);
    expect(plane.world.serviceStatuses.size).toBe(0);
  });

  it('delete a report that came after its task was gone', async () => {
    const { store, plane, pass } = await aCluster({ nodes: ['n1'] });
    const operations = [puts.taskStatus(plane.keys, aTaskStatus('stray', 'running'))];
    await store.commit({ compare: [], operations });
    await pass(100);
    expect(plane.world.taskStatuses.size).toBe(0);
  });

  it('stay where they are when all nodes are lost, and go on there', async () => {
    const { plane, members, pass, running } = await aCluster({ nodes: ['n1', 'n2'] });
    await plane.apply(aService({ replicas: 4 }));
    await pass(60_000);
    const before = running().map(({ task }) => task.metadata.uid);
    for (const member of members.values()) await member.disconnect();
    await pass(60_000);
    const status = plane.world.serviceStatuses.get('web');
    expect(status).toMatchObject({ desired: 4, running: 0 });
    for (const member of members.values()) {
      await member.connect();
      await pass(2_000); // the second one is later than the first
    }
    await pass(20_000);
    expect(running().map(({ task }) => task.metadata.uid)).toEqual(before);
    expect(plane.world.serviceStatuses.get('web')).toMatchObject({ desired: 4, running: 4 });
  });

  it('move when one node comes back alone', async () => {
    const { plane, members, pass, running } = await aCluster({ nodes: ['n1', 'n2'] });
    await plane.apply(aService({ replicas: 4 }));
    await pass(60_000);
    for (const member of members.values()) await member.disconnect();
    await pass(60_000);
    await members.get('n1')?.connect();
    await pass(5_000);
    const onN1 = () => running().filter(({ task }) => task.spec.nodeId === 'n1');
    expect(onN1()).toHaveLength(2);
    await pass(10_000);
    expect(onN1()).toHaveLength(4);
  });

  it('share transactions when a whole node is lost', async () => {
    const { plane, members, pass, running, txns } = await aCluster({ nodes: ['n1', 'n2'] });
    await plane.apply(aService({ replicas: 60 }));
    await pass(60_000);
    expect(running()).toHaveLength(60);
    await members.get('n1')?.disconnect();
    txns.length = 0;
    await pass(12_000);
    expect(running().filter(({ task }) => task.spec.nodeId === 'n2')).toHaveLength(60);
    expect(txns.length).toBeLessThan(20);
  });
});

describe('GroupCommit', () => {
  const term = new FakeTerm(1);
  const aContext = () => {
    const revisions: number[] = [];
    const writes = { committed: (r: number) => revisions.push(r), unresolved: () => undefined };
    const context: GuardedContext = { term, signal: term.signal, writes };
    return { context, revisions };
  };
  const aTxn = (key: string): GuardedTxn => ({
    compare: [{ key, modRevision: 1 }],
    operations: [{ kind: 'put', key, value: {} }],
  });

  it('commits together what comes together, and tells everybody', async () => {
    const committed: GuardedTxn[] = [];
    const group = new GroupCommit({
      commit: (txn, { writes }) => {
        committed.push(txn);
        writes.committed(7);
        return Promise.resolve(7);
      },
    });
    const contexts = ['a', 'b', 'c'].map(() => aContext());
    const results = await Promise.all(
      ['a', 'b', 'c'].map((key, index) => group.commit(aTxn(key), contexts[index]!.context)),
    );
    expect(results).toEqual([7, 7, 7]);
    expect(committed).toHaveLength(1);
    expect(committed[0]?.operations.map(({ key }) => key)).toEqual(['a', 'b', 'c']);
    expect(contexts.map(({ revisions }) => revisions)).toEqual([[7], [7], [7]]);
  });

  it("makes one key's conflict no other key's", async () => {
    const group = new GroupCommit({
      commit: ({ operations }) =>
        operations.some(({ key }) => key === 'b')
          ? Promise.reject(new ConflictError('b has moved on'))
          : Promise.resolve(8),
    });
    const outcomes = await Promise.allSettled(
      ['a', 'b', 'c'].map((key) => group.commit(aTxn(key), aContext().context)),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('fails all when the store is away, and goes on afterwards', async () => {
    let isAway = true;
    const group = new GroupCommit({
      commit: () => (isAway ? Promise.reject(new UnavailableError('away')) : Promise.resolve(9)),
    });
    const outcomes = await Promise.allSettled(
      ['a', 'b'].map((key) => group.commit(aTxn(key), aContext().context)),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    isAway = false;
    await expect(group.commit(aTxn('a'), aContext().context)).resolves.toBe(9);
  });
});
