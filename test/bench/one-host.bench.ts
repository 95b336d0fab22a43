/**
 * What Swarmkeeper adds to the work of the engine on one host, in one run: beside the engine's own floor
 * (the same containers through its plain API) and beside Docker Swarm mode of the same dockerd.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Service } from '../../api/v1/index.js';
import { DockerEngine } from '../../pkg/engine/index.js';
import { importBusyboxImage } from '../fixtures/busybox-image.js';
import { DockerdFixture } from '../fixtures/dockerd.js';
import { TEST_IMAGE } from '../fixtures/busybox-image.js';
import { eventually } from '../fixtures/eventually.js';
import { OneHost } from '../fixtures/one-host.js';
import { cpuPercent, residentMib } from '../fixtures/process-usage.js';
import { WIDTHS, floorOf, floorOfReplacement, msUntilEvent } from './engine-floor.js';
import {
  elapsedMs,
  formatReport,
  machineLine,
  parseBenchmarkOptions,
  repeat,
  summarise,
  type BenchmarkOptions,
  type BenchmarkReport,
  type BenchmarkRow,
  type Summary,
} from './harness.js';
import { SwarmMode } from './swarm-mode.js';

/** PID 1 that ends at once on SIGTERM, so that a stop does not measure its grace. */
export const SLEEP = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 3600 & wait $!; done'];
const SIZES = [10, 50, 100] as const;
const IDLE_MS = 20_000;
/** What the engine still does after a removal must not be charged to what comes next. */
const SETTLE_MS = 1_000;
const API_CALLERS = 16;

const row = (name: string, unit: string, summary: Summary): BenchmarkRow => ({
  name,
  unit,
  ...summary,
});
const ratio = (name: string, ours: Summary, floor: Summary): BenchmarkRow =>
  row(name, 'x', {
    median: ours.median / floor.median,
    min: ours.min / floor.min,
    max: ours.max / floor.max,
    n: ours.n,
  });

/** The best concurrency is the one with the lowest median: the lowest of all runs would be luck. */
const lowest = (summaries: readonly Summary[]): Summary =>
  summaries.reduce((best, next) => (next.median < best.median ? next : best));

function service(name: string, replicas: number): Service {
  return {
    apiVersion: 'swarm/v1',
    kind: 'Service',
    metadata: { name },
    spec: {
      mode: { replicated: { replicas } },
      task: {
        container: { image: TEST_IMAGE, command: [...SLEEP], pullPolicy: 'if-not-present' },
        restartPolicy: { delay: '0s', resetAfter: '100ms' }, // no crash loop: we kill it
      },
    },
  };
}

/** From `apply` until a watch has shown every task running. */
async function applyUntilRunning(host: OneHost, name: string, replicas: number): Promise<void> {
  const stop = new AbortController();
  const running = new Set<string>();
  await host.client.apply('services', service(name, replicas));
  const query = { fieldSelector: `spec.service=${name}`, signal: stop.signal };
  for await (const line of host.client.watch('tasks', query)) {
    if (!('object' in line)) continue;
    if (line.object.status?.state === 'running') running.add(line.object.metadata.uid ?? '');
    if (running.size >= replicas) stop.abort();
  }
}

async function remove(host: OneHost, engine: DockerEngine, name: string): Promise<void> {
  await host.client.delete('services', name);
  await eventually(
    'an empty engine',
    async () => (await engine.listContainers({ all: true })).length === 0,
  );
}

/** Nobody's first run counts: files are read and code is compiled in it. */
async function warmUp(host: OneHost, engine: DockerEngine, swarm: SwarmMode): Promise<void> {
  await floorOf(engine, 10, 8);
  await applyUntilRunning(host, 'bench', 10);
  await remove(host, engine, 'bench');
  await swarm.createUntilRunning(10);
}

async function createRows(
  host: OneHost,
  engine: DockerEngine,
  swarm: SwarmMode,
  runs: number,
): Promise<readonly BenchmarkRow[]> {
  const rows: BenchmarkRow[] = [];
  await warmUp(host, engine, swarm);
  for (const size of SIZES) {
    // Interleaved, so that a drift of the machine's speed hits all of them alike.
    const floors = new Map(WIDTHS.map((width) => [width, [] as number[]]));
    const times = { ours: [] as number[], swarm: [] as number[] };
    for (let run = 0; run < runs; run += 1) {
      for (const [width, found] of floors) {
        await delay(SETTLE_MS);
        found.push(await floorOf(engine, size, width));
      }
      await delay(SETTLE_MS);
      times.ours.push(await elapsedMs(() => applyUntilRunning(host, 'bench', size)));
      await remove(host, engine, 'bench');
      await delay(SETTLE_MS);
      times.swarm.push(await swarm.createUntilRunning(size));
    }
    const floor = lowest([...floors.values()].map(summarise));
    const [ours, theirs] = [summarise(times.ours), summarise(times.swarm)];
    rows.push(
      row(`${size} containers: engine's floor`, 'ms', floor),
      row(`${size} replicas: apply to all running`, 'ms', ours),
      row(`${size} replicas: Docker Swarm mode`, 'ms', theirs),
      ratio(`${size} replicas: Swarmkeeper / floor`, ours, floor),
      ratio(`${size} replicas: Swarm mode / floor`, theirs, floor),
    );
  }
  return rows;
}

async function replacementRows(
  host: OneHost,
  engine: DockerEngine,
  runs: number,
): Promise<readonly BenchmarkRow[]> {
  await applyUntilRunning(host, 'victim', 1);
  const ours: number[] = [];
  const floor: number[] = [];
  for (let run = 0; run < Math.max(runs, 5); run += 1) {
    ours.push(await killUntilReplaced(engine));
    await delay(300);
    floor.push(await floorOfReplacement(engine));
  }
  await remove(host, engine, 'victim');
  const [mine, own] = [summarise(ours), summarise(floor)];
  return [
    row('killed container to its replacement running (delay 0)', 'ms', mine),
    row("engine's own: kill, die event, create, start", 'ms', own),
    row('added by Swarmkeeper', 'ms', {
      median: mine.median - own.median,
      min: mine.min - own.min,
      max: mine.max - own.max,
      n: mine.n,
    }),
  ];
}

/** From the kill call to the start event of another container. */
async function killUntilReplaced(engine: DockerEngine): Promise<number> {
  const [victim] = await engine.listContainers({});
  return msUntilEvent(
    engine,
    () => engine.killContainer(victim?.id ?? ''),
    ({ action, containerId }) => action === 'start' && containerId !== victim?.id,
  );
}

/** Every caller has a service of its own: writers of one object wait for each other by design. */
async function apiRows(host: OneHost): Promise<readonly BenchmarkRow[]> {
  const names = [...Array(API_CALLERS).keys()].map((caller) => `api-${caller}`);
  for (const name of names) await host.client.apply('services', service(name, 0));
  let label = 0;
  const nameOf = (caller: number) => names[caller] ?? '';
  const read = (caller: number) => host.client.get('services', nameOf(caller));
  const write = (caller: number) => {
    label += 1;
    const metadata = { labels: { n: String(label) } };
    return host.client.patch('services', nameOf(caller), { metadata });
  };
  const rows: BenchmarkRow[] = [];
  for (const [name, call] of [
    ['GET a service', read],
    ['PATCH a service', write],
  ] as const) {
    for (const width of [1, API_CALLERS]) {
      rows.push(...(await loadRows(`${name}, ${width} in flight`, call, width)));
    }
  }
  for (const name of names) await host.client.delete('services', name);
  return rows;
}

/** Latency at p50 and p99, and the rate, of `width` callers over 3 seconds. */
async function loadRows(
  name: string,
  call: (caller: number) => Promise<unknown>,
  width: number,
): Promise<readonly BenchmarkRow[]> {
  const latencies: number[] = [];
  const until = performance.now() + 3_000;
  const run = async (caller: number) => {
    while (performance.now() < until) latencies.push(await elapsedMs(() => call(caller)));
  };
  const total = await elapsedMs(() => Promise.all([...Array(width).keys()].map(run)));
  const sorted = latencies.sort((a, b) => a - b);
  const at = (quantile: number) => {
    const value =
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))] ?? Number.NaN;
    return { median: value, min: value, max: value, n: sorted.length };
  };
  const rate = (1000 * sorted.length) / total;
  return [
    row(`${name}: p50`, 'ms', at(0.5)),
    row(`${name}: p99`, 'ms', at(0.99)),
    row(`${name}: rate`, 'requests/s', { median: rate, min: rate, max: rate, n: sorted.length }),
  ];
}

async function idleRows(host: OneHost, tasks: number): Promise<readonly BenchmarkRow[]> {
  await delay(15_000); // what was begun ends, compiled code and garbage included
  const programs = [
    ['manager', host.manager.pid ?? 0],
    ['agent', host.agent.pid ?? 0],
  ] as const;
  const busy = await Promise.all(programs.map(([, pid]) => cpuPercent(pid, IDLE_MS)));
  return programs.flatMap(([name, pid], index) => [
    row(
      `${name}, idle, ${tasks} tasks: CPU`,
      '% of a core',
      summarise([busy[index] ?? Number.NaN]),
    ),
    row(`${name}, idle, ${tasks} tasks: memory`, 'MiB RSS', summarise([residentMib(pid)])),
  ]);
}

async function idleWithTasks(
  host: OneHost,
  engine: DockerEngine,
): Promise<readonly BenchmarkRow[]> {
  await applyUntilRunning(host, 'idle', 200);
  const rows = await idleRows(host, 200);
  await remove(host, engine, 'idle');
  return rows;
}

async function swarmReplacementRows(
  swarm: SwarmMode,
  runs: number,
): Promise<readonly BenchmarkRow[]> {
  const summary = await repeat(runs, () => swarm.killUntilReplaced());
  return [row('killed container to its replacement running: Docker Swarm mode', 'ms', summary)];
}

/** What a section measures on. */
interface Bench {
  readonly host: OneHost;
  readonly engine: DockerEngine;
  readonly swarm: SwarmMode;
  readonly runs: number;
}

/** By the name that `--only` takes, in the order in which they run: an idle cluster is one that did nothing. */
const SECTIONS: Readonly<Record<string, (bench: Bench) => Promise<readonly BenchmarkRow[]>>> = {
  'idle-0': ({ host }) => idleRows(host, 0),
  create: ({ host, engine, swarm, runs }) => createRows(host, engine, swarm, runs),
  replace: async ({ host, engine, swarm, runs }) => [
    ...(await replacementRows(host, engine, runs)),
    ...(await swarmReplacementRows(swarm, runs)),
  ],
  api: ({ host }) => apiRows(host),
  'idle-200': ({ host, engine }) => idleWithTasks(host, engine),
};

/** Tells each section's figures as soon as they are there: all of it takes minutes. */
async function inTurn(
  bench: Bench,
  names: readonly string[] = Object.keys(SECTIONS),
): Promise<readonly BenchmarkRow[]> {
  const rows: BenchmarkRow[] = [];
  for (const [name, section] of Object.entries(SECTIONS)) {
    if (!names.includes(name)) continue;
    const found = await section(bench);
    for (const { name: what, median, unit } of found) {
      process.stderr.write(`${what}: ${median.toFixed(2)} ${unit}\n`);
    }
    rows.push(...found);
  }
  return rows;
}

/** Measures all of it, or the sections asked for; all takes about ten minutes with 3 runs on 2 cores. */
export async function benchmarkOneHost({ runs, only }: BenchmarkOptions): Promise<BenchmarkReport> {
  const [host, other] = await Promise.all([OneHost.start(), DockerdFixture.start()]);
  const engine = new DockerEngine({ host: host.dockerd.host });
  let swarm: SwarmMode | undefined;
  try {
    await importBusyboxImage(other.socketPath, TEST_IMAGE);
    swarm = await SwarmMode.start(other, { image: TEST_IMAGE, command: SLEEP });
    const rows = await inTurn({ host, engine, swarm, runs }, only);
    return {
      title: 'One host',
      machine: machineLine(),
      rows,
      notes: [
        'Everything shares the cores: clients, etcd, manager, agent, both engines.',
        "The floor is the same containers through the engine's API, 4, 8 or 16 at a time, whichever has the lowest median.",
        "Containers are on the engine's default bridge; the image is on the node.",
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
  const options = parseBenchmarkOptions(process.argv.slice(2), Object.keys(SECTIONS));
  process.stdout.write(formatReport(await benchmarkOneHost(options), options));
}
