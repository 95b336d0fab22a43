import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SystemClock } from '../../pkg/base/index.js';

/**
 * Every process of a run folder, and whatever it starts in turn, carries this variable. It is the
 * proof that a pid is ours: pid files lie after a reboot, and pids are used again.
 */
const MARKER = 'SWARMKEEPER_RUN_DIR';
const POLL_MS = 50;
/** How often it is looked whether a wrapper has started what it wraps. */
const WRAPPER_POLL_MS = 5;

const clock = new SystemClock();

/** A process to start in the background. */
export interface Daemon {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** Default: our own environment. */
  readonly env?: NodeJS.ProcessEnv;
  /**
   * A command that forks and runs the program somewhere else, such as `nsenter --target=1 --all`. The
   * daemon is what it starts; the wrapper itself is ended, so that it does not share the daemon's fate.
   */
  readonly wrapper?: readonly [program: string, ...args: string[]];
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

/** The processes of one run folder: they outlive whoever started them, and are found again by it. */
export class Daemons {
  constructor(private readonly folder: string) {}

  /**
   * Starts a process that outlives us, with its output in `logs/<name>.log` of the folder; one that
   * runs already is left alone. Errors: when the program cannot be started.
   */
  async ensure(daemon: Daemon): Promise<void> {
    if ((await this.find(daemon.name)) !== undefined) return;
    const { name, wrapper = [], program, args, env = process.env } = daemon;
    const [command, ...rest] = [...wrapper, program, ...args];
    await mkdir(join(this.folder, 'pids'), { recursive: true });
    await mkdir(join(this.folder, 'logs'), { recursive: true });
    const log = await open(this.logFile(name), 'a');
    try {
      const child = spawn(command, rest, {
        detached: true, // Ctrl-C at the terminal is for us; we stop the others in order
        stdio: ['ignore', log.fd, log.fd],
        env: { ...env, [MARKER]: this.folder },
        cwd: this.folder,
      });
      await once(child, 'spawn');
      child.unref();
      const started = child.pid ?? 0;
      const pid = wrapper.length > 0 ? await this.wrapped(name, started) : started;
      await writeFile(this.pidFile(name), `${pid}\n`);
    } finally {
      await log.close();
    }
  }

  /** The pid of the daemon called `name`, undefined when it does not run. */
  async find(name: string): Promise<number | undefined> {
    const text = await readFile(this.pidFile(name), 'utf8').catch(() => '');
    const pid = Number.parseInt(text, 10);
    return Number.isInteger(pid) && (await this.isOurs(pid)) ? pid : undefined;
  }

  /** Stops the daemon: SIGTERM, and SIGKILL after `graceMs`. Fine when it does not run. */
  async stop(name: string, graceMs: number): Promise<void> {
    const pid = await this.find(name);
    if (pid !== undefined) await this.stopProcess(pid, graceMs);
    await rm(this.pidFile(name), { force: true });
  }

  /** Kills every process of ours that is left, however it came about. */
  async killLeftovers(): Promise<void> {
    const pids = await listPids();
    const ours = await Promise.all(
      pids.map(async (pid) => ((await this.isOurs(pid)) ? [pid] : [])),
    );
    const leftovers = ours.flat().filter((pid) => pid !== process.pid);
    await Promise.all(leftovers.map((pid) => this.stopProcess(pid, 0)));
  }

  /** True while `pid` runs and was started for this folder. */
  async isOurs(pid: number): Promise<boolean> {
    return (await environmentOf(pid)).split('\0').includes(`${MARKER}=${this.folder}`);
  }

  /** Polls until `isReady`. Errors: a message with the end of the daemon's log when it dies or is late. */
  async waitUntilReady({ what, daemon, timeoutMs, signal, isReady }: Wait): Promise<void> {
    const deadline = clock.monotonicMs() + timeoutMs;
    for (;;) {
      signal.throwIfAborted();
      if (await isReady()) return;
      if ((await this.find(daemon)) === undefined) {
        throw new Error(`${daemon} ended before ${what}\n${await this.logTail(daemon)}`);
      }
      if (clock.monotonicMs() > deadline) {
        const seconds = Math.round(timeoutMs / 1000);
        throw new Error(`no ${what} within ${seconds} s\n${await this.logTail(daemon)}`);
      }
      await clock.sleep(POLL_MS, signal);
    }
  }

  /** The last lines that the daemon wrote, below the name of their file. */
  async logTail(name: string, lines = 12): Promise<string> {
    const text = await readFile(this.logFile(name), 'utf8').catch(() => '');
    const last = text.trimEnd().split('\n').slice(-lines);
    return [`the end of ${this.logFile(name)}:`, ...last.map((line) => `  ${line}`)].join('\n');
  }

  private pidFile(name: string): string {
    return join(this.folder, 'pids', `${name}.pid`);
  }

  private logFile(name: string): string {
    return join(this.folder, 'logs', `${name}.log`);
  }

  /** The one child of a wrapper. */
  private async wrapped(name: string, wrapper: number): Promise<number> {
    for (;;) {
      const children = await childrenOf(wrapper);
      const [pid] = children;
      if (pid !== undefined) {
        signalProcess(wrapper, 'SIGKILL');
        return pid;
      }
      if (!(await this.isOurs(wrapper))) {
        throw new Error(`${name} could not be started\n${await this.logTail(name)}`);
      }
      await clock.sleep(WRAPPER_POLL_MS);
    }
  }

  private async stopProcess(pid: number, graceMs: number): Promise<void> {
    if (graceMs > 0) {
      signalProcess(pid, 'SIGTERM');
      const deadline = clock.monotonicMs() + graceMs;
      while (clock.monotonicMs() < deadline) {
        if (!(await this.isOurs(pid))) return;
        await clock.sleep(POLL_MS);
      }
    }
    signalProcess(pid, 'SIGKILL');
    // Nothing survives SIGKILL but a wait inside the kernel; there is no more to be done about that.
    const deadline = clock.monotonicMs() + 5_000;
    while ((await this.isOurs(pid)) && clock.monotonicMs() < deadline) await clock.sleep(POLL_MS);
  }
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

async function childrenOf(pid: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.trim().split(' ').filter(Boolean).map(Number);
}

/** All pids of this machine. */
export async function listPids(): Promise<readonly number[]> {
  const names = await readdir('/proc');
  return names.filter((name) => /^\d+$/.test(name)).map(Number);
}

/** The run folders that any process of this machine was started for. */
export async function listRunFolders(): Promise<ReadonlySet<string>> {
  const environments = await Promise.all((await listPids()).map(environmentOf));
  const folders = environments.flatMap((environment) =>
    environment
      .split('\0')
      .filter((line) => line.startsWith(`${MARKER}=`))
      .map((line) => line.slice(MARKER.length + 1)),
  );
  return new Set(folders);
}

/** Sends a signal; a process that is gone already is fine. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
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
