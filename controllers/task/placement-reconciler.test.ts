/** Placement from stored objects to stored objects: what the scheduler decides is what happens, and survives. */
import { afterEach, describe, expect, it } from 'vitest';
import type { NodeDescription, Placement, StoredService } from '../../api/v1/index.js';
import type { TaskView } from '../../pkg/lifecycle/index.js';
import { aService } from '../../test/builders/objects.js';
import { ControlPlane } from '../../test/fakes/control-plane.js';
import { FakeClock } from '../../test/fakes/fake-clock.js';
import { MemoryStore } from '../../test/fakes/memory-store.js';
import { SimulatedNode } from '../../test/fakes/simulated-node.js';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface NodeWish {
  readonly labels?: Record<string, string>;
  readonly description?: Partial<NodeDescription>;
}

async function aCluster(
  nodes: Readonly<Record<string, NodeWish>>,
  spec: Parameters<ControlPlane['start']>[0] = {},
) {
  const clock = new FakeClock();
  const store = new MemoryStore({ clock });
  const plane = new ControlPlane({ store, clock });
  cleanups.push(
    () => store.close(),
    () => plane.stop(),
  );
  await plane.start(spec);
  const members = new Map<string, SimulatedNode>();
  for (const [id, { labels = {}, description = {} }] of Object.entries(nodes)) {
    const parts = { id, store, clock, keys: plane.keys, world: plane.world };
    const member = new SimulatedNode({ ...parts, node: { labels }, description });
    members.set(id, member);
    cleanups.push(() => {
      member.stop();
    });
    await member.join();
  }
  await plane.lead();
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 20) {
      await clock.advance(20);
      await clock.advance(0);
    }
  };
  const running = (service: string) =>
    plane.tasksOf(service).filter(({ state }) => state === 'running');
  const placesOf = (service: string) =>
    running(service)
      .map(({ task }) => task.spec.nodeId ?? '')
      .sort();
  return { clock, plane, members, pass, running, placesOf };
}

type Task = StoredService['spec']['task'];
function service(name: string, task: Partial<Task>, replicas = 1): StoredService {
  const plain = aService({ name, replicas });
  return { ...plain, spec: { ...plain.spec, task: { ...plain.spec.task, ...task } } };
}

const gpu = (value: number): Partial<Task> => ({
  resources: { reservations: { genericResources: [{ kind: 'gpu', value }] } },
});
const idsOf = ({ task }: TaskView): readonly string[] => {
  const given = task.spec.assignedResources?.['gpu'] ?? [];
  return typeof given === 'number' ? [] : given;
};
const withGpus = (...ids: string[]): NodeWish => ({
  description: { genericResources: { gpu: ids.length }, namedResources: { gpu: ids } },
});

describe('3.3 named generic resources', () => {
  it('are recorded on the task, and nobody gets them twice, whoever leads (S10)', async () => {
    const { plane, pass, running } = await aCluster({ n1: withGpus('g1', 'g2', 'g3', 'g4') });
    const given = () => ['a', 'b', 'c'].flatMap((name) => running(name)).flatMap(idsOf);
    await plane.apply(service('a', gpu(1)));
    await plane.apply(service('b', gpu(2)));
    await pass(500);
    expect(given().toSorted()).toEqual(['g1', 'g2', 'g3']);
    const before = given();
    await plane.resign();
    await plane.lead();
    await plane.apply(service('c', gpu(1), 2));
    await pass(500);
    expect(given().slice(0, 3)).toEqual(before);
    expect(given().toSorted()).toEqual(['g1', 'g2', 'g3', 'g4']);
    const [waiting] = plane.tasksOf('c').filter(({ state }) => state === 'pending');
    expect(waiting?.task.spec.pending?.message).toBe('0/1 nodes: 1 insufficient gpu');
  });

  it('move with their task when one of them goes away', async () => {
    const { plane, members, pass, running } = await aCluster({
      n1: withGpus('g1', 'g2'),
      n2: withGpus('h1'),
    });
    await plane.apply(service('a', gpu(1), 3));
    await pass(500);
    await members.get('n1')?.describe(withGpus('g2').description ?? {});
    await pass(1_000);
    const given = running('a').flatMap(idsOf);
    expect(given.toSorted()).toEqual(['g2', 'h1']);
    expect(plane.events.messages('TaskMoved')).toEqual([
      expect.stringContaining('gpu g1 is not there any more'),
    ]);
  });
});

describe('3.8 neighbours', () => {
  const racks = {
    a1: { labels: { rack: 'a' } },
    a2: { labels: { rack: 'a' } },
    b1: { labels: { rack: 'b' } },
  };

  it('are found although they come later', async () => {
    const { plane, pass, placesOf } = await aCluster(racks);
    const affinity = [{ service: 'db', topology: 'node.labels.rack' }];
    await plane.apply(service('web', { placement: { affinity } }, 2));
    await pass(500);
    expect(plane.tasksOf('web')[0]?.task.spec.pending?.message).toBe(
      '0/3 nodes: 3 affinity to service db, which does not exist',
    );
    await plane.apply(service('db', { placement: { constraints: ['node.labels.rack == a'] } }));
    await pass(1_500);
    expect(placesOf('web')).toEqual(['a1', 'a2']);
  });

  it('are kept away by a service that was there first', async () => {
    const { plane, pass, placesOf } = await aCluster(racks);
    const antiAffinity = [{ service: 'web', topology: 'node.labels.rack' }];
    await plane.apply(
      service('db', { placement: { constraints: ['node.hostname == host-a1'], antiAffinity } }),
    );
    await pass(500);
    await plane.apply(service('web', {}, 3));
    await pass(500);
    expect(placesOf('db')).toEqual(['a1']);
    expect(placesOf('web')).toEqual(['b1', 'b1', 'b1']);
  });

  it('of one service stay below a maximum per label, through a scale and the loss of a node', async () => {
    const { plane, members, pass, placesOf } = await aCluster(racks);
    const maxPer = [{ key: 'node.labels.rack', max: 2 }];
    await plane.apply(service('web', { placement: { maxPer } }, 6));
    await pass(500);
    expect(placesOf('web').map((id) => id.slice(0, 1))).toEqual(['a', 'a', 'b', 'b']);
    await members.get('b1')?.disconnect();
    await pass(60_000);
    expect(placesOf('web').filter((id) => id.startsWith('a'))).toHaveLength(2);
  });
});

describe('3.8 strategies', () => {
  const nodes = { n1: {}, n2: {}, n3: {} };

  it('come from the cluster for services that name none', async () => {
    const { plane, pass, placesOf } = await aCluster(nodes, {
      scheduling: { strategy: 'binpack' },
    });
    await plane.apply(service('packed', {}, 4));
    await plane.apply(service('spread', { placement: { strategy: 'spread' } }, 3));
    await pass(500);
    expect(new Set(placesOf('packed')).size).toBe(1);
    expect(new Set(placesOf('spread')).size).toBe(3);
  });
});

describe('a change of placement alone', () => {
  it('restarts nothing where the tasks may stay, and what waits heeds it', async () => {
    const { plane, pass, running } = await aCluster({ n1: {}, n2: {} });
    await plane.apply(service('web', {}, 2));
    await pass(500);
    const before = running('web').map(({ task }) => task.metadata.uid);
    const placement: Placement = { maxPer: [{ key: 'node.id', max: 1 }], strategy: 'random' };
    await plane.apply(service('web', { placement, priority: 5 }, 3));
    await pass(1_000);
    expect(running('web').map(({ task }) => task.metadata.uid)).toEqual(before);
    const [third] = plane.tasksOf('web').filter(({ state }) => state === 'pending');
    expect(third?.task.spec.pending?.message).toBe(
      '0/2 nodes: 2 max replicas per node.id (1) reached',
    );
  });

  it('3.1 never leaves a task behind that waits with an older revision (scenarios 2 and 13, S4)', async () => {
    const { plane, members, pass, running } = await aCluster({ n1: {} });
    await members.get('n1')?.disconnect();
    await pass(20_000);
    await plane.apply(service('web', {}));
    await pass(500);
    await plane.apply({
      ...service('web', { placement: { soft: [{ constraint: 'node.role == worker' }] } }, 2),
      metadata: { ...aService().metadata, labels: { changed: 'yes' } },
    });
    await pass(500);
    await members.get('n1')?.connect();
    await pass(20_000);
    expect(running('web')).toHaveLength(2);
  });
});

describe('3.8 priorities', () => {
  const big: Partial<Task> = { resources: { reservations: { memory: '6Gi' } } };
  const on = { scheduling: { preemption: 'on' } } as const;

  it('send tasks of a lower one away where the cluster allows it, which wait then', async () => {
    const { plane, pass, placesOf } = await aCluster({ n1: {}, n2: {} }, on);
    await plane.apply(service('low', big, 2));
    await pass(500);
    await plane.apply(service('high', { ...big, priority: 10 }));
    await pass(1_000);
    expect(placesOf('high')).toHaveLength(1);
    expect(placesOf('low')).toHaveLength(1);
    expect(plane.events.messages('TaskMoved')).toEqual([
      expect.stringMatching(/^makes room on node n[12] for high\.1$/),
    ]);
    const [waiting] = plane.tasksOf('low').filter(({ state }) => state === 'pending');
    expect(waiting?.task.spec).toMatchObject({
      restarts: 0,
      failures: 0,
      pending: { message: '0/2 nodes: 2 insufficient memory' },
    });
    await plane.apply(service('high', { ...big, priority: 10 }, 0));
    await pass(1_000);
    expect(placesOf('low')).toHaveLength(2);
  });

  it('send nobody away as long as the cluster does not allow it, or the service does not want it', async () => {
    const { plane, pass, placesOf } = await aCluster({ n1: {} });
    await plane.apply(service('low', big));
    await pass(500);
    await plane.apply(service('high', { ...big, priority: 10 }));
    await pass(1_000);
    expect(placesOf('low')).toEqual(['n1']);
    expect(placesOf('high')).toEqual([]);
    const other = await aCluster({ n1: {} }, on);
    await other.plane.apply(service('low', big));
    await other.pass(500);
    await other.plane.apply(service('meek', { ...big, priority: 9, preemption: 'never' }));
    await other.pass(1_000);
    expect(other.placesOf('low')).toEqual(['n1']);
  });

  it('let victims go in peace, and take no more of them meanwhile', async () => {
    const { plane, pass, members, placesOf } = await aCluster({ n1: {}, n2: {} }, on);
    await plane.apply(service('low', big, 2));
    await pass(500);
    for (const member of members.values()) await member.disconnect();
    await plane.apply(service('high', { ...big, priority: 10 }));
    await pass(200);
    for (const member of members.values()) await member.connect();
    await pass(2_000);
    expect(placesOf('high')).toHaveLength(1);
    expect(plane.events.messages('TaskMoved')).toHaveLength(1);
  });

  it('leave alone what nothing would bring back', async () => {
    const { plane, pass, placesOf } = await aCluster({ n1: {} }, on);
    await plane.apply(service('once', { ...big, restartPolicy: { condition: 'none' } }));
    await pass(500);
    await plane.apply(service('high', { ...big, priority: 10 }));
    await pass(1_000);
    expect(placesOf('once')).toEqual(['n1']);
  });
});
