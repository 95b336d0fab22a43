import {
  CRON_JOB,
  SCHEDULED_AT,
  jobSpecOf,
  type StoredCronJob,
  type StoredMeta,
  type StoredService,
} from '../../api/v1/index.js';

/** What makes one run different from the others. */
export interface RunIdentity {
  /** Name of the service. */
  readonly name: string;
  readonly uid: string;
  /** When it was due, ISO 8601; undefined for a run by hand. */
  readonly scheduledAt?: string | undefined;
  /** ISO 8601. */
  readonly now: string;
}

/** A new service that runs a cron job once, and goes when the cron job goes. */
export function runOfCronJob(
  { metadata, spec }: StoredCronJob,
  { name, uid, scheduledAt, now }: RunIdentity,
): Omit<StoredService, 'metadata'> & { readonly metadata: Omit<StoredMeta, 'version'> } {
  const due = scheduledAt === undefined ? {} : { [SCHEDULED_AT]: scheduledAt };
  return {
    apiVersion: 'swarm/v1',
    kind: 'Service',
    metadata: {
      name,
      uid,
      generation: 1,
      createdAt: now,
      updatedAt: now,
      labels: { ...spec.job.labels, [CRON_JOB]: metadata.name, ...due },
      ownedBy: { kind: 'CronJob', name: metadata.name, uid: metadata.uid },
    },
    spec: jobSpecOf(spec),
  };
}

/** The name of the run that is due at an instant: there is one for each, whoever makes it. */
export const runName = (cronJob: string, dueMs: number): string =>
  `${cronJob}-${String(Math.floor(dueMs / 60_000))}`;
