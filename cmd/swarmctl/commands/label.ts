import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { defineCommand } from './define-command.js';
import { addNotes } from './notes.js';

/** `swarmctl label`. */
export function labelCommand(cli: Cli): Command {
  const command = defineCommand({
    name: 'label',
    summary: 'Set or remove labels of objects',
    description:
      'Labels are for selectors and placement. They survive an apply of a file that does not name them. Labels of services never restart anything.',
    examples: [
      ['For placement constraints', 'swarmctl label node worker-1 disk=ssd'],
      ['Change one, remove another', 'swarmctl label service web tier=front old- --overwrite'],
      ['All that a selector finds', 'swarmctl label services -l tier=web team=red'],
      ['See them', 'swarmctl label service/web --list'],
    ],
  });
  return addNotes(cli, command, {
    field: 'labels',
    noun: 'label',
    words: { set: 'labeled', removed: 'unlabeled', none: 'not labeled' },
  });
}
