/** Docker's commands for services. */
import type { Command } from 'commander';
import type { Cli } from '../../cli.js';
import { defineGroup } from '../define-command.js';
import { notSupportedYet } from '../not-supported-yet.js';
import { createCommand } from './create.js';
import { inspectCommand } from './inspect.js';
import { logsCommand } from './logs.js';
import { lsCommand } from './ls.js';
import { psCommand } from './ps.js';
import { rmCommand } from './rm.js';
import { scaleCommand } from './scale.js';

/** `swarmctl service`. */
export function serviceCommand(cli: Cli): Command {
  return defineGroup(
    {
      name: 'service',
      summary: 'Services, as `docker service` does it',
      examples: [
        ['Create one and see it start', 'swarmctl service create --name web --replicas 3 nginx'],
        ['What it runs', 'swarmctl service ps web'],
      ],
    },
    [createCommand, inspectCommand, logsCommand, lsCommand, psCommand, rmCommand, scaleCommand].map(
      (make) => make(cli),
    ),
    [
      notSupportedYet(
        'update',
        'Change the file and `swarmctl apply -f` it (`swarmctl get service NAME -o yaml` prints one), or `swarmctl scale`.',
      ),
      notSupportedYet('rollback', 'Apply the file as it was before.'),
    ],
  );
}
