import type { Command } from 'commander';
import { collect } from './define-command.js';

/** Flags of commands that read files. */
export interface FileFlags {
  readonly filename?: readonly string[];
  readonly recursive?: boolean;
}

/** Gives a command those flags. */
export function addFileOptions(command: Command, what: string): Command {
  return command
    .option('-f, --filename <file|dir|->', what, collect)
    .option('-R, --recursive', 'also directories below');
}
