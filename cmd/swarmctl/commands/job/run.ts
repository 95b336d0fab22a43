import type { Command } from 'commander';
import { isJob, type Service } from '../../../../api/v1/index.js';
import { hasCode } from '../../../../pkg/base/index.js';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { UsageError } from '../../exit-code.js';
import { readService } from '../../objects/read-service.js';
import { followServices } from '../../progress/follow-services.js';
import { defineCommand } from '../define-command.js';
import { timeoutOption, waitDeadline } from '../timeout-option.js';

interface RunFlags {
  readonly wait?: boolean;
  readonly timeout: number;
  readonly message?: string;
}

/** `swarmctl job run`. */
export function runCommand(cli: Cli): Command {
  return defineCommand({
    name: 'run',
    summary: 'Run jobs again',
    description:
      'Starts another run of each job with its present template, whether the run before has ended or not: tasks of a run that goes on are stopped first.',
    examples: [
      ['Once more', 'swarmctl job run backup'],
      ['And wait for its end; ends with 1 when it fails', 'swarmctl job run backup --wait'],
      ['With a reason that is kept', 'swarmctl job run backup -m "before the upgrade"'],
    ],
  })
    .argument('<name...>', 'names of services that are jobs')
    .option('--wait', 'show progress until all have completed')
    .addOption(timeoutOption('1h'))
    .option('-m, --message <why>', 'why; kept with the run')
    .action((names: readonly string[], flags: RunFlags, command: Command) =>
      withCluster(cli, command, (session) => runAll(session, names, flags)),
    );
}

async function runAll(session: Session, args: readonly string[], flags: RunFlags): Promise<void> {
  const deadline = waitDeadline(session.streams, flags.timeout);
  const names = args.map((arg) => arg.replace(/^(services?|svc|jobs?)\//, ''));
  for (const name of names) requireJob(await readService(session, name));
  for (const name of names) {
    await run(session, name, flags);
    session.streams.out(`service/${name} runs again\n`);
  }
  if (flags.wait) await followServices(session, names, deadline);
}

function requireJob({ metadata, spec }: Service): void {
  if (isJob(spec)) return;
  throw new UsageError(
    `service/${metadata.name} is no job: its tasks run for ever`,
    `To replace its tasks: swarmctl service update --force ${metadata.name}`,
  );
}

/** Losing a race so often in a row is no race any more. */
const MAX_ATTEMPTS = 5;

/** Counts up from what is there, so the write holds its version and is made anew after a lost race. */
async function run({ api, streams }: Session, name: string, flags: RunFlags): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const { metadata, spec } = await readService({ api, streams }, name);
    const forceUpdate = (spec.task.forceUpdate ?? 0) + 1;
    const patch = { metadata: { version: metadata.version }, spec: { task: { forceUpdate } } };
    try {
      await api.patch('services', name, patch, {
        cause: flags.message,
        signal: streams.interrupted,
      });
      return;
    } catch (error) {
      if (!hasCode(error, 'ERR_CONFLICT') || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}
