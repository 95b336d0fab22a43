import {
  CronJobSpec,
  cronJobProblems,
  jobSpecOf,
  normaliseCronJobSpec,
  type CronJob,
  type Problem,
  type StoredCronJob,
} from '../../../api/v1/index.js';
import { messageOf } from '../../base/index.js';
import { parseSchedule, requireTimeZone } from '../../cron/index.js';
import { cronJobs, puts } from '../../objects/index.js';
import type { MutableKind } from './mutable-kind.js';
import { presentReader } from './reader.js';
import type { Resource } from './resource.js';
import { placementProblems } from './service-writes.js';

/** How cron jobs are written. */
export function cronJobWrites(resource: Resource): MutableKind<StoredCronJob> {
  return {
    kind: 'CronJob',
    definition: cronJobs,
    etcdKey: (keys, { metadata }) => keys.cronJob(metadata.name),
    keyOfName: (keys, name) => keys.cronJob(name),
    specSchema: CronJobSpec,
    problems: (input) => {
      const problems = cronJobProblems(input);
      return problems.length > 0 ? problems : specProblems((input as CronJob).spec);
    },
    normalise: normaliseCronJobSpec,
    changeProblems: () => [],
    put: (keys, stored) => puts.cronJob(keys, stored),
    view: (stored) => resource.view(stored, presentReader),
  };
}

function specProblems(spec: CronJobSpec): readonly Problem[] {
  const { schedule, timeZone } = spec;
  const zone = problemOf('spec.timeZone', () => {
    requireTimeZone(timeZone ?? 'UTC');
  });
  return [
    ...zone,
    ...problemOf('spec.schedule', () => parseSchedule(schedule)),
    ...placementProblems(jobSpecOf(spec)).map(({ path, message }) => ({
      path: path.replace(/^spec/, 'spec.job'),
      message,
    })),
  ];
}

function problemOf(path: string, parse: () => unknown): readonly Problem[] {
  try {
    parse();
    return [];
  } catch (error) {
    return [{ path, message: messageOf(error) }];
  }
}
