/** How nodes that pass are ranked: strategies, wishes with weights, failures, priorities. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aPlacedTask, aSchedulingNode, aTaskGroup } from '../../test/builders/scheduling.js';
import { inQueueOrder, schedule } from './plan.js';
import type { PlacedTask, ScheduleResult, SchedulingNode, TaskGroup } from './types.js';

const GIB = 1024 ** 3;
const memory = (gib: number) => ({ cpuNano: 0, memoryBytes: gib * GIB });

function nodesNamed(...ids: string[]): SchedulingNode[] {
  return ids.map((id) => aSchedulingNode({ id }));
}

function countsOf({ placements }: ScheduleResult): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { nodeId } of placements) counts[nodeId] = (counts[nodeId] ?? 0) + 1;
  return counts;
}

const place = (
  nodes: readonly SchedulingNode[],
  group: Parameters<typeof aTaskGroup>[0],
  tasks: readonly PlacedTask[] = [],
) => schedule({ nodes, tasks, groups: [aTaskGroup(group)] });

describe('3.8 binpack', () => {
  const binpack = { strategy: 'binpack', reservations: memory(2) } as const;

  it('fills a node before it begins with the next', () => {
    const result = place(nodesNamed('a', 'b', 'c'), { ...binpack, replicas: 5 });
    expect(Object.values(countsOf(result)).sort()).toEqual([1, 4]);
  });

  it('begins with the node of which the largest share is reserved', () => {
    const tasks = [
      aPlacedTask({ taskId: 'x', nodeId: 'a', serviceId: 'x', reservations: memory(1) }),
      aPlacedTask({ taskId: 'y', nodeId: 'b', serviceId: 'y', reservations: memory(3) }),
    ];
    const nodes = nodesNamed('a', 'b', 'c');
    expect(countsOf(place(nodes, { ...binpack, replicas: 3 }, tasks))).toEqual({ b: 2, a: 1 });
  });

  it('counts tasks when nothing is reserved', () => {
    const tasks = [aPlacedTask({ taskId: 'x', nodeId: 'b', serviceId: 'x' })];
    const group = { strategy: 'binpack', replicas: 3 } as const;
    expect(countsOf(place(nodesNamed('a', 'b'), group, tasks))).toEqual({ b: 3 });
  });

  it('still spreads over the values of a preference, and packs within them', () => {
    const nodes = ['1', '1', '2', '2'].map((az, index) =>
      aSchedulingNode({ id: `n${index}`, nodeLabels: { az } }),
    );
    const preferences = [{ spread: 'node.labels.az' }];
    const counts = countsOf(place(nodes, { ...binpack, replicas: 6, preferences }));
    expect(Object.values(counts)).toEqual([3, 3]);
  });

  it('comes after failures and wishes', () => {
    const tasks = [
      aPlacedTask({ taskId: 'x', nodeId: 'a', serviceId: 'x', reservations: memory(4) }),
      aPlacedTask({ taskId: 'y', nodeId: 'b', serviceId: 'y', reservations: memory(3) }),
    ];
    const nodes = nodesNamed('a', 'b', 'c');
    const failing = { ...binpack, recentFailures: new Map([['a', 5]]) };
    expect(countsOf(place(nodes, failing, tasks))).toEqual({ b: 1 });
    const wishing = { ...binpack, soft: [{ constraint: 'node.id == c', weight: 1 }] };
    expect(countsOf(place(nodes, wishing, tasks))).toEqual({ c: 1 });
  });

  it('uses no more nodes than it takes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.nat(24), (perNode, replicas) => {
        const nodes = Array.from({ length: 24 }, (_, index) =>
          aSchedulingNode({ id: `n${index}`, resources: memory(perNode) }),
        );
        const group = { strategy: 'binpack', replicas, reservations: memory(1) } as const;
        const used = Object.keys(countsOf(place(nodes, group))).length;
        expect(used).toBe(Math.ceil(replicas / perNode));
      }),
    );
  });
});

describe('3.8 random', () => {
  const nodes = Array.from({ length: 5 }, (_, index) => aSchedulingNode({ id: `n${index}` }));

  it('chooses the same for the same ids, whatever the order of nodes', () => {
    const group = { strategy: 'random', replicas: 20 } as const;
    expect(place([...nodes].reverse(), group)).toEqual(place(nodes, group));
  });

  it('chooses differently for other tasks', () => {
    const picks = (service: string) =>
      place(nodes, { strategy: 'random', serviceId: service, replicas: 8 }).placements.map(
        ({ nodeId }) => nodeId,
      );
    const distinct = new Set(['a', 'b', 'c', 'd'].map((service) => picks(service).join()));
    expect(distinct.size).toBe(4);
  });

  it('gives every node its share in the long run, and no more order than chance', () => {
    const { placements } = place(nodes, { strategy: 'random', replicas: 5_000 });
    for (const count of Object.values(countsOf({ placements, unplaced: [] }))) {
      expect(count).toBeGreaterThan(850); // 5 standard deviations below 1,000
      expect(count).toBeLessThan(1_150);
    }
    const repeats = placements.filter(
      ({ nodeId }, index) => nodeId === placements[index - 1]?.nodeId,
    );
    expect(repeats.length).toBeGreaterThan(850);
    expect(repeats.length).toBeLessThan(1_150);
  });

  it('keeps to the filters, and avoids failing nodes', () => {
    const group = { strategy: 'random', replicas: 10, maxReplicasPerNode: 2 } as const;
    expect(Object.values(countsOf(place(nodes, group)))).toEqual([2, 2, 2, 2, 2]);
    const failing = { ...group, recentFailures: new Map([['n0', 5]]), replicas: 8 };
    expect(countsOf(place(nodes, failing))['n0']).toBeUndefined();
  });
});

describe('3.8 soft constraints', () => {
  const nodes = [
    aSchedulingNode({ id: 'plain' }),
    aSchedulingNode({ id: 'ssd', nodeLabels: { disk: 'ssd' } }),
    aSchedulingNode({ id: 'both', nodeLabels: { disk: 'ssd', gpu: '1' } }),
  ];
  const wishes = [
    { constraint: 'node.labels.disk == ssd', weight: 2 },
    { constraint: 'node.labels.gpu exists', weight: 1 },
  ];

  it('prefer nodes that meet more of them, by weight', () => {
    const group = { soft: wishes, replicas: 3, maxReplicasPerNode: 1 };
    expect(place(nodes, group).placements.map(({ nodeId }) => nodeId)).toEqual([
      'both',
      'ssd',
      'plain',
    ]);
  });

  it('come before an even spread, and never keep a task from running', () => {
    expect(countsOf(place(nodes, { soft: wishes, replicas: 4 }))).toEqual({ both: 4 });
    const impossible = [{ constraint: 'node.labels.none == x', weight: 100 }];
    expect(place(nodes, { soft: impossible, replicas: 3 }).unplaced).toEqual([]);
  });

  it('are ignored when they cannot be read', () => {
    const broken = [{ constraint: 'nonsense', weight: 9 }, ...wishes];
    expect(countsOf(place(nodes, { soft: broken }))).toEqual({ both: 1 });
  });

  it('come after a spread preference and after failures', () => {
    const zones = ['1', '2'].map((az) =>
      aSchedulingNode({ id: az, nodeLabels: { az, ...(az === '1' && { disk: 'ssd' }) } }),
    );
    const preferences = [{ spread: 'node.labels.az' }];
    expect(countsOf(place(zones, { soft: wishes, preferences, replicas: 4 }))).toEqual({
      '1': 2,
      '2': 2,
    });
    const recentFailures = new Map([['both', 5]]);
    expect(countsOf(place(nodes, { soft: wishes, recentFailures }))).toEqual({ ssd: 1 });
  });
});

describe('3.8 priorities', () => {
  const group = (serviceId: string, more: Partial<TaskGroup> = {}) =>
    aTaskGroup({ serviceId, ...more });

  it('come before age and before tasks that are bound to a node', () => {
    const bound = group('bound', { tasks: [{ id: 'b', preassignedNodeId: 'n' }], position: 1 });
    const groups = [
      group('old', { position: 1 }),
      group('urgent', { position: 9, priority: 10 }),
      bound,
      group('young', { position: 2 }),
    ];
    expect(inQueueOrder(groups).map(({ serviceId }) => serviceId)).toEqual([
      'urgent',
      'bound',
      'old',
      'young',
    ]);
  });
});
