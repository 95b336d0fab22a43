import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { LAYOUT } from './layout.js';

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

/** The pid of the process that is starting or running a local cluster, undefined when none is. */
export async function findLockHolder(): Promise<number | undefined> {
  const holder = parseHolder(await readFile(LAYOUT.lock, 'utf8').catch(() => ''));
  if (!holder) return undefined;
  const isAlive = (await startedTicks(holder.pid)) === holder.startedTicks;
  return isAlive ? holder.pid : undefined;
}

/** Takes the lock, or returns the pid of the process that has it. */
export async function acquireLock(): Promise<number | undefined> {
  await mkdir(LAYOUT.run, { recursive: true });
  const holder: Holder = {
    pid: process.pid,
    startedTicks: (await startedTicks(process.pid)) ?? '',
  };
  for (;;) {
    try {
      await writeFile(LAYOUT.lock, JSON.stringify(holder), { flag: 'wx' });
      return undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const other = await findLockHolder();
      if (other !== undefined) return other;
      await releaseLock(); // its holder was killed
    }
  }
}

export async function releaseLock(): Promise<void> {
  await rm(LAYOUT.lock, { force: true });
}
