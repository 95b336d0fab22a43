/** swarm-semantics 3.3 to 3.6: accounting, choosing, spreading, preassigned tasks. */
import { describe, expect, it } from 'vitest';
import { aPlacedTask, aSchedulingNode, aTaskGroup } from '../../test/builders/scheduling.js';
import { ClusterState } from './cluster-state.js';
import { PlacementBatch } from './placement-batch.js';
import { planPlacements, schedule } from './plan.js';
import type { PlacedTask, ScheduleResult, SchedulingNode } from './types.js';

const GIB = 1024 ** 3;
const MEMORY = { cpuNano: 0, memoryBytes: GIB };

function nodesNamed(...ids: string[]): SchedulingNode[] {
  return ids.map((id) => aSchedulingNode({ id }));
}

function nodesIn(zones: Readonly<Record<string, Readonly<Record<string, string>>>>) {
  return Object.entries(zones).map(([id, nodeLabels]) => aSchedulingNode({ id, nodeLabels }));
}

function tasksOn(nodeId: string, count: number, rest: Partial<PlacedTask> = {}): PlacedTask[] {
  return Array.from({ length: count }, (_, index) =>
    aPlacedTask({ taskId: `${nodeId}-${rest.serviceId ?? 'web'}-${index}`, nodeId, ...rest }),
  );
}

/** New tasks by node. */
function countsOf({ placements }: ScheduleResult): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { nodeId } of placements) counts[nodeId] = (counts[nodeId] ?? 0) + 1;
  return counts;
}

describe('3.3 resource accounting', () => {
  const nodes = [aSchedulingNode({ id: 'a', resources: { cpuNano: 1e9, memoryBytes: 2 * GIB } })];
  const group = aTaskGroup({ replicas: 3, reservations: MEMORY });

  it('fills a node until nothing is left (scenario 5)', () => {
    const { placements, unplaced } = schedule({ nodes, tasks: [], groups: [group] });
    expect(placements.map(({ taskId }) => taskId)).toEqual(['web-1', 'web-2']);
    expect(unplaced).toMatchObject([
      { taskId: 'web-3', reason: '0/1 nodes: 1 insufficient memory' },
    ]);
  });

  it('lets a task hold its share until it has ended, told to stop or not (scenario 6)', () => {
    const stopping = { reservations: MEMORY, countsForSpread: false };
    const tasks = tasksOn('a', 2, stopping);
    expect(schedule({ nodes, tasks, groups: [group] }).placements).toEqual([]);
  });

  it('frees it when the task is removed', () => {
    const state = ClusterState.from(nodes, tasksOn('a', 2, { reservations: MEMORY }));
    expect(planPlacements(state, [group]).placements).toHaveLength(0);
    state.removeTask('a-web-0');
    expect(planPlacements(state, [group]).placements).toHaveLength(1);
  });

  it('recomputes what is free when the node changes', () => {
    const state = ClusterState.from(nodes, tasksOn('a', 2, { reservations: MEMORY }));
    const grown = { cpuNano: 1e9, memoryBytes: 3 * GIB };
    state.setNode(aSchedulingNode({ id: 'a', resources: grown }));
    expect(planPlacements(state, [group]).placements).toHaveLength(1);
  });

  it('counts generic resources, across groups of a batch too', () => {
    const gpus = { cpuNano: 0, memoryBytes: 0, generic: { gpu: 3 } };
    const one = { cpuNano: 0, memoryBytes: 0, generic: { gpu: 1 } };
    const result = schedule({
      nodes: [aSchedulingNode({ id: 'a', resources: gpus })],
      tasks: tasksOn('a', 1, { reservations: one }),
      groups: [
        aTaskGroup({ serviceId: 'x', position: 1, reservations: one }),
        aTaskGroup({ serviceId: 'y', position: 2, replicas: 2, reservations: one }),
      ],
    });
    expect(result.placements.map(({ taskId }) => taskId)).toEqual(['x-1', 'y-1']);
    expect(result.unplaced[0]?.reason).toBe('0/1 nodes: 1 insufficient gpu');
  });

  it('explains each of several services by what it lacks itself (scenario 7)', () => {
    const result = schedule({
      nodes: nodesNamed('a', 'b'),
      tasks: [],
      groups: [
        aTaskGroup({ serviceId: 'big', reservations: { cpuNano: 0, memoryBytes: 99 * GIB } }),
        aTaskGroup({ serviceId: 'busy', reservations: { cpuNano: 99e9, memoryBytes: 0 } }),
        aTaskGroup({ serviceId: 'fine' }),
      ],
    });
    expect(result.unplaced.map(({ taskId, reason }) => [taskId, reason])).toEqual([
      ['big-1', '0/2 nodes: 2 insufficient memory'],
      ['busy-1', '0/2 nodes: 2 insufficient cpu'],
    ]);
    expect(result.placements).toHaveLength(1);
  });
});

describe('3.4 choosing nodes', () => {
  it('3.4.2 takes the node with fewer tasks of this service, though it has more in total', () => {
    const tasks = [...tasksOn('a', 1), ...tasksOn('b', 5, { serviceId: 'other' })];
    const result = schedule({ nodes: nodesNamed('a', 'b'), tasks, groups: [aTaskGroup()] });
    expect(countsOf(result)).toEqual({ b: 1 });
  });

  it('3.4.3 takes the node with fewer tasks in total when the service has as many on both', () => {
    const tasks = [
      ...tasksOn('a', 2, { serviceId: 'other' }),
      ...tasksOn('b', 1, { serviceId: 'other' }),
    ];
    const result = schedule({ nodes: nodesNamed('a', 'b'), tasks, groups: [aTaskGroup()] });
    expect(countsOf(result)).toEqual({ b: 1 });
  });

  it('does not count a task that was told to stop', () => {
    const tasks = [...tasksOn('a', 3, { countsForSpread: false }), ...tasksOn('b', 1)];
    const result = schedule({ nodes: nodesNamed('a', 'b'), tasks, groups: [aTaskGroup()] });
    expect(countsOf(result)).toEqual({ a: 1 });
  });

  it.each([
    ['memory', { cpuNano: 0, memoryBytes: GIB }],
    ['cpu', { cpuNano: 1e9, memoryBytes: 0 }],
  ])('breaks a tie by the smaller reserved share of %s', (_, reservations) => {
    for (const [loaded, idle] of [
      ['a', 'b'],
      ['b', 'a'],
    ] as const) {
      const tasks = [
        ...tasksOn(loaded, 1, { serviceId: 'x', reservations }),
        ...tasksOn(idle, 1, { serviceId: 'x' }),
      ];
      const result = schedule({ nodes: nodesNamed('a', 'b'), tasks, groups: [aTaskGroup()] });
      expect(countsOf(result)).toEqual({ [idle]: 1 });
    }
  });

  it.each([
    ['memory', MEMORY],
    ['cpu', { cpuNano: 5e8, memoryBytes: 0 }],
  ])(
    'breaks a tie between empty nodes by the share of %s the task would take',
    (_, reservations) => {
      const small = { cpuNano: 1e9, memoryBytes: 2 * GIB };
      for (const [big, other] of [
        ['a', 'b'],
        ['b', 'a'],
      ] as const) {
        const nodes = [
          aSchedulingNode({ id: big }),
          aSchedulingNode({ id: other, resources: small }),
        ];
        const groups = [aTaskGroup({ reservations })];
        expect(countsOf(schedule({ nodes, tasks: [], groups }))).toEqual({ [big]: 1 });
      }
    },
  );

  it('follows the reserved share while a group is placed', () => {
    // With k tasks of the group: k/10 on "small" against (3+k)/20 on "big", which wins from k = 4.
    const nodes = [
      aSchedulingNode({ id: 'small', resources: { cpuNano: 1e9, memoryBytes: 10 } }),
      aSchedulingNode({ id: 'big', resources: { cpuNano: 1e9, memoryBytes: 20 } }),
    ];
    const other = { serviceId: 'x', reservations: { cpuNano: 0, memoryBytes: 3 } };
    const tasks = [...tasksOn('big', 1, other), ...tasksOn('small', 1, { serviceId: 'x' })];
    const reservations = { cpuNano: 0, memoryBytes: 1 };
    const first = schedule({ nodes, tasks, groups: [aTaskGroup({ reservations })] });
    expect(countsOf(first)).toEqual({ small: 1 });
    const seven = schedule({ nodes, tasks, groups: [aTaskGroup({ replicas: 7, reservations })] });
    expect(countsOf(seven)).toEqual({ small: 3, big: 4 });
  });

  it('breaks the last tie by something stable that favours no way of naming nodes', () => {
    const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
    const picks = (nodes: SchedulingNode[]) =>
      schedule({ nodes, tasks: [], groups: [aTaskGroup({ replicas: ids.length })] }).placements.map(
        ({ nodeId }) => nodeId,
      );
    const picked = picks(nodesNamed(...ids));
    expect([...picked].sort()).toEqual(ids);
    expect(picked).not.toEqual(ids);
    expect(picks(nodesNamed(...ids).reverse())).toEqual(picked);
  });

  it('does not put the first task of every service on the same node', () => {
    const ids = ['a', 'b', 'c', 'd'];
    const groups = ids.map((id, position) => aTaskGroup({ serviceId: `s-${id}`, position }));
    const result = schedule({ nodes: nodesNamed(...ids), tasks: [], groups });
    expect(countsOf(result)).toEqual({ a: 1, b: 1, c: 1, d: 1 });
  });

  it.each([
    [4, { good: 1, bad: 5 }],
    [5, { good: 6 }],
  ])('3.4.1 with %i recent failures on an otherwise better node', (failures, expected) => {
    const group = aTaskGroup({ replicas: 6, recentFailures: new Map([['bad', failures]]) });
    const tasks = tasksOn('good', 4);
    const result = schedule({ nodes: nodesNamed('good', 'bad'), tasks, groups: [group] });
    expect(countsOf(result)).toEqual(expected);
  });

  it('3.4.1 ranks a failing node lower, but does not exclude it', () => {
    const group = aTaskGroup({
      replicas: 3,
      maxReplicasPerNode: 1,
      recentFailures: new Map([
        ['worst', 9],
        ['bad', 5],
      ]),
    });
    const result = schedule({
      nodes: nodesNamed('worst', 'good', 'bad'),
      tasks: [],
      groups: [group],
    });
    expect(result.placements.map(({ nodeId }) => nodeId)).toEqual(['good', 'bad', 'worst']);
  });
});

describe('3.4 the spread tree', () => {
  const byZone = [{ spread: 'node.labels.az' }];
  const uneven = nodesIn({
    a1: { az: 'az1' },
    b1: { az: 'az2' },
    b2: { az: 'az2' },
    b3: { az: 'az2' },
    b4: { az: 'az2' },
  });

  it('puts zones before nodes: one node of az1 gets as much as four of az2 (scenario 1)', () => {
    const groups = [aTaskGroup({ replicas: 8, preferences: byZone })];
    const result = schedule({ nodes: uneven, tasks: [], groups });
    expect(countsOf(result)).toEqual({ a1: 4, b1: 1, b2: 1, b3: 1, b4: 1 });
  });

  it('equalises branches by what they have, not by what is added', () => {
    const groups = [aTaskGroup({ replicas: 4, preferences: byZone })];
    const result = schedule({ nodes: uneven, tasks: tasksOn('a1', 2), groups });
    expect(countsOf(result)['a1']).toBe(1);
  });

  it('counts tasks on nodes that fail a filter', () => {
    const nodes = nodesIn({ a1: { az: 'az1' }, a2: { az: 'az1' }, b1: { az: 'az2' } }).map(
      (node) => (node.id === 'a2' ? { ...node, availability: 'drain' as const } : node),
    );
    const groups = [aTaskGroup({ replicas: 3, preferences: byZone })];
    const result = schedule({ nodes, tasks: tasksOn('a2', 3), groups });
    expect(countsOf(result)).toEqual({ b1: 3 });
  });

  it('goes on elsewhere when a branch has no room', () => {
    const groups = [aTaskGroup({ replicas: 6, preferences: byZone, maxReplicasPerNode: 2 })];
    const result = schedule({ nodes: uneven, tasks: [], groups });
    expect(countsOf(result)).toEqual({ a1: 2, b1: 1, b2: 1, b3: 1, b4: 1 });
  });

  it('never makes a task unschedulable', () => {
    const groups = [aTaskGroup({ replicas: 3, preferences: [{ spread: 'node.labels.none' }] })];
    expect(schedule({ nodes: uneven, tasks: [], groups }).unplaced).toEqual([]);
  });

  it('takes a missing label as a value of its own', () => {
    const nodes = nodesIn({ a: { az: 'az1' }, none1: {}, none2: {} });
    const groups = [aTaskGroup({ replicas: 4, preferences: byZone })];
    expect(countsOf(schedule({ nodes, tasks: [], groups }))).toEqual({ a: 2, none1: 1, none2: 1 });
  });

  it('nests preferences, the first outermost', () => {
    const nodes = nodesIn({
      a1: { az: 'az1', rack: 'r1' },
      a2: { az: 'az1', rack: 'r1' },
      a3: { az: 'az1', rack: 'r2' },
      b1: { az: 'az2', rack: 'r1' },
    });
    const preferences = [...byZone, { spread: 'node.labels.rack' }];
    const groups = [aTaskGroup({ replicas: 8, preferences })];
    expect(countsOf(schedule({ nodes, tasks: [], groups }))).toEqual({
      a1: 1,
      a2: 1,
      a3: 2,
      b1: 4,
    });
  });

  it('spreads over engine labels, and tells values apart by case', () => {
    const nodes = ['x', 'X', 'x'].map((rack, index) =>
      aSchedulingNode({ id: `n${index}`, engineLabels: { rack } }),
    );
    const groups = [aTaskGroup({ replicas: 4, preferences: [{ spread: 'engine.labels.rack' }] })];
    expect(countsOf(schedule({ nodes, tasks: [], groups }))).toEqual({ n0: 1, n1: 2, n2: 1 });
  });

  it('ignores what it cannot spread over', () => {
    const preferences = [{ spread: 'node.ip' }, { spread: 'nonsense' }, ...byZone];
    const groups = [aTaskGroup({ replicas: 8, preferences })];
    expect(countsOf(schedule({ nodes: uneven, tasks: [], groups }))['a1']).toBe(4);
  });

  it('does not put the first task of every service into the same branch', () => {
    const nodes = nodesIn({ a: { az: 'az1' }, b: { az: 'az2' }, c: { az: 'az3' } });
    const groups = [1, 2, 3].map((position) =>
      aTaskGroup({ serviceId: `s${position}`, position, preferences: byZone }),
    );
    expect(countsOf(schedule({ nodes, tasks: [], groups }))).toEqual({ a: 1, b: 1, c: 1 });
  });

  it('serves several groups with the same preferences without mixing them up', () => {
    const groups = [1, 2].map((position) =>
      aTaskGroup({ serviceId: `s${position}`, position, replicas: 8, preferences: byZone }),
    );
    const { placements } = schedule({ nodes: uneven, tasks: [], groups });
    for (const service of ['s1', 's2']) {
      const own = placements.filter(({ taskId }) => taskId.startsWith(service));
      expect(countsOf({ placements: own, unplaced: [] })['a1']).toBe(4);
    }
  });
});

describe('3.5 filling the nodes of a leaf', () => {
  it('levels the field first, then goes round', () => {
    const nodes = nodesNamed('a', 'b', 'c');
    const tasks = [...tasksOn('a', 3), ...tasksOn('b', 1)];
    const level = schedule({ nodes, tasks, groups: [aTaskGroup({ replicas: 5 })] });
    expect(countsOf(level)).toEqual({ b: 2, c: 3 });
    const round = schedule({ nodes, tasks, groups: [aTaskGroup({ replicas: 8 })] });
    expect(countsOf(round)).toEqual({ a: 1, b: 3, c: 4 });
  });

  it('skips a node from the moment it no longer passes', () => {
    const small = aSchedulingNode({ id: 'a', resources: { cpuNano: 1e9, memoryBytes: GIB } });
    const result = schedule({
      nodes: [small, aSchedulingNode({ id: 'b' })],
      tasks: [],
      groups: [aTaskGroup({ replicas: 4, reservations: MEMORY })],
    });
    expect(countsOf(result)).toEqual({ a: 1, b: 3 });
  });

  it('stops when no node passes, and tells each task that is left the same (S24)', () => {
    const groups = [aTaskGroup({ replicas: 5, maxReplicasPerNode: 1 })];
    const { placements, unplaced } = schedule({ nodes: nodesNamed('a', 'b'), tasks: [], groups });
    expect(placements).toHaveLength(2);
    expect(unplaced.map(({ taskId }) => taskId)).toEqual(['web-3', 'web-4', 'web-5']);
    expect(new Set(unplaced.map(({ reason }) => reason)).size).toBe(1);
  });
});

describe('3.6 preassigned tasks', () => {
  const onNode = (...ids: string[]) =>
    ids.map((id) => ({ id: `web-${id}`, preassignedNodeId: id }));

  it('are confirmed where they fit, and told why where they do not', () => {
    const nodes = [
      ...nodesNamed('a'),
      aSchedulingNode({ id: 'b', availability: 'drain' }),
      aSchedulingNode({ id: 'c', resources: { cpuNano: 1e9, memoryBytes: GIB / 2 } }),
    ];
    const group = aTaskGroup({ tasks: onNode('a', 'b', 'c', 'gone'), reservations: MEMORY });
    expect(schedule({ nodes, tasks: [], groups: [group] })).toEqual({
      placements: [{ taskId: 'web-a', nodeId: 'a' }],
      unplaced: [
        {
          taskId: 'web-b',
          reason: 'node host-b: drained',
          counts: [{ filter: 'ready', count: 1, message: 'drained' }],
        },
        {
          taskId: 'web-c',
          reason: 'node host-c: insufficient memory (wants 1 GiB, 512 MiB free)',
          counts: [{ filter: 'resources', count: 1, message: 'insufficient memory' }],
        },
        {
          taskId: 'web-gone',
          reason: 'node gone does not exist',
          counts: [{ filter: 'ready', count: 1, message: 'node does not exist' }],
        },
      ],
    });
  });

  it('know no failure penalty (scenario 4)', () => {
    const recentFailures = new Map([['a', 99]]);
    const group = aTaskGroup({ tasks: onNode('a'), recentFailures });
    const result = schedule({ nodes: nodesNamed('a', 'b'), tasks: [], groups: [group] });
    expect(countsOf(result)).toEqual({ a: 1 });
  });

  it('come before all others, and take what they need', () => {
    const nodes = [aSchedulingNode({ id: 'a', resources: { cpuNano: 1e9, memoryBytes: GIB } })];
    const result = schedule({
      nodes,
      tasks: [],
      groups: [
        aTaskGroup({ serviceId: 'old', position: 1, reservations: MEMORY }),
        aTaskGroup({ position: 2, tasks: onNode('a'), reservations: MEMORY }),
      ],
    });
    expect(result.placements).toEqual([{ taskId: 'web-a', nodeId: 'a' }]);
    expect(result.unplaced.map(({ taskId }) => taskId)).toEqual(['old-1']);
  });

  it('may share a group with others', () => {
    const group = aTaskGroup({ tasks: [{ id: 'free' }, ...onNode('a')], maxReplicasPerNode: 1 });
    const result = schedule({ nodes: nodesNamed('a', 'b'), tasks: [], groups: [group] });
    expect(result.placements).toEqual([
      { taskId: 'web-a', nodeId: 'a' },
      { taskId: 'free', nodeId: 'b' },
    ]);
  });

  it('are not placed on a node that is known by its tasks only', () => {
    const group = aTaskGroup({ tasks: onNode('ghost') });
    const { unplaced } = schedule({ nodes: [], tasks: tasksOn('ghost', 1), groups: [group] });
    expect(unplaced[0]?.reason).toBe('node ghost does not exist');
  });
});

describe('the order of groups', () => {
  const nodes = [aSchedulingNode({ id: 'a', resources: { cpuNano: 1e9, memoryBytes: GIB } })];
  const winner = (...groups: ReturnType<typeof aTaskGroup>[]) =>
    schedule({ nodes, tasks: [], groups }).placements[0]?.taskId;
  const group = (serviceId: string, position: number, revision = 1) =>
    aTaskGroup({
      serviceId,
      position,
      revision,
      tasks: [{ id: `${serviceId}/${revision}` }],
      reservations: MEMORY,
    });

  it('is by position, then service, then revision', () => {
    expect(winner(group('a', 2), group('b', 1))).toBe('b/1');
    expect(winner(group('b', 1), group('a', 1))).toBe('a/1');
    expect(winner(group('a', 1, 2), group('a', 1, 1))).toBe('a/1');
  });

  it('lets a second group of the same service see the first', () => {
    const revisions = [1, 2, 3].map((revision) =>
      aTaskGroup({ revision, tasks: [{ id: `r${revision}` }], maxReplicasPerNode: 1 }),
    );
    const [first, second, third] = revisions;
    const between = aTaskGroup({ serviceId: 'other', revision: 2, position: 1 });
    const groups = [first, second, third, between].flatMap((group) => group ?? []);
    const result = schedule({ nodes: nodesNamed('a', 'b'), tasks: [], groups });
    expect(result.unplaced.map(({ taskId }) => taskId)).toEqual(['r3']);
  });
});

describe('PlacementBatch', () => {
  it('places group by group as planPlacements does all at once', () => {
    const state = ClusterState.from(nodesNamed('a', 'b', 'c'), tasksOn('a', 2));
    const groups = ['x', 'y'].map((serviceId, position) =>
      aTaskGroup({ serviceId, position, replicas: 4 }),
    );
    const batch = new PlacementBatch(state);
    const one = groups.flatMap((group) => batch.place(group).placements);
    expect(one).toEqual(planPlacements(state, groups).placements);
  });

  it('refuses to go on after the state has changed', () => {
    const state = ClusterState.from(nodesNamed('a'), []);
    const batch = new PlacementBatch(state);
    state.setNode(aSchedulingNode({ id: 'b' }));
    expect(() => batch.place(aTaskGroup())).toThrow('the cluster state changed');
  });

  it('finds candidates anew when many groups ask for different things', () => {
    const groups = Array.from({ length: 150 }, (_, position) =>
      aTaskGroup({
        serviceId: `s${position}`,
        position,
        constraints: [`node.labels.l${position} == v${position}`],
      }),
    );
    const nodes = Array.from({ length: 150 }, (_, index) =>
      aSchedulingNode({ id: `n${index}`, nodeLabels: { [`l${index}`]: `v${index}` } }),
    );
    const { placements } = schedule({ nodes, tasks: [], groups });
    expect(placements.map(({ nodeId }) => nodeId)).toEqual(nodes.map(({ id }) => id));
  });
});
