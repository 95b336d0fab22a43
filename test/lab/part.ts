import { rm } from 'node:fs/promises';
import { isHealthy, signalProcess, type Daemon } from '../../deploy/local/daemons.js';
import { eventually } from '../fixtures/eventually.js';
import { isFrozen, listProcesses } from '../fixtures/process-table.js';
import type { Machine, MachineGround } from './machine.js';

/** The programs of a lab. */
export type PartName = 'engine' | 'agent' | 'manager' | 'etcd';

/** A program and how to tell that it works. */
export interface Program extends Pick<Daemon, 'program' | 'args'> {
  readonly part: PartName;
  /** True when it does its work, asked from outside. */
  readonly isReady: (signal: AbortSignal) => Promise<boolean>;
  /** Its children die with it, as when an init system ends a unit. Default: they do not. */
  readonly withChildren?: boolean;
  /** Files that a crashed one leaves and the next one stumbles over. */
  readonly pidFiles?: readonly string[];
}

const READY_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 20_000;
const ASK_TIMEOUT_MS = 2_000;

/** A program on a machine of the lab: to be started, stopped, killed and frozen. */
export class Part {
  /** Of its daemon and its log, such as `h1-agent`. */
  readonly name: string;

  constructor(
    readonly machine: Machine,
    private readonly program: Program,
    private readonly ground: MachineGround,
    /** More environment for the next start. */
    private readonly environment: () => NodeJS.ProcessEnv,
  ) {
    this.name = `${machine.name}-${program.part}`;
  }

  get part(): PartName {
    return this.program.part;
  }

  /** Starts it; fine when it runs. Does not wait for it. Errors: when its machine is off. */
  async start(): Promise<void> {
    if (await this.isRunning()) return;
    const { program, args, pidFiles = [] } = this.program;
    for (const file of pidFiles) await rm(file, { force: true });
    await this.ground.daemons.ensure({
      name: this.name,
      program,
      args,
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...this.environment() },
      wrapper: await this.machine.enter(),
    });
  }

  /** Resolves when it does its work. Errors: with the end of its log when it ends, or is late. */
  async untilReady(signal = new AbortController().signal): Promise<void> {
    await this.ground.daemons.waitUntilReady({
      what: `ready ${this.part} on ${this.machine.name}`,
      daemon: this.name,
      timeoutMs: READY_TIMEOUT_MS,
      signal,
      isReady: () =>
        this.program.isReady(AbortSignal.any([signal, AbortSignal.timeout(ASK_TIMEOUT_MS)])),
    });
  }

  /** Ends it in good order. */
  async stop(): Promise<void> {
    await this.thaw();
    await this.ground.daemons.stop(this.name, STOP_GRACE_MS);
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    const pid = await this.pid();
    const children = this.program.withChildren && pid !== undefined ? childrenOf(pid) : [];
    await this.ground.daemons.stop(this.name, 0);
    for (const child of children) signalProcess(child, 'SIGKILL');
    await eventually(`end of the children of ${this.name}`, () => !anyRuns(children));
  }

  /** Stops it where it stands: connections stay open, nothing answers. */
  async freeze(): Promise<void> {
    const pid = await this.pid();
    if (pid === undefined) return;
    signalProcess(pid, 'SIGSTOP');
    await eventually(`frozen ${this.name}`, () => isFrozen(pid));
  }

  /** Lets it go on after {@link freeze}; fine when it runs or not. */
  async thaw(): Promise<void> {
    const pid = await this.pid();
    if (pid !== undefined) signalProcess(pid, 'SIGCONT');
  }

  async isRunning(): Promise<boolean> {
    return (await this.pid()) !== undefined;
  }

  async isFrozen(): Promise<boolean> {
    const pid = await this.pid();
    return pid !== undefined && isFrozen(pid);
  }

  /** Its last lines. */
  log(lines?: number): Promise<string> {
    return this.ground.daemons.logTail(this.name, lines);
  }

  private pid(): Promise<number | undefined> {
    return this.ground.daemons.find(this.name);
  }
}

const childrenOf = (parent: number): readonly number[] =>
  listProcesses()
    .filter(({ parentPid }) => parentPid === parent)
    .map(({ pid }) => pid);

const anyRuns = (pids: readonly number[]): boolean =>
  listProcesses().some(({ pid, zombie }) => !zombie && pids.includes(pid));

/** For programs that say at an address whether they are well. */
export const healthAt =
  (url: string): Program['isReady'] =>
  (signal) =>
    isHealthy(url, signal);
