/** Affinity, anti-affinity, and how many tasks of a service may share the value of an attribute. */
import { describe, expect, it } from 'vitest';
import { aPlacedTask, aSchedulingNode, aTaskGroup } from '../../test/builders/scheduling.js';
import { ClusterState } from './cluster-state.js';
import { planPlacements, schedule } from './plan.js';
import type { PlacedTask, ScheduleResult, TaskGroup } from './types.js';

const RACKS = { a1: 'a', a2: 'a', b1: 'b', b2: 'b', none: undefined };
const nodes = Object.entries(RACKS).map(([id, rack]) =>
  aSchedulingNode({ id, nodeLabels: rack === undefined ? {} : { rack } }),
);
const rack = 'node.labels.rack';
const near = (serviceId: string, more = {}) => ({ service: serviceId, serviceId, ...more });
const of = (serviceId: string, nodeId: string, more: Partial<PlacedTask> = {}): PlacedTask =>
  aPlacedTask({ taskId: `${serviceId}@${nodeId}`, serviceId, nodeId, ...more });

const place = (group: Parameters<typeof aTaskGroup>[0], tasks: readonly PlacedTask[] = []) =>
  schedule({ nodes, tasks, groups: [aTaskGroup({ serviceName: 'web', ...group })] });

const placesOf = ({ placements }: ScheduleResult) => placements.map(({ nodeId }) => nodeId).sort();

describe('3.8 a maximum per value of an attribute', () => {
  it('counts active tasks of the service, on all nodes of a value', () => {
    const tasks = [of('web', 'a1'), of('web', 'b1', { countsForSpread: false }), of('db', 'b2')];
    const group = { replicas: 9, maxPer: [{ key: rack, max: 2 }], preferences: [] };
    const result = place(group, tasks);
    const inRack = (name: string) => placesOf(result).filter((id) => id.startsWith(name)).length;
    expect([inRack('a'), inRack('b'), inRack('none')]).toEqual([1, 2, 2]);
    expect(result.unplaced[0]?.reason).toBe(
      '0/5 nodes: 5 max replicas per node.labels.rack (2) reached',
    );
  });

  it('holds for several attributes at once', () => {
    const maxPer = [
      { key: 'node.id', max: 1 },
      { key: rack, max: 2 },
    ];
    expect(placesOf(place({ replicas: 9, maxPer }))).toEqual(Object.keys(RACKS));
  });

  it('holds across groups of one service in a batch', () => {
    const groups = [1, 2].map((revision) =>
      aTaskGroup({ revision, replicas: 3, maxPer: [{ key: rack, max: 1 }] }),
    );
    expect(schedule({ nodes, tasks: [], groups }).placements).toHaveLength(3);
  });

  it('is no limit at 0, and fails every node when its key cannot be read', () => {
    expect(place({ replicas: 9, maxPer: [{ key: rack, max: 0 }] }).unplaced).toEqual([]);
    expect(place({ maxPer: [{ key: 'rack', max: 1 }] }).unplaced[0]?.reason).toBe(
      '0/5 nodes: 5 unknown key "rack" of a maximum',
    );
  });
});

describe('3.8 required affinity', () => {
  it('keeps to nodes with a task of the other service', () => {
    const group = { replicas: 3, affinity: [near('db')] };
    expect(placesOf(place(group, [of('db', 'a1'), of('db', 'b2')]))).toEqual(['a1', 'b2', 'b2']);
  });

  it('keeps to values of an attribute that have one', () => {
    const group = { replicas: 4, affinity: [near('db', { topology: rack })] };
    expect(placesOf(place(group, [of('db', 'a1')]))).toEqual(['a1', 'a1', 'a2', 'a2']);
  });

  it('does not count tasks that were told to stop', () => {
    const result = place({ affinity: [near('db')] }, [of('db', 'a1', { countsForSpread: false })]);
    expect(result.unplaced[0]?.reason).toBe('0/5 nodes: 5 affinity to service db (node.id)');
  });

  it('says so when there is no such service, or no such attribute', () => {
    const none = place({ affinity: [{ service: 'db' }] });
    expect(none.unplaced[0]?.reason).toBe(
      '0/5 nodes: 5 affinity to service db, which does not exist',
    );
    const odd = place({ affinity: [near('db', { topology: 'rack' })] });
    expect(odd.unplaced[0]?.reason).toBe('0/5 nodes: 5 unknown key "rack" of an affinity');
  });

  it('to its own service begins anywhere and stays there', () => {
    const group = { replicas: 4, affinity: [near('web', { topology: rack })] };
    const racks = new Set(placesOf(place(group)).map((id) => id.slice(0, 1)));
    expect(racks.size).toBe(1);
  });

  it('is satisfied by what the same batch places, in whatever order they stand', () => {
    const web = aTaskGroup({ serviceId: 'web', position: 1, affinity: [near('app')] });
    const app = aTaskGroup({ serviceId: 'app', position: 2, affinity: [near('db')] });
    const db = aTaskGroup({ serviceId: 'db', position: 3, constraints: ['node.id == b1'] });
    const result = schedule({ nodes, tasks: [], groups: [web, app, db] });
    expect(placesOf(result)).toEqual(['b1', 'b1', 'b1']);
  });

  it('of two services to each other lets both wait, and ends', () => {
    const groups = [
      aTaskGroup({ serviceId: 'a', affinity: [near('b')] }),
      aTaskGroup({ serviceId: 'b', affinity: [near('a')] }),
    ];
    expect(schedule({ nodes, tasks: [], groups }).unplaced).toHaveLength(2);
  });
});

describe('3.8 required anti-affinity', () => {
  it('keeps away from nodes, or values, with a task of the other service', () => {
    const tasks = [of('db', 'a1'), of('db', 'none')];
    const node = { replicas: 3, antiAffinity: [near('db')] };
    expect(placesOf(place(node, tasks))).toEqual(['a2', 'b1', 'b2']);
    const inRack = { replicas: 2, antiAffinity: [near('db', { topology: rack })] };
    expect(placesOf(place(inRack, tasks))).toEqual(['b1', 'b2']);
  });

  it('to its own service lets one task be per value', () => {
    const group = { replicas: 4, antiAffinity: [near('web', { topology: rack })] };
    const result = place(group);
    expect(result.placements).toHaveLength(3);
    expect(result.unplaced[0]?.reason).toBe(
      '0/5 nodes: 5 anti-affinity to service web (node.labels.rack)',
    );
  });

  it('holds for the other service, too: who comes first is chance', () => {
    const avoids = [{ service: 'web', by: 'db', topology: rack }];
    const tasks = [of('db', 'a1', { avoids })];
    const result = place({ replicas: 6, maxReplicasPerNode: 1 }, tasks);
    expect(placesOf(result)).toEqual(['b1', 'b2', 'none']);
    expect(result.unplaced[0]?.counts).toContainEqual({
      filter: 'anti-affinity',
      count: 2,
      message: 'anti-affinity of service db (node.labels.rack)',
    });
    const stopping = [of('db', 'a1', { avoids, countsForSpread: false })];
    expect(place({ replicas: 5, maxReplicasPerNode: 1 }, stopping).unplaced).toEqual([]);
  });

  it('holds for the other service within one batch', () => {
    const db = aTaskGroup({
      serviceId: 'db',
      serviceName: 'db',
      position: 1,
      constraints: ['node.id == a1'],
      antiAffinity: [near('web', { topology: rack })],
    });
    const web = aTaskGroup({ serviceName: 'web', position: 2, replicas: 9 });
    const result = schedule({ nodes, tasks: [], groups: [db, web] });
    expect(placesOf(result).filter((id) => id.startsWith('a'))).toEqual(['a1']);
  });

  it('does not bind others any more when the tasks that wanted it are gone', () => {
    const state = ClusterState.from(nodes, [
      of('db', 'a1', { avoids: [{ service: 'web', by: 'db', topology: 'node.id' }] }),
    ]);
    const group = aTaskGroup({ serviceName: 'web', constraints: ['node.id == a1'] });
    expect(planPlacements(state, [group]).placements).toEqual([]);
    state.removeTask('db@a1');
    expect(planPlacements(state, [group]).placements).toHaveLength(1);
  });
});

describe('3.8 preferred affinity and anti-affinity', () => {
  it('prefer nodes near, and away, by weight', () => {
    const tasks = [of('db', 'a1'), of('db', 'b1'), of('noisy', 'b1')];
    const group: Partial<TaskGroup> = {
      affinity: [near('db', { weight: 5 })],
      antiAffinity: [near('noisy', { weight: 3 })],
    };
    expect(placesOf(place(group, tasks))).toEqual(['a1']);
    const stronger = { ...group, affinity: [near('db', { weight: 1 })] };
    expect(placesOf(place({ ...stronger, constraints: ['node.id != a1'] }, tasks))).not.toEqual([
      'b1',
    ]);
  });

  it('go on elsewhere when there is no room', () => {
    const group = { replicas: 2, maxReplicasPerNode: 1, affinity: [near('db', { weight: 1 })] };
    expect(placesOf(place(group, [of('db', 'a1')]))).toContain('a1');
    expect(place(group, [of('db', 'a1')]).placements).toHaveLength(2);
  });

  it('to its own service gather where it began, and go where they are when they had to leave', () => {
    const gather = { replicas: 3, affinity: [near('web', { topology: rack, weight: 1 })] };
    expect(new Set(placesOf(place(gather)).map((id) => id.slice(0, 1))).size).toBe(1);
    const full = { replicas: 4, maxReplicasPerNode: 2, affinity: [near('web', { weight: 1 })] };
    // a1 is full with what is there: the next ones gather on two other nodes, not on four.
    const there = [of('web', 'a1'), of('web', 'a1', { taskId: 'second' })];
    expect(new Set(placesOf(place(full, there))).size).toBe(2);
  });

  it('away from its own service take turns between values before they share one', () => {
    const group = { replicas: 3, antiAffinity: [near('web', { topology: rack, weight: 1 })] };
    const racks = placesOf(place(group)).map((id) => id.slice(0, 1));
    expect(new Set(racks).size).toBe(3);
    expect(place({ ...group, replicas: 9 }).unplaced).toEqual([]);
  });
});
