import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { requireKind } from '../../objects/target.js';
import { namedFailure } from '../../objects/unknown-name.js';
import { followServices } from '../../progress/follow-services.js';
import { defineCommand } from '../define-command.js';
import { timeoutOption, waitDeadline } from '../timeout-option.js';

interface RunFlags {
  readonly wait?: boolean;
  readonly timeout: number;
}

/** `swarmctl cronjob run`. */
export function runCommand(cli: Cli): Command {
  return defineCommand({
    name: 'run',
    summary: 'Run a cron job now',
    description:
      'Starts a run beside the schedule, also while the cron job is suspended or another run goes on. Prints the service that runs it.',
    examples: [
      ['Now', 'swarmctl cronjob run backup'],
      ['And wait for its end; ends with 1 when it fails', 'swarmctl cronjob run backup --wait'],
    ],
  })
    .argument('<name>', 'name of the cron job')
    .option('--wait', 'show progress until the run has completed')
    .addOption(timeoutOption('1h'))
    .action((name: string, flags: RunFlags, command: Command) =>
      withCluster(cli, command, (session) => run(session, name.replace(/^[^/]*\//, ''), flags)),
    );
}

async function run(session: Session, name: string, flags: RunFlags): Promise<void> {
  const { api, streams } = session;
  const deadline = waitDeadline(streams, flags.timeout);
  // Named here, so that a call whose answer is lost can be repeated.
  const wanted = `${name}-run-${randomBytes(3).toString('hex')}`;
  await api
    .runCronJob(name, wanted, { signal: streams.interrupted })
    .catch(namedFailure(api, requireKind('cronjob'), name));
  streams.out(`service/${wanted} created\n`);
  if (flags.wait) await followServices(session, [wanted], deadline);
}
