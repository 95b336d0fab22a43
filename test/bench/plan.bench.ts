/**
 * What deciding about a large service costs: `npx tsx test/bench/plan.bench.ts [--runs N] [--json]`. The plan of
 * the service controller alone, and a whole plan as `swarmctl plan` asks for it.
 */
import type { StoredService } from '../../api/v1/index.js';
import { planService } from '../../controllers/service/plan.js';
import { snapshotOf } from '../../controllers/service/snapshot.js';
import { SystemClock } from '../../pkg/base/index.js';
import { NodeLosses } from '../../pkg/objects/index.js';
import { BUILT_AT, aService } from '../builders/objects.js';
import { ImaginedCluster } from '../fixtures/imagined-cluster.js';
import { elapsedMs, formatReport, machineLine, parseBenchmarkOptions, repeat } from './harness.js';
import type { BenchmarkOptions, BenchmarkReport, BenchmarkRow } from './harness.js';

const TASKS = 10_000;
const NODES = 100;
const NAME = '10,000 tasks';

function service(image: string, more: Partial<StoredService['spec']> = {}): StoredService {
  const plain = aService({ replicas: TASKS, image });
  return { ...plain, spec: { ...plain.spec, ...more } };
}

const emptyCluster = () =>
  ImaginedCluster.of(
    Object.fromEntries(Array.from({ length: NODES }, (_, index) => [`n${String(index)}`, {}])),
  );

/** Snapshot and plan, as the controller takes them. */
function planOnce(cluster: ImaginedCluster): number {
  const { world } = cluster;
  const losses = new NodeLosses(world, new SystemClock());
  const stored = world.services.get('web');
  if (!stored) throw new Error('there is no service');
  const snapshot = snapshotOf(world, stored, { now: BUILT_AT, leadingSince: 0, losses });
  return planService(snapshot).changes.length;
}

async function planRow(runs: number, { name, cluster, changes }: PlanCase): Promise<BenchmarkRow> {
  const summary = await repeat(runs, () =>
    elapsedMs(() => {
      const found = planOnce(cluster);
      if (found !== changes) throw new Error(`${name}: ${found} changes, not ${changes}`);
    }),
  );
  return { name: `${NAME}, ${name}`, unit: 'ms', ...summary };
}

interface PlanCase {
  readonly name: string;
  readonly cluster: ImaginedCluster;
  /** How many the plan must have: a plan of nothing is quick. */
  readonly changes: number;
}

/** What a whole plan takes, with the copy of the world and all that follows. */
async function forecastRow(
  runs: number,
  name: string,
  work: () => Promise<{ readonly settled: boolean }>,
): Promise<BenchmarkRow> {
  const summary = await repeat(runs, () =>
    elapsedMs(async () => {
      if (!(await work()).settled) throw new Error(`${name}: the plan came to no end`);
    }),
  );
  return { name: `${NAME}, swarmctl plan: ${name}`, unit: 'ms', ...summary };
}

/** Measures first plans, plans without a change, and plans in the middle of an update. */
export async function benchmarkPlans({ runs }: BenchmarkOptions): Promise<BenchmarkReport> {
  const fresh = await emptyCluster();
  fresh.write(fresh.serviceWrite(service('app:1')));
  const running = await emptyCluster();
  await running.apply(service('app:1'));
  const changed = await running.copy();
  changed.write(changed.serviceWrite(service('app:2', { update: { parallelism: 10 } })));
  const pausing = { canary: TASKS / 2, parallelism: TASKS / 2, monitor: '1s' } as const;
  const halfway = await running.copy();
  await halfway.apply(service('app:2', { update: pausing }));
  const rows = [
    await planRow(runs, { name: 'first plan', cluster: fresh, changes: TASKS + 1 }),
    await planRow(runs, { name: 'plan without a change', cluster: running, changes: 0 }),
    await planRow(runs, { name: 'plan of a changed template', cluster: changed, changes: 11 }),
    await planRow(runs, { name: 'plan in the middle of an update', cluster: halfway, changes: 0 }),
    await forecastRow(runs, 'new service', () => fresh.plan(service('app:1'))),
    await forecastRow(runs, 'without a change', () => running.plan(service('app:1'))),
    await forecastRow(runs, 'changed template', () => running.plan(service('app:2'))),
  ];
  return {
    title: 'Plans',
    machine: machineLine(),
    rows,
    notes: [
      `One service on ${String(NODES)} nodes; snapshot and plan of the service controller, without writes.`,
      'Rows of `swarmctl plan` are the manager: a copy of the world, all controllers, nodes that do as they are told, until nothing is left to do.',
    ],
  };
}

if (import.meta.filename === process.argv[1]) {
  const options = parseBenchmarkOptions(process.argv.slice(2));
  process.stdout.write(formatReport(await benchmarkPlans(options), options));
}
