import { Option, type Command } from 'commander';
import type { WriteOptions } from '../../../pkg/client/index.js';
import type { WrittenFormat } from '../output/print-written.js';
import type { Streams } from '../streams.js';

/** Flags of every command that changes objects. */
export interface WriteFlags {
  readonly message?: string;
  readonly dryRun?: boolean;
  readonly output?: WrittenFormat;
}

/** Gives a command those flags. */
export function addWriteOptions(command: Command): Command {
  return command
    .option('-m, --message <why>', 'why; kept with the change and shown by its history')
    .option('--dry-run', 'check everything and say what would happen, but write nothing')
    .addOption(
      new Option('-o, --output <format>', 'print the objects instead').choices([
        'name',
        'json',
        'yaml',
      ] satisfies WrittenFormat[]),
    );
}

/** How the flags mean a write. */
export function writeOptionsOf(
  { message, dryRun = false }: WriteFlags,
  { interrupted }: Streams,
): WriteOptions {
  return { dryRun, cause: message, signal: interrupted };
}
