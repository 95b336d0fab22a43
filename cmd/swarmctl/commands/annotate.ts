import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { defineCommand } from './define-command.js';
import { addNotes } from './notes.js';

/** `swarmctl annotate`. */
export function annotateCommand(cli: Cli): Command {
  const command = defineCommand({
    name: 'annotate',
    summary: 'Set or remove annotations of objects',
    description:
      'Annotations are free notes for people and programs. They survive an apply of a file that does not name them, and never restart anything.',
    examples: [
      ['Who to call', "swarmctl annotate service web owner='the red team'"],
      [
        'Why the last change was made',
        "swarmctl annotate service/web swarm/change-cause='fixes the login' --overwrite",
      ],
      ['Remove one', 'swarmctl annotate service/web owner-'],
    ],
  });
  return addNotes(cli, command, {
    field: 'annotations',
    noun: 'annotation',
    words: { set: 'annotated', removed: 'annotated', none: 'not annotated' },
  });
}
