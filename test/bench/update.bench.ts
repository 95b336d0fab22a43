/**
 * Rolling updates beside Docker Swarm mode of the same dockerd and beside the engine's own floor, in one run:
 * from the call that changes the service until every task of the new template runs.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Service, UpdatePolicy } from '../../api/v1/index.js';
import { DockerEngine } from '../../pkg/engine/index.js';
import { TEST_IMAGE, importBusyboxImage } from '../fixtures/busybox-image.js';
import { DockerdFixture } from '../fixtures/dockerd.js';
import { eventually } from '../fixtures/eventually.js';
import { OneHost } from '../fixtures/one-host.js';
import { floorOfUpdate } from './engine-floor.js';
import {
  elapsedMs,
  formatReport,
  machineLine,
  parseBenchmarkOptions,
  summarise,
  type BenchmarkOptions,
  type BenchmarkReport,
  type BenchmarkRow,
  type Summary,
} from './harness.js';
import { SwarmMode } from './swarm-mode.js';

/** PID 1 that ends at once on SIGTERM, so that a stop does not measure its grace. */
const SLEEP = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 3600 & wait $!; done'];
const REPLICAS = 20;
/** What the engine still does after an update must not be charged to what comes next. */
const SETTLE_MS = 1_000;

interface Pace {
  readonly parallelism: number;
  readonly order: 'stop-first' | 'start-first';
}

const PACES: readonly Pace[] = [
  { parallelism: 2, order: 'stop-first' },
  { parallelism: 2, order: 'start-first' },
  { parallelism: 5, order: 'stop-first' },
  { parallelism: 5, order: 'start-first' },
];

interface Bench {
  readonly host: OneHost;
  readonly engine: DockerEngine;
  readonly swarm: SwarmMode;
  readonly runs: number;
}

/** One template for each number, so that each number is an update. */
function service(version: number, update: UpdatePolicy = {}): Service {
  const env = { VERSION: String(version) };
  return {
    apiVersion: 'swarm/v1',
    kind: 'Service',
    metadata: { name: 'bench' },
    spec: {
      mode: { replicated: { replicas: REPLICAS } },
      task: {
        container: { image: TEST_IMAGE, command: [...SLEEP], env, pullPolicy: 'if-not-present' },
      },
      update: { ...update, monitor: '100ms' }, // watched after what is measured
    },
  };
}

/** Until a watch has shown as many tasks of a revision running. */
async function untilRunning(host: OneHost, revision: number): Promise<void> {
  const stop = new AbortController();
  const running = new Set<string>();
  const query = { fieldSelector: 'spec.service=bench', signal: stop.signal };
  for await (const line of host.client.watch('tasks', query)) {
    if (!('object' in line)) continue;
    const { metadata, spec, status } = line.object;
    if (spec.revision === revision && status?.state === 'running') running.add(metadata.uid ?? '');
    if (running.size >= REPLICAS) stop.abort();
  }
}

/** From `apply` until all run anew; the old ones are gone and the update is over when it returns. */
async function update({ host, engine }: Bench, version: number, pace: Pace): Promise<number> {
  const elapsed = await elapsedMs(async () => {
    await host.client.apply('services', service(version, pace));
    await untilRunning(host, version);
  });
  await eventually('the end of the update', async () => {
    const { status } = await host.client.get('services', 'bench');
    return status?.update?.to === version && status.update.state === 'completed';
  });
  await eventually('an engine with new containers only', async () => {
    return (await engine.listContainers({})).length === REPLICAS;
  });
  return elapsed;
}

const row = (name: string, unit: string, summary: Summary): BenchmarkRow => ({
  name,
  unit,
  ...summary,
});

/** Interleaved, so that a drift of the machine's speed hits all of them alike. */
async function paceRows(bench: Bench, pace: Pace): Promise<readonly BenchmarkRow[]> {
  const times = { floor: [] as number[], ours: [] as number[], theirs: [] as number[] };
  const { engine, swarm, runs } = bench;
  let version = (await bench.host.client.get('services', 'bench')).status?.revision ?? 0;
  for (let run = 0; run < runs; run += 1) {
    version += 1;
    times.ours.push(await update(bench, version, pace));
    await delay(SETTLE_MS);
    times.theirs.push(await swarm.updateUntilRunning('bench', pace));
    await delay(SETTLE_MS);
    times.floor.push(await floorOfUpdate(engine, REPLICAS, pace));
    await delay(SETTLE_MS);
  }
  const name = `${String(REPLICAS)} replicas, parallelism ${String(pace.parallelism)}, ${pace.order}`;
  const overFloor = (values: readonly number[]) =>
    summarise(values.map((ms, run) => ms / (times.floor[run] ?? Number.NaN)));
  return [
    row(`${name}: engine's floor`, 'ms', summarise(times.floor)),
    row(`${name}: Swarmkeeper`, 'ms', summarise(times.ours)),
    row(`${name}: Docker Swarm mode`, 'ms', summarise(times.theirs)),
    row(`${name}: Swarmkeeper / floor`, 'x', overFloor(times.ours)),
    row(`${name}: Swarm mode / floor`, 'x', overFloor(times.theirs)),
  ];
}

/** Measures all of it; takes about ten minutes with 3 runs on 2 cores. */
export async function benchmarkUpdates({ runs }: BenchmarkOptions): Promise<BenchmarkReport> {
  const [host, other] = await Promise.all([OneHost.start(), DockerdFixture.start()]);
  const engine = new DockerEngine({ host: host.dockerd.host });
  let swarm: SwarmMode | undefined;
  try {
    await importBusyboxImage(other.socketPath, TEST_IMAGE);
    swarm = await SwarmMode.start(other, { image: TEST_IMAGE, command: SLEEP });
    await swarm.createForUpdates('bench', REPLICAS);
    await host.client.apply('services', service(1));
    await untilRunning(host, 1);
    const bench = { host, engine, swarm, runs };
    const rows: BenchmarkRow[] = [];
    for (const pace of PACES) {
      const found = await paceRows(bench, pace);
      for (const { name, median, unit } of found) {
        process.stderr.write(`${name}: ${median.toFixed(2)} ${unit}\n`);
      }
      rows.push(...found);
    }
    return {
      title: 'Rolling updates',
      machine: machineLine(),
      rows,
      notes: [
        'From the call that changes the service until 20 tasks of the new template run; delay 0.',
        'Everything shares the cores: clients, etcd, manager, agent, both engines.',
        "The floor makes the same steps through the engine's API, as many slots at a time as the parallelism.",
        'Ratios are taken run by run.',
      ],
    };
  } finally {
    await swarm?.stop().catch(() => undefined); // its engine goes in any case
    engine.close();
    await host.dispose();
    await other.dispose();
  }
}

if (import.meta.filename === process.argv[1]) {
  const options = parseBenchmarkOptions(process.argv.slice(2));
  process.stdout.write(formatReport(await benchmarkUpdates(options), options));
}
