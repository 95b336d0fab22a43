import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aSchedulingNode, aTaskGroup } from '../../test/builders/scheduling.js';
import { ClusterState } from './cluster-state.js';
import { planPreemption, type Occupant, type Preemption } from './preemption.js';
import type { SchedulingNode, TaskGroup } from './types.js';

const GIB = 1024 ** 3;
const memory = (gib: number) => ({ cpuNano: 0, memoryBytes: gib * GIB });

function anOccupant(occupant: Partial<Occupant> & Pick<Occupant, 'taskId' | 'nodeId'>): Occupant {
  return {
    serviceId: 'low',
    serviceName: 'low',
    reservations: memory(4),
    countsForSpread: true,
    priority: 0,
    isLeaving: false,
    isMovable: true,
    createdAt: 0,
    ...occupant,
  };
}

const important = (group: Partial<TaskGroup> = {}): TaskGroup =>
  aTaskGroup({ priority: 10, mayPreempt: true, reservations: memory(6), ...group });

function preempt(
  nodes: readonly SchedulingNode[],
  occupants: readonly Occupant[],
  ...groups: readonly TaskGroup[]
): readonly Preemption[] {
  return planPreemption({
    state: ClusterState.from(nodes, occupants),
    groups,
    occupantsOf: (nodeId) => occupants.filter((occupant) => occupant.nodeId === nodeId),
  });
}

const one = [aSchedulingNode({ id: 'n1' })];
const two = [aSchedulingNode({ id: 'n1' }), aSchedulingNode({ id: 'n2' })];

describe('3.8 planPreemption', () => {
  it('sends away no more than it takes, the least important and the youngest first', () => {
    const occupants = [
      anOccupant({ taskId: 'old', nodeId: 'n1', reservations: memory(2), createdAt: 1 }),
      anOccupant({ taskId: 'young', nodeId: 'n1', reservations: memory(2), createdAt: 2 }),
      anOccupant({ taskId: 'dear', nodeId: 'n1', reservations: memory(2), priority: 5 }),
      anOccupant({ taskId: 'youngest', nodeId: 'n1', reservations: memory(2), createdAt: 3 }),
    ];
    const found = preempt(one, occupants, important({ reservations: memory(4) }));
    expect(found).toEqual([{ taskId: 'web-1', nodeId: 'n1', victims: ['young', 'youngest'] }]);
  });

  it('prefers the node whose victims matter least, then that with the fewest', () => {
    const occupants = [
      anOccupant({ taskId: 'a', nodeId: 'n1', priority: 5, reservations: memory(8) }),
      anOccupant({ taskId: 'b', nodeId: 'n2' }),
      anOccupant({ taskId: 'c', nodeId: 'n2' }),
    ];
    expect(preempt(two, occupants, important({ reservations: memory(8) }))).toMatchObject([
      { nodeId: 'n2', victims: ['b', 'c'] },
    ]);
    const equals = occupants.map((occupant) => ({ ...occupant, priority: 1 }));
    expect(preempt(two, equals, important({ reservations: memory(8) }))).toMatchObject([
      { nodeId: 'n1', victims: ['a'] },
    ]);
  });

  it.each([
    ['an equal priority', { priority: 10 }],
    ['a higher priority', { priority: 11 }],
    ['what may not be moved', { isMovable: false }],
  ])('never sends away %s', (_what, more) => {
    expect(preempt(one, [anOccupant({ taskId: 'a', nodeId: 'n1', ...more })], important())).toEqual(
      [],
    );
  });

  it('waits for those that go already instead of sending away more', () => {
    const occupants = [
      anOccupant({ taskId: 'a', nodeId: 'n1', reservations: memory(6), isLeaving: true }),
      anOccupant({ taskId: 'b', nodeId: 'n1', reservations: memory(2) }),
      anOccupant({ taskId: 'c', nodeId: 'n2', reservations: memory(8) }),
    ];
    expect(preempt(two, occupants, important())).toEqual([
      { taskId: 'web-1', nodeId: 'n1', victims: [] },
    ]);
  });

  it('counts no room twice', () => {
    const occupants = ['a', 'b'].map((taskId, index) =>
      anOccupant({ taskId, nodeId: `n${String(index + 1)}`, reservations: memory(6) }),
    );
    const found = preempt(two, occupants, important({ replicas: 3 } as Partial<TaskGroup>));
    expect(found.map(({ victims }) => victims[0]).sort()).toEqual(['a', 'b']);
    expect(new Set(found.map(({ nodeId }) => nodeId)).size).toBe(2);
  });

  it('asks only nodes that want nothing but room', () => {
    const nodes = [
      aSchedulingNode({ id: 'n1', availability: 'pause' }),
      aSchedulingNode({ id: 'n2', nodeLabels: { disk: 'hdd' } }),
    ];
    const occupants = [
      anOccupant({ taskId: 'a', nodeId: 'n1' }),
      anOccupant({ taskId: 'b', nodeId: 'n2' }),
    ];
    const group = important({ constraints: ['node.labels.disk == ssd'] });
    expect(preempt(nodes, occupants, group)).toEqual([]);
  });

  it('frees host ports', () => {
    const hostPorts = [{ protocol: 'tcp', port: 80 }] as const;
    const occupants = [
      anOccupant({ taskId: 'a', nodeId: 'n1', hostPorts }),
      anOccupant({ taskId: 'b', nodeId: 'n1' }),
    ];
    const group = important({ reservations: memory(0), hostPorts });
    expect(preempt(one, occupants, group)).toMatchObject([{ victims: ['a'] }]);
  });

  it('keeps the neighbour that it must be near', () => {
    const occupants = [
      anOccupant({ taskId: 'a', nodeId: 'n1', serviceId: 'db', serviceName: 'db' }),
      anOccupant({ taskId: 'b', nodeId: 'n1' }),
    ];
    const affinity = [{ service: 'db', serviceId: 'db' }];
    const group = important({ reservations: memory(4), affinity });
    expect(preempt(one, occupants, group)).toMatchObject([{ victims: ['b'] }]);
    expect(preempt(one, occupants, important({ affinity }))).toEqual([]);
  });

  it('looks for a task that is bound to a node on that node only', () => {
    const occupants = [
      anOccupant({ taskId: 'a', nodeId: 'n1' }),
      anOccupant({ taskId: 'b', nodeId: 'n2', priority: 9 }),
    ];
    const group = important({ tasks: [{ id: 't', preassignedNodeId: 'n2' }] });
    expect(preempt(two, occupants, group)).toEqual([{ taskId: 't', nodeId: 'n2', victims: ['b'] }]);
  });

  it('serves the highest priority first', () => {
    const occupants = [anOccupant({ taskId: 'a', nodeId: 'n1', reservations: memory(6) })];
    const groups = [
      important({ serviceId: 'good', priority: 5 }),
      important({ serviceId: 'best', priority: 9 }),
    ];
    expect(preempt(one, occupants, ...groups)).toEqual([
      { taskId: 'best-1', nodeId: 'n1', victims: ['a'] },
    ]);
  });

  it('always leaves room for whom it sent others away, and none of them was needless', () => {
    const occupant = fc.record({
      node: fc.integer({ min: 1, max: 3 }),
      gib: fc.integer({ min: 1, max: 4 }),
      priority: fc.integer({ min: 0, max: 12 }),
      isLeaving: fc.boolean(),
      isMovable: fc.boolean(),
    });
    const nodes = [1, 2, 3].map((id) => aSchedulingNode({ id: `n${String(id)}` }));
    fc.assert(
      fc.property(
        fc.array(occupant, { maxLength: 12 }),
        fc.integer({ min: 1, max: 6 }),
        (drawn, want) => {
          const occupants = drawn.map(({ node, gib, ...more }, index) =>
            anOccupant({
              taskId: `t${String(index)}`,
              nodeId: `n${String(node)}`,
              reservations: memory(gib),
              ...more,
            }),
          );
          for (const { nodeId, victims } of preempt(
            nodes,
            occupants,
            important({ reservations: memory(want) }),
          )) {
            const staying = occupants.filter(
              (each) => each.nodeId === nodeId && !each.isLeaving && !victims.includes(each.taskId),
            );
            const used = (list: readonly Occupant[]) =>
              list.reduce((sum, { reservations }) => sum + (reservations?.memoryBytes ?? 0), 0);
            expect(used(staying) + want * GIB).toBeLessThanOrEqual(8 * GIB);
            for (const id of victims) {
              const victim = occupants.find(({ taskId }) => taskId === id);
              expect(victim).toMatchObject({ isMovable: true, isLeaving: false });
              expect(victim?.priority).toBeLessThan(10);
              expect(used([...staying, victim!]) + want * GIB).toBeGreaterThan(8 * GIB);
            }
          }
        },
      ),
    );
  });
});
