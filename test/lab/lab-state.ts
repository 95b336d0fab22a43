import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContextRecord } from '../../deploy/local/context.js';
import type { LinkFault } from './link-rules.js';

/** What a machine is for. */
export type MachineKind = 'host' | 'manager' | 'etcd';

/** A machine of the lab. */
export interface MachinePlan {
  /** Such as `h1`, `m2` or `e3`. */
  readonly name: string;
  readonly kind: MachineKind;
  readonly address: string;
}

/** What a lab is, so that another process can break it, heal it or remove it. */
export interface LabState {
  /** Names what the lab makes outside of its folder: its link to us and its control groups. */
  readonly id: string;
  readonly startedAt: string;
  /** Our own address on its wire, where swarmctl calls from. */
  readonly operator: string;
  readonly machines: readonly MachinePlan[];
  /** Its machines die with the process that made it. */
  readonly diesWithMaker: boolean;
  /** What is wrong with its wire now. */
  readonly links: readonly LinkFault[];
  /** By how much the clocks of machines are wrong now. */
  readonly clockShiftMs: Readonly<Record<string, number>>;
  /** Set when all of it has come up. */
  readonly isUp: boolean;
  /** What was done to the user's swarmctl. */
  readonly context?: ContextRecord;
}

/** The state of one lab, in its folder. */
export class LabStateFile {
  private current: LabState | undefined;
  private writing: Promise<void> = Promise.resolve();

  constructor(private readonly folder: string) {}

  /** The state of a lab that is there, undefined when none is. */
  static async read(folder: string): Promise<LabState | undefined> {
    const text = await readFile(fileIn(folder), 'utf8').catch(() => undefined);
    return text === undefined ? undefined : (JSON.parse(text) as LabState);
  }

  get value(): LabState {
    if (!this.current) throw new Error(`no lab in ${this.folder}`);
    return this.current;
  }

  /** Takes over what is there. Errors: when no lab is. */
  async load(): Promise<LabState> {
    this.current = await LabStateFile.read(this.folder);
    return this.value;
  }

  /** A new lab, on disk before anything of it is made. */
  async create(state: LabState): Promise<void> {
    this.current = state;
    await this.write();
  }

  /** Changes a part, on disk at once. */
  async change(part: Partial<LabState>): Promise<void> {
    this.current = { ...this.value, ...part };
    await this.write();
  }

  private write(): Promise<void> {
    const text = `${JSON.stringify(this.value, undefined, 2)}\n`;
    this.writing = this.writing.then(() => this.replace(text));
    return this.writing;
  }

  private async replace(text: string): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const file = fileIn(this.folder);
    await writeFile(`${file}.new`, text, { mode: 0o600 });
    await rename(`${file}.new`, file);
  }
}

const fileIn = (folder: string): string => join(folder, 'lab.json');
