import { describe, expect, it } from 'vitest';
import { clusterProblems, serviceProblems } from './validate.js';

const said = (task: object, mode?: object) =>
  Object.fromEntries(
    serviceProblems({
      apiVersion: 'swarm/v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { task: { container: { image: 'app' }, ...task }, ...(mode && { mode }) },
    }).map(({ path, message }) => [path.replace('spec.task.', ''), message]),
  );
const placement = (fields: object, mode?: object) => said({ placement: fields }, mode);

describe('placement', () => {
  it('accepts everything at once', () => {
    const fields = {
      constraints: ['node.labels.disk in (ssd, nvme)'],
      preferences: [{ spread: 'node.labels.az' }, { spread: 'node.platform.arch' }],
      soft: [
        { constraint: 'node.labels.gpu exists', weight: 100 },
        { constraint: 'node.role == worker' },
      ],
      strategy: 'binpack',
      maxReplicasPerNode: 2,
      maxPer: [{ key: 'node.labels.rack', max: 1 }],
      affinity: [{ service: 'db', topology: 'node.labels.az', weight: 5 }],
      antiAffinity: [{ service: 'web' }],
    };
    expect(said({ placement: fields, priority: 1_000 })).toEqual({});
  });

  it.each([
    [{ strategy: 'best' }, 'placement.strategy', 'expected one of spread, binpack, random'],
    [{ soft: [{ weight: 1 }] }, 'placement.soft[0].constraint', 'is required'],
    [
      { soft: [{ constraint: 'node.role == worker', weight: 101 }] },
      'placement.soft[0].weight',
      'found 101, expected a whole number from 1 to 100',
    ],
    [{ maxPer: [{ key: 'node.id', max: 0 }] }, 'placement.maxPer[0].max', 'of at least 1'],
    [{ maxPer: [{ max: 1 }] }, 'placement.maxPer[0].key', 'is required: an attribute such as'],
    [
      { maxPer: [1, 2].map((max) => ({ key: 'node.labels.rack', max })) },
      'placement.maxPer[1].key',
      'node.labels.rack is given twice',
    ],
    [{ affinity: [{ service: '' }] }, 'placement.affinity[0].service', 'expected text'],
    [{ affinity: [{ name: 'db' }] }, 'placement.affinity[0].name', 'unknown field'],
    [
      { affinity: [{ service: 'db' }], antiAffinity: [{ service: 'db', topology: 'node.id' }] },
      'placement.antiAffinity[0]',
      'contradicts the affinity to service db: both are required',
    ],
  ])('refuses %j', (fields, path, words) => {
    expect(placement(fields)[path]).toContain(words);
  });

  it('allows near in one place and far in a smaller one', () => {
    const affinity = [{ service: 'db', topology: 'node.labels.az' }];
    expect(placement({ affinity, antiAffinity: [{ service: 'db' }] })).toEqual({});
    const weighted = [{ service: 'db', topology: 'node.labels.az', weight: 1 }];
    expect(placement({ affinity, antiAffinity: weighted })).toEqual({});
  });

  it('refuses to choose between nodes for a global service', () => {
    const fields = {
      constraints: ['node.role == worker'],
      preferences: [{ spread: 'node.labels.az' }],
      soft: [{ constraint: 'node.role == worker' }],
      strategy: 'spread',
      maxReplicasPerNode: 1,
      maxPer: [{ key: 'node.id', max: 1 }],
      affinity: [{ service: 'db' }],
      antiAffinity: [{ service: 'web', weight: 1 }],
    };
    const refused = placement(fields, { global: {} });
    expect(Object.keys(refused).sort()).toEqual(
      ['affinity', 'antiAffinity', 'maxPer', 'maxReplicasPerNode', 'soft', 'strategy'].map(
        (field) => `placement.${field}`,
      ),
    );
    expect(new Set(Object.values(refused))).toEqual(
      new Set(['only for replicated services and jobs']),
    );
    const empty = { soft: [], affinity: [], maxPer: [], maxReplicasPerNode: 0 };
    expect(placement(empty, { global: {} })).toEqual({});
  });
});

describe('priority', () => {
  it.each([
    [{ priority: 1_001 }, 'priority', 'found 1001, expected a whole number from 0 to 1000'],
    [{ priority: -1 }, 'priority', 'from 0 to 1000'],
  ])('refuse %j', (task, path, words) => {
    expect(said(task)[path]).toContain(words);
  });

  const scheduling = (fields: object) =>
    clusterProblems({
      apiVersion: 'swarm/v1',
      kind: 'Cluster',
      metadata: { name: 'default' },
      spec: { scheduling: fields },
    });

  it('has a strategy of the cluster beside it', () => {
    expect(scheduling({ strategy: 'random' })).toEqual([]);
    expect(scheduling({ strategy: 'fifo' })).toEqual([
      {
        path: 'spec.scheduling.strategy',
        message: 'found "fifo", expected one of spread, binpack, random',
      },
    ]);
  });
});

describe('generic resources (S15)', () => {
  const reserving = (...genericResources: object[]) =>
    said({ resources: { reservations: { genericResources } } });
  const at = (field: string) => `resources.reservations.genericResources${field}`;

  it.each([
    [[{ kind: 'gpu', value: 0 }], '[0].value', 'of at least 1'],
    [[{ kind: 'gpu', value: 1.5 }], '[0].value', 'a whole number'],
    [[{ kind: '', value: 1 }], '[0].kind', 'at most 63 letters'],
    [[{ kind: '__proto__', value: 1 }], '[0].kind', 'the first a letter or digit'],
    [[{ kind: 'a b', value: 1 }], '[0].kind', 'found "a b"'],
    [
      [
        { kind: 'gpu', value: 1 },
        { kind: 'GPU', value: 1 },
      ],
      '[1].kind',
      'GPU is reserved twice',
    ],
  ])('refuses %j', (resources, field, words) => {
    expect(reserving(...resources)[at(field)]).toContain(words);
  });

  it('accepts several kinds', () => {
    expect(reserving({ kind: 'NVIDIA-GPU', value: 2 }, { kind: 'ssd.slot', value: 1 })).toEqual({});
  });
});
