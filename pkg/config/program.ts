import { InvalidObjectError, messageOf } from '../base/index.js';
import { helpWanted, loadOptions, type OptionTable, type Options } from './load-options.js';
import { renderHelp, type HelpText } from './render-help.js';

/** What a command has of the process. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Aborts when the process is asked to end. */
  readonly signal: AbortSignal;
}

/** The command line itself is wrong. */
export class UsageError extends Error {}

/** One command of a program, such as `run`. */
export interface ProgramCommand {
  execute(argv: readonly string[], around: Surroundings): Promise<void>;
}

/** A program of several commands. */
export interface Program {
  /** As it is typed: `swarm-agent`. */
  readonly name: string;
  /** What `--help` without a command shows. */
  readonly overview: string;
  readonly commands: Readonly<Record<string, ProgramCommand>>;
  /** Exit codes of errors that scripts must tell apart. Default: 1 for all. */
  exitCodeOf?(error: unknown): number;
}

const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/** A command that reads `options`, shows its help when asked to, and else does `work`. */
export function defineCommand<const T extends OptionTable>(
  options: T,
  help: HelpText,
  work: (options: Options<T>, around: Surroundings) => Promise<void>,
): ProgramCommand {
  return {
    execute: async (argv, around) => {
      if (helpWanted(argv)) around.out(renderHelp(options, help));
      else await work(readOptions(options, argv, around), around);
    },
  };
}

function readOptions<T extends OptionTable>(
  options: T,
  argv: readonly string[],
  { env }: Surroundings,
): Options<T> {
  try {
    return loadOptions(options, argv, env);
  } catch (error) {
    if (error instanceof InvalidObjectError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

/**
 * Runs what the arguments say; resolves to the exit code: 0, 1 when it failed, 2 when the command line is
 * wrong. Never throws: what went wrong is one line on standard error.
 */
export async function runProgram(
  program: Program,
  [name = '--help', ...argv]: readonly string[],
  around: Surroundings,
): Promise<number> {
  if (['--help', '-h', 'help'].includes(name)) {
    around.out(program.overview);
    return EXIT.ok;
  }
  const command = Object.hasOwn(program.commands, name) ? program.commands[name] : undefined;
  if (!command) {
    around.err(`${program.name}: unknown command "${name}"\n\n${program.overview}`);
    return EXIT.usage;
  }
  try {
    await command.execute(argv, around);
    return EXIT.ok;
  } catch (error) {
    around.err(`${program.name} ${name}: ${messageOf(error)}\n`);
    return error instanceof UsageError ? EXIT.usage : (program.exitCodeOf?.(error) ?? EXIT.failed);
  }
}

/** The surroundings of this very process: SIGTERM and SIGINT ask it to end. */
export function surroundingsOf(process: NodeJS.Process): Surroundings {
  const interrupt = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      interrupt.abort(new Error(`${signal} received`));
    });
  }
  return {
    env: process.env,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    signal: interrupt.signal,
  };
}
