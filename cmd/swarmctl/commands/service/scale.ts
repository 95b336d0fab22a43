import type { Command } from 'commander';
import { withCluster, type Cli, type Session } from '../../cli.js';
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

async function scale(
  session: Session,
  scales: readonly Scale[],
  isDetached: boolean,
): Promise<void> {
  for (const wanted of scales) {
    await scaleService(session, wanted);
    session.streams.out(`${wanted.name} scaled to ${String(wanted.replicas)}\n`);
  }
  if (isDetached) return;
  const names = scales.map(({ name }) => name);
  await followServices(session, names, waitDeadline(session.streams, 0));
}
