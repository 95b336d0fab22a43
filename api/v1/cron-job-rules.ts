import { SERVICE_NAME } from './common.js';
import type { CronJob } from './cron-job.js';
import { describeValue } from './problems.js';
import { parseDurationMs } from './quantities.js';
import type { Report } from './report.js';

/** Runs are called after the cron job and their time: `backup-29384756`, or `backup-run-x1y2z3`. */
const NAME_LENGTH = 52;
/** Another leader is there within this; what may not be later than that would be skipped for nothing. */
const SHORTEST_DEADLINE_MS = 10_000;

/** What a cron job must keep beyond its schema, its schedule and the job apart. */
export function cronJobRules({ metadata, spec }: CronJob, report: Report): void {
  const { name } = metadata;
  if (!SERVICE_NAME.test(name) || name.length > NAME_LENGTH) {
    report(
      'metadata.name',
      `found ${describeValue(name)}, expected at most ${NAME_LENGTH} characters of a-z, 0-9, "-" and "_", starting and ending with a-z or 0-9`,
    );
  }
  const { startingDeadline } = spec;
  const deadlineMs = parseDurationMs(startingDeadline ?? '');
  if (deadlineMs !== undefined && deadlineMs < SHORTEST_DEADLINE_MS) {
    report('spec.startingDeadline', `found ${String(startingDeadline)}, expected at least 10s`);
  }
  const modes = Object.keys(spec.job.mode ?? { replicatedJob: {} });
  if (modes.length !== 1) {
    report(
      'spec.job.mode',
      `found ${modes.length === 0 ? 'none' : modes.join(' and ')}, expected exactly one of replicatedJob, globalJob`,
    );
  }
}
