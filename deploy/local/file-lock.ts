import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

interface Holder {
  readonly pid: number;
  /** From /proc: tells the holder from a later process with the same pid. */
  readonly startedTicks: string;
}

const START_TIME_FIELD = 22;

/** When a process started, in the kernel's ticks; undefined when it does not run. */
async function startedTicks(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The second field is the program's name in brackets and may hold anything.
  const rest = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return rest?.[0] === 'Z' ? undefined : rest?.[START_TIME_FIELD - 3];
}

/** Undefined for what a process wrote that was killed in the middle of it. */
function parseHolder(text: string): Holder | undefined {
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return undefined;
  }
}

/** A lock that is held by one process at a time, and by nobody once that has ended, however it did. */
export class FileLock {
  constructor(private readonly file: string) {}

  /** The pid of the process that has it, undefined when none has. */
  async holder(): Promise<number | undefined> {
    const holder = parseHolder(await readFile(this.file, 'utf8').catch(() => ''));
    if (!holder) return undefined;
    const isAlive = (await startedTicks(holder.pid)) === holder.startedTicks;
    return isAlive ? holder.pid : undefined;
  }

  /** Takes it, or returns the pid of the process that has it. */
  async acquire(): Promise<number | undefined> {
    await mkdir(dirname(this.file), { recursive: true });
    const holder: Holder = {
      pid: process.pid,
      startedTicks: (await startedTicks(process.pid)) ?? '',
    };
    for (;;) {
      try {
        await writeFile(this.file, JSON.stringify(holder), { flag: 'wx' });
        return undefined;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        const other = await this.holder();
        if (other !== undefined) return other;
        await this.release(); // its holder was killed
      }
    }
  }

  async release(): Promise<void> {
    await rm(this.file, { force: true });
  }
}
