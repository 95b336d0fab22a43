import { CommanderError } from 'commander';
import { createCli, type Connect } from './cli.js';
import {
  AlreadyToldError,
  EXIT,
  NoAnswerError,
  exitCodeOf,
  wordsOf,
  type ExitCode,
} from './exit-code.js';
import { buildProgram } from './program.js';
import type { Streams } from './streams.js';

/** Runs one command line (without the program's own name). Never throws. */
export async function runSwarmctl(
  args: readonly string[],
  streams: Streams,
  connect?: Connect,
): Promise<ExitCode> {
  try {
    const named = new Set(args);
    const program = await buildProgram(createCli(streams, connect), (name) => named.has(name));
    await program.parseAsync(args, { from: 'user' });
    return streams.interrupted.aborted ? EXIT.interrupted : EXIT.ok;
  } catch (error) {
    return failed(error, streams);
  }
}

function failed(error: unknown, streams: Streams): ExitCode {
  if (error instanceof CommanderError) return exitCodeOfCommander(error);
  if (streams.interrupted.aborted) return EXIT.interrupted;
  if (!isTold(error)) streams.err(wordsOf(error));
  if (streams.env['SWARMCTL_DEBUG'] && error instanceof Error) {
    streams.err(`${error.stack ?? error.message}\n`);
  }
  return exitCodeOf(error);
}

const isTold = (error: unknown) =>
  (error instanceof NoAnswerError ? error.failure : error) instanceof AlreadyToldError;

/** A group without a command shows its help: that is an answer, not a mistake. */
function exitCodeOfCommander({ code, exitCode }: CommanderError): ExitCode {
  return exitCode === 0 || code === 'commander.help' ? EXIT.ok : EXIT.usage;
}
