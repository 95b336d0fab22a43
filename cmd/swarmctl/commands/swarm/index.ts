/** Docker's commands for the cluster itself. */
import type { Command } from 'commander';
import type { Cli } from '../../cli.js';
import { defineGroup } from '../define-command.js';
import { joinTokenCommand } from './join-token.js';

/** `swarmctl swarm`. */
export function swarmCommand(cli: Cli): Command {
  return defineGroup(
    {
      name: 'swarm',
      summary: 'The cluster, as `docker swarm` does it',
      examples: [['How does a machine join?', 'swarmctl swarm join-token worker']],
    },
    [joinTokenCommand(cli)],
  );
}
