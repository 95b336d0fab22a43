import { X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { runCommand } from './command.js';
import { readContext } from './context.js';
import { etcdTlsFlags, etcdctlTlsVariables } from './given-etcd.js';
import { LAYOUT, programPath } from './layout.js';
import { localDaemons } from './local-daemons.js';
import { freeAddresses } from './ports.js';
import { isHealthy } from './daemons.js';
import { extendState, type LocalState } from './state.js';

const START_TIMEOUT_MS = 30_000;
/** Longer than an agent gives its engine's calls and a manager its open requests. */
export const STOP_GRACE_MS = 15_000;

/** Makes the cluster unless it exists, and starts its manager. Returns what to say about it. */
export async function ensureManager(state: LocalState, signal: AbortSignal): Promise<string> {
  const manager = state.manager ?? (await newManager());
  await extendState({ manager });
  const etcd = etcdFlags(state);
  if (!state.cluster) {
    await extendState({ cluster: await initialise(manager.address, etcd, signal) });
  }
  await localDaemons.ensure({
    name: 'manager',
    program: process.execPath,
    args: [
      ...[programPath('swarm-manager'), 'run', '--state-dir', LAYOUT.manager],
      ...['--listen', manager.address, '--advertise', manager.address],
      ...['--metrics-listen', manager.metricsAddress, ...etcd],
    ],
  });
  await localDaemons.waitUntilReady({
    what: 'ready manager',
    daemon: 'manager',
    timeoutMs: START_TIMEOUT_MS,
    signal,
    isReady: () => isHealthy(`http://${manager.metricsAddress}/readyz`, signal),
  });
  return `API at https://${manager.address}, metrics at http://${manager.metricsAddress}/metrics`;
}

async function newManager(): Promise<NonNullable<LocalState['manager']>> {
  const [address = '', metricsAddress = ''] = await freeAddresses(2);
  return { address, metricsAddress };
}

function etcdFlags({ etcd }: LocalState): readonly string[] {
  const prefix = etcd?.givenPrefix ? ['--etcd-prefix', etcd.givenPrefix] : [];
  return ['--etcd-endpoints', etcd?.endpoints ?? '', ...etcdTlsFlags(), ...prefix];
}

/** Makes the cluster. Its words hold the command for workers to join, and in it their token. */
async function initialise(
  address: string,
  etcd: readonly string[],
  signal: AbortSignal,
): Promise<NonNullable<LocalState['cluster']>> {
  const words = await runCommand(
    process.execPath,
    [
      ...[programPath('swarm-manager'), 'init', '--state-dir', LAYOUT.manager],
      ...['--advertise', address, '--cluster-name', 'local'],
      ...['--admin-context-file', LAYOUT.adminContext, ...etcd],
    ],
    { signal },
  );
  const workerToken = /SWMTKN-1-[\w-]+/.exec(words)?.[0];
  if (!workerToken) throw new Error(`swarm-manager init printed no join token:\n${words}`);
  return { id: await readClusterId(), workerToken };
}

/** Every certificate of a cluster names it as its organisation. */
async function readClusterId(): Promise<string> {
  const certificate = (await readContext(LAYOUT.adminContext))?.certificate ?? '';
  const id = /^O=(.+)$/m.exec(new X509Certificate(certificate).subject)?.[1];
  if (!id) throw new Error(`no cluster id in the certificate in ${LAYOUT.adminContext}`);
  return id;
}

/** Lets this host join unless it has, and starts its agent. Returns what to say about it. */
export async function ensureAgent(state: LocalState, signal: AbortSignal): Promise<string> {
  const [fresh = ''] = await freeAddresses(1);
  const { metricsAddress } = state.agent ?? { metricsAddress: fresh };
  await extendState({ agent: { metricsAddress } });
  if (!state.hasJoined) {
    await join(state, signal);
    await extendState({ hasJoined: true });
  }
  await localDaemons.ensure({
    name: 'agent',
    program: process.execPath,
    args: [
      ...[programPath('swarm-agent'), 'run', '--state-dir', LAYOUT.agent],
      ...['--docker-host', state.engine?.host ?? '', '--metrics-listen', metricsAddress],
    ],
  });
  await localDaemons.waitUntilReady({
    what: 'ready agent',
    daemon: 'agent',
    timeoutMs: START_TIMEOUT_MS,
    signal,
    isReady: () => isHealthy(`http://${metricsAddress}/readyz`, signal),
  });
  return `joined, metrics at http://${metricsAddress}/metrics`;
}

async function join({ manager, cluster }: LocalState, signal: AbortSignal): Promise<void> {
  const where = ['--manager', manager?.address ?? '', '--state-dir', LAYOUT.agent];
  await runCommand(process.execPath, [programPath('swarm-agent'), 'join', ...where], {
    env: { ...process.env, SWARM_JOIN_TOKEN: cluster?.workerToken },
    signal,
  });
}

/** Writes `.run/env`: what a person exports to look behind the scenes. */
export async function writeEnvironment({ engine, etcd }: LocalState): Promise<void> {
  const variables = [
    ['DOCKER_HOST', engine?.host ?? ''],
    ['ETCDCTL_API', '3'],
    ['ETCDCTL_ENDPOINTS', etcd?.endpoints ?? ''],
    ...etcdctlTlsVariables(),
    ['SWARMCTL_CONFIG', LAYOUT.adminContext],
  ] as const;
  const quoted = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`;
  const lines = variables.map(([name, value]) => `export ${name}=${quoted(value)}\n`);
  await writeFile(LAYOUT.env, lines.join(''), { mode: 0o600 });
}
