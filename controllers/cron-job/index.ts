/** The cron job controller: runs that are due, runs that are over, and what is due next. */
import { jobOutcomeOf, type StoredService } from '../../api/v1/index.js';
import { defineController, mapsTo, owns } from '../../pkg/controller/index.js';
import { cronJobs, serviceStatuses, services } from '../../pkg/objects/index.js';
import { CronJobReconciler } from './reconciler.js';

export { CronJobReconciler } from './reconciler.js';

const ownerOf = ({ metadata: { ownedBy } }: StoredService): string | undefined =>
  ownedBy?.kind === 'CronJob' ? ownedBy.name : undefined;

/** Declares the cron job controller. Keys are names of cron jobs. */
export const cronJobController = defineController({
  name: 'cron-job',
  for: cronJobs,
  watches: [
    owns(services, ownerOf),
    mapsTo(
      serviceStatuses,
      (_status, name, world) => {
        const service = world.collection(services).get(name);
        const owner = service && ownerOf(service);
        return owner === undefined ? [] : [owner];
      },
      {
        when: (before, after) =>
          jobOutcomeOf(before) !== jobOutcomeOf(after) ||
          before?.observedGeneration !== after?.observedGeneration,
      },
    ),
  ],
  reconciler: CronJobReconciler,
  concurrency: 4,
});
