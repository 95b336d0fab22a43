import type { Command } from 'commander';
import { hasCode, messageOf } from '../../../../pkg/base/index.js';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { AlreadyToldError, UsageError } from '../../exit-code.js';
import { parseScale, scaleService, type Scale } from '../../objects/scale-services.js';
import { followServices } from '../../progress/follow-services.js';
import { defineDockerCommand } from '../define-command.js';
import { waitDeadline } from '../timeout-option.js';

/** `swarmctl service scale`. */
export function scaleCommand(cli: Cli): Command {
  return defineDockerCommand({
    name: 'scale',
    summary: 'Scale one or multiple replicated services',
    examples: [['Two services', 'swarmctl service scale web=5 api=3']],
  })
    .argument('<service=replicas...>', 'services and their number of tasks')
    .option('-d, --detach', 'exit immediately instead of waiting for the service to converge')
    .action((args: readonly string[], { detach }: { detach?: boolean }, command: Command) => {
      const scales = args.map(parseScale);
      return withCluster(cli, command, (session) => scale(session, scales, detach ?? false));
    });
}

/** One after the other; those that cannot be scaled do not keep the others. */
async function scale(
  session: Session,
  scales: readonly Scale[],
  isDetached: boolean,
): Promise<void> {
  const { streams } = session;
  const done: string[] = [];
  for (const wanted of scales) {
    try {
      await scaleService(session, wanted);
      streams.out(`${wanted.name} scaled to ${String(wanted.replicas)}\n`);
      done.push(wanted.name);
    } catch (error) {
      const isOfService = hasCode(error, 'ERR_NOT_FOUND') || error instanceof UsageError;
      if (!isOfService || scales.length === 1) throw error;
      streams.err(`error: ${wanted.name}: ${messageOf(error)}\n`);
    }
  }
  if (!isDetached) await followServices(session, done, waitDeadline(streams, 0));
  if (done.length < scales.length) throw new AlreadyToldError('some services were not scaled');
}
