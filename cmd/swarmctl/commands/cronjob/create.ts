import type { Command } from 'commander';
import { isJob, type CronJobSpec } from '../../../../api/v1/index.js';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { compact } from '../../docker/compact.js';
import {
  addCreateOptions,
  completeOptions,
  type CreateOptions,
} from '../../docker/create-options.js';
import { randomName } from '../../docker/random-name.js';
import { serviceSpecOf } from '../../docker/service-spec.js';
import { durationValue, given, integerValue, labelMap, oneOf } from '../../docker/values.js';
import { UsageError } from '../../exit-code.js';
import { defineDockerCommand } from '../define-command.js';

interface CronFlags {
  readonly schedule: string;
  readonly timeZone?: string;
  readonly concurrency?: string;
  readonly startingDeadline?: string;
  readonly suspend?: boolean;
  readonly keepSuccessful?: string;
  readonly keepFailed?: string;
}

type CreateFlags = Partial<CreateOptions> & CronFlags;

/** `swarmctl cronjob create`. */
export function createCommand(cli: Cli): Command {
  const command = defineDockerCommand({
    name: 'create',
    summary: 'Create a cron job',
    description:
      'What is run is told with the flags of "service create"; the mode is replicated-job or global-job (default: replicated-job).',
    examples: [
      [
        'Every night, by the clocks of Berlin',
        'swarmctl cronjob create --name backup --schedule "30 2 * * *" --time-zone Europe/Berlin backup:1',
      ],
      [
        'Every five minutes, skipped while one still goes on',
        'swarmctl cronjob create --name poll --schedule "*/5 * * * *" --concurrency forbid alpine wget -q http://shop/poll',
      ],
      [
        'On every node, once a week',
        'swarmctl cronjob create --name scrub --schedule @weekly --mode global-job scrub:1',
      ],
    ],
  })
    .argument('<image>', 'image to run')
    .argument('[command-and-args...]', "arguments in the place of the image's own")
    .passThroughOptions()
    .requiredOption('--schedule <cron>', 'five fields as in crontab(5), or @hourly, @daily, …')
    .option('--time-zone <name>', 'whose clocks the schedule means (default: UTC)')
    .option(
      '--concurrency <string>',
      'while a run goes on: allow, forbid, replace (default: allow)',
    )
    .option('--starting-deadline <duration>', 'start no run later than this after it was due')
    .option('--suspend', 'start nothing until it is resumed')
    .option('--keep-successful <n>', 'completed runs that are kept (default: 3)')
    .option('--keep-failed <n>', 'failed runs that are kept (default: 1)');
  return addCreateOptions(command).action(
    (image: string, args: readonly string[], flags: CreateFlags, self: Command) => {
      const options = completeOptions(flags);
      const job = jobOf(options, { image, args, environment: cli.streams.env });
      const cronJob = {
        apiVersion: 'swarm/v1',
        kind: 'CronJob',
        metadata: { name: flags.name ?? randomName() },
        spec: { ...timingOf(flags), job },
      };
      return withCluster(cli, self, (session) => create(session, cronJob));
    },
  );
}

function jobOf(
  options: CreateOptions,
  what: Parameters<typeof serviceSpecOf>[1],
): CronJobSpec['job'] {
  const spec = serviceSpecOf({ ...options, mode: options.mode ?? 'replicated-job' }, what);
  if (!isJob(spec)) {
    throw new UsageError('a cron job runs jobs: mode must be replicated-job or global-job');
  }
  const { mode, task, endpoint, update, rollback } = spec;
  if (update ?? rollback) {
    throw new UsageError('update and rollback flags are for services whose tasks run for ever');
  }
  const labels = labelMap('label', options.label);
  return { ...compact({ labels, mode, endpoint }), task };
}

const timingOf = (flags: CronFlags): Omit<CronJobSpec, 'job'> => ({
  schedule: flags.schedule,
  ...compact({
    timeZone: flags.timeZone,
    concurrency: given(flags.concurrency, 'concurrency', (flag, text) =>
      oneOf(flag, text, ['allow', 'forbid', 'replace']),
    ),
    startingDeadline: given(flags.startingDeadline, 'starting-deadline', durationValue),
    suspend: flags.suspend === true ? true : undefined,
    history: compact({
      successful: given(flags.keepSuccessful, 'keep-successful', integerValue),
      failed: given(flags.keepFailed, 'keep-failed', integerValue),
    }),
  }),
});

async function create({ api, streams }: Session, cronJob: object): Promise<void> {
  const { object } = await api.create('cronjobs', cronJob, { signal: streams.interrupted });
  streams.out(`cronjob/${object.metadata.name} created\n`);
}
