/** What probing costs the agent: its CPU with many tasks that are asked every two seconds, and with none asked. */
import type { Probe, Service } from '../../api/v1/index.js';
import { DockerEngine } from '../../pkg/engine/index.js';
import { TEST_IMAGE } from '../fixtures/busybox-image.js';
import { eventually } from '../fixtures/eventually.js';
import { OneHost } from '../fixtures/one-host.js';
import { cpuPercent, residentMib } from '../fixtures/process-usage.js';
import {
  formatReport,
  machineLine,
  parseBenchmarkOptions,
  summarise,
  type BenchmarkRow,
} from './harness.js';

const TASKS = 100;
const EXEC_TASKS = 10;
const MEASURE_MS = 20_000;
/** Starts and the first, eager tries must not be charged to what goes on for ever. */
const SETTLE_MS = 5_000;
const SERVE = [
  'sh',
  '-c',
  'trap "exit 0" TERM; mkdir -p /www; touch /www/ready; httpd -p 80 -h /www; while :; do sleep 3600 & wait $!; done',
];

interface Case {
  readonly name: string;
  readonly tasks: number;
  readonly readiness?: Probe;
}

const CASES: readonly Case[] = [
  { name: `${String(TASKS)} tasks without probes`, tasks: TASKS },
  {
    name: `${String(TASKS)} tasks, TCP every 2 s`,
    tasks: TASKS,
    readiness: { tcp: { port: 80 }, period: '2s' },
  },
  {
    name: `${String(TASKS)} tasks, HTTP every 2 s`,
    tasks: TASKS,
    readiness: { http: { port: 80, path: '/ready' }, period: '2s' },
  },
  {
    name: `${String(EXEC_TASKS)} tasks, exec every 2 s`,
    tasks: EXEC_TASKS,
    readiness: { exec: { command: ['test', '-f', '/www/ready'] }, period: '2s' },
  },
];

function service({ tasks, readiness }: Case): Service {
  return {
    apiVersion: 'swarm/v1',
    kind: 'Service',
    metadata: { name: 'probed' },
    spec: {
      mode: { replicated: { replicas: tasks } },
      task: {
        container: {
          image: TEST_IMAGE,
          command: [...SERVE],
          pullPolicy: 'if-not-present',
          ...(readiness && { probes: { readiness } }),
        },
      },
    },
  };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function measure(host: OneHost, engine: DockerEngine, one: Case, runs: number) {
  await host.client.apply('services', service(one));
  await eventually(
    'all in service',
    async () => (await host.client.get('services', 'probed')).status?.ready === one.tasks,
    300_000,
  );
  await pause(SETTLE_MS);
  const agent = host.agent.pid ?? 0;
  const engineCpu: number[] = [];
  const agentCpu: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const pids = [agent, host.dockerd.pid ?? 0];
    const [own, theirs] = await Promise.all(pids.map((pid) => cpuPercent(pid, MEASURE_MS)));
    agentCpu.push(own ?? Number.NaN);
    engineCpu.push(theirs ?? Number.NaN);
  }
  const rows: readonly BenchmarkRow[] = [
    { name: `${one.name}: CPU of the agent`, unit: '% of a core', ...summarise(agentCpu) },
    { name: `${one.name}: CPU of dockerd`, unit: '% of a core', ...summarise(engineCpu) },
    {
      name: `${one.name}: memory of the agent`,
      unit: 'MiB RSS',
      ...summarise([residentMib(agent)]),
    },
  ];
  await host.client.delete('services', 'probed');
  await eventually(
    'an empty engine',
    async () => (await engine.listContainers({ all: true })).length === 0,
    120_000,
  );
  return rows;
}

async function main(): Promise<void> {
  const options = parseBenchmarkOptions(process.argv.slice(2));
  const host = await OneHost.start({ dockerd: { bridge: true, args: ['--userland-proxy=false'] } });
  const engine = new DockerEngine({ host: host.dockerd.host });
  try {
    const rows: BenchmarkRow[] = [];
    for (const one of CASES) rows.push(...(await measure(host, engine, one, options.runs)));
    const notes = [
      'A busybox httpd in each container; one connection per try.',
      'An exec probe starts a process: the engine and its shims pay for it, not the agent.',
    ];
    process.stdout.write(
      formatReport({ title: 'Probes', machine: machineLine(), rows, notes }, options),
    );
  } finally {
    engine.close();
    await host.dispose();
  }
}

await main();
