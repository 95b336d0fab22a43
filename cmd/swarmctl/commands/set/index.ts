/** Changes of single fields of services, such as their image. */
import type { Command } from 'commander';
import type { Cli } from '../../cli.js';
import { defineGroup } from '../define-command.js';
import { setEnvCommand } from './env.js';
import { setImageCommand } from './image.js';
import { setResourcesCommand } from './resources.js';

/** `swarmctl set`. */
export function setCommand(cli: Cli): Command {
  return defineGroup(
    {
      name: 'set',
      summary: 'Set the image, environment or resources of services',
      description:
        'What is set here survives an apply of a file that does not name it; a file that names it takes it back.',
      examples: [
        ['A new image', 'swarmctl set image service/web nginx:1.28 --wait'],
        ['A variable', 'swarmctl set env service/web LOG_LEVEL=debug'],
        ['More memory', 'swarmctl set resources service/web --limits memory=256Mi'],
      ],
    },
    [setImageCommand(cli), setEnvCommand(cli), setResourcesCommand(cli)],
  );
}
