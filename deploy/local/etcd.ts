import { randomBytes } from 'node:crypto';
import { runCommand } from './command.js';
import { isHealthy } from './daemons.js';
import { deletePrefix, requireEtcd } from './given-etcd.js';
import { LAYOUT } from './layout.js';
import { localDaemons } from './local-daemons.js';
import { freeAddresses } from './ports.js';
import { extendState, type LocalState } from './state.js';

const START_TIMEOUT_MS = 30_000;
const STOP_GRACE_MS = 10_000;
const PROGRESS_FLAG = '--experimental-watch-progress-notify-interval';

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
    await requireEtcd(given, signal);
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
  await localDaemons.ensure({
    name: 'etcd',
    program: 'etcd',
    args: await etcdArguments(endpoints, peerUrl ?? ''),
    env: withoutEtcdVariables(),
  });
  await localDaemons.waitUntilReady({
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
  // The prefix is random, so what else begins with it is ours as well: `<prefix>-events/`.
  if (etcd.givenPrefix) await deletePrefix(etcd.endpoints, etcd.givenPrefix);
  else await localDaemons.stop('etcd', STOP_GRACE_MS);
}
