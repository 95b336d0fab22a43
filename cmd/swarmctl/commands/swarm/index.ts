/** Docker's commands for the cluster itself. */
import type { Command } from 'commander';
import type { Cli } from '../../cli.js';
import { defineGroup } from '../define-command.js';
import { notSupportedYet } from '../not-supported-yet.js';
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
    [
      notSupportedYet('init', 'A cluster is made by `swarm-manager init`.'),
      notSupportedYet(
        'join',
        'A machine joins by `swarm-agent join`; `swarmctl swarm join-token worker` says how.',
      ),
      notSupportedYet('leave', 'Stop swarm-agent there, then `swarmctl delete node NAME`.'),
      notSupportedYet(
        'update',
        'Change the settings with `swarmctl get cluster default -o yaml` and `swarmctl apply -f`.',
      ),
    ],
  );
}
