import { Type, type Static } from 'typebox';
import { Applied } from './applied.js';
import { Condition, Labels, ObjectMeta, Timestamp, duration, type StoredMeta } from './common.js';
import { Endpoint } from './endpoint.js';
import { durationMs } from './quantities.js';
import { GlobalJob, ReplicatedJob } from './service-mode.js';
import { TaskTemplate } from './task-template.js';

const closed = { additionalProperties: false } as const;

const instant = (description: string) => Type.String({ ...Timestamp, description });

/** The service that each tick makes. */
export const JobTemplate = Type.Object(
  {
    labels: Type.Optional(Labels),
    mode: Type.Optional(
      Type.Object(
        { replicatedJob: Type.Optional(ReplicatedJob), globalJob: Type.Optional(GlobalJob) },
        {
          ...closed,
          oneOfMembers: ['replicatedJob', 'globalJob'],
          description: 'One of replicatedJob and globalJob. Default: a replicated job of one task.',
        },
      ),
    ),
    task: TaskTemplate,
    endpoint: Type.Optional(Endpoint),
  },
  { ...closed, description: 'The job that is run: what a service in a job mode says.' },
);
export type JobTemplate = Static<typeof JobTemplate>;

/** Desired state of a cron job, as users write it. */
export const CronJobSpec = Type.Object(
  {
    schedule: Type.String({
      minLength: 1,
      description:
        'Five fields as in crontab(5): minute, hour, day of month, month, day of week; or @hourly, @daily, @weekly, @monthly, @yearly.',
    }),
    timeZone: Type.Optional(
      Type.String({
        minLength: 1,
        default: 'UTC',
        description: 'Whose clocks the schedule means, such as Europe/Berlin.',
      }),
    ),
    concurrency: Type.Optional(
      Type.Enum(['allow', 'forbid', 'replace'], {
        default: 'allow',
        description:
          'When its time comes while a run still goes on: run beside it, skip this time, or stop it and run then.',
      }),
    ),
    startingDeadline: Type.Optional(
      duration({
        description:
          'A time that nobody could look after for so long (no leader) is skipped; at least 10s. Default: it is made up for whenever that is possible, once.',
      }),
    ),
    suspend: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'Nothing is started; what passes meanwhile is not made up for.',
      }),
    ),
    history: Type.Optional(
      Type.Object(
        {
          successful: Type.Optional(
            Type.Integer({
              minimum: 0,
              maximum: 1000,
              default: 3,
              description: 'Completed runs that are kept.',
            }),
          ),
          failed: Type.Optional(
            Type.Integer({
              minimum: 0,
              maximum: 1000,
              default: 1,
              description: 'Failed runs that are kept.',
            }),
          ),
        },
        { ...closed, description: 'Finished runs that are kept, to look at.' },
      ),
    ),
    job: JobTemplate,
  },
  { ...closed, description: 'Desired state of the cron job.' },
);
export type CronJobSpec = Static<typeof CronJobSpec>;

/** Why a tick started nothing. */
export const SKIP_REASONS = [
  'ConcurrencyForbidden',
  'DeadlineMissed',
  'Superseded',
  'NameTaken',
] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

/** What controllers found about a cron job. */
export const CronJobStatus = Type.Object(
  {
    observedGeneration: Type.Integer({
      minimum: 0,
      description: 'Generation of the spec this status speaks of.',
    }),
    nextAt: Type.Optional(instant('The time that is due next.')),
    lastTickAt: Type.Optional(instant('The last time that was due and was decided about.')),
    lastRun: Type.Optional(
      Type.Object(
        { name: Type.String(), scheduledAt: Timestamp, startedAt: Timestamp },
        { description: 'The last run that was started by the schedule.' },
      ),
    ),
    lastSucceededAt: Type.Optional(instant('When a run completed last.')),
    active: Type.Array(Type.String(), { description: 'Runs that go on: names of services.' }),
    awaited: Type.Optional(
      instant('A time that was due; its run starts when the one before is gone.'),
    ),
    lastSkipped: Type.Optional(
      Type.Object(
        {
          scheduledAt: Timestamp,
          reason: Type.Enum([...SKIP_REASONS]),
          message: Type.String(),
        },
        { description: 'The last time that was due and started nothing, and why.' },
      ),
    ),
    conditions: Type.Array(Condition),
  },
  { description: 'What controllers found.' },
);
export type CronJobStatus = Static<typeof CronJobStatus>;

/** A cron job: a job that is run on a schedule. */
export const CronJob = Type.Object(
  {
    apiVersion: Type.Literal('swarm/v1'),
    kind: Type.Literal('CronJob'),
    metadata: ObjectMeta,
    spec: CronJobSpec,
    status: Type.Optional(CronJobStatus),
    applied: Type.Optional(Applied),
  },
  { ...closed, description: 'A job that is run on a schedule.' },
);
export type CronJob = Static<typeof CronJob>;

/** A cron job as stored: its desired half. */
export interface StoredCronJob {
  readonly apiVersion: 'swarm/v1';
  readonly kind: 'CronJob';
  readonly metadata: StoredMeta;
  readonly spec: CronJobSpec;
  readonly applied?: Applied;
}

/** The observed half of a cron job, with what the controller has to know of the past. */
export interface StoredCronJobStatus extends CronJobStatus {
  readonly cronJobUid: string;
  /** Schedule, time zone and suspension that `since` speaks of. */
  readonly plan: string;
  /** Nothing before this instant is due: the schedule became what it is then. */
  readonly since: string;
  readonly version: number;
}

/** Label of a run: when it was due (ISO 8601). Not there for one that was started by hand. */
export const SCHEDULED_AT = 'swarm/scheduled-at';
/** Label of a run: the name of its cron job. */
export const CRON_JOB = 'swarm/cron-job';

/** Asks for a run by hand. */
export const CronJobRun = Type.Object(
  {
    name: Type.Optional(
      Type.String({
        pattern: '^[a-z0-9]([-a-z0-9_]{0,61}[a-z0-9])?$',
        expected: 'at most 63 characters of a-z, 0-9, "-" and "_"',
        description:
          'Name of the service. A repeated request with the same name runs nothing twice. Default: made by the server.',
      }),
    ),
  },
  { ...closed, description: 'A run by hand.' },
);
export type CronJobRun = Static<typeof CronJobRun>;

/** A cron job's spec with every default filled in. */
export interface EffectiveCronJob {
  readonly timeZone: string;
  readonly concurrency: 'allow' | 'forbid' | 'replace';
  /** Infinity: none. */
  readonly startingDeadlineMs: number;
  readonly suspend: boolean;
  readonly keptSuccessful: number;
  readonly keptFailed: number;
}

/** Reads a cron job's spec, defaults included. */
export function effectiveCronJob(spec: CronJobSpec): EffectiveCronJob {
  const { timeZone = 'UTC', concurrency = 'allow', suspend = false, history = {} } = spec;
  return {
    timeZone,
    concurrency,
    startingDeadlineMs: durationMs(spec.startingDeadline, Infinity),
    suspend,
    keptSuccessful: history.successful ?? 3,
    keptFailed: history.failed ?? 1,
  };
}
