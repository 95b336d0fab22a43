import type { CronJobStatus, StoredCronJob, StoredCronJobStatus } from '../../../api/v1/index.js';
import { cronJobStatuses, type World } from '../../objects/index.js';
import { kindOf } from './kind-of.js';
import { defineResource, type Resource } from './resource.js';

/** Cron jobs: by name; with what the controller found. */
export function cronJobResource(world: World): Resource {
  return defineResource<StoredCronJob>({
    kind: kindOf('CronJob'),
    cache: world.cache,
    primary: world.cronJobs,
    alsoShown: { [cronJobStatuses.name]: ({ key }) => [key] },
    keyOf: ({ metadata }) => metadata.name,
    labelsOf: ({ metadata }) => metadata.labels,
    fields: {
      'metadata.name': ({ metadata }) => metadata.name,
      'metadata.uid': ({ metadata }) => metadata.uid,
      'spec.suspend': ({ spec }) => String(spec.suspend ?? false),
    },
    view: ({ applied: _applied, ...cronJob }, reader) => ({
      ...cronJob,
      status: statusOf(cronJob, reader.get(world.cronJobStatuses, cronJob.metadata.name)),
    }),
    find: (name) => (world.cronJobs.get(name) === undefined ? undefined : name),
  });
}

/** Nothing until the controller has looked at this very cron job (not at an earlier one of the name). */
function statusOf(cronJob: StoredCronJob, stored: StoredCronJobStatus | undefined): CronJobStatus {
  if (stored?.cronJobUid !== cronJob.metadata.uid) return NOT_SEEN;
  const { cronJobUid: _uid, plan: _plan, since: _since, version: _version, ...status } = stored;
  return status;
}

const NOT_SEEN: CronJobStatus = { observedGeneration: 0, active: [], conditions: [] };
