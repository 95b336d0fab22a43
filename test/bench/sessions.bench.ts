/**
 * Many agents at the door of one manager at once: how long until each has its session again, and how many were
 * told to come back later. The agents are the real session keepers and reporters, without engines, in one process.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeAddresses } from '../../deploy/local/ports.js';
import { AssignmentBook } from '../../pkg/agent/assignment-book.js';
import { KnownHistory } from '../../pkg/agent/known-history.js';
import { LogStreams } from '../../pkg/agent/log-streams.js';
import { describeNode } from '../../pkg/agent/node-description.js';
import { SessionKeeper } from '../../pkg/agent/session-keeper.js';
import { StatusReporter } from '../../pkg/agent/status-reporter.js';
import { BusyError, SystemClock } from '../../pkg/base/index.js';
import { SwarmClient, joinCluster } from '../../pkg/client/index.js';
import { nullLogger } from '../../pkg/log/index.js';
import { createCsr, generateKey } from '../../pkg/pki/index.js';
import { EtcdFixture } from '../fixtures/etcd.js';
import { eventually } from '../fixtures/eventually.js';
import { answers, initCluster, managerProgram } from '../fixtures/one-host.js';
import type { ProgramFixture } from '../fixtures/program.js';
import {
  formatReport,
  machineLine,
  parseBenchmarkOptions,
  summarise,
  type BenchmarkRow,
} from './harness.js';

const AGENTS = Number(process.env['AGENTS'] ?? 300);
/** As many joins as a manager takes at once. */
const JOINS_AT_ONCE = 12;
const clock = new SystemClock();

interface Member {
  readonly nodeId: string;
  readonly clusterId: string;
  readonly hostname: string;
  readonly client: SwarmClient;
}

/** One key for all of them: making keys is not what is measured. */
async function joinAll(manager: string, token: string): Promise<readonly Member[]> {
  const key = await generateKey();
  const csr = await createCsr(key);
  const members: Member[] = [];
  const worker = async () => {
    while (members.length < AGENTS) {
      const hostname = `host-${String(members.length)}`;
      const answer = await joinCluster({ managers: [manager], token, hostname, csr });
      const { nodeId, clusterId, certificate: cert, caCertificate: ca } = answer;
      const client = new SwarmClient({ managers: [manager], tls: { ca, cert, key } });
      if (members.length < AGENTS) members.push({ nodeId, clusterId, hostname, client });
    }
  };
  await Promise.all(Array.from({ length: JOINS_AT_ONCE }, worker));
  return members;
}

/** The part of an agent that holds a session. */
class Agent {
  private readonly keeper: SessionKeeper;

  constructor(member: Member, manager: string, onBusy: () => void) {
    const history = new KnownHistory(nullLogger);
    const vouch = () => ({
      engineHealthy: true,
      description: describeNode({ hostname: member.hostname, agentVersion: 'bench' }, undefined),
    });
    const options = { clock, log: nullLogger };
    this.keeper = new SessionKeeper({
      ...options,
      history,
      vouch,
      identity: { ...member, role: 'worker', managers: [manager] },
      managers: {
        useManagers: () => undefined,
        openSession: async (...args) => {
          try {
            return await member.client.openSession(...args);
          } catch (error) {
            if (error instanceof BusyError) onBusy();
            throw error;
          }
        },
      },
      book: new AssignmentBook(history, () => undefined),
      reporter: new StatusReporter({ ...options, vouch, isStarting: () => false }),
      logs: new LogStreams({ ...options, engine: noEngine, sourceOf: () => undefined }),
      onManagers: () => undefined,
    });
  }

  get isConnected(): boolean {
    return this.keeper.state.connected;
  }

  run(signal: AbortSignal): Promise<unknown> {
    return this.keeper.run(signal).catch(() => undefined);
  }
}

const noEngine = {
  streamLogs: () => {
    throw new Error('there is no engine');
  },
};

/** Milliseconds until the share of agents has a session, for each share. */
async function untilConnected(agents: readonly Agent[], shares: readonly number[]) {
  const startedMs = performance.now();
  const found: number[] = [];
  for (const share of shares) {
    const wanted = Math.ceil(agents.length * share);
    const check = () =>
      Promise.resolve(agents.filter(({ isConnected }) => isConnected).length >= wanted);
    await eventually(`${String(wanted)} sessions`, check, 120_000);
    found.push(performance.now() - startedMs);
  }
  return found;
}

interface Storm {
  readonly half: number;
  readonly all: number;
  readonly refusals: number;
}

async function storm(
  manager: ProgramFixture,
  start: () => Promise<void>,
  { agents, refusals }: { readonly agents: readonly Agent[]; readonly refusals: () => number },
): Promise<Storm> {
  await manager.kill();
  await eventually('agents without a session', () =>
    Promise.resolve(agents.every(({ isConnected }) => !isConnected)),
  );
  const before = refusals();
  await start();
  const [half = Number.NaN, all = Number.NaN] = await untilConnected(agents, [0.5, 1]);
  return { half, all, refusals: refusals() - before };
}

function rowsOf(storms: readonly Storm[]): readonly BenchmarkRow[] {
  const of = (pick: (one: Storm) => number) => summarise(storms.map(pick));
  return [
    {
      name: 'half of them have a session',
      unit: 'ms after the manager is ready',
      ...of(({ half }) => half),
    },
    { name: 'all of them', unit: 'ms after the manager is ready', ...of(({ all }) => all) },
    { name: 'told to come back later', unit: 'times', ...of(({ refusals }) => refusals) },
  ];
}

async function main(): Promise<void> {
  const options = parseBenchmarkOptions(process.argv.slice(2));
  const folder = await mkdtemp(join(tmpdir(), 'swarm-sessions-'));
  const etcd = await EtcdFixture.start();
  const [api, metrics] = (await freeAddresses(2)) as [string, string];
  const state = join(folder, 'manager');
  const words = await initCluster(etcd, { api }, { context: join(folder, 'context.yaml'), state });
  const manager = managerProgram({ state, api, metrics, etcd });
  const start = () => manager.start(() => answers(`http://${metrics}/readyz`));
  const stopping = new AbortController();
  let refusals = 0;
  let runs: readonly Promise<unknown>[] = [];
  try {
    await start();
    const members = await joinAll(api, /SWMTKN-1-[\w-]+/.exec(words)?.[0] ?? '');
    const agents = members.map((member) => new Agent(member, api, () => (refusals += 1)));
    runs = agents.map((agent) => agent.run(stopping.signal));
    await untilConnected(agents, [1]);
    const storms: Storm[] = [];
    for (let run = 0; run < options.runs; run += 1) {
      storms.push(await storm(manager, start, { agents, refusals: () => refusals }));
    }
    const notes = [
      'One manager, killed and started again; its agents know no other. Agents and manager share the machine.',
    ];
    const title = `${String(AGENTS)} agents reconnect at once`;
    const report = { title, machine: machineLine(), rows: rowsOf(storms), notes };
    process.stdout.write(formatReport(report, options));
  } finally {
    stopping.abort();
    await Promise.all(runs);
    await manager.stop();
    await etcd.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
