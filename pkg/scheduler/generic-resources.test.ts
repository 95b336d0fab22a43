/** Named generic resources: picked once, recorded, never given out twice (swarm-semantics 3.3, S10). */
import { describe, expect, it } from 'vitest';
import { aPlacedTask, aSchedulingNode, aTaskGroup } from '../../test/builders/scheduling.js';
import { ClusterState } from './cluster-state.js';
import { planPlacements } from './plan.js';
import type { AssignedResources, PlacedTask, SchedulingNode } from './types.js';

const gpus = (count: number) => ({ cpuNano: 0, memoryBytes: 0, generic: { gpu: count } });
const node = (ids: readonly string[], more: Partial<SchedulingNode> = {}) =>
  aSchedulingNode({
    id: 'n',
    resources: { ...gpus(ids.length), memoryBytes: 1, cpuNano: 1 },
    namedResources: { gpu: ids },
    ...more,
  });
const holder = (taskId: string, assigned?: AssignedResources, count = 1): PlacedTask =>
  aPlacedTask({ taskId, nodeId: 'n', reservations: gpus(count), assigned });
const group = (replicas: number, count = 1) => aTaskGroup({ replicas, reservations: gpus(count) });
const given = (state: ClusterState, replicas: number, count = 1) =>
  planPlacements(state, [group(replicas, count)]).placements.map(({ resources }) => resources);

describe('3.3 named generic resources', () => {
  it('are given by id, the free ones in the order of the node', () => {
    const state = ClusterState.from([node(['g1', 'g2', 'g3'])], [holder('t', { gpu: ['g2'] })]);
    expect(given(state, 2)).toEqual([{ gpu: ['g1'] }, { gpu: ['g3'] }]);
    expect(given(state, 1, 2)).toEqual([{ gpu: ['g1', 'g3'] }]);
    expect(given(state, 3)).toHaveLength(2);
  });

  it('are the recorded ones (S10), whoever reads them in whatever order: a new leader guesses nothing', () => {
    const tasks = [holder('t', { gpu: ['g3'] }), holder('u', { gpu: ['g1'] })];
    for (const order of [tasks, [...tasks].reverse()]) {
      const state = ClusterState.from([node(['g1', 'g2', 'g3'])], order);
      expect(given(state, 1)).toEqual([{ gpu: ['g2'] }]);
    }
  });

  it('are free again when the task is gone, not when it was only told to stop', () => {
    const state = ClusterState.from([node(['g1'])], [holder('t', { gpu: ['g1'] })]);
    state.setTask({ ...holder('t', { gpu: ['g1'] }), countsForSpread: false });
    expect(given(state, 1)).toEqual([]);
    state.removeTask('t');
    expect(given(state, 1)).toEqual([{ gpu: ['g1'] }]);
  });

  it('that a node does not declare any more are not given, and take nothing from others', () => {
    const state = ClusterState.from([node(['g1', 'g2'])], [holder('t', { gpu: ['gone'] })]);
    expect(given(state, 3)).toEqual([{ gpu: ['g1'] }, { gpu: ['g2'] }]);
  });

  it('are held back for tasks of which nobody knows what they have', () => {
    const state = ClusterState.from([node(['g1', 'g2'])], [holder('t')]);
    expect(given(state, 2)).toHaveLength(1);
  });

  it('are counted on nodes that do not name them', () => {
    const counting = aSchedulingNode({ id: 'n', resources: gpus(3) });
    const state = ClusterState.from([counting], [holder('t', { gpu: ['g1'] })]);
    expect(given(state, 3)).toEqual([{ gpu: 1 }, { gpu: 1 }]);
  });

  it('hold what was given although the revision that asked for it is gone', () => {
    const state = ClusterState.from([node(['g1', 'g2'])], []);
    state.setTask(aPlacedTask({ taskId: 't', nodeId: 'n', assigned: { gpu: ['g1'] } }));
    expect(given(state, 2)).toEqual([{ gpu: ['g2'] }]);
  });

  it('of several kinds are given together, and to tasks bound to their node', () => {
    const both = { cpuNano: 0, memoryBytes: 0, generic: { gpu: 1, slot: 2 } };
    const state = ClusterState.from(
      [node(['g1'], { resources: { cpuNano: 1, memoryBytes: 1, generic: { gpu: 1, slot: 5 } } })],
      [],
    );
    const tasks = [{ id: 'web-1', preassignedNodeId: 'n' }];
    const { placements } = planPlacements(state, [aTaskGroup({ tasks, reservations: both })]);
    expect(placements).toEqual([
      { taskId: 'web-1', nodeId: 'n', resources: { gpu: ['g1'], slot: 2 } },
    ]);
  });

  it('are not mentioned to tasks that ask for none', () => {
    const state = ClusterState.from([node(['g1'])], []);
    expect(planPlacements(state, [aTaskGroup()]).placements[0]).toEqual({
      taskId: 'web-1',
      nodeId: 'n',
    });
  });
});
