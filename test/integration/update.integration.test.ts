/** Rolling updates on a real etcd: real latencies, real compares, leaders that change in the middle. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { UpdatePolicy } from '../../api/v1/index.js';
import { SystemClock } from '../../pkg/base/index.js';
import { hasEnded, isLive } from '../../pkg/lifecycle/index.js';
import { slotKey } from '../../pkg/objects/index.js';
import { EtcdStore } from '../../pkg/store/index.js';
import { aService } from '../builders/objects.js';
import { ControlPlane } from '../fakes/control-plane.js';
import { SimulatedNode } from '../fakes/simulated-node.js';
import { describeWithEtcd, EtcdFixture } from '../fixtures/etcd.js';
import { eventually } from '../fixtures/eventually.js';

const REPLICAS = 10;
const TIMES = { prepareMs: 15, startMs: 25, stopMs: 30 };

describeWithEtcd('updates on a real etcd', () => {
  let etcd: EtcdFixture;
  let store: EtcdStore;
  let plane: ControlPlane;
  const nodes: SimulatedNode[] = [];

  beforeEach(async () => {
    etcd = await EtcdFixture.start();
    store = new EtcdStore({ endpoints: [etcd.endpoint] });
    const clock = new SystemClock();
    plane = new ControlPlane({ store, clock });
    await plane.start();
    for (const id of ['n1', 'n2']) {
      const { keys, world } = plane;
      const node = new SimulatedNode({ id, store, clock, keys, world, fateOf: () => TIMES });
      nodes.push(node);
      await node.join();
    }
    await plane.lead();
  });

  afterEach(async () => {
    for (const node of nodes.splice(0)) node.stop();
    await plane.stop();
    await store.close();
    await etcd.dispose();
  });

  const update = () => plane.world.serviceStatuses.get('web')?.update;
  const live = () => plane.tasksOf('web').filter((view) => isLive(view) && !hasEnded(view));
  const running = () => live().filter(({ state }) => state === 'running');
  const servingSlots = () => new Set(running().map(({ task }) => slotKey(task.spec))).size;

  async function apply(image: string, policy: UpdatePolicy): Promise<void> {
    const service = aService({ image, replicas: REPLICAS, restartPolicy: { delay: '0s' } });
    const spec = { ...service.spec, update: { monitor: '300ms', ...policy } };
    await plane.apply({ ...service, spec });
  }

  const policies: readonly (readonly [UpdatePolicy, number, number])[] = [
    [{ parallelism: 2 }, REPLICAS - 2, 0],
    [{ parallelism: 3, order: 'start-first' }, REPLICAS, 3],
    [{ maxSurge: '20%', maxUnavailable: '10%' }, REPLICAS - 1, 2],
  ];
  it.each(policies)('keep what %j promises while leaders change', async (policy, fewest, most) => {
    await apply('app:1', policy);
    await eventually('all running', () => Promise.resolve(running().length === REPLICAS));
    const seen = { fewest: REPLICAS, most: 0 };
    plane.world.taskStatuses.onChange(() => look());
    plane.world.tasks.onChange(() => look());
    function look(): void {
      const slots = new Set(live().map(({ task }) => slotKey(task.spec))).size;
      seen.fewest = Math.min(seen.fewest, servingSlots());
      seen.most = Math.max(seen.most, live().length - slots);
    }
    await apply('app:2', policy);
    for (const moved of [2, 6]) {
      await eventually(`${String(moved)} moved`, () =>
        Promise.resolve(live().filter(({ task }) => task.spec.revision === 2).length >= moved),
      );
      await plane.resign();
      await plane.lead();
    }
    await eventually('the end', () => Promise.resolve(update()?.state === 'completed'));
    expect(running().map(({ task }) => task.spec.revision)).toEqual(Array(REPLICAS).fill(2));
    expect(live()).toHaveLength(REPLICAS);
    expect(update()).toMatchObject({ attempt: 1, from: 1, to: 2, tasks: REPLICAS, failed: [] });
    expect(seen.fewest).toBeGreaterThanOrEqual(fewest);
    expect(seen.most).toBeLessThanOrEqual(most);
  });

  it('write nothing more when they are over', async () => {
    await apply('app:1', {});
    await eventually('all running', () => Promise.resolve(running().length === REPLICAS));
    await apply('app:2', { parallelism: 0 });
    await eventually('the end', () =>
      Promise.resolve(
        update()?.state === 'completed' &&
          plane.world.serviceStatuses.get('web')?.stable?.includes(2) === true,
      ),
    );
    const written = () => [
      plane.world.serviceStatuses.get('web')?.version,
      ...plane.tasksOf('web').map(({ task, status }) => [task.metadata.version, status?.version]),
    ];
    const before = written();
    const other = aService({ name: 'other' }); // everybody has work, and none of it is here
    await plane.apply({ ...other, spec: { ...other.spec, update: { monitor: '300ms' } } });
    await eventually('the other service', () =>
      Promise.resolve(plane.world.serviceStatuses.get('other')?.stable?.length === 1),
    );
    expect(written()).toEqual(before);
  });
});
