import type { Session } from '../cli.js';

/** Says on the error stream what the manager that answers finds wrong with the cluster. Never fails. */
export async function warnOfCluster({ api, streams }: Session): Promise<void> {
  const found = await api
    .get('clusters', 'default', { signal: streams.interrupted })
    .catch(() => undefined); // what was asked for has been printed
  for (const { status, reason, message } of found?.status?.conditions ?? []) {
    if (status === 'false') streams.err(`warning: ${message} (${reason})\n`);
  }
}
