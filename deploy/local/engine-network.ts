import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { runCommand } from './command.js';

const IP_FORWARD = '/proc/sys/net/ipv4/ip_forward';
const TABLES = ['filter', 'nat'] as const;
/** Candidates for the engine's network: 10.213.0.0/24 to 10.213.255.0/24. */
const NETWORK = '10.213';

/**
 * The network of an engine of ours, and what the host was like before. The engine gets a bridge of its
 * own, because `docker0` belongs to whichever other engine comes: one that starts without a bridge
 * deletes it. Forwarding, the policy for forwarded packets and the chains are not taken back by an
 * engine that stops, so we do.
 */
export interface EngineNetwork {
  readonly bridge: string;
  /** Of the bridge, such as `10.213.7.1/24`. */
  readonly address: string;
  readonly ipForward: string;
  readonly forwardPolicy: string;
  readonly hadChains: boolean;
}

const iptables = (table: string, args: readonly string[]) =>
  runCommand('iptables', ['-w', '-t', table, ...args]);

async function rulesOf(table: string): Promise<readonly string[]> {
  return (await iptables(table, ['-S'])).trim().split('\n');
}

/** Decides about the network of an engine whose folder is `folder`; makes nothing. */
export async function planNetwork(folder: string): Promise<EngineNetwork> {
  const digest = createHash('sha256').update(folder).digest();
  const rules = await rulesOf('filter');
  const routes = await runCommand('ip', ['-4', 'route', 'show', 'table', 'all']);
  const numbers = Array.from({ length: 256 }, (_, index) => (index + (digest[0] ?? 0)) % 256);
  const free = numbers.find((number) => !routes.includes(`${NETWORK}.${number}.`));
  if (free === undefined) throw new Error(`no free network in ${NETWORK}.0.0/16 for the engine`);
  return {
    bridge: `swarm-${digest.toString('hex').slice(0, 8)}`,
    address: `${NETWORK}.${free}.1/24`,
    ipForward: (await readFile(IP_FORWARD, 'utf8')).trim(),
    forwardPolicy: rules.find((rule) => rule.startsWith('-P FORWARD '))?.split(' ')[2] ?? 'ACCEPT',
    hadChains: rules.some((rule) => rule.startsWith('-N DOCKER')),
  };
}

async function hasBridge(bridge: string): Promise<boolean> {
  return runCommand('ip', ['link', 'show', bridge]).then(
    () => true,
    () => false,
  );
}

/** Makes the bridge; fine when it is there. */
export async function ensureBridge({ bridge, address }: EngineNetwork): Promise<void> {
  if (!(await hasBridge(bridge))) {
    await runCommand('ip', ['link', 'add', 'name', bridge, 'type', 'bridge']);
    await runCommand('ip', ['address', 'add', address, 'dev', bridge]);
  }
  await runCommand('ip', ['link', 'set', bridge, 'up']);
}

/** Takes back what the engine did to the host's network; another engine's part stays. */
export async function restoreNetwork(network: EngineNetwork): Promise<void> {
  const { bridge, hadChains, forwardPolicy, ipForward } = network;
  for (const table of TABLES) await removeRules(table, (rule) => rule.includes(bridge));
  if (await hasBridge(bridge)) await runCommand('ip', ['link', 'delete', bridge]);
  if (hadChains || (await hasOtherEngine())) return;
  for (const table of TABLES) await removeChains(table);
  await iptables('filter', ['-P', 'FORWARD', forwardPolicy]);
  await writeFile(IP_FORWARD, ipForward);
}

/** With our rules gone, a rule of Docker's that names an interface is that of another engine. */
async function hasOtherEngine(): Promise<boolean> {
  const rules = await rulesOf('filter');
  return rules.some((rule) => rule.includes('DOCKER') && / -[io] /.test(rule));
}

async function removeRules(table: string, isOurs: (rule: string) => boolean): Promise<void> {
  const rules = await rulesOf(table);
  for (const rule of rules.filter((line) => line.startsWith('-A ') && isOurs(line))) {
    await iptables(table, rule.replace('-A', '-D').split(' '));
  }
}

async function removeChains(table: string): Promise<void> {
  await removeRules(table, (rule) => rule.includes('DOCKER'));
  const rules = await rulesOf(table);
  for (const chain of rules.filter((rule) => rule.startsWith('-N DOCKER'))) {
    await iptables(table, chain.replace('-N', '-X').split(' '));
  }
}
