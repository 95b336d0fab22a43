import { randomBytes } from 'node:crypto';
import { runCommand } from './command.js';
import { LAYOUT } from './layout.js';
import { freeAddresses } from './ports.js';
import { ensureDaemon, isHealthy, stopDaemon, waitUntilReady } from './processes.js';
import { extendState, type LocalState } from './state.js';

const START_TIMEOUT_MS = 30_000;
const STOP_GRACE_MS = 10_000;
const PROGRESS_FLAG = '--experimental-watch-progress-notify-interval';

/** Files for TLS with an etcd that was given, by the variable that names them. */
const TLS_FLAGS = [
  ['ETCD_CACERT', 'cacert'],
  ['ETCD_CERT', 'cert'],
  ['ETCD_KEY', 'key'],
] as const;

/** The TLS files that the environment names, as flags: `--etcd-cacert FILE` with prefix `etcd-`. */
export function etcdTlsFlags(prefix: '' | 'etcd-'): readonly string[] {
  return TLS_FLAGS.flatMap(([variable, flag]) => {
    const file = process.env[variable];
    return file ? [`--${prefix}${flag}`, file] : [];
  });
}

/** The same files, as the variables that etcdctl reads. */
export function etcdctlTlsVariables(): readonly (readonly [name: string, file: string])[] {
  return TLS_FLAGS.flatMap(([variable, flag]) => {
    const file = process.env[variable];
    return file ? [[`ETCDCTL_${flag.toUpperCase()}`, file] as const] : [];
  });
}

/**
 * Uses the etcd that ETCD_ENDPOINTS names, or starts one of our own (again). Returns what to say
 * about it.
 */
export async function ensureEtcd(state: LocalState, signal: AbortSignal): Promise<string> {
  if (state.etcd) return continueEtcd(state.etcd, signal);
  const given = process.env['ETCD_ENDPOINTS'];
  if (given) {
    // Somebody else's cluster may live there under the usual prefix.
    const givenPrefix = `/swarm-local-${randomBytes(4).toString('hex')}`;
    const etcd = { endpoints: given, givenPrefix };
    await extendState({ etcd });
    return continueEtcd(etcd, signal);
  }
  const [client, peer] = await freeAddresses(2);
  const etcd = { endpoints: `http://${client}`, peerUrl: `http://${peer}` };
  await extendState({ etcd });
  return continueEtcd(etcd, signal);
}

async function continueEtcd(
  { endpoints, peerUrl, givenPrefix }: NonNullable<LocalState['etcd']>,
  signal: AbortSignal,
): Promise<string> {
  if (givenPrefix) return `using the one at ${endpoints}, keys below ${givenPrefix}`;
  await ensureDaemon({
    name: 'etcd',
    program: 'etcd',
    args: await etcdArguments(endpoints, peerUrl ?? ''),
    env: withoutEtcdVariables(),
  });
  await waitUntilReady({
    what: 'answer from etcd',
    daemon: 'etcd',
    timeoutMs: START_TIMEOUT_MS,
    signal,
    isReady: () => isHealthy(`${endpoints}/health`, signal),
  });
  return `our own, ${endpoints}`;
}

async function etcdArguments(clientUrl: string, peerUrl: string): Promise<readonly string[]> {
  const help = await runCommand('etcd', ['--help'], { env: withoutEtcdVariables() });
  return [
    ...['--name', 'local', '--data-dir', LAYOUT.etcd],
    ...['--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl],
    ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
    ...['--initial-cluster', `local=${peerUrl}`],
    // Nobody compacts for us: without this, history grows for ever.
    ...['--auto-compaction-mode', 'periodic', '--auto-compaction-retention', '15m'],
    ...(help.includes(PROGRESS_FLAG) ? [PROGRESS_FLAG, '10s'] : []),
  ];
}

/** etcd reads ETCD_* as flags; ours are for its clients. */
function withoutEtcdVariables(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([name]) => !name.startsWith('ETCD_'));
  return Object.fromEntries(entries);
}

/** Stops an etcd of our own; of one that was given, removes our keys. */
export async function removeEtcd(etcd: LocalState['etcd']): Promise<void> {
  if (!etcd) return;
  if (etcd.givenPrefix === undefined) return stopDaemon('etcd', STOP_GRACE_MS);
  const connection = ['--endpoints', etcd.endpoints, ...etcdTlsFlags('')];
  // The prefix is long and random: it is also that of `<prefix>-events/`, and nobody else's.
  await runCommand('etcdctl', [...connection, 'del', '--prefix', etcd.givenPrefix], {
    env: { ...withoutEtcdVariables(), ETCDCTL_API: '3' },
  });
}
