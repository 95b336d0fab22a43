/**
 * Placements per second of the pure scheduler: `npx tsx test/bench/scheduler.bench.ts [--runs N]
 * [--json]`. Groups of 1,000 tasks on an empty cluster, as SwarmKit's own benchmark was run.
 */
import { ClusterState, planPlacements } from '../../pkg/scheduler/index.js';
import type { PlacedTask, SchedulingNode, TaskGroup } from '../../pkg/scheduler/index.js';
import { elapsedMs, formatReport, machineLine, parseBenchmarkOptions, repeat } from './harness.js';
import type { BenchmarkOptions, BenchmarkReport, BenchmarkRow } from './harness.js';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

interface Size {
  readonly nodes: number;
  readonly tasks: number;
}

interface Variant {
  readonly name: string;
  readonly group: Partial<TaskGroup>;
}

const SIZES: readonly Size[] = [
  { nodes: 1_000, tasks: 10_000 },
  { nodes: 5_000, tasks: 100_000 },
];

const RESERVATIONS = { cpuNano: 1e7, memoryBytes: 16 * MIB };
const CONSTRAINTS = [
  'node.labels.disk == ssd',
  'node.platform.arch == x86_64',
  'node.role != manager',
];
const PREFERENCES = [{ spread: 'node.labels.region' }, { spread: 'node.labels.az' }];

/** A service with a task in half of the zones. */
const DB = { service: 'db', serviceId: 'db', topology: 'node.labels.az' };

const VARIANTS: readonly Variant[] = [
  { name: 'plain', group: {} },
  { name: 'reservations', group: { reservations: RESERVATIONS } },
  { name: 'constraints', group: { constraints: CONSTRAINTS } },
  { name: 'preferences', group: { preferences: PREFERENCES } },
  { name: 'binpack', group: { reservations: RESERVATIONS, strategy: 'binpack' } },
  { name: 'random', group: { reservations: RESERVATIONS, strategy: 'random' } },
  { name: 'max per zone', group: { maxPer: [{ key: 'node.labels.az', max: 1_000 }] } },
  { name: 'affinity, required', group: { affinity: [DB] } },
  { name: 'anti-affinity, required', group: { antiAffinity: [DB] } },
  {
    name: 'affinity, anti-affinity and soft constraints, preferred',
    group: {
      affinity: [{ ...DB, weight: 10 }],
      antiAffinity: [{ ...DB, topology: 'node.id', weight: 5 }],
      soft: CONSTRAINTS.map((constraint) => ({ constraint, weight: 1 })),
    },
  },
  {
    name: 'all together',
    group: {
      reservations: RESERVATIONS,
      constraints: CONSTRAINTS,
      preferences: PREFERENCES,
      platforms: [{ os: 'linux', architecture: 'amd64' }],
      maxReplicasPerNode: 50,
    },
  },
];

/** A node of a cluster with 4 regions of 5 zones, half of it with SSDs, one in 50 a manager. */
function node(index: number): SchedulingNode {
  return {
    id: `node${String(index).padStart(6, '0')}`,
    hostname: `host-${index}`,
    address: `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`,
    role: index % 50 === 0 ? 'manager' : 'worker',
    os: 'linux',
    architecture: 'x86_64',
    availability: 'active',
    ready: true,
    nodeLabels: {
      region: `region-${index % 4}`,
      az: `az-${index % 20}`,
      disk: index % 2 === 1 ? 'ssd' : 'hdd',
    },
    engineLabels: {},
    resources: { cpuNano: 16e9, memoryBytes: 64 * GIB },
  };
}

function group(index: number, tasks: number, rest: Partial<TaskGroup>): TaskGroup {
  return {
    serviceId: `service-${index}`,
    revision: 1,
    position: index,
    tasks: Array.from({ length: tasks }, (_, slot) => ({ id: `task-${index}-${slot}` })),
    ...rest,
  };
}

function groups(tasks: number, perGroup: number, rest: Partial<TaskGroup>): readonly TaskGroup[] {
  return Array.from({ length: tasks / perGroup }, (_, index) => group(index, perGroup, rest));
}

function placedTask(index: number, nodes: number): PlacedTask {
  return {
    taskId: `placed-${index}`,
    serviceId: `service-${index % 100}`,
    nodeId: `node${String((index * 7) % nodes).padStart(6, '0')}`,
    reservations: RESERVATIONS,
    countsForSpread: true,
  };
}

/** One in each of the first ten zones. */
function dbTask(index: number): PlacedTask {
  const nodeId = `node${String(index).padStart(6, '0')}`;
  return { taskId: `db-${index}`, serviceId: 'db', nodeId, countsForSpread: true };
}

async function placementsPerSecond(
  state: ClusterState,
  waiting: readonly TaskGroup[],
): Promise<number> {
  let placed = 0;
  const ms = await elapsedMs(() => {
    placed = planPlacements(state, waiting).placements.length;
  });
  const wanted = waiting.reduce((sum, { tasks }) => sum + tasks.length, 0);
  if (placed !== wanted) throw new Error(`placed ${placed} of ${wanted} tasks`);
  return placed / (ms / 1000);
}

async function placementRow(
  runs: number,
  size: Size,
  { name, group: rest }: Variant,
): Promise<BenchmarkRow> {
  const state = ClusterState.from(
    Array.from({ length: size.nodes }, (_, i) => node(i)),
    Array.from({ length: 10 }, (_, i) => dbTask(i)),
  );
  const waiting = groups(size.tasks, 1_000, rest);
  const summary = await repeat(runs, () => placementsPerSecond(state, waiting));
  return { name: `${sizeName(size)}, ${name}`, unit: 'placements/s', ...summary };
}

/** Many small services instead of few large ones: what a group costs shows here. */
async function singleTaskRow(runs: number, size: Size): Promise<BenchmarkRow> {
  const state = ClusterState.from(
    Array.from({ length: size.nodes }, (_, i) => node(i)),
    [],
  );
  const waiting = groups(1_000, 1, { reservations: RESERVATIONS, constraints: CONSTRAINTS });
  const summary = await repeat(runs, () => placementsPerSecond(state, waiting));
  const name = `${sizeName({ nodes: size.nodes, tasks: 1_000 })}, 1,000 services of one task`;
  return { name, unit: 'placements/s', ...summary };
}

async function buildRow(runs: number, size: Size): Promise<BenchmarkRow> {
  const nodes = Array.from({ length: size.nodes }, (_, i) => node(i));
  const tasks = Array.from({ length: size.tasks }, (_, i) => placedTask(i, size.nodes));
  const summary = await repeat(runs, () => elapsedMs(() => ClusterState.from(nodes, tasks)));
  return { name: `${sizeName(size)}, build the state`, unit: 'ms', ...summary };
}

function sizeName({ nodes, tasks }: Size): string {
  return `${nodes.toLocaleString('en-US')} nodes, ${tasks.toLocaleString('en-US')} tasks`;
}

/** Measures every size and variant, one after the other. */
export async function benchmarkScheduler({ runs }: BenchmarkOptions): Promise<BenchmarkReport> {
  const rows: BenchmarkRow[] = [];
  for (const size of SIZES) {
    for (const variant of VARIANTS) rows.push(await placementRow(runs, size, variant));
    rows.push(await singleTaskRow(runs, size));
    rows.push(await buildRow(runs, size));
  }
  return {
    title: 'Scheduler',
    machine: machineLine(),
    rows,
    notes: [
      'Pure placement on one core: no store, no allocation of addresses, no writes.',
      'Groups of 1,000 tasks, one service each, unless the row says otherwise.',
    ],
  };
}

if (import.meta.filename === process.argv[1]) {
  const options = parseBenchmarkOptions(process.argv.slice(2));
  process.stdout.write(formatReport(await benchmarkScheduler(options), options));
}
