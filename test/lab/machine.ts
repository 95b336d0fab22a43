import { mkdir, readFile, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../../deploy/local/command.js';
import { signalProcess, type Daemons } from '../../deploy/local/daemons.js';
import { eventually } from '../fixtures/eventually.js';
import type { MachinePlan } from './lab-state.js';
import type { LabNetwork } from './network.js';

const INIT = fileURLToPath(new URL('machine-init.sh', import.meta.url));
const CGROUPS = '/sys/fs/cgroup';
/** The control groups of every lab are below this one. */
const CGROUP = 'swarmkeeper-lab';

/** What all machines of a lab share. */
export interface MachineGround {
  /** Of the lab. */
  readonly id: string;
  readonly folder: string;
  readonly daemons: Daemons;
  readonly network: LabNetwork;
  /** Put before a command whose process must not outlive us. */
  readonly leash: readonly string[];
}

/**
 * A machine: namespaces of its own for network, mounts, processes, host name and semaphores, and a `/run` of
 * its own. The first process holds all of it: with that one killed the rest ends at the same instant, as
 * with a power cut.
 */
export class Machine {
  readonly name: string;
  readonly address: string;
  /** What it keeps when the power is cut. */
  readonly folder: string;

  constructor(
    readonly plan: MachinePlan,
    private readonly ground: MachineGround,
  ) {
    this.name = plan.name;
    this.address = plan.address;
    this.folder = join(ground.folder, 'machines', plan.name);
  }

  /** Its `/run`, as seen from here. */
  get runFolder(): string {
    return join(this.folder, 'run');
  }

  /** The control group of its containers, as its engine is told. */
  get cgroup(): string {
    return join('/', CGROUP, this.ground.id, this.name);
  }

  /** Boots it, without anything running on it; fine when it is on. */
  async powerOn(): Promise<void> {
    if (await this.isOn()) return;
    const { daemons, network, leash } = this.ground;
    const up = join(this.folder, 'up');
    await rm(up, { force: true });
    await rm(this.runFolder, { recursive: true, force: true });
    await mkdir(this.runFolder, { recursive: true });
    const spaces = ['--net', '--mount', '--pid', '--uts', '--ipc', '--mount-proc'];
    const [program, ...args] = [...leash, 'unshare', ...spaces, '--fork', '--kill-child'];
    await daemons.ensure({
      name: this.name,
      program,
      args: [...args, 'sh', INIT, this.folder, this.name],
    });
    await eventually(`machine ${this.name}`, () => readFile(up).then(() => true));
    await network.connect(this.name, this.address, await this.init());
  }

  /** Cuts the power: everything on it ends at once, and only its disk stays. */
  async powerOff(): Promise<void> {
    const init = await this.init().catch(() => undefined);
    if (init !== undefined) signalProcess(init, 'SIGKILL');
    await this.ground.daemons.stop(this.name, 0);
    await this.ground.network.disconnect(this.name);
    await removeCgroups(this.cgroup);
  }

  async isOn(): Promise<boolean> {
    return (await this.ground.daemons.find(this.name)) !== undefined;
  }

  /** The command to put before another one that shall run on it. Errors: when it is off. */
  async enter(): Promise<readonly [string, ...string[]]> {
    const target = `--target=${String(await this.init())}`;
    return ['nsenter', target, '--net', '--mount', '--pid', '--uts', '--ipc'];
  }

  /** Runs a command on it to its end, and returns what that printed. */
  async run(command: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<string> {
    const [program, ...args] = await this.enter();
    return runCommand(program, [...args, ...command], { env });
  }

  /** Its first process: the child of the one that made its namespaces. */
  private async init(): Promise<number> {
    const maker = await this.ground.daemons.find(this.name);
    if (maker === undefined) throw new Error(`${this.name} is off`);
    const children = await readFile(
      `/proc/${String(maker)}/task/${String(maker)}/children`,
      'utf8',
    );
    return Number.parseInt(children, 10);
  }
}

/** Removes the control groups of all machines of a lab that is gone. */
export async function removeLabCgroups(id: string): Promise<void> {
  await removeCgroups(join(CGROUP, id));
  for (const place of await cgroupRoots()) {
    await rmdir(join(place, CGROUP)).catch(() => undefined); // that of another lab may be in it
  }
}

async function removeCgroups(group: string): Promise<void> {
  for (const place of await cgroupRoots()) await removeGroup(join(place, group));
}

/** With version 1 of control groups there is a tree for each controller. */
async function cgroupRoots(): Promise<readonly string[]> {
  const names = await readdir(CGROUPS).catch((): string[] => []);
  return [CGROUPS, ...names.map((name) => join(CGROUPS, name))];
}

/** From below. One that is in use for a moment longer is tried again. */
async function removeGroup(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  if (!entries) return;
  for (const entry of entries.filter((each) => each.isDirectory())) {
    await removeGroup(join(folder, entry.name));
  }
  await eventually(`empty ${folder}`, async () => {
    await rmdir(folder);
    return true;
  });
}
