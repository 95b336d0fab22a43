/** The job controller: the runs of services whose tasks complete, their tries, their verdict and their end. */
import {
  isJob,
  isTerminal,
  modeNameOf,
  type StoredTask,
  type StoredTaskStatus,
} from '../../api/v1/index.js';
import {
  defineController,
  mapsTo,
  owns,
  type ControllerWatch,
  type WorldReader,
} from '../../pkg/controller/index.js';
import type { CollectionDefinition } from '../../pkg/informer/index.js';
import {
  nodeHealths,
  nodeStatuses,
  nodes,
  serviceRevisions,
  services,
  taskStatuses,
  tasks,
} from '../../pkg/objects/index.js';
import { JobReconciler } from './reconciler.js';

export { JobReconciler } from './reconciler.js';

/** Global jobs follow the nodes. */
const globalJobs = (world: WorldReader): readonly string[] =>
  world
    .collection(services)
    .list()
    .filter(({ spec }) => modeNameOf(spec) === 'global-job')
    .map(({ metadata }) => metadata.name);

const movesGlobalJobs = <T>(collection: CollectionDefinition<T>): ControllerWatch =>
  mapsTo(collection, (_object, _key, world) => globalJobs(world));

/** Names of services that are no jobs are left to others. */
const jobOf = (world: WorldReader, { spec }: StoredTask): readonly string[] => {
  const service = world.collection(services).get(spec.service);
  return service && isJob(service.spec) ? [spec.service] : [];
};

/** That a prepared task may start changes nothing for its job. */
function isNews(before: StoredTask | undefined, after: StoredTask | undefined): boolean {
  return !(before?.spec.desiredState === 'ready' && after?.spec.desiredState === 'complete');
}

/** What a job wants to know of a task: that it runs, and how it ended. */
function milestoneOf(status: StoredTaskStatus | undefined): string {
  if (status?.state === 'running') return 'running';
  return status && isTerminal(status.state) ? status.state : '';
}

/** Declares the job controller. Keys are services' names. */
export const jobController = defineController({
  name: 'job',
  for: services,
  watches: [
    mapsTo(tasks, (task, _id, world) => jobOf(world, task), { when: isNews }),
    mapsTo(
      taskStatuses,
      (_status, id, world) => {
        const task = world.collection(tasks).get(id);
        return task ? jobOf(world, task) : [];
      },
      { when: (before, after) => milestoneOf(before) !== milestoneOf(after) },
    ),
    owns(serviceRevisions, ({ service }) => service),
    movesGlobalJobs(nodes),
    movesGlobalJobs(nodeStatuses),
    movesGlobalJobs(nodeHealths),
    mapsTo(
      nodeHealths,
      (_health, id, world) => [
        ...new Set(
          world
            .collection(tasks)
            .byIndex('node', id)
            .flatMap((task) => jobOf(world, task)),
        ),
      ],
      { when: (before, after) => (before?.state === 'lost') !== (after?.state === 'lost') },
    ),
  ],
  reconciler: JobReconciler,
  concurrency: 8,
});
