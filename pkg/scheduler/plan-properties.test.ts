/** Properties of placement, checked against a slow model that shares no code with the planner. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aPlacedTask, aSchedulingNode, aTaskGroup } from '../../test/builders/scheduling.js';
import { ClusterState } from './cluster-state.js';
import { explain } from './explain.js';
import { inQueueOrder, planPlacements, schedule } from './plan.js';
import type { PlacedTask, Placement, Resources, SchedulingNode, TaskGroup } from './types.js';

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
    })
    .map((node) => aSchedulingNode({ id, ...node }));
const anyNodes = fc.subarray(NODE_IDS).chain((ids) => allOf(ids.map(anyNode)));

const anyTask = (taskId: string): fc.Arbitrary<PlacedTask> =>
  fc
    .record({
      nodeId: fc.constantFrom(...NODE_IDS),
      serviceId: fc.constantFrom(...SERVICES),
      reservations: anyAmounts(3),
      hostPorts: anyPorts,
      countsForSpread: mostly(true, false),
    })
    .map((task) => aPlacedTask({ taskId, ...task }));
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
      return aTaskGroup({ serviceId, revision, tasks: ids.map((id) => ({ id })), ...group });
    });
const anyGroups = allOf([...SERVICES.map((service) => anyGroup(service)), anyGroup('s1', 2)]);

const MODEL_OF_CONSTRAINT: Readonly<Record<string, (node: SchedulingNode) => boolean>> = {
  'node.labels.disk == ssd': ({ nodeLabels }) => nodeLabels['disk'] === 'ssd',
  'node.labels.az != 1': ({ nodeLabels }) => nodeLabels['az'] !== '1',
  'node.id != c': ({ id }) => id !== 'c',
};

const AMOUNTS: readonly ((amounts: Resources) => number)[] = [
  (amounts) => amounts.cpuNano,
  (amounts) => amounts.memoryBytes,
  (amounts) => amounts.generic?.['gpu'] ?? 0,
];

function fits(node: SchedulingNode, here: readonly PlacedTask[], wanted?: Resources): boolean {
  if (wanted === undefined) return true;
  return AMOUNTS.every((read) => {
    const held = here.flatMap(({ reservations }) => reservations ?? []).map(read);
    const taken = held.reduce((sum, amount) => sum + amount, 0);
    return read(wanted) === 0 || read(wanted) + taken <= read(node.resources);
  });
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
    const { serviceId, reservations, hostPorts } = group;
    this.tasks.push({ taskId, nodeId, serviceId, reservations, hostPorts, countsForSpread: true });
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
    ].every((passed) => passed);
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
      this.active([node], group.serviceId),
      this.active([node]),
    ];
  }
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

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
        const placed = new Map(result.placements.map((placement) => [placement.taskId, placement]));
        for (const group of inQueueOrder(groups)) {
          for (const { id } of group.tasks) {
            const placement = placed.get(id);
            if (placement === undefined) {
              expect(model.candidates(group)).toEqual([]);
              continue;
            }
            expect([...model.best(group)]).toContain(placement.nodeId);
            model.add(placement, group);
          }
        }
      }),
      { numRuns: 400 },
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
          const { serviceId, reservations, hostPorts } = group;
          for (const placement of placements) {
            state.setTask({
              ...placement,
              serviceId,
              reservations,
              hostPorts,
              countsForSpread: true,
            });
          }
          return placements;
        });
        expect(byTask(apart)).toEqual(byTask(together.placements));
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
function contentOf({ table, activeByService, portUsers, genericReserved }: ClusterState) {
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
    generic: Object.fromEntries(
      genericReserved.keys.map((key) => [key, named(genericReserved.of(key))]),
    ),
  };
}
