import {
  effectiveCronJob,
  jobOutcomeOf,
  type StoredCronJob,
  type StoredService,
} from '../../api/v1/index.js';
import { messageOf } from '../../pkg/base/index.js';
import { parseSchedule, type Schedule } from '../../pkg/cron/index.js';
import { runName, type World } from '../../pkg/objects/index.js';
import type { CronJobSnapshot, RunName } from './plan.js';
import type { RunView } from './plan-runs.js';

/** Schedules of stored specs, which never change. */
const schedules = new WeakMap<StoredCronJob, CronJobSnapshot['schedule']>();

/** Reads what a decision about `cronJob` needs; synchronous, so that all of it is of one revision. */
export function snapshotOf(world: World, cronJob: StoredCronJob, now: number): CronJobSnapshot {
  const { name, uid } = cronJob.metadata;
  const status = world.cronJobStatuses.get(name);
  return {
    cronJob,
    status: status?.cronJobUid === uid ? status : undefined,
    schedule: scheduleOf(cronJob),
    runs: world.services.byIndex('owner', uid).map((service) => runView(world, service)),
    nameOf: (dueMs) => nameOf(world, cronJob, dueMs),
    now,
  };
}

/** What was accepted once may be unknown here: time zones come and go with the engine that runs us. */
function scheduleOf(cronJob: StoredCronJob): CronJobSnapshot['schedule'] {
  const known = schedules.get(cronJob);
  if (known) return known;
  const read = readSchedule(cronJob);
  schedules.set(cronJob, read);
  return read;
}

function readSchedule({ spec }: StoredCronJob): Schedule | { readonly problem: string } {
  try {
    return parseSchedule(spec.schedule, effectiveCronJob(spec).timeZone);
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

/** A status of before the last change says nothing about the run that it began. */
function runView(world: World, service: StoredService): RunView {
  const { name, uid, generation } = service.metadata;
  const status = world.serviceStatuses.get(name);
  if (status?.serviceUid !== uid || status.observedGeneration !== generation) return { service };
  return { service, outcome: jobOutcomeOf(status), finishedAt: status.job?.finishedAt };
}

function nameOf(world: World, { metadata }: StoredCronJob, dueMs: number): RunName {
  const name = runName(metadata.name, dueMs);
  const service = world.services.get(name);
  if (!service) return world.services.isInvalid(name) ? { name, holder: 'another' } : { name };
  return { name, holder: service.metadata.ownedBy?.uid === metadata.uid ? 'run' : 'another' };
}
