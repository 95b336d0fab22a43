import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { completions } from '../completion/completions.js';
import { defineCommand } from './define-command.js';

/** `swarmctl __complete`: what the scripts of `swarmctl completion` ask. */
export function completeCommand(cli: Cli): Command {
  return defineCommand({
    name: '__complete',
    summary: 'Words that may follow',
    examples: [['What a shell asks', 'swarmctl __complete -- get serv']],
  })
    .argument('[word...]', 'the command line so far; the last word is not finished')
    .passThroughOptions()
    .action(async (words: readonly string[], _options: unknown, command: Command) => {
      const program = command.parent ?? command;
      const { areFiles, candidates } = await completions(program, words, cli);
      const lines = candidates.map(({ word, about = '' }) =>
        about === '' ? word : `${word}\t${about}`,
      );
      cli.streams.out(
        [areFiles ? ':files' : ':words', ...lines].map((line) => `${line}\n`).join(''),
      );
    });
}
