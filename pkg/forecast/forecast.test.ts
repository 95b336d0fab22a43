import { describe, expect, it } from 'vitest';
import type { PlannedMove, StoredService, UpdatePolicy } from '../../api/v1/index.js';
import { aService, type ServiceOptions } from '../../test/builders/objects.js';
import { ImaginedCluster } from '../../test/fixtures/imagined-cluster.js';
import { puts } from '../objects/index.js';
import type { Forecast } from './index.js';

function web(options: ServiceOptions = {}, update?: UpdatePolicy): StoredService {
  const service = aService({ replicas: 3, ...options });
  return update ? { ...service, spec: { ...service.spec, update } } : service;
}

/** Which of equal nodes a task gets is a lottery; what matters is whether it is another one. */
function moveWords({ task, action, from, to }: PlannedMove): string {
  if (action === 'stop') return `${task} stop`;
  if (action === 'create' || action === 'place') return `${task} ${action}`;
  const place = from === to ? 'same node' : 'other node';
  return `${task} ${action} ${to === undefined ? 'nowhere' : place}`;
}
const stepWords = ({ steps }: Forecast) =>
  steps.map(({ afterMs, moves }) => [afterMs, ...moves.map(moveWords)].join(', '));
const nodeOf = ({ world }: ImaginedCluster, name: string): string =>
  world.tasks.byIndex('name', name).at(-1)?.spec.nodeId ?? '';
const three = () => ImaginedCluster.of({ n1: {}, n2: {}, n3: {} });

describe('3.8 forecast', () => {
  it('says where new tasks go', async () => {
    const cluster = await three();
    const found = await cluster.plan(web());
    expect(stepWords(found)).toEqual(['0, web.1 create, web.2 create, web.3 create']);
    expect(found.settled).toBe(true);
    expect(found.services).toMatchObject([
      {
        service: 'web',
        before: { tasks: 0, placed: 0 },
        after: { tasks: 3, placed: 3, nodes: { n1: 1, n2: 1, n3: 1 } },
        unplacedAfter: [],
      },
    ]);
  });

  it('writes nothing', async () => {
    const cluster = await three();
    await cluster.plan(web());
    expect(cluster.world.tasks.size).toBe(0);
    expect(cluster.world.services.size).toBe(0);
  });

  it('finds nothing to do where nothing changes', async () => {
    const cluster = await three();
    await cluster.apply(web());
    expect(stepWords(await cluster.plan(web()))).toEqual([]);
  });

  it('replaces in the order of the update policy, and tells of its waits', async () => {
    const cluster = await three();
    await cluster.apply(web());
    const update = { parallelism: 2, delay: '10s', monitor: '1s' };
    const found = await cluster.plan(web({ image: 'app:2' }, update));
    expect(stepWords(found)).toEqual([
      '0, web.1 update same node, web.2 update same node',
      '10000, web.3 update same node',
    ]);
    expect(found.services[0]?.update).toMatchObject({ state: 'completed' });
  });

  it('starts first where the policy says so: the new task sees the old one still there', async () => {
    const cluster = await ImaginedCluster.of({ n1: {}, n2: {} });
    await cluster.apply(web({ replicas: 1 }));
    const found = await cluster.plan(
      web({ image: 'app:2', replicas: 1 }, { order: 'start-first' }),
    );
    expect(stepWords(found)).toEqual(['0, web.1 update other node']);
  });

  it('waits at a canary for its promotion', async () => {
    const cluster = await three();
    await cluster.apply(web());
    const found = await cluster.plan(web({ image: 'app:2' }, { canary: 1 }));
    expect(stepWords(found)).toEqual(['0, web.1 update same node']);
    expect(found.services[0]?.update).toMatchObject({ state: 'paused' });
    expect(found.settled).toBe(true);
  });

  it('says which tasks stop when there are fewer', async () => {
    const cluster = await three();
    await cluster.apply(web());
    expect(stepWords(await cluster.plan(web({ replicas: 1 })))).toEqual([
      '0, web.2 stop, web.3 stop',
    ]);
  });

  it('says what every node says to what finds no place, before and after', async () => {
    const cluster = await ImaginedCluster.of({ n1: { labels: { disk: 'ssd' } }, n2: {} });
    const constraints = ['node.labels.disk == ssd'];
    const memory = '6Gi';
    await cluster.apply(web({ replicas: 2, constraints, memory }));
    const { services } = await cluster.plan(web({ replicas: 3, constraints, memory }));
    const full = { hostname: 'host-n1', ok: false, filter: 'resources' };
    const wrong = { hostname: 'host-n2', ok: false, filter: 'constraints' };
    expect(services).toMatchObject([
      {
        unplacedBefore: [{ tasks: ['web.2'], count: 1, nodes: [full, wrong] }],
        unplacedAfter: [{ tasks: ['web.2', 'web.3'], count: 2, nodes: [full, wrong] }],
        before: { tasks: 2, placed: 1 },
        after: { tasks: 3, placed: 1 },
      },
    ]);
    expect(services[0]?.unplacedAfter[0]?.message).toBe(
      '0/2 nodes: 1 constraint node.labels.disk == ssd, 1 insufficient memory',
    );
  });

  it('says what a drained node, or one with other labels, loses, and why', async () => {
    const cluster = await ImaginedCluster.of({
      n1: { labels: { disk: 'ssd' } },
      n2: { labels: { disk: 'ssd' } },
    });
    await cluster.apply(web({ replicas: 2, constraints: ['node.labels.disk == ssd'] }));
    const drained = await cluster.planWrites([
      cluster.changedNode(nodeOf(cluster, 'web.1'), {
        availability: 'drain',
        labels: { disk: 'ssd' },
      }),
    ]);
    expect(stepWords(drained)).toEqual(['0, web.1 move other node']);
    expect(drained.steps[0]?.moves[0]?.why).toBe(`node ${nodeOf(cluster, 'web.1')} is drained`);
    const relabelled = await cluster.planWrites([
      cluster.changedNode(nodeOf(cluster, 'web.2'), { labels: {} }),
    ]);
    expect(stepWords(relabelled)).toEqual(['0, web.2 move other node']);
    expect(relabelled.steps[0]?.moves[0]?.why).toContain('constraint node.labels.disk == ssd');
    expect(relabelled.services.map(({ service }) => service)).toEqual(['web']);
  });

  it('tells of a move once, also of a task that an update made', async () => {
    const cluster = await three();
    await cluster.apply(web());
    await cluster.apply(web({ image: 'app:2' }));
    const node = nodeOf(cluster, 'web.1');
    const drained = cluster.changedNode(node, { availability: 'drain' });
    const found = await cluster.planWrites([drained]);
    expect(stepWords(found)).toEqual(['0, web.1 move other node']);
    expect(found.steps[0]?.moves[0]).toMatchObject({ from: node, why: `node ${node} is drained` });
  });

  it('finds room for those who waited when others go', async () => {
    const cluster = await ImaginedCluster.of({ n1: {} });
    await cluster.apply(web({ replicas: 1, memory: '6Gi' }));
    await cluster.apply(web({ name: 'api', replicas: 1, memory: '6Gi' }));
    const found = await cluster.plan(web({ replicas: 0, memory: '6Gi' }));
    expect(stepWords(found)).toEqual(['0, web.1 stop', '0, api.1 place']);
    expect(found.services.map(({ service }) => service)).toEqual(['api', 'web']);
  });

  it('says who makes room for a higher priority', async () => {
    const cluster = await ImaginedCluster.of({ n1: {} }, { scheduling: { preemption: 'on' } });
    await cluster.apply(web({ name: 'low', replicas: 1, memory: '6Gi' }));
    const high = web({ name: 'high', replicas: 1, memory: '6Gi' });
    const task = { ...high.spec.task, priority: 10 };
    const found = await cluster.plan({ ...high, spec: { ...high.spec, task } });
    expect(stepWords(found)).toEqual(['0, high.1 create, low.1 move nowhere']);
    expect(found.steps[0]?.moves[1]?.why).toBe('makes room on node n1 for high.1');
    expect(found.services).toMatchObject([
      { service: 'high', after: { placed: 1 }, unplacedAfter: [] },
      { service: 'low', after: { placed: 0 }, unplacedAfter: [{ count: 1 }] },
    ]);
  });

  it('follows a deletion to its end', async () => {
    const cluster = await three();
    await cluster.apply(web());
    const stored = cluster.world.services.get('web');
    if (!stored) throw new Error('there is no service');
    const metadata = { ...stored.metadata, deletingAt: '2026-01-01T00:00:00.000Z' };
    const gone = puts.service(cluster.keys, { ...stored, metadata });
    const found = await cluster.planWrites([gone], ['web']);
    expect(stepWords(found)).toEqual(['0, web.1 stop, web.2 stop, web.3 stop']);
    expect(found.services).toMatchObject([{ after: { tasks: 0 } }]);
  });

  it('tries more slots at a time where the policy takes too many steps, and says so', async () => {
    const cluster = await three();
    await cluster.apply(web({ replicas: 200 }));
    const found = await cluster.plan(web({ replicas: 200, image: 'app:2' }));
    expect(found.services[0]).toMatchObject({ atOnce: 2, after: { tasks: 200, placed: 200 } });
    expect(found.steps).toHaveLength(100);
    expect(new Set(found.steps.flatMap(({ moves }) => moves.map(({ task }) => task))).size).toBe(
      200,
    );
    expect(found.services[0]?.update?.state).toBe('completed');
  });

  it('gives up where it takes too long, and says so', async () => {
    const cluster = await three();
    const found = await cluster.planWrites([puts.service(cluster.keys, web())], ['web'], {
      budgetMs: -1,
    });
    expect(found).toMatchObject({ settled: false, steps: [] });
  });

  it('ends when nobody wants to know any more', async () => {
    const cluster = await three();
    const signal = AbortSignal.abort(new Error('gone'));
    await expect(cluster.planWrites([], [], { signal })).rejects.toThrow('gone');
  });
});
