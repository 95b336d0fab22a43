import type { StoredCronJob } from '../../api/v1/index.js';
import type { EventRecorder, EventReport } from '../../pkg/events/index.js';
import type { CronJobPlan } from './plan.js';
import { stampOf, type CronJobChange, type Skip } from './plan-changes.js';

const SOURCE = 'cron-job-controller';

/** Says what was done for a cron job. */
export function recordPlan(
  events: EventRecorder,
  cronJob: StoredCronJob,
  { changes, skipped }: CronJobPlan,
): void {
  const say = reporter(events, cronJob);
  for (const skip of skipped) say('warning', 'CronJobSkipped', skipWords(skip));
  for (const change of changes) {
    if (change.kind === 'start-run') say('normal', 'RunStarted', startWords(change));
    if (change.kind === 'delete-run' && change.why === 'replaced') {
      const { name } = change.service.metadata;
      say('normal', 'RunReplaced', `${name} goes, because the next run is due`);
    }
    if (change.kind === 'delete-cron-job') say('normal', 'CronJobDeleted', 'nothing of it is left');
  }
}

const skipWords = ({ dueMs, reason, message }: Skip): string =>
  `nothing was started for ${stampOf(dueMs)}: ${reason}: ${message}`;

function startWords({
  name,
  dueMs,
  missed,
}: Extract<CronJobChange, { kind: 'start-run' }>): string {
  const started = `${name} started for ${stampOf(dueMs)}`;
  if (missed === 0) return started;
  const times =
    missed >= 100 ? '100 or more times' : `${missed} ${missed === 1 ? 'time' : 'times'}`;
  return `${started}; ${times} before it were missed and are not made up for`;
}

function reporter(events: EventRecorder, { metadata: { name, uid } }: StoredCronJob) {
  return (type: EventReport['type'], reason: string, message: string): void => {
    events.record({
      type,
      reason,
      message,
      regarding: { kind: 'CronJob', name, uid },
      source: SOURCE,
    });
  };
}
