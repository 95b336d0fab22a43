import { Command } from 'commander';
import { UsageError } from '../exit-code.js';

/**
 * A command that people know from Docker and that is not there yet: hidden, and refused by name with what
 * does the same today.
 */
export function notSupportedYet(name: string, instead: string): Command {
  return new Command(name)
    .argument('[args...]')
    .allowUnknownOption()
    .helpOption(false)
    .action((_args: readonly string[], _options: object, self: Command) => {
      const path = [self.parent, self].map((each) => each?.name() ?? '').join(' ');
      throw new UsageError(`${path} is not supported yet`, instead);
    });
}
