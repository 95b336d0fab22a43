import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readlink } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { runCommand } from '../../deploy/local/command.js';
import type { Daemons } from '../../deploy/local/daemons.js';
import { eventually } from '../fixtures/eventually.js';
import { linkRules, type AddressOf, type LinkFault } from './link-rules.js';

const SWITCH = 'switch';
const BRIDGE = 'lab0';
const PREFIX_BITS = 24;

/** Candidates for the network of a lab: 10.214.0.0/24 to 10.214.255.0/24. */
const NETWORKS = '10.214';

/** The first three parts of a network that nothing on this machine uses; `seed` says where to begin. */
export async function findFreeNetwork(seed: number): Promise<string> {
  const routes = await runCommand('ip', ['-4', 'route', 'show', 'table', 'all']);
  const numbers = Array.from({ length: 256 }, (_, index) => (index + seed) % 256);
  const free = numbers.find((number) => !routes.includes(`${NETWORKS}.${String(number)}.`));
  if (free === undefined) throw new Error(`no free network in ${NETWORKS}.0.0/16 for the lab`);
  return `${NETWORKS}.${String(free)}`;
}

/** What the wire of a lab is made of. */
export interface LabNetworkOptions {
  readonly daemons: Daemons;
  /** Of the lab; names the end of the link that is on our side. */
  readonly id: string;
  readonly operator: string;
  /** Put before a command whose process must not outlive us. */
  readonly leash: readonly string[];
}

/**
 * The wire of a lab: a bridge in a network namespace of its own, to which every machine has one link, and
 * one end on our side. All that machines say to each other passes its rules.
 */
export class LabNetwork {
  private applying: Promise<void> = Promise.resolve();

  constructor(private readonly options: LabNetworkOptions) {}

  /** Makes it. It vanishes with its process, and all links with it. */
  async start(): Promise<void> {
    const { daemons, leash, id, operator } = this.options;
    const [program, ...args] = [...leash, 'unshare', '--net', 'sleep', 'infinity'];
    await daemons.ensure({ name: SWITCH, program, args });
    await this.untilApart();
    const own = `swk${id}`;
    await this.inSwitch(
      ...[`link add ${BRIDGE} type bridge mcast_snooping 0`, `link set ${BRIDGE} up`],
      ...['link add operator type veth peer name ours', `link set operator master ${BRIDGE} up`],
      `link set ours netns ${String(process.pid)} name ${own}`,
    );
    await batch(
      [],
      `address add ${operator}/${String(PREFIX_BITS)} dev ${own}`,
      `link set ${own} up`,
    );
  }

  /** Gives a machine, known by its first process, its place on the wire. */
  async connect(name: string, address: string, init: number): Promise<void> {
    await this.inSwitch(
      `link add ${name} type veth peer name eth0 netns ${String(init)}`,
      `link set ${name} master ${BRIDGE} up`,
    );
    await batch(
      ['nsenter', `--net=/proc/${String(init)}/ns/net`],
      `address add ${address}/${String(PREFIX_BITS)} dev eth0`,
      'link set eth0 up',
    );
  }

  /** Takes a machine off the wire. Its link goes with its namespace, but not at once. */
  async disconnect(name: string): Promise<void> {
    await this.inSwitch(`link delete ${name}`).catch(() => undefined);
  }

  /** Makes the wire have exactly these faults, all at once; one call after another. */
  apply(faults: readonly LinkFault[], addressOf: AddressOf): Promise<void> {
    const rules = linkRules(faults, addressOf);
    this.applying = this.applying.catch(() => undefined).then(() => this.load(rules));
    return this.applying;
  }

  /** Between the start of a process and its own network there is a moment. */
  private async untilApart(): Promise<void> {
    const own = await readlink('/proc/self/ns/net');
    await eventually('network of the lab', async () => {
      const pid = await this.options.daemons.find(SWITCH);
      return pid !== undefined && (await readlink(`/proc/${String(pid)}/ns/net`)) !== own;
    });
  }

  private async load(rules: string): Promise<void> {
    await piped([...(await this.enter()), 'nft', '-f', '-'], rules);
  }

  private async inSwitch(...lines: readonly string[]): Promise<void> {
    await batch(await this.enter(), ...lines);
  }

  private async enter(): Promise<readonly string[]> {
    const pid = await this.options.daemons.find(SWITCH);
    if (pid === undefined) throw new Error('the wire of the lab is not there');
    return ['nsenter', `--net=/proc/${String(pid)}/ns/net`];
  }
}

/** Runs lines of `ip`, in one process. */
const batch = (enter: readonly string[], ...lines: readonly string[]): Promise<void> =>
  piped([...enter, 'ip', '-batch', '-'], lines.map((line) => `${line}\n`).join(''));

async function piped(command: readonly string[], input: string): Promise<void> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'pipe'] });
  const ended = once(child, 'close') as Promise<[number | null]>;
  child.stdin.end(input);
  const words = await text(child.stderr);
  const [code] = await ended;
  if (code !== 0) throw new Error(`${command.join(' ')}: ${words.trim()}\n${input}`);
}
