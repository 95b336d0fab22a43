/**
 * `make check`: everything that must hold before a commit, in parallel; one line for each check as it ends,
 * and at the end the output of those that failed. Exit status 1 when one did.
 *
 * `gate.ts --without NAME` leaves one out; may be repeated. Exit status 2 when there is no such check.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { CHECKS, type Check } from './checks.js';

interface Outcome {
  readonly check: Check;
  readonly isOk: boolean;
  readonly output: string;
}

const running = new Set<ChildProcess>();

/** The checks write to a pipe and are shown later: in colour only when a person looks at us. */
const ENVIRONMENT = process.stdout.isTTY
  ? { ...process.env, FORCE_COLOR: '1' }
  : { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined };

/** Runs one check to its end. Never rejects: a program that cannot start is a failed check. */
function run(check: Check): Promise<Outcome> {
  const [program, ...args] = check.command;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: ENVIRONMENT });
  running.add(child);
  let output = '';
  const collect = (chunk: Buffer) => (output += chunk.toString());
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  return new Promise((resolve) => {
    child.on('error', (error) => (output += error.message));
    child.on('close', (code) => {
      running.delete(child);
      resolve({ check, isOk: code === 0, output });
    });
  });
}

function report({ check, isOk }: Outcome, startedAt: number): void {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const mark = isOk ? 'ok    ' : 'FAILED';
  process.stdout.write(
    `${mark}  ${check.name.padEnd(12)} ${seconds.padStart(6)} s   ${check.what}\n`,
  );
}

/** As many at a time as there are cores, in the given order: the long ones come first. */
async function runAll(checks: readonly Check[]): Promise<readonly Outcome[]> {
  const waiting = [...checks];
  const outcomes: Outcome[] = [];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const startedAt = performance.now();
      const outcome = await run(next);
      report(outcome, startedAt);
      outcomes.push(outcome);
    }
  };
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, work));
  return outcomes;
}

/** The checks that the command line leaves. */
function chosenChecks(): readonly Check[] {
  const { values } = parseArgs({ options: { without: { type: 'string', multiple: true } } });
  const without = values.without ?? [];
  const unknown = without.filter((name) => !CHECKS.some((check) => check.name === name));
  if (unknown.length > 0) {
    const names = CHECKS.map(({ name }) => name).join(', ');
    process.stderr.write(`no check is called ${unknown.join(', ')}; there are ${names}\n`);
    process.exit(2);
  }
  return CHECKS.filter(({ name }) => !without.includes(name));
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    for (const child of running) child.kill();
    process.exit(130);
  });
}

const startedAt = performance.now();
await mkdir('node_modules/.cache', { recursive: true });
const checks = chosenChecks();
const outcomes = await runAll(checks);
const failed = outcomes.filter(({ isOk }) => !isOk);
for (const { check, output } of failed) {
  process.stdout.write(`\n--- ${check.name}: ${check.command.join(' ')}\n${output.trimEnd()}\n`);
}
const total = ((performance.now() - startedAt) / 1000).toFixed(1);
const verdict = failed.length === 0 ? 'all is well' : `${failed.length} of ${checks.length} failed`;
process.stdout.write(`\ncheck: ${verdict}, ${total} s\n`);
process.exit(failed.length === 0 ? 0 : 1);
