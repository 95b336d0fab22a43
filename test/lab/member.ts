import { DockerEngine } from '../../pkg/engine/index.js';
import type { LabStateFile, MachinePlan } from './lab-state.js';
import type { Machine } from './machine.js';
import type { Part, PartName } from './part.js';
import { engineSocket } from './programs.js';
import type { Way, Wires } from './wires.js';

/** What a member of a lab is made of. */
export interface MemberOptions {
  readonly machine: Machine;
  readonly parts: readonly Part[];
  readonly wires: Wires;
  readonly state: LabStateFile;
}

/** A machine of a lab with the programs on it, and everything that can befall them. */
export class Member {
  readonly machine: Machine;
  readonly parts: readonly Part[];

  constructor(protected readonly options: MemberOptions) {
    this.machine = options.machine;
    this.parts = options.parts;
  }

  get name(): string {
    return this.machine.name;
  }

  get plan(): MachinePlan {
    return this.machine.plan;
  }

  /** Cuts its wire: to everybody, or to some machines; one way only when asked. */
  cut(others?: readonly string[], way: Way = 'both'): Promise<void> {
    return this.options.wires.cut([this.name], others, way);
  }

  /** Mends every cut that names this machine. */
  mend(): Promise<void> {
    return this.options.wires.mend([this.name]);
  }

  /** Cuts its power. */
  powerOff(): Promise<void> {
    return this.machine.powerOff();
  }

  /** Boots it, and starts its programs as its init system would. */
  async powerOn(): Promise<void> {
    await this.machine.powerOn();
    await Promise.all(this.parts.map((part) => part.start()));
  }

  /** Takes back whatever befell its machine and its programs. Does not wait for them. */
  async revive(): Promise<void> {
    await Promise.all(this.parts.map((part) => part.thaw()));
    await this.shiftClock(0);
    await this.powerOn();
  }

  /**
   * Sets the clock of its agent or manager, which starts again for it: milliseconds ahead, or behind when
   * negative; 0 is right. Those of an engine and of etcd stay what they are.
   */
  async shiftClock(byMs: number): Promise<void> {
    const { state } = this.options;
    const { [this.name]: before = 0, ...others } = state.value.clockShiftMs;
    if (before === byMs) return;
    await state.change({ clockShiftMs: byMs === 0 ? others : { ...others, [this.name]: byMs } });
    const ours = this.parts.filter(({ part }) => part === 'agent' || part === 'manager');
    for (const part of ours) {
      if (!(await part.isRunning())) continue; // it hears of it when it starts
      await part.stop();
      await part.start();
    }
  }

  /** Whether its machine is on and every program runs and moves. */
  async isWell(): Promise<boolean> {
    const states = this.parts.map(
      async (part) => (await part.isRunning()) && !(await part.isFrozen()),
    );
    return (await this.machine.isOn()) && !(await Promise.all(states)).includes(false);
  }

  protected part(name: PartName): Part {
    const part = this.parts.find((each) => each.part === name);
    if (!part) throw new Error(`${this.name} runs no ${name}`);
    return part;
  }
}

/** A member with one program: a manager, or a member of etcd. */
export class LoneMember extends Member {
  private get only(): Part {
    return this.parts[0]!;
  }

  /** Starts its program; does not wait for it. */
  start(): Promise<void> {
    return this.only.start();
  }

  /** Ends its program in good order. */
  stop(): Promise<void> {
    return this.only.stop();
  }

  /** Ends its program as a crash would. */
  kill(): Promise<void> {
    return this.only.kill();
  }

  /** Stops its program where it stands. */
  freeze(): Promise<void> {
    return this.only.freeze();
  }

  /** Lets it go on. */
  thaw(): Promise<void> {
    return this.only.thaw();
  }

  untilReady(): Promise<void> {
    return this.only.untilReady();
  }
}

/** A program of a host. */
export type HostPart = 'engine' | 'agent';

/** A host: a Docker Engine and an agent. */
export class LabHost extends Member {
  /** Reached through its socket: faults of the wire do not touch it. */
  readonly engine: DockerEngine;

  constructor(options: MemberOptions) {
    super(options);
    this.engine = new DockerEngine({
      host: { kind: 'unix', socketPath: engineSocket(options.machine) },
    });
  }

  start(part: HostPart): Promise<void> {
    return this.part(part).start();
  }

  stop(part: HostPart): Promise<void> {
    return this.part(part).stop();
  }

  kill(part: HostPart): Promise<void> {
    return this.part(part).kill();
  }

  freeze(part: HostPart): Promise<void> {
    return this.part(part).freeze();
  }

  thaw(part: HostPart): Promise<void> {
    return this.part(part).thaw();
  }

  untilReady(part: HostPart): Promise<void> {
    return this.part(part).untilReady();
  }
}
