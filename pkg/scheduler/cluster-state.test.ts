import { describe, expect, it } from 'vitest';
import { aPlacedTask, aSchedulingNode, aTaskGroup } from '../../test/builders/scheduling.js';
import { ClusterState } from './cluster-state.js';
import { planPlacements } from './plan.js';

describe('ClusterState', () => {
  it('takes tasks before their node and keeps them after it', () => {
    const state = new ClusterState();
    const memory = { cpuNano: 0, memoryBytes: 5 };
    const node = aSchedulingNode({ id: 'a', resources: { cpuNano: 1, memoryBytes: 9 } });
    const group = aTaskGroup({ reservations: memory });
    state.setTask(aPlacedTask({ taskId: 't', nodeId: 'a', reservations: memory }));
    state.setNode(node);
    expect(planPlacements(state, [group]).unplaced).toHaveLength(1);

    state.removeNode('a');
    expect(state.nodeCount).toBe(0);
    expect(planPlacements(state, [group]).unplaced[0]?.reason).toBe('no nodes in the cluster');

    state.setNode(node);
    expect(planPlacements(state, [group]).unplaced).toHaveLength(1);
    state.removeTask('t');
    expect(planPlacements(state, [group]).placements).toHaveLength(1);
  });

  it('follows a task from node to node', () => {
    const state = ClusterState.from(
      [aSchedulingNode({ id: 'a' }), aSchedulingNode({ id: 'b' })],
      [],
    );
    state.setTask(aPlacedTask({ taskId: 't', nodeId: 'a' }));
    state.setTask(aPlacedTask({ taskId: 't', nodeId: 'b' }));
    expect(state.taskCount).toBe(1);
    expect(planPlacements(state, [aTaskGroup()]).placements[0]?.nodeId).toBe('a');
  });

  it('counts no change where there is none', () => {
    const state = new ClusterState();
    const task = aPlacedTask({ taskId: 't', nodeId: 'a' });
    state.setTask(task);
    const before = state.changeCount;
    state.setTask(task);
    expect(state.removeTask('unknown')).toBe(false);
    expect(state.removeNode('a')).toBe(false);
    expect(state.removeNode('unknown')).toBe(false);
    expect(state.changeCount).toBe(before);
    expect(state.removeTask('t')).toBe(true);
    expect(state.changeCount).toBeGreaterThan(before);
  });

  it('forgets a node and its slot when nothing holds them', () => {
    const state = new ClusterState();
    for (let round = 0; round < 200; round += 1) {
      state.setNode(aSchedulingNode({ id: `n${round}` }));
      state.setTask(aPlacedTask({ taskId: `t${round}`, nodeId: `n${round}` }));
      state.removeNode(`n${round}`);
      state.removeTask(`t${round}`);
    }
    expect(state.table.slots).toBe(1);
    expect([state.nodeCount, state.taskCount]).toEqual([0, 0]);
  });

  it('holds a host port while any of several tasks does (S14)', () => {
    const hostPorts = [{ protocol: 'tcp', port: 80 }] as const;
    const state = ClusterState.from(
      [aSchedulingNode({ id: 'a' })],
      ['t', 'u'].map((taskId) => aPlacedTask({ taskId, nodeId: 'a', hostPorts })),
    );
    state.removeTask('t');
    expect(planPlacements(state, [aTaskGroup({ hostPorts })]).placements).toEqual([]);
    state.removeTask('u');
    expect(planPlacements(state, [aTaskGroup({ hostPorts })]).placements).toHaveLength(1);
  });

  it('sees a changed label in a constraint that was asked before', () => {
    const state = ClusterState.from([aSchedulingNode({ id: 'a' })], []);
    const group = aTaskGroup({ constraints: ['node.labels.disk == ssd'] });
    expect(planPlacements(state, [group]).placements).toEqual([]);
    state.setNode(aSchedulingNode({ id: 'a', nodeLabels: { disk: 'ssd' } }));
    expect(planPlacements(state, [group]).placements).toHaveLength(1);
    state.setNode(aSchedulingNode({ id: 'b', nodeLabels: { disk: 'ssd' } }));
    expect(planPlacements(state, [{ ...group, maxReplicasPerNode: 1 }]).unplaced).toEqual([]);
  });
});
