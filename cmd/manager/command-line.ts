import { AlreadyExistsError, InvalidObjectError, messageOf } from '../../pkg/base/index.js';
import { helpWanted, loadOptions, renderHelp } from '../../pkg/config/index.js';
import { initCluster } from './init.js';
import { HELP, OVERVIEW, initOptions, runOptions } from './options.js';
import { runManager } from './wire.js';

/** What a command has of the process. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Aborts when the process is asked to end. */
  readonly signal: AbortSignal;
}

const OK = 0;
const FAILED = 1;
const USAGE = 2;
const EXISTS = 3;

/** Runs what the arguments say; resolves to the exit code. */
export async function runCommandLine(
  [command = '--help', ...argv]: readonly string[],
  around: Surroundings,
): Promise<number> {
  try {
    switch (command) {
      case 'init':
        return await init(argv, around);
      case 'run':
        return await run(argv, around);
      case '--help':
      case '-h':
      case 'help':
        around.out(OVERVIEW);
        return OK;
      default:
        around.err(`swarm-manager: unknown command "${command}"\n\n${OVERVIEW}`);
        return USAGE;
    }
  } catch (error) {
    around.err(`swarm-manager ${command}: ${messageOf(error)}\n`);
    return exitCodeOf(error);
  }
}

async function init(argv: readonly string[], around: Surroundings): Promise<number> {
  if (helpWanted(argv)) {
    around.out(renderHelp(initOptions, HELP.init));
    return OK;
  }
  const options = asUsage(() => loadOptions(initOptions, argv, around.env));
  around.out(await initCluster(options, around.signal));
  return OK;
}

async function run(argv: readonly string[], around: Surroundings): Promise<number> {
  if (helpWanted(argv)) {
    around.out(renderHelp(runOptions, HELP.run));
    return OK;
  }
  const options = asUsage(() => loadOptions(runOptions, argv, around.env));
  await runManager(options, around.signal);
  return OK;
}

/** The command line itself is wrong. */
class UsageError extends Error {}

function asUsage<T>(load: () => T): T {
  try {
    return load();
  } catch (error) {
    if (error instanceof InvalidObjectError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return USAGE;
  return error instanceof AlreadyExistsError ? EXISTS : FAILED;
}
