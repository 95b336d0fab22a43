import { readFile, writeFile } from 'node:fs/promises';
import { runCommand } from './command.js';

const BRIDGE = 'docker0';
const IP_FORWARD = '/proc/sys/net/ipv4/ip_forward';
const TABLES = ['filter', 'nat'] as const;

/**
 * What an engine of ours changes on the host and does not take back when it stops: forwarding, the
 * policy for forwarded packets, its bridge and its chains.
 */
export interface NetworkBefore {
  readonly ipForward: string;
  readonly forwardPolicy: string;
  readonly hadBridge: boolean;
  readonly hadChains: boolean;
}

const rulesOf = async (table: string) =>
  (await runCommand('iptables', ['-w', '-t', table, '-S'])).split('\n');

async function hasBridge(): Promise<boolean> {
  return runCommand('ip', ['link', 'show', BRIDGE]).then(
    () => true,
    () => false,
  );
}

/** The host's network before an engine of ours starts. */
export async function readNetwork(): Promise<NetworkBefore> {
  const rules = await rulesOf('filter');
  return {
    ipForward: (await readFile(IP_FORWARD, 'utf8')).trim(),
    forwardPolicy: rules.find((rule) => rule.startsWith('-P FORWARD '))?.split(' ')[2] ?? 'ACCEPT',
    hadBridge: await hasBridge(),
    hadChains: rules.some((rule) => rule.startsWith('-N DOCKER')),
  };
}

/** Puts the host's network back, apart from what another engine had made before us. */
export async function restoreNetwork(before: NetworkBefore): Promise<void> {
  if (!before.hadChains) {
    for (const table of TABLES) await removeRules(table);
    await runCommand('iptables', ['-w', '-P', 'FORWARD', before.forwardPolicy]);
    await writeFile(IP_FORWARD, before.ipForward);
  }
  if (!before.hadBridge && (await hasBridge())) await runCommand('ip', ['link', 'delete', BRIDGE]);
}

async function removeRules(table: string): Promise<void> {
  const rules = await rulesOf(table);
  const ofDocker = rules.filter((rule) => /^-A .*(DOCKER|docker0)/.test(rule));
  for (const rule of ofDocker) {
    await runCommand('iptables', ['-w', '-t', table, ...rule.replace('-A', '-D').split(' ')]);
  }
  const chains = rules.filter((rule) => rule.startsWith('-N DOCKER'));
  for (const chain of chains) {
    await runCommand('iptables', ['-w', '-t', table, ...chain.replace('-N', '-X').split(' ')]);
  }
}
