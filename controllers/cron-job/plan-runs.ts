import { SCHEDULED_AT, type EffectiveCronJob, type StoredService } from '../../api/v1/index.js';
import type { CronJobChange } from './plan-changes.js';

/** A run of a cron job: a service in a job mode, and how it ended. */
export interface RunView {
  readonly service: StoredService;
  /** Undefined while it goes on. */
  readonly outcome?: 'complete' | 'failed' | undefined;
  /** ISO 8601; of one that has ended. */
  readonly finishedAt?: string | undefined;
}

/** The run still has something to do, be it only to go. */
export const isUnderWay = ({ service, outcome }: RunView): boolean =>
  outcome === undefined || service.metadata.deletingAt !== undefined;

/** Asks for the deletion of runs that it was not asked for yet. */
export function deletionOf(
  runs: readonly RunView[],
  why: Extract<CronJobChange, { kind: 'delete-run' }>['why'],
): readonly CronJobChange[] {
  return runs
    .filter(({ service }) => service.metadata.deletingAt === undefined)
    .map(({ service }) => ({ kind: 'delete-run', service, why }));
}

/** Lets go of the oldest finished runs beyond what is kept of each outcome. */
export function planHistory(
  runs: readonly RunView[],
  { keptSuccessful, keptFailed }: EffectiveCronJob,
): readonly CronJobChange[] {
  const surplus = (outcome: RunView['outcome'], kept: number) =>
    runs
      .filter((run) => run.outcome === outcome && run.service.metadata.deletingAt === undefined)
      .sort(newestFirst)
      .slice(kept);
  return deletionOf(
    [...surplus('complete', keptSuccessful), ...surplus('failed', keptFailed)],
    'history',
  );
}

/** By when they were due; those by hand by when they were made. */
function newestFirst({ service: a }: RunView, { service: b }: RunView): number {
  const [one, two] = [dueAt(a), dueAt(b)];
  if (one !== two) return one < two ? 1 : -1;
  return a.metadata.name < b.metadata.name ? 1 : -1;
}

const dueAt = ({ metadata }: StoredService): string =>
  metadata.labels[SCHEDULED_AT] ?? metadata.createdAt;
