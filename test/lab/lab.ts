import { join } from 'node:path';
import { Daemons } from '../../deploy/local/daemons.js';
import { CONTAINER_LABEL } from '../../pkg/agent/index.js';
import type { SwarmClient } from '../../pkg/client/index.js';
import { clientOf } from '../fixtures/context.js';
import { eventually } from '../fixtures/eventually.js';
import { runProgram, type ProgramResult, type RunOptions } from '../fixtures/program.js';
import { LabStateFile, type MachineKind, type MachinePlan } from './lab-state.js';
import { oneWay } from './link-rules.js';
import { Machine, type MachineGround } from './machine.js';
import { LabHost, LoneMember, type Member, type MemberOptions } from './member.js';
import { LabNetwork } from './network.js';
import { Part, type Program } from './part.js';
import {
  agentProgram,
  engineProgram,
  etcdFlags,
  etcdProgram,
  managerProgram,
  metricsUrl,
} from './programs.js';
import { makerLock, removeLab } from './remains.js';
import { flawsOf, type FoundContainer } from './wholeness.js';
import { Wires, type Way } from './wires.js';
import type { EtcdCertificateFiles } from '../fixtures/certificates.js';

const WHOLE_TIMEOUT_MS = 60_000;
/** A cluster that is whole for so long without a break is at rest. */
const REST_MS = 1_000;
const ASK_TIMEOUT_MS = 1_000;
const CLOCK_SHIFT = new URL('clock-shift.js', import.meta.url).href;

/** Where the context of a lab's admin is. */
export const contextFile = (folder: string): string => join(folder, 'swarmctl.yaml');
/** Where the certificates for etcd are. */
export const certificateFolder = (folder: string): string => join(folder, 'certificates');

/** Files of {@link writeEtcdCertificates} in a lab's folder. */
function certificateFiles(folder: string): EtcdCertificateFiles {
  const file = (name: string) => join(certificateFolder(folder), name);
  return {
    ca: file('ca.pem'),
    serverCert: file('server.pem'),
    serverKey: file('server-key.pem'),
    clientCert: file('client.pem'),
    clientKey: file('client-key.pem'),
  };
}

/**
 * A cluster of many hosts on this machine, and everything that can go wrong with it. It is all in its folder:
 * another process can open the lab there, break it, and remove it.
 */
export class Lab {
  readonly hosts: readonly LabHost[];
  readonly managers: readonly LoneMember[];
  readonly etcds: readonly LoneMember[];
  readonly network: LabNetwork;
  readonly wires: Wires;
  private readonly ground: MachineGround;
  private api: SwarmClient | undefined;

  constructor(
    readonly folder: string,
    readonly state: LabStateFile,
  ) {
    const { id, operator, diesWithMaker } = state.value;
    const daemons = new Daemons(folder);
    const leash = diesWithMaker ? ['setpriv', '--pdeathsig=KILL', '--'] : [];
    this.network = new LabNetwork({ daemons, id, operator, leash });
    this.ground = { id, folder, daemons, leash, network: this.network };
    this.wires = new Wires(this.network, state, (name) => this.member(name).machine.address);
    const plans = (kind: MachineKind) => state.value.machines.filter((plan) => plan.kind === kind);
    this.hosts = plans('host').map((plan) => new LabHost(this.hostOptions(plan)));
    this.managers = plans('manager').map((plan) => this.loneMember(plan, managerOf));
    this.etcds = plans('etcd').map((plan) => this.loneMember(plan, etcdOf));
  }

  /** A lab that is there. Errors: when none is in `folder`. */
  static async open(folder: string): Promise<Lab> {
    const state = new LabStateFile(folder);
    await state.load();
    const lab = new Lab(folder, state);
    await lab.connect();
    return lab;
  }

  /** Makes a client of the context that `swarm-manager init` wrote; one that was there has seen nothing any more. */
  async connect(): Promise<void> {
    this.api?.close();
    this.api = await clientOf(contextFile(this.folder));
  }

  /** Talks to any manager, as the admin. */
  get client(): SwarmClient {
    if (!this.api) throw new Error('the lab has no cluster yet');
    return this.api;
  }

  /** Files of the certificates for etcd. */
  get certificates(): EtcdCertificateFiles {
    return certificateFiles(this.folder);
  }

  get members(): readonly Member[] {
    return [...this.etcds, ...this.managers, ...this.hosts];
  }

  host(name: string): LabHost {
    return found(this.hosts, name);
  }

  manager(name: string): LoneMember {
    return found(this.managers, name);
  }

  etcd(name: string): LoneMember {
    return found(this.etcds, name);
  }

  member(name: string): Member {
    return found(this.members, name);
  }

  /** Runs swarmctl as the admin. */
  swarmctl(args: readonly string[], options: RunOptions = {}): Promise<ProgramResult> {
    const env = { SWARMCTL_CONFIG: contextFile(this.folder), ...options.env };
    return runProgram('swarmctl', args, { ...options, env });
  }

  /** The manager that leads, by its own words. Errors: when none does, or two do. */
  async leader(): Promise<LoneMember> {
    return this.onlyOne(this.managers, /^swarm_leader_leading 1$/m);
  }

  /** The member of etcd that leads, by its own words. */
  async etcdLeader(): Promise<LoneMember> {
    return this.onlyOne(this.etcds, /^etcd_server_is_leader 1$/m);
  }

  /** What Prometheus would scrape of a machine; empty when it does not answer. */
  async metrics(member: Member): Promise<string> {
    try {
      const signal = AbortSignal.timeout(ASK_TIMEOUT_MS);
      return await (await fetch(metricsUrl(member.plan), { signal })).text();
    } catch {
      return '';
    }
  }

  /** Cuts two groups of machines off from each other, or one way only, as seen from the first. */
  partition(some: readonly string[], others: readonly string[], way: Way = 'both'): Promise<void> {
    return this.wires.cut(some, others, way);
  }

  /** Loses a share of the packets between all machines, or of those from and to some. */
  async loss(share: number, names?: readonly string[]): Promise<void> {
    const both = [oneWay(names, undefined, share), oneWay(undefined, names, share)];
    await this.wires.add(...(names ? both : [oneWay(undefined, undefined, share)]));
  }

  /** Mends everything that was broken on purpose, and starts what does not run. Does not wait for it. */
  async heal(): Promise<void> {
    await this.wires.mend();
    await Promise.all(this.members.map((member) => member.revive()));
  }

  /** All containers of tasks, on all engines. Errors: when an engine does not answer. */
  async containers(): Promise<readonly FoundContainer[]> {
    const lists = await Promise.all(
      this.hosts.map(async ({ name, engine }) => {
        const labels = { [CONTAINER_LABEL.task]: '' };
        const found = await engine.listContainers({ all: true, labels, timeoutMs: 5_000 });
        return found.map(({ id, state, labels: own }) => ({ host: name, id, state, labels: own }));
      }),
    );
    return lists.flat();
  }

  /** Compares what is declared with what really runs; nothing when the cluster is whole. */
  async flaws(): Promise<readonly string[]> {
    const [services, tasks, nodes, containers] = await Promise.all([
      this.client.listAll('services'),
      this.client.listAll('tasks'),
      this.client.listAll('nodes'),
      this.containers(),
    ]);
    const ended = await Promise.all(
      this.members.map(async (member) => ((await member.isWell()) ? [] : [member.name])),
    );
    return [
      ...ended.flat().map((name) => `a program on ${name} does not run`),
      ...flawsOf({ services: services.items, tasks: tasks.items, nodes: nodes.items, containers }),
    ];
  }

  /**
   * Waits until nothing is lost, doubled, stuck or an orphan, and stays so. Errors: after `withinMs` (default
   * 60,000), with everything that is not as it was declared.
   */
  async assertWhole(withinMs = WHOLE_TIMEOUT_MS): Promise<void> {
    let flaws: readonly string[] = [];
    let wholeSince: number | undefined;
    const check = async () => {
      flaws = await this.flaws();
      wholeSince = flaws.length > 0 ? undefined : (wholeSince ?? performance.now());
      return wholeSince !== undefined && performance.now() - wholeSince >= REST_MS;
    };
    try {
      await eventually('whole cluster', check, withinMs);
    } catch (error) {
      throw new Error([`the cluster is not whole after ${withinMs} ms`, ...flaws].join('\n'), {
        cause: error,
      });
    }
  }

  /** Removes everything. Safe to repeat, and in whatever state the lab is. */
  async dispose(): Promise<void> {
    this.api?.close();
    for (const { engine } of this.hosts) engine.close();
    await removeLab(this.folder);
    await makerLock(this.folder).release();
  }

  private async onlyOne(members: readonly LoneMember[], sign: RegExp): Promise<LoneMember> {
    const texts = await Promise.all(members.map((member) => this.metrics(member)));
    const leading = members.filter((_, index) => sign.test(texts[index] ?? ''));
    if (leading.length === 1) return leading[0]!;
    throw new Error(`${leading.length} lead: ${leading.map(({ name }) => name).join(', ')}`);
  }

  private hostOptions(plan: MachinePlan): MemberOptions {
    const machine = new Machine(plan, this.ground);
    const parts = [engineProgram(machine), agentProgram(machine)].map((program) =>
      this.part(machine, program),
    );
    return { machine, parts, wires: this.wires, state: this.state };
  }

  private part(machine: Machine, program: Program): Part {
    return new Part(machine, program, this.ground, () => this.clockEnvironment(machine.name));
  }

  private clockEnvironment(name: string): NodeJS.ProcessEnv {
    const shiftMs = this.state.value.clockShiftMs[name];
    if (shiftMs === undefined) return {};
    return { NODE_OPTIONS: `--import=${CLOCK_SHIFT}`, SWARM_LAB_CLOCK_SHIFT_MS: String(shiftMs) };
  }

  private loneMember(plan: MachinePlan, programOf: ProgramOf): LoneMember {
    const machine = new Machine(plan, this.ground);
    const members = this.state.value.machines.filter(({ kind }) => kind === 'etcd');
    const program = programOf(machine, members, this.certificates);
    const parts = [this.part(machine, program)];
    return new LoneMember({ machine, parts, wires: this.wires, state: this.state });
  }
}

type ProgramOf = (
  machine: Machine,
  members: readonly MachinePlan[],
  files: EtcdCertificateFiles,
) => Program;

const managerOf: ProgramOf = (machine, members, files) =>
  managerProgram(machine, etcdFlags(members, files));
const etcdOf: ProgramOf = etcdProgram;

function found<T extends Member>(members: readonly T[], name: string): T {
  const member = members.find((each) => each.name === name);
  if (!member)
    throw new Error(`the lab has no ${name}: ${members.map((each) => each.name).join(', ')}`);
  return member;
}
