import type { StoredCronJob, StoredCronJobStatus, StoredService } from '../../api/v1/index.js';
import { newUid, unreachable } from '../../pkg/base/index.js';
import { absent, atVersion, puts, remove, runOfCronJob } from '../../pkg/objects/index.js';
import type { Keys, TxnPart } from '../../pkg/store/index.js';
import { stampOf, type CronJobChange, type NewStatus } from './plan-changes.js';

/** Where and when changes of a cron job are applied. */
export interface ApplyContext {
  readonly keys: Keys;
  readonly cronJob: StoredCronJob;
  /** As it was when it was decided. */
  readonly status: StoredCronJobStatus | undefined;
  /** ISO 8601. */
  readonly now: string;
}

/** One change as writes, guarded by the versions of everything it rests on. */
export function partOf(change: CronJobChange, context: ApplyContext): TxnPart {
  const { keys, cronJob, status, now } = context;
  const { name, version } = cronJob.metadata;
  const unchanged = atVersion(keys.cronJob(name), version);
  const statusKey = keys.cronJobStatus(name);
  const undecided = atVersion(statusKey, status?.version ?? 0);
  const noted = (found: NewStatus) => puts.cronJobStatus(keys, name, found);
  switch (change.kind) {
    case 'start-run': {
      const scheduledAt = stampOf(change.dueMs);
      const uid = newUid();
      const run = puts.service(
        keys,
        runOfCronJob(cronJob, { name: change.name, uid, scheduledAt, now }),
      );
      return {
        compare: [unchanged, undecided, absent(run.key)],
        operations: [run, noted(change.status)],
      };
    }
    case 'write-status':
      return { compare: [unchanged, undecided], operations: [noted(change.status)] };
    case 'delete-run':
      return guardedBy([unchanged], deletionPart(change.service, context));
    case 'delete-cron-job':
      return { compare: [unchanged], operations: [remove(statusKey), remove(keys.cronJob(name))] };
    default:
      return unreachable(change);
  }
}

const guardedBy = (compare: TxnPart['compare'], part: TxnPart): TxnPart => ({
  ...part,
  compare: [...compare, ...part.compare],
});

/** The run goes as any service does: task by task. */
export function deletionPart(
  service: StoredService,
  { keys, now }: Pick<ApplyContext, 'keys' | 'now'>,
): TxnPart {
  const { name, version } = service.metadata;
  const metadata = { ...service.metadata, deletingAt: now, updatedAt: now };
  return {
    compare: [atVersion(keys.service(name), version)],
    operations: [puts.service(keys, { ...service, metadata })],
  };
}
