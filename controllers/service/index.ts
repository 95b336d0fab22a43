/** The service controller: tasks for every slot or node of a service, updates, deletion and status. */
import {
  modeNameOf,
  stateRank,
  type StoredService,
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
  cluster,
  nodeHealths,
  nodeStatuses,
  nodes,
  serviceRevisions,
  services,
  taskStatuses,
  tasks,
} from '../../pkg/objects/index.js';
import { ServiceReconciler } from './reconciler.js';

export { ServiceReconciler, type ServiceReconcilerOptions } from './reconciler.js';

/** Global services follow the nodes. */
const globalServices = (world: WorldReader): readonly string[] =>
  world
    .collection(services)
    .list()
    .filter(isGlobal)
    .map(({ metadata }) => metadata.name);

const isGlobal = ({ spec }: StoredService): boolean => modeNameOf(spec) === 'global';

const movesGlobalServices = <T>(collection: CollectionDefinition<T>): ControllerWatch =>
  mapsTo(collection, (_object, _key, world) => globalServices(world));

const servicesOnNode = (world: WorldReader, nodeId: string): readonly string[] => {
  const onNode = world.collection(tasks).byIndex('node', nodeId);
  return [...new Set(onNode.map(({ spec }) => spec.service))];
};

/** Somewhere to go has come up for their tasks, or it is another time at which they may. */
const servicesOnLostNodes = (world: WorldReader): readonly string[] =>
  world
    .collection(nodeHealths)
    .list()
    .filter(({ state }) => state === 'lost')
    .flatMap(({ nodeId }) => servicesOnNode(world, nodeId));

/** That a prepared task may start changes nothing for its service; that it runs does. */
function isNews(before: StoredTask | undefined, after: StoredTask | undefined): boolean {
  return !(before?.spec.desiredState === 'ready' && after?.spec.desiredState === 'running');
}

/** What a service wants to know of a task: that it runs, whether it is in service, and how it ended. */
function milestoneOf(status: StoredTaskStatus | undefined): string {
  if (!status || stateRank(status.state) < stateRank('running')) return '';
  return `${status.state} ${status.error ?? ''} ${standingOf(status)}`;
}

/** A task that is being stopped is no business of its service any more. */
function standingOf({ ready, unready }: StoredTaskStatus): string {
  if (ready !== false || unready?.reason === 'Stopping') return '';
  return `${unready?.reason ?? ''} ${unready?.message ?? ''}`;
}

/** Declares the service controller. Keys are services' names. */
export const serviceController = defineController({
  name: 'service',
  for: services,
  watches: [
    owns(tasks, ({ spec }) => spec.service, { when: isNews }),
    mapsTo(
      taskStatuses,
      (_status, id, world) => {
        const task = world.collection(tasks).get(id);
        return task ? [task.spec.service] : [];
      },
      { when: (before, after) => milestoneOf(before) !== milestoneOf(after) },
    ),
    owns(serviceRevisions, ({ service }) => service),
    movesGlobalServices(nodes),
    movesGlobalServices(nodeStatuses),
    movesGlobalServices(nodeHealths),
    mapsTo(nodeHealths, (_health, id, world) => servicesOnNode(world, id), {
      when: (before, after) => (before?.state === 'lost') !== (after?.state === 'lost'),
    }),
    mapsTo(nodes, (_node, id, world) => servicesOnNode(world, id), {
      when: (before, after) =>
        before?.spec.availability !== after?.spec.availability ||
        before?.spec.drainMode !== after?.spec.drainMode,
    }),
    mapsTo(nodeHealths, (_health, _id, world) => servicesOnLostNodes(world), {
      when: (before, after) => before?.state !== 'ready' && after?.state === 'ready',
    }),
    mapsTo(nodes, (_node, _id, world) => servicesOnLostNodes(world), {
      when: (before, after) =>
        before?.spec.availability !== 'active' && after?.spec.availability === 'active',
    }),
    mapsTo(cluster, (_cluster, _key, world) => servicesOnLostNodes(world), {
      when: (before, after) => before?.spec.nodeLostAfter !== after?.spec.nodeLostAfter,
    }),
  ],
  reconciler: ServiceReconciler,
  concurrency: 8,
});
