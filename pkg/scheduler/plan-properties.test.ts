/** Properties of placement, checked against a slow model that shares no code with the planner. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aPlacedTask, aSchedulingNode, aTaskGroup } from '../../test/builders/scheduling.js';
import { ClusterState } from './cluster-state.js';
import { explain } from './explain.js';
import { inQueueOrder, planPlacements, schedule } from './plan.js';
import type {
  AffinityTerm,
  PlacedTask,
  Placement,
  Resources,
  SchedulingNode,
  TaskGroup,
} from './types.js';

const NODE_IDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const SERVICES = ['s1', 's2', 's3'];

const anyLabels: fc.Arbitrary<Record<string, string>> = fc
  .record({
    az: fc.constantFrom('', '1', '2', '3'),
    rack: fc.constantFrom('', '1', '2'),
    disk: fc.constantFrom('', 'ssd'),
  })
  .map((labels) => Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== '')));
const allOf = <T>(arbitraries: readonly fc.Arbitrary<T>[]): fc.Arbitrary<T[]> =>
  fc.tuple(...arbitraries);
const anyAmounts = (max: number) =>
  fc.record({
    cpuNano: fc.nat(max),
    memoryBytes: fc.nat(max),
    generic: fc.constantFrom<Record<string, number>>({}, { gpu: 1 }, { gpu: 2 }),
  });
const anyPorts = fc.subarray([
  { protocol: 'tcp', port: 80 },
  { protocol: 'udp', port: 80 },
  { protocol: 'tcp', port: 81 },
] as const);
const mostly = <T>(usual: T, other: T) =>
  fc.oneof(
    { weight: 5, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constant(other) },
  );

const anyNode = (id: string): fc.Arbitrary<SchedulingNode> =>
  fc
    .record({
      ready: mostly(true, false),
      availability: mostly<SchedulingNode['availability']>('active', 'drain'),
      architecture: mostly('x86_64', 'aarch64'),
      nodeLabels: anyLabels,
      resources: anyAmounts(20),
      isNamed: fc.boolean(),
    })
    .map(({ isNamed, ...node }) => {
      const count = node.resources.generic['gpu'] ?? 0;
      const gpu = Array.from({ length: count }, (_, index) => `${id}-gpu-${index}`);
      return aSchedulingNode({ id, ...node, ...(isNamed && { namedResources: { gpu } }) });
    });
const anyNodes = fc.subarray(NODE_IDS).chain((ids) => allOf(ids.map(anyNode)));

const nameOf = (serviceId: string) => `name-${serviceId}`;
const anyTopology = fc.constantFrom(undefined, 'node.labels.az', 'node.labels.rack');
const AVOIDANCES = [
  { service: 'name-s1', by: 'name-s2', topology: 'node.id' },
  { service: 'name-s2', by: 'name-s3', topology: 'node.labels.az' },
];
const anyTerms = (
  weight: fc.Arbitrary<number | undefined>,
): fc.Arbitrary<readonly AffinityTerm[]> =>
  fc.array(
    fc
      .record({ serviceId: fc.constantFrom(...SERVICES), topology: anyTopology, weight })
      .map((term) => ({ ...term, service: nameOf(term.serviceId) })),
    { maxLength: 2 },
  );
const anyWeight = fc.constantFrom(undefined, 1, 10);

const anyTask = (taskId: string): fc.Arbitrary<PlacedTask> =>
  fc
    .record({
      nodeId: fc.constantFrom(...NODE_IDS),
      serviceId: fc.constantFrom(...SERVICES),
      reservations: anyAmounts(3),
      hostPorts: anyPorts,
      countsForSpread: mostly(true, false),
      avoids: fc.subarray(AVOIDANCES),
      assigned: fc.constantFrom(undefined, { gpu: 1 }, { gpu: ['a-gpu-0'] }, { gpu: ['b-gpu-1'] }),
    })
    .map((task) => {
      const avoids = task.avoids.filter(({ service }) => service !== nameOf(task.serviceId));
      return aPlacedTask({ taskId, ...task, avoids });
    });
const anyTasks = fc
  .nat(8)
  .chain((count) => allOf(Array.from({ length: count }, (_, index) => anyTask(`t${index}`))));

const anyGroup = (serviceId: string, revision = 1): fc.Arbitrary<TaskGroup> =>
  fc
    .record({
      replicas: fc.nat(9),
      position: fc.nat(2),
      reservations: fc.option(anyAmounts(4), { nil: undefined }),
      constraints: fc.subarray(['node.labels.disk == ssd', 'node.labels.az != 1', 'node.id != c']),
      preferences: fc.subarray([{ spread: 'node.labels.az' }, { spread: 'node.labels.rack' }]),
      platforms: mostly<TaskGroup['platforms']>([], [{ os: 'linux', architecture: 'amd64' }]),
      hostPorts: mostly<TaskGroup['hostPorts']>([], [{ protocol: 'tcp', port: 80 }]),
      maxReplicasPerNode: fc.nat(3),
      maxPer: mostly<TaskGroup['maxPer']>(undefined, [{ key: 'node.labels.az', max: 2 }]),
      affinity: fc.oneof(fc.constant(undefined), anyTerms(anyWeight)),
      antiAffinity: fc.oneof(fc.constant(undefined), anyTerms(anyWeight)),
      soft: fc.subarray([
        { constraint: 'node.labels.disk == ssd', weight: 3 },
        { constraint: 'node.id in (a, b)', weight: 1 },
      ]),
      priority: mostly(0, 5),
      recentFailures: fc.constantFrom(
        new Map<string, number>(),
        new Map([
          ['a', 5],
          ['b', 7],
          ['d', 4],
        ]),
      ),
    })
    .map(({ replicas, ...group }) => {
      const ids = Array.from(
        { length: replicas },
        (_, index) => `${serviceId}.${revision}.${index}`,
      );
      const tasks = ids.map((id) => ({ id }));
      return aTaskGroup({ serviceId, serviceName: nameOf(serviceId), revision, tasks, ...group });
    });
const anyGroups = allOf([...SERVICES.map((service) => anyGroup(service)), anyGroup('s1', 2)]);

const MODEL_OF_CONSTRAINT: Readonly<Record<string, (node: SchedulingNode) => boolean>> = {
  'node.labels.disk == ssd': ({ nodeLabels }) => nodeLabels['disk'] === 'ssd',
  'node.labels.az != 1': ({ nodeLabels }) => nodeLabels['az'] !== '1',
  'node.id != c': ({ id }) => id !== 'c',
  'node.id in (a, b)': ({ id }) => id === 'a' || id === 'b',
};

/** The value of an attribute by its last part. */
function valueOf(node: SchedulingNode, key = 'node.id'): string {
  return key === 'node.id' ? node.id : (node.nodeLabels[key.split('.').at(-1) ?? ''] ?? '');
}

function fits(node: SchedulingNode, here: readonly PlacedTask[], wanted?: Resources): boolean {
  if (wanted === undefined) return true;
  const reserved = (read: (amounts: Resources) => number) =>
    here.reduce((sum, { reservations }) => sum + (reservations ? read(reservations) : 0), 0);
  const { cpuNano, memoryBytes, generic } = wanted;
  return [
    cpuNano === 0 || cpuNano + reserved((each) => each.cpuNano) <= node.resources.cpuNano,
    memoryBytes === 0 ||
      memoryBytes + reserved((each) => each.memoryBytes) <= node.resources.memoryBytes,
    (generic?.['gpu'] ?? 0) === 0 || (generic?.['gpu'] ?? 0) <= freeGpus(node, here),
  ].every((passed) => passed);
}

function freeGpus(node: SchedulingNode, here: readonly PlacedTask[]): number {
  const names = node.namedResources?.['gpu'];
  const given = here.map(({ assigned }) => assigned?.['gpu']);
  const held = here.map(({ reservations }, index) => {
    const what = given[index] ?? reservations?.generic?.['gpu'] ?? 0;
    return typeof what === 'number' ? what : what.length;
  });
  const total = held.reduce((sum, count) => sum + count, 0);
  if (names === undefined) return (node.resources.generic?.['gpu'] ?? 0) - total;
  const ids = given.flatMap((what) => (Array.isArray(what) ? (what as string[]) : []));
  return names.filter((id) => !ids.includes(id)).length - (total - ids.length);
}

function portsOf(holders: readonly Pick<TaskGroup, 'hostPorts'>[]): readonly string[] {
  return holders.flatMap(({ hostPorts = [] }) => hostPorts.map((p) => `${p.port}/${p.protocol}`));
}

/** The cluster as plain lists: every question is answered by counting. */
class Model {
  constructor(
    private readonly nodes: readonly SchedulingNode[],
    private readonly tasks: PlacedTask[],
  ) {}

  add({ taskId, nodeId }: Placement, group: TaskGroup): void {
    this.tasks.push(placedOf({ taskId, nodeId }, group));
  }

  candidates(group: TaskGroup): readonly SchedulingNode[] {
    return this.nodes.filter((node) => this.passes(node, group));
  }

  private passes(node: SchedulingNode, group: TaskGroup): boolean {
    const here = this.tasks.filter(({ nodeId }) => nodeId === node.id);
    const limit = group.maxReplicasPerNode ?? 0;
    return [
      node.ready && node.availability === 'active',
      fits(node, here, group.reservations),
      (group.constraints ?? []).every((constraint) => MODEL_OF_CONSTRAINT[constraint]?.(node)),
      group.platforms?.length !== 1 || node.architecture === 'x86_64',
      !portsOf(here).some((port) => portsOf([group]).includes(port)),
      limit === 0 || this.active([node], group.serviceId) < limit,
      (group.maxPer ?? []).every(
        ({ key, max }) => this.active(this.domain(node, key), group.serviceId) < max,
      ),
      required(group.affinity).every((term) => this.isNear(node, term, group)),
      !required(group.antiAffinity).some((term) => this.hasAny(node, term)),
      !this.tasks.some((task) => this.isAvoiding(task, node, group)),
    ].every((passed) => passed);
  }

  /** All nodes with the same value of an attribute. */
  private domain(node: SchedulingNode, key?: string): readonly SchedulingNode[] {
    return this.nodes.filter((other) => valueOf(other, key) === valueOf(node, key));
  }

  private hasAny(node: SchedulingNode, { serviceId, topology }: AffinityTerm): boolean {
    return this.active(this.domain(node, topology), serviceId) > 0;
  }

  private isNear(node: SchedulingNode, term: AffinityTerm, { serviceId }: TaskGroup): boolean {
    const isFirst = term.serviceId === serviceId && this.active(this.nodes, serviceId) === 0;
    return isFirst || this.hasAny(node, term);
  }

  private isAvoiding(task: PlacedTask, node: SchedulingNode, group: TaskGroup): boolean {
    return (task.avoids ?? []).some(
      ({ service, topology }) =>
        task.countsForSpread &&
        service === group.serviceName &&
        this.domain(node, topology).some(({ id }) => id === task.nodeId),
    );
  }

  private penalty(node: SchedulingNode, group: TaskGroup): number {
    const wishes = [
      ...(group.soft ?? []).map(({ constraint, weight }) => ({
        weight,
        isMet: MODEL_OF_CONSTRAINT[constraint]?.(node),
      })),
      ...weighted(group.affinity).map((term) => ({
        weight: term.weight ?? 0,
        isMet: this.isNear(node, term, group),
      })),
      ...weighted(group.antiAffinity).map((term) => ({
        weight: term.weight ?? 0,
        isMet: !this.hasAny(node, term),
      })),
    ];
    return wishes.reduce((sum, { weight, isMet }) => sum + (isMet ? 0 : weight), 0);
  }

  active(nodes: readonly SchedulingNode[], serviceId?: string): number {
    const ids = new Set(nodes.map(({ id }) => id));
    return this.tasks.filter(
      (task) =>
        ids.has(task.nodeId) &&
        task.countsForSpread &&
        (serviceId === undefined || task.serviceId === serviceId),
    ).length;
  }

  /** Nodes, one of which must get the next task; several where only the stable order decides. */
  best(group: TaskGroup): ReadonlySet<string> {
    const levels = (group.preferences ?? []).map(({ spread }) => spread.split('.').at(-1) ?? '');
    const inBranches = this.narrow(this.candidates(group), this.nodes, levels, group);
    return new Set(inBranches.flatMap((leaf) => this.bestOf(leaf, group)).map(({ id }) => id));
  }

  /** The leaves reached by always entering a branch with the fewest tasks and some room. */
  private narrow(
    candidates: readonly SchedulingNode[],
    all: readonly SchedulingNode[],
    [label, ...deeper]: readonly string[],
    group: TaskGroup,
  ): readonly (readonly SchedulingNode[])[] {
    if (label === undefined) return [candidates];
    const valueOf = (node: SchedulingNode) => node.nodeLabels[label] ?? '';
    const branches = [...new Set(candidates.map(valueOf))].map((value) => ({
      candidates: candidates.filter((node) => valueOf(node) === value),
      all: all.filter((node) => valueOf(node) === value),
    }));
    const fewest = Math.min(...branches.map((branch) => this.active(branch.all, group.serviceId)));
    return branches
      .filter((branch) => this.active(branch.all, group.serviceId) === fewest)
      .flatMap((branch) => this.narrow(branch.candidates, branch.all, deeper, group));
  }

  private bestOf(nodes: readonly SchedulingNode[], group: TaskGroup): readonly SchedulingNode[] {
    const ranks = nodes.map((node) => this.rank(node, group));
    const smallest = [...ranks].sort(compareRanks)[0] ?? [];
    return nodes.filter((_, index) => compareRanks(ranks[index] ?? [], smallest) === 0);
  }

  private rank(node: SchedulingNode, group: TaskGroup): readonly number[] {
    const failures = group.recentFailures?.get(node.id) ?? 0;
    return [
      failures >= 5 ? failures : 0,
      this.penalty(node, group),
      this.active([node], group.serviceId),
      this.active([node]),
    ];
  }
}

const required = (terms: readonly AffinityTerm[] = []) =>
  terms.filter(({ weight }) => weight === undefined);
const weighted = (terms: readonly AffinityTerm[] = []) =>
  terms.filter(({ weight }) => weight !== undefined);

/** A placement as it is from then on. */
function placedOf({ taskId, nodeId, resources }: Placement, group: TaskGroup): PlacedTask {
  const { serviceId, serviceName = '', reservations, hostPorts } = group;
  const avoids = required(group.antiAffinity)
    .filter(({ service }) => service !== serviceName)
    .map(({ service, topology = 'node.id' }) => ({ service, by: serviceName, topology }));
  return {
    taskId,
    nodeId,
    serviceId,
    reservations,
    hostPorts,
    avoids,
    assigned: resources,
    countsForSpread: true,
  };
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

const declaredIds = (nodes: readonly SchedulingNode[], nodeId: string) =>
  nodes.find(({ id }) => id === nodeId)?.namedResources?.['gpu'];
const gpusOf = ({ resources }: Placement) => resources?.['gpu'] ?? 0;

const byTask = (placements: readonly Placement[]) =>
  Object.fromEntries(placements.map(({ taskId, nodeId }) => [taskId, nodeId]));

const shuffled = <T>(items: readonly T[]) =>
  fc.shuffledSubarray([...items], { minLength: items.length, maxLength: items.length });

describe('schedule, by property', () => {
  it('chooses a best node that passes every filter, and leaves a task only when none does', () => {
    fc.assert(
      fc.property(anyNodes, anyTasks, anyGroups, (nodes, tasks, groups) => {
        const result = schedule({ nodes, tasks, groups });
        const model = new Model(nodes, [...tasks]);
        const groupOf = new Map(
          groups.flatMap((group) => group.tasks.map(({ id }) => [id, group])),
        );
        const groupFor = (taskId: string) => groupOf.get(taskId) ?? aTaskGroup();
        for (const placement of result.placements) {
          const group = groupFor(placement.taskId);
          expect([...model.best(group)]).toContain(placement.nodeId);
          model.add(placement, group);
        }
        for (const { taskId } of result.unplaced) {
          expect(model.candidates(groupFor(taskId))).toEqual([]);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('places groups that need no neighbours in the order of the queue', () => {
    fc.assert(
      fc.property(anyNodes, anyTasks, anyGroups, (nodes, tasks, groups) => {
        const alone = groups.filter(({ affinity }) => required(affinity).length === 0);
        const { placements } = schedule({ nodes, tasks, groups: alone });
        const queue = inQueueOrder(alone).flatMap((group) => group.tasks.map(({ id }) => id));
        const order = placements.map(({ taskId }) => queue.indexOf(taskId));
        expect(order).toEqual([...order].sort((a, b) => a - b));
      }),
    );
  });

  it('gives no id of a named resource away twice, and none that is not there', () => {
    fc.assert(
      fc.property(anyNodes, anyTasks, anyGroups, (nodes, tasks, groups) => {
        const state = ClusterState.from(nodes, tasks);
        const holders = new Map<string, string>();
        const again = groups.map((group) => ({
          ...group,
          tasks: group.tasks.map(({ id }) => ({ id: `${id}.again` })),
        }));
        for (const group of [...groups, ...again]) {
          for (const placement of planPlacements(state, [group]).placements) {
            state.setTask(placedOf(placement, group));
            const given = gpusOf(placement);
            const wanted = group.reservations?.generic?.['gpu'] ?? 0;
            expect(typeof given === 'number' ? given : given.length).toBe(wanted);
            for (const id of typeof given === 'number' ? [] : given) {
              expect(declaredIds(nodes, placement.nodeId)).toContain(id);
              expect(holders.get(id) ?? placement.taskId).toBe(placement.taskId);
              holders.set(id, placement.taskId);
            }
          }
        }
      }),
    );
  });

  it('answers for every task exactly once', () => {
    fc.assert(
      fc.property(anyNodes, anyTasks, anyGroups, (nodes, tasks, groups) => {
        const { placements, unplaced } = schedule({ nodes, tasks, groups });
        const asked = groups.flatMap((group) => group.tasks.map(({ id }) => id));
        const answered = [...placements, ...unplaced].map(({ taskId }) => taskId);
        expect(answered.sort()).toEqual(asked.sort());
      }),
    );
  });

  it('counts every node once in a reason', () => {
    fc.assert(
      fc.property(anyNodes, anyTasks, anyGroups, (nodes, tasks, groups) => {
        for (const { counts } of schedule({ nodes, tasks, groups }).unplaced) {
          expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(nodes.length);
        }
      }),
    );
  });

  it('does not depend on the order of nodes, tasks and groups', () => {
    const anyShuffledInput = fc
      .tuple(anyNodes, anyTasks, anyGroups)
      .chain(([nodes, tasks, groups]) =>
        fc.tuple(
          fc.constant({ nodes, tasks, groups }),
          fc.record({ nodes: shuffled(nodes), tasks: shuffled(tasks), groups: shuffled(groups) }),
        ),
      );
    fc.assert(
      fc.property(anyShuffledInput, ([input, other]) => {
        expect(schedule(other)).toEqual(schedule(input));
      }),
    );
  });

  it('never lets equal nodes differ by more than one task', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.nat(60), (count, replicas) => {
        const nodes = Array.from({ length: count }, (_, index) =>
          aSchedulingNode({ id: `n${index}` }),
        );
        const { placements } = schedule({ nodes, tasks: [], groups: [aTaskGroup({ replicas })] });
        const counts = nodes.map(
          ({ id }) => placements.filter(({ nodeId }) => nodeId === id).length,
        );
        expect(placements).toHaveLength(replicas);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('never lets equal zones differ by more than one task', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('1', '2', '3'), { minLength: 1 }),
        fc.nat(40),
        (zones, replicas) => {
          const nodes = zones.map((az, index) =>
            aSchedulingNode({ id: `n${index}`, nodeLabels: { az } }),
          );
          const groups = [aTaskGroup({ replicas, preferences: [{ spread: 'node.labels.az' }] })];
          const { placements } = schedule({ nodes, tasks: [], groups });
          const counts = [...new Set(zones)].map(
            (zone) =>
              placements.filter(({ nodeId }) => zones[Number(nodeId.slice(1))] === zone).length,
          );
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it('places one by one as it does all at once', () => {
    fc.assert(
      fc.property(anyNodes, anyTasks, anyGroup('s1'), (nodes, tasks, group) => {
        const state = ClusterState.from(nodes, tasks);
        const together = planPlacements(state, [group]);
        const apart = group.tasks.flatMap((task) => {
          const { placements } = planPlacements(state, [{ ...group, tasks: [task] }]);
          for (const placement of placements) state.setTask(placedOf(placement, group));
          return placements;
        });
        expect(byTask(apart)).toEqual(byTask(together.placements));
      }),
      { numRuns: 400 },
    );
  });

  it('places the first tasks of a service without looking at all nodes as it does by looking', () => {
    const anyCluster = fc.array(
      fc.record({ tasks: fc.nat(2), memory: fc.nat(6), zone: fc.constantFrom('1', '2', '3') }),
      { minLength: 20, maxLength: 80 },
    );
    const anyWish = fc.record({
      reservations: fc.constantFrom(undefined, { cpuNano: 1, memoryBytes: 1 }),
      preferences: fc.subarray([{ spread: 'node.labels.zone' }]),
      recentFailures: fc.constantFrom(undefined, new Map([['n1', 6]])),
    });
    fc.assert(
      fc.property(anyCluster, anyWish, fc.integer({ min: 17, max: 30 }), (cluster, wish, size) => {
        const nodes = cluster.map(({ memory, zone }, index) =>
          aSchedulingNode({
            id: `n${index}`,
            nodeLabels: { zone },
            resources: { cpuNano: 20, memoryBytes: memory },
          }),
        );
        const tasks = cluster.flatMap((node, index) =>
          Array.from({ length: node.tasks }, (_, copy) =>
            aPlacedTask({ taskId: `${index}/${copy}`, nodeId: `n${index}`, serviceId: 'other' }),
          ),
        );
        const state = ClusterState.from(nodes, tasks);
        const group = aTaskGroup({ replicas: size, ...wish });
        const together = planPlacements(state, [group]).placements;
        const apart = group.tasks.flatMap((task) => {
          const { placements } = planPlacements(state, [{ ...group, tasks: [task] }]);
          for (const placement of placements) state.setTask(placedOf(placement, group));
          return placements;
        });
        expect(byTask(apart)).toEqual(byTask(together));
      }),
    );
  });
});

type Operation =
  | { readonly kind: 'set-node'; readonly node: SchedulingNode }
  | { readonly kind: 'remove-node'; readonly nodeId: string }
  | { readonly kind: 'set-task'; readonly task: PlacedTask }
  | { readonly kind: 'remove-task'; readonly taskId: string }
  | { readonly kind: 'plan' };

const TASK_IDS = ['t0', 't1', 't2', 't3', 't4', 't5'];
const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  fc
    .constantFrom(...NODE_IDS)
    .chain(anyNode)
    .map((node) => ({ kind: 'set-node', node }) as const),
  fc.constantFrom(...NODE_IDS).map((nodeId) => ({ kind: 'remove-node', nodeId }) as const),
  fc
    .constantFrom(...TASK_IDS)
    .chain(anyTask)
    .map((task) => ({ kind: 'set-task', task }) as const),
  fc.constantFrom(...TASK_IDS).map((taskId) => ({ kind: 'remove-task', taskId }) as const),
  fc.constant({ kind: 'plan' } as const),
);

describe('ClusterState, by property', () => {
  it('is after any changes what it would be if built anew, and planning leaves no trace', () => {
    fc.assert(
      fc.property(fc.array(anyOperation, { maxLength: 60 }), anyGroups, (operations, groups) => {
        const state = new ClusterState();
        const nodes = new Map<string, SchedulingNode>();
        const tasks = new Map<string, PlacedTask>();
        for (const operation of operations) {
          switch (operation.kind) {
            case 'set-node':
              state.setNode(operation.node);
              nodes.set(operation.node.id, operation.node);
              break;
            case 'remove-node':
              expect(state.removeNode(operation.nodeId)).toBe(nodes.delete(operation.nodeId));
              break;
            case 'set-task':
              state.setTask(operation.task);
              tasks.set(operation.task.taskId, operation.task);
              break;
            case 'remove-task':
              expect(state.removeTask(operation.taskId)).toBe(tasks.delete(operation.taskId));
              break;
            case 'plan':
              planPlacements(state, groups);
          }
        }
        const rebuilt = ClusterState.from([...nodes.values()], [...tasks.values()]);
        expect([state.nodeCount, state.taskCount]).toEqual([nodes.size, tasks.size]);
        expect(contentOf(state)).toEqual(contentOf(rebuilt));
        expect(planPlacements(state, groups)).toEqual(planPlacements(rebuilt, groups));
        for (const group of groups) expect(explain(group, state)).toEqual(explain(group, rebuilt));
      }),
      { numRuns: 300 },
    );
  });
});

/** Everything a state holds, by names instead of slots. */
function contentOf(state: ClusterState) {
  const { table, activeByService, portUsers, genericReserved, heldIds, avoidance } = state;
  const known = Array.from({ length: table.slots }, (_, slot) => slot).filter(
    (slot) => table.nodes[slot] !== undefined || (table.column('heldTasks')[slot] ?? 0) > 0,
  );
  const columns = [
    'cpuReserved',
    'memoryReserved',
    'activeTasks',
    'heldTasks',
    'order',
    'available',
  ] as const;
  const named = (amounts: ReadonlyMap<number, number>): Record<string, number> =>
    Object.fromEntries([...amounts].map(([slot, amount]) => [table.ids[slot] ?? '', amount]));
  return {
    nodes: Object.fromEntries(
      known.map((slot) => [
        table.ids[slot],
        [table.nodes[slot], ...columns.map((name) => table.column(name)[slot])],
      ]),
    ),
    services: Object.fromEntries(
      activeByService.keys.map((key) => [key, named(activeByService.of(key))]),
    ),
    ports: Object.fromEntries(portUsers.keys.map((key) => [key, named(portUsers.of(key))])),
    held: Object.fromEntries(
      heldIds.kinds.map((kind) => [
        kind,
        Object.fromEntries(
          known.map((slot) => [table.ids[slot], Object.fromEntries(heldIds.of(kind, slot))]),
        ),
      ]),
    ),
    avoidance: Object.fromEntries(
      [...avoidance].map(([service, tally]) => [
        service,
        Object.fromEntries(tally.keys.map((key) => [key, named(tally.of(key))])),
      ]),
    ),
    generic: Object.fromEntries(
      genericReserved.keys.map((key) => [key, named(genericReserved.of(key))]),
    ),
  };
}
