/** swarm-semantics 3.2, filter by filter, and what a task without a node is told. */
import { describe, expect, it } from 'vitest';
import { aPlacedTask, aSchedulingNode, aTaskGroup } from '../../../test/builders/scheduling.js';
import { schedule } from '../plan.js';
import type { FilterCount, SchedulingNode, TaskGroup } from '../types.js';

const GIB = 1024 ** 3;

/** What one task of `group` is told on a cluster of these nodes; undefined when it is placed. */
function verdict(group: Partial<TaskGroup>, ...nodes: Partial<SchedulingNode>[]) {
  const result = schedule({
    nodes: nodes.map((node, index) => aSchedulingNode({ id: `n${index}`, ...node })),
    tasks: [],
    groups: [aTaskGroup(group)],
  });
  return result.unplaced[0]?.reason;
}

describe('3.2.1 the filter for nodes that are ready', () => {
  it.each<[string, Partial<SchedulingNode>, string | undefined]>([
    ['passes a ready active node', {}, undefined],
    ['refuses a node that is not ready', { ready: false }, '0/1 nodes: 1 not ready'],
    [
      'says why a node is not ready',
      { ready: false, reasonNotReady: 'heartbeat lost' },
      '0/1 nodes: 1 heartbeat lost',
    ],
    ['refuses a drained node', { availability: 'drain' }, '0/1 nodes: 1 drained'],
    ['refuses a paused node', { availability: 'pause' }, '0/1 nodes: 1 paused'],
    [
      'says not ready before drained',
      { ready: false, availability: 'drain' },
      '0/1 nodes: 1 not ready',
    ],
  ])('%s', (_, node, reason) => {
    expect(verdict({}, node)).toBe(reason);
  });
});

describe('3.2.2 the filter for resources', () => {
  const small = { resources: { cpuNano: 1e9, memoryBytes: GIB, generic: { gpu: 1 } } };

  it.each<[string, TaskGroup['reservations'], string | undefined]>([
    [
      'passes what fits exactly',
      { cpuNano: 1e9, memoryBytes: GIB, generic: { gpu: 1 } },
      undefined,
    ],
    ['tells cpu', { cpuNano: 1e9 + 1, memoryBytes: 0 }, '0/1 nodes: 1 insufficient cpu'],
    ['tells memory', { cpuNano: 0, memoryBytes: GIB + 1 }, '0/1 nodes: 1 insufficient memory'],
    [
      'tells both at once',
      { cpuNano: 2e9, memoryBytes: 2 * GIB },
      '0/1 nodes: 1 insufficient cpu and memory',
    ],
    [
      'tells a generic resource by name',
      { cpuNano: 0, memoryBytes: 0, generic: { gpu: 2 } },
      '0/1 nodes: 1 insufficient gpu',
    ],
    [
      'takes an unknown kind as none there',
      { cpuNano: 0, memoryBytes: 0, generic: { constructor: 1 } },
      '0/1 nodes: 1 insufficient constructor',
    ],
  ])('%s', (_, reservations, reason) => {
    expect(verdict({ reservations }, small)).toBe(reason);
  });

  it('is not active without reservations, nor for a resource that is not reserved', () => {
    const empty = { resources: { cpuNano: 0, memoryBytes: GIB } };
    expect(verdict({}, { resources: { cpuNano: 0, memoryBytes: 0 } })).toBeUndefined();
    expect(verdict({ reservations: { cpuNano: 0, memoryBytes: GIB } }, empty)).toBeUndefined();
  });
});

describe('3.2.3 the filter for plugins (scenario 9)', () => {
  const volume = { type: 'Volume', name: 'rexray' } as const;

  it.each<[string, TaskGroup['plugins'], SchedulingNode['plugins'], string | undefined]>([
    ['passes a reported plugin', [volume], [volume], undefined],
    ['passes name:latest', [volume], [{ type: 'Volume', name: 'rexray:latest' }], undefined],
    ['refuses another tag', [volume], [{ type: 'Volume', name: 'rexray:v2' }], 'Volume/rexray'],
    ['refuses another type', [volume], [{ type: 'Network', name: 'rexray' }], 'Volume/rexray'],
    ['passes a node without engine description', [volume], undefined, undefined],
    ['needs nothing for the local driver', [{ type: 'Volume', name: 'local' }], [], undefined],
    ['needs nothing for log driver none', [{ type: 'Log', name: 'none' }], [volume], undefined],
    ['needs nothing for an empty log driver', [{ type: 'Log', name: '' }], [volume], undefined],
    ['passes a node that lists no log drivers', [{ type: 'Log', name: 'gelf' }], [], undefined],
    [
      'refuses a log driver missing among others',
      [{ type: 'Log', name: 'gelf' }],
      [{ type: 'Log', name: 'json-file' }],
      'Log/gelf',
    ],
    [
      'names the first that is missing',
      [volume, { type: 'Network', name: 'weave' }],
      [volume],
      'Network/weave',
    ],
  ])('%s', (_, plugins, reported, missing) => {
    const reason = missing === undefined ? undefined : `0/1 nodes: 1 missing plugin ${missing}`;
    expect(verdict({ plugins }, { plugins: reported })).toBe(reason);
  });
});

describe('3.2.4 the filter for constraints', () => {
  it.each<[string, readonly string[], string | undefined]>([
    ['passes when all match', ['node.labels.disk == ssd', 'node.id == n0'], undefined],
    [
      'names the first that fails',
      ['node.labels.disk==ssd', 'node.id==n1', 'node.role==manager'],
      '0/1 nodes: 1 constraint node.id == n1',
    ],
    ['knows addresses', ['node.ip == 10.0.0.0/8'], undefined],
    [
      'knows addresses, negated',
      ['node.ip!=10.0.0.0/8'],
      '0/1 nodes: 1 constraint node.ip != 10.0.0.0/8',
    ],
    ['takes x86_64 and amd64 as one', ['node.platform.arch == amd64'], undefined],
    [
      'fails every node by a constraint that does not parse, and says why',
      ['node.labels.disk'],
      '0/1 nodes: 1 constraint "node.labels.disk": column 17: found nothing, expected one of == != in notin exists !exists < <= > >= =~ !~',
    ],
  ])('%s', (_, constraints, reason) => {
    const node = { nodeLabels: { disk: 'SSD' }, address: '10.0.0.1' };
    expect(verdict({ constraints }, node)).toBe(reason);
  });

  it('is not active for an empty list', () => {
    expect(verdict({ constraints: [] }, {})).toBeUndefined();
  });
});

describe('3.2.5 the filter for platforms (scenario 8)', () => {
  it.each<[string, TaskGroup['platforms'], Partial<SchedulingNode>, string | undefined]>([
    ['passes the same', [{ os: 'linux', architecture: 'amd64' }], {}, undefined],
    [
      'normalises the image',
      [{ os: 'Linux', architecture: 'x86_64' }],
      { architecture: 'amd64' },
      undefined,
    ],
    [
      'normalises arm64',
      [{ os: 'linux', architecture: 'arm64' }],
      { architecture: 'aarch64' },
      undefined,
    ],
    ['passes one of several', [{ os: 'windows' }, { os: 'linux' }], {}, undefined],
    ['takes empty as any', [{ os: '', architecture: '' }], { os: 'windows' }, undefined],
    ['takes none as any', [], { os: 'windows' }, undefined],
    [
      'refuses another system',
      [{ os: 'linux', architecture: 'amd64' }],
      { os: 'windows' },
      'windows/amd64',
    ],
    ['refuses another architecture', [{ architecture: 'arm64' }], {}, 'linux/amd64'],
  ])('%s', (_, platforms, node, found) => {
    const reason = found === undefined ? undefined : `0/1 nodes: 1 unsupported platform ${found}`;
    expect(verdict({ platforms }, node)).toBe(reason);
  });
});

describe('3.2.6 the filter for host ports', () => {
  const onNode = (serviceId: string, port: number, protocol: 'tcp' | 'udp' = 'tcp') =>
    aPlacedTask({
      taskId: `${serviceId}-${port}`,
      serviceId,
      nodeId: 'n0',
      hostPorts: [{ protocol, port }],
      countsForSpread: false,
    });
  const place = (tasks: ReturnType<typeof onNode>[], replicas = 1) =>
    schedule({
      nodes: [aSchedulingNode({ id: 'n0' })],
      tasks,
      groups: [aTaskGroup({ replicas, hostPorts: [{ protocol: 'tcp', port: 80 }] })],
    });

  it('refuses a port in use, also by a task that is being stopped (S14)', () => {
    expect(place([onNode('other', 80)]).unplaced).toEqual([
      {
        taskId: 'web-1',
        reason: '0/1 nodes: 1 host port 80/tcp in use',
        counts: [{ filter: 'host-ports', count: 1, message: 'host port 80/tcp in use' }],
      },
    ]);
  });

  it('passes another port, and the same of another protocol', () => {
    expect(
      place([onNode('a', 81), onNode('b', 80, 'udp'), onNode('c', 79, 'udp')]).placements,
    ).toHaveLength(1);
  });

  it('gives a port away once per node within a group', () => {
    const { placements, unplaced } = place([], 2);
    expect(placements).toHaveLength(1);
    expect(unplaced[0]?.reason).toBe('0/1 nodes: 1 host port 80/tcp in use');
  });

  it('gives a port away once per node across groups of a batch', () => {
    const hostPorts = [{ protocol: 'tcp', port: 80 }] as const;
    const { placements, unplaced } = schedule({
      nodes: [aSchedulingNode({ id: 'n0' })],
      tasks: [],
      groups: [
        aTaskGroup({ serviceId: 'late', position: 2, hostPorts }),
        aTaskGroup({ serviceId: 'early', position: 1, hostPorts }),
      ],
    });
    expect(placements).toEqual([{ taskId: 'early-1', nodeId: 'n0' }]);
    expect(unplaced.map(({ taskId }) => taskId)).toEqual(['late-1']);
  });
});

describe('3.2.7 the filter for max replicas per node (scenario 10)', () => {
  const nodes = [aSchedulingNode({ id: 'a' }), aSchedulingNode({ id: 'b' })];

  it('places one per node and tells the rest', () => {
    const group = aTaskGroup({ replicas: 3, maxReplicasPerNode: 1 });
    const { placements, unplaced } = schedule({ nodes, tasks: [], groups: [group] });
    expect(new Set(placements.map(({ nodeId }) => nodeId))).toEqual(new Set(['a', 'b']));
    expect(unplaced).toMatchObject([
      { taskId: 'web-3', reason: '0/2 nodes: 2 max replicas per node (1) reached' },
    ]);
  });

  it('counts active tasks of the service only', () => {
    const tasks = [
      aPlacedTask({ taskId: 'stopping', nodeId: 'a', countsForSpread: false }),
      aPlacedTask({ taskId: 'foreign', nodeId: 'a', serviceId: 'other' }),
      aPlacedTask({ taskId: 'running', nodeId: 'b' }),
    ];
    const group = aTaskGroup({ replicas: 2, maxReplicasPerNode: 1 });
    const { placements, unplaced } = schedule({ nodes, tasks, groups: [group] });
    expect(placements).toEqual([{ taskId: 'web-1', nodeId: 'a' }]);
    expect(unplaced).toHaveLength(1);
  });

  it('gives both reasons when a constraint keeps the other node out', () => {
    const group = aTaskGroup({
      replicas: 4,
      maxReplicasPerNode: 3,
      constraints: ['node.hostname == host-a'],
    });
    const { unplaced } = schedule({ nodes, tasks: [], groups: [group] });
    expect(unplaced[0]?.reason).toBe(
      '0/2 nodes: 1 constraint node.hostname == host-a, 1 max replicas per node (3) reached',
    );
  });

  it('takes 0 as no limit', () => {
    const group = aTaskGroup({ replicas: 9, maxReplicasPerNode: 0 });
    expect(schedule({ nodes, tasks: [], groups: [group] }).placements).toHaveLength(9);
  });
});

describe('3.2 filters together', () => {
  const bad: Partial<SchedulingNode>[] = [
    { ready: false },
    { resources: { cpuNano: 1, memoryBytes: 1 } },
    { plugins: [] },
    { nodeLabels: {} },
    { os: 'windows' },
    {},
    {},
  ];
  const good = { nodeLabels: { disk: 'ssd' }, plugins: [{ type: 'Volume', name: 'v' }] } as const;
  const group = aTaskGroup({
    reservations: { cpuNano: 1e9, memoryBytes: 1 },
    plugins: [{ type: 'Volume', name: 'v' }],
    constraints: ['node.labels.disk == ssd'],
    platforms: [{ os: 'linux' }],
    hostPorts: [{ protocol: 'tcp', port: 80 }],
    maxReplicasPerNode: 1,
  });
  const ORDER = [
    'ready',
    'resources',
    'plugins',
    'constraints',
    'platform',
    'host-ports',
    'max-replicas',
  ];

  it('are asked in order: a node that fails this and all later filters is counted here', () => {
    ORDER.forEach((filter, first) => {
      // The node fails filter number `first` and everything after it.
      const node = Object.assign(
        { id: 'n' },
        good,
        ...bad.filter((_, index) => index >= first).reverse(),
      ) as Partial<SchedulingNode> & { id: string };
      const occupied = first <= 5 ? [{ protocol: 'tcp', port: 80 } as const] : [];
      const { unplaced } = schedule({
        nodes: [aSchedulingNode(node)],
        tasks: [aPlacedTask({ taskId: 't', nodeId: 'n', hostPorts: occupied })],
        groups: [group],
      });
      expect(unplaced[0]?.counts.map((count: FilterCount) => count.filter)).toEqual([filter]);
    });
  });

  it('count every node once, the most frequent reason first', () => {
    const memory = { resources: { cpuNano: 4e9, memoryBytes: 0 } };
    const reason = verdict(
      {
        reservations: { cpuNano: 1, memoryBytes: 1 },
        constraints: ['node.labels.disk == ssd'],
      },
      memory,
      {},
      memory,
      {},
      memory,
    );
    expect(reason).toBe('0/5 nodes: 3 insufficient memory, 2 constraint node.labels.disk == ssd');
  });

  it('keep the text short when every node has its own reason', () => {
    const nodes = Array.from({ length: 9 }, (_, index) => ({
      ready: false,
      reasonNotReady: `reason ${index}`,
    }));
    expect(verdict({}, ...nodes)).toBe(
      '0/9 nodes: 1 reason 0, 1 reason 1, 1 reason 2, 1 reason 3, 1 reason 4, 1 reason 5, ' +
        '3 for other reasons',
    );
  });

  it('say so when there are no nodes at all', () => {
    expect(verdict({})).toBe('no nodes in the cluster');
  });
});
