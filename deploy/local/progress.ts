import { messageOf } from '../../pkg/base/index.js';

/** Steps shorter than this pass without a line of their own while they run. */
const SILENT_MS = 1_000;
const REMINDER_MS = 10_000;

// A terminal that went away (SIGHUP, a closed pipe) must not keep us from cleaning up.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

/** Prints one line for the person at the terminal. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Prints one line about what went wrong. */
export function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}

/**
 * Runs one step of the set-up: says what it waits for once it takes over a second, and at the end
 * what came out (the string that `work` returns) and how long it took.
 */
export async function step(
  name: string,
  waitingFor: string,
  work: () => Promise<string>,
): Promise<void> {
  const startedAt = performance.now();
  const line = (text: string) => say(`${name.padEnd(9)} ${text}`);
  const seconds = () => ((performance.now() - startedAt) / 1000).toFixed(1);
  let reminder = setTimeout(function remind() {
    line(`${waitingFor} … ${seconds()} s`);
    reminder = setTimeout(remind, REMINDER_MS);
  }, SILENT_MS);
  try {
    line(`${await work()} (${seconds()} s)`);
  } finally {
    clearTimeout(reminder);
  }
}

/** Runs one step of a clean-up: what goes wrong is reported, and the next step runs all the same. */
export async function attempt(what: string, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    complain(`could not ${what}: ${messageOf(error)}`);
    return false;
  }
}
