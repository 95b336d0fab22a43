import type { Command } from 'commander';
import type { Cli } from '../../cli.js';
import { UsageError } from '../../exit-code.js';
import { defineCommand } from '../define-command.js';
import { addSetOptions, setTemplates, type SetFlags } from './set-command.js';

/** `swarmctl set image`. */
export function setImageCommand(cli: Cli): Command {
  const command = defineCommand({
    name: 'image',
    summary: 'Set the image of services',
    examples: [
      ['One service, and see it happen', 'swarmctl set image service/web nginx:1.28 --wait'],
      ['Several, and say why', "swarmctl set image service web api app:2 -m 'release 2'"],
      ['All with a label', 'swarmctl set image services -l tier=web nginx:1.28'],
    ],
  }).argument('<service...>', 'service/NAME or service NAME, and the image at the end');
  return addSetOptions(command).action(
    (words: readonly string[], flags: SetFlags, self: Command) => {
      const targets = words.slice(0, -1);
      const image = (words.at(-1) ?? '').replace(/^[^=:/@]+=/, ''); // kubectl names the container: web=nginx:1.28
      if (targets.length === 0 || image === '') {
        throw new UsageError('name services and an image', 'Such as service/web nginx:1.28.');
      }
      return setTemplates(cli, self, {
        targets,
        flags,
        word: 'image updated',
        patch: { container: { image } },
      });
    },
  );
}
