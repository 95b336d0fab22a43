/** Docker's commands for services. */
import type { Command } from 'commander';
import type { Cli } from '../../cli.js';
import { defineGroup } from '../define-command.js';
import { createCommand } from './create.js';
import { inspectCommand } from './inspect.js';
import { logsCommand } from './logs.js';
import { lsCommand } from './ls.js';
import { psCommand } from './ps.js';
import { rmCommand } from './rm.js';
import { rollbackCommand } from './rollback.js';
import { scaleCommand } from './scale.js';
import { updateCommand } from './update.js';

/** `swarmctl service`. */
export function serviceCommand(cli: Cli): Command {
  return defineGroup(
    {
      name: 'service',
      summary: 'Services, as `docker service` does it',
      examples: [
        ['Create one and see it start', 'swarmctl service create --name web --replicas 3 nginx'],
        ['What it runs', 'swarmctl service ps web'],
        ['A new image', 'swarmctl service update --image nginx:1.28 web'],
      ],
    },
    [
      createCommand,
      inspectCommand,
      logsCommand,
      lsCommand,
      psCommand,
      rmCommand,
      rollbackCommand,
      scaleCommand,
      updateCommand,
    ].map((make) => make(cli)),
  );
}
