import type { Command } from 'commander';
import { withCluster, type Cli } from '../../cli.js';
import { orderRollback } from '../../objects/order-rollback.js';
import { followServices } from '../../progress/follow-services.js';
import { quietly } from '../../progress/quietly.js';
import { defineDockerCommand } from '../define-command.js';
import { waitDeadline } from '../timeout-option.js';

interface RollbackFlags {
  readonly detach?: boolean;
  readonly quiet?: boolean;
  readonly message?: string;
}

/** `swarmctl service rollback`. */
export function rollbackCommand(cli: Cli): Command {
  return defineDockerCommand({
    name: 'rollback',
    summary: "Revert changes to a service's configuration",
    description:
      'Takes the template of the tasks from the revision before. Unlike Docker, it leaves replicas and labels as they are; `swarmctl rollout undo --to-revision` goes further back.',
    examples: [
      ['And see it happen', 'swarmctl service rollback web'],
      ['Without waiting', 'swarmctl service rollback --detach web'],
    ],
  })
    .argument('<service>', 'name of a service')
    .option('-d, --detach', 'exit immediately instead of waiting for the service to converge')
    .option('-q, --quiet', 'suppress progress output')
    .option('-m, --message <why>', 'why; kept with the change and shown by its history')
    .action((name: string, { detach, quiet, message }: RollbackFlags, self: Command) =>
      withCluster(cli, self, async (session) => {
        const { streams } = session;
        await orderRollback(session, name, message);
        streams.out(`${name}\n`);
        if (detach) return;
        const shown = quiet ? quietly(session) : session;
        await followServices(shown, [name], waitDeadline(streams, 0));
      }),
    );
}
