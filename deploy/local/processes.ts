import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SystemClock } from '../../pkg/base/index.js';
import { LAYOUT } from './layout.js';

/**
 * Every process of a local cluster, and whatever it starts in turn, carries this variable. It is
 * the proof that a pid is ours: pid files lie after a reboot, and pids are used again.
 */
const MARKER = 'SWARMKEEPER_RUN_DIR';
const POLL_MS = 50;

const clock = new SystemClock();

/** A process to start in the background. */
export interface Daemon {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

const pidFile = (name: string) => join(LAYOUT.pids, `${name}.pid`);
const logFile = (name: string) => join(LAYOUT.logs, `${name}.log`);

/**
 * Starts a process that outlives us, with its output in `.run/logs/<name>.log`; one that runs
 * already is left alone.
 */
export async function ensureDaemon({ name, program, args, env }: Daemon): Promise<void> {
  if ((await findDaemon(name)) !== undefined) return;
  await mkdir(LAYOUT.pids, { recursive: true });
  await mkdir(LAYOUT.logs, { recursive: true });
  const log = await open(logFile(name), 'a');
  try {
    const child = spawn(program, args, {
      detached: true, // Ctrl-C at the terminal is for us; we stop the others in order
      stdio: ['ignore', log.fd, log.fd],
      env: { ...(env ?? process.env), [MARKER]: LAYOUT.run },
      cwd: LAYOUT.run,
    });
    await once(child, 'spawn');
    child.unref();
    await writeFile(pidFile(name), `${child.pid ?? 0}\n`);
  } finally {
    await log.close();
  }
}

/** True while `pid` runs and was started by a local cluster of this checkout. */
export async function isOurs(pid: number): Promise<boolean> {
  return (await environmentOf(pid)).split('\0').includes(`${MARKER}=${LAYOUT.run}`);
}

/** How often, and how far apart, a process is looked at again that seems to be in the middle of exec. */
const EXEC_LOOKS = 20;
const EXEC_LOOK_MS = 5;

/**
 * The environment of a process; empty when it is gone or not for us to read. Between the moment in which
 * exec drops the old program and the one in which the new one has its environment, the kernel shows none:
 * a process that lives and has a program is then looked at again.
 */
async function environmentOf(pid: number): Promise<string> {
  for (let look = 1; ; look += 1) {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => undefined);
    if (environment !== '') return environment ?? '';
    if (look === EXEC_LOOKS || !(await hasProgram(pid))) return '';
    await clock.sleep(EXEC_LOOK_MS);
  }
}

/** False for what is gone, for zombies and for threads of the kernel. */
async function hasProgram(pid: number): Promise<boolean> {
  return readlink(`/proc/${pid}/exe`).then(
    () => true,
    () => false,
  );
}

/** The pid of the daemon called `name`, undefined when it does not run. */
export async function findDaemon(name: string): Promise<number | undefined> {
  const text = await readFile(pidFile(name), 'utf8').catch(() => '');
  const pid = Number.parseInt(text, 10);
  return Number.isInteger(pid) && (await isOurs(pid)) ? pid : undefined;
}

/** Stops the daemon: SIGTERM, and SIGKILL after `graceMs`. Fine when it does not run. */
export async function stopDaemon(name: string, graceMs: number): Promise<void> {
  const pid = await findDaemon(name);
  if (pid !== undefined) await stopProcess(pid, graceMs);
  await rm(pidFile(name), { force: true });
}

/** Kills every process of ours that is left, however it came about. */
export async function killLeftovers(): Promise<void> {
  const pids = await listPids();
  const ours = await Promise.all(pids.map(async (pid) => ((await isOurs(pid)) ? [pid] : [])));
  const leftovers = ours.flat().filter((pid) => pid !== process.pid);
  await Promise.all(leftovers.map((pid) => stopProcess(pid, 0)));
}

/** All pids of this machine. */
export async function listPids(): Promise<readonly number[]> {
  const names = await readdir('/proc');
  return names.filter((name) => /^\d+$/.test(name)).map(Number);
}

async function stopProcess(pid: number, graceMs: number): Promise<void> {
  if (graceMs > 0) {
    signalProcess(pid, 'SIGTERM');
    const deadline = clock.monotonicMs() + graceMs;
    while (clock.monotonicMs() < deadline) {
      if (!(await isOurs(pid))) return;
      await clock.sleep(POLL_MS);
    }
  }
  signalProcess(pid, 'SIGKILL');
  // Nothing survives SIGKILL but a wait inside the kernel; there is no more to be done about that.
  const deadline = clock.monotonicMs() + 5_000;
  while ((await isOurs(pid)) && clock.monotonicMs() < deadline) await clock.sleep(POLL_MS);
}

/** Sends a signal; a process that is gone already is fine. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** What to wait for, and the process that must stay alive meanwhile. */
export interface Wait {
  readonly what: string;
  readonly daemon: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Resolves to true when the wait is over. */
  readonly isReady: () => Promise<boolean>;
}

/** Polls until `isReady`. Errors: a message with the end of the daemon's log when it dies or is late. */
export async function waitUntilReady(wait: Wait): Promise<void> {
  const deadline = clock.monotonicMs() + wait.timeoutMs;
  for (;;) {
    wait.signal.throwIfAborted();
    if (await wait.isReady()) return;
    if ((await findDaemon(wait.daemon)) === undefined) {
      throw new Error(`${wait.daemon} ended before ${wait.what}\n${await logTail(wait.daemon)}`);
    }
    if (clock.monotonicMs() > deadline) {
      const seconds = Math.round(wait.timeoutMs / 1000);
      throw new Error(`no ${wait.what} within ${seconds} s\n${await logTail(wait.daemon)}`);
    }
    await clock.sleep(POLL_MS, wait.signal);
  }
}

/** True when a health address answers 2xx. */
export async function isHealthy(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}

async function logTail(name: string, lines = 12): Promise<string> {
  const text = await readFile(logFile(name), 'utf8').catch(() => '');
  const last = text.trimEnd().split('\n').slice(-lines);
  return [`the end of ${logFile(name)}:`, ...last.map((line) => `  ${line}`)].join('\n');
}
