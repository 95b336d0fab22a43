/** Docker's commands for nodes. */
import type { Command } from 'commander';
import type { Cli } from '../../cli.js';
import { defineGroup } from '../define-command.js';
import { notSupportedYet } from '../not-supported-yet.js';
import { inspectCommand } from './inspect.js';
import { lsCommand } from './ls.js';
import { psCommand } from './ps.js';
import { rmCommand } from './rm.js';
import { updateCommand } from './update.js';

/** `swarmctl node`. */
export function nodeCommand(cli: Cli): Command {
  return defineGroup(
    {
      name: 'node',
      summary: 'Nodes, as `docker node` does it',
      examples: [
        ['Which nodes are there?', 'swarmctl node ls'],
        ['What does one run?', 'swarmctl node ps worker-1'],
        ['Take it out of service', 'swarmctl node update --availability drain worker-1'],
      ],
    },
    [inspectCommand(cli), lsCommand(cli), psCommand(cli), rmCommand(cli), updateCommand(cli)],
    [
      ...['promote', 'demote'].map((name) =>
        notSupportedYet(name, 'Managers are started beside etcd; see docs/operations.md.'),
      ),
    ],
  );
}
