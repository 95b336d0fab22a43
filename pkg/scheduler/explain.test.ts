import { describe, expect, it } from 'vitest';
import { aPlacedTask, aSchedulingNode, aTaskGroup } from '../../test/builders/scheduling.js';
import { ClusterState } from './cluster-state.js';
import { explain } from './explain.js';

const MIB = 1024 ** 2;

describe('explain', () => {
  const state = ClusterState.from(
    [
      aSchedulingNode({ id: 'd', availability: 'pause' }),
      aSchedulingNode({ id: 'b', resources: { cpuNano: 2e9, memoryBytes: 100 * MIB } }),
      aSchedulingNode({ id: 'a' }),
      aSchedulingNode({ id: 'c', os: 'windows' }),
    ],
    [
      aPlacedTask({
        taskId: 't',
        nodeId: 'b',
        reservations: { cpuNano: 15e8, memoryBytes: 120 * MIB },
      }),
      aPlacedTask({ taskId: 'u', nodeId: 'ghost' }),
    ],
  );

  it('gives a verdict for every node, by id', () => {
    const group = aTaskGroup({
      reservations: { cpuNano: 1e9, memoryBytes: 64 * MIB },
      platforms: [{ os: 'linux' }],
    });
    expect(explain(group, state)).toEqual([
      { nodeId: 'a', hostname: 'host-a', ok: true, message: 'fits' },
      {
        nodeId: 'b',
        hostname: 'host-b',
        ok: false,
        filter: 'resources',
        message:
          'insufficient cpu (wants 1 CPUs, 0.5 CPUs free) and memory (wants 64 MiB, 0 B free)',
      },
      {
        nodeId: 'c',
        hostname: 'host-c',
        ok: false,
        filter: 'platform',
        message: 'unsupported platform windows/amd64',
      },
      { nodeId: 'd', hostname: 'host-d', ok: false, filter: 'ready', message: 'paused' },
    ]);
  });

  it('counts what the service has on a node already', () => {
    const verdicts = explain(aTaskGroup({ maxReplicasPerNode: 1 }), state);
    expect(verdicts.filter(({ filter }) => filter === 'max-replicas')).toMatchObject([
      { nodeId: 'b', message: 'max replicas per node (1) reached' },
    ]);
  });
});
