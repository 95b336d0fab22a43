import {
  observedState,
  type StoredCluster,
  type StoredCronJob,
  type StoredCronJobStatus,
  type StoredManager,
  type StoredNode,
  type StoredNodeHealth,
  type StoredNodeStatus,
  type StoredService,
  type StoredServiceRevision,
  type StoredServiceStatus,
  type StoredTask,
  type StoredTaskStatus,
  type TaskState,
} from '../../api/v1/index.js';
import { SINGLETON_KEY, type Informer, type WorldCache } from '../informer/index.js';
import * as collections from './collections.js';

/** The world with its types: one informer per kind, all at the cache's one revision. */
export interface World {
  readonly cache: WorldCache;
  readonly services: Informer<StoredService>;
  readonly serviceStatuses: Informer<StoredServiceStatus>;
  readonly serviceRevisions: Informer<StoredServiceRevision>;
  readonly tasks: Informer<StoredTask>;
  readonly taskStatuses: Informer<StoredTaskStatus>;
  readonly cronJobs: Informer<StoredCronJob>;
  readonly cronJobStatuses: Informer<StoredCronJobStatus>;
  readonly nodes: Informer<StoredNode>;
  readonly nodeStatuses: Informer<StoredNodeStatus>;
  readonly nodeHealths: Informer<StoredNodeHealth>;
  readonly managers: Informer<StoredManager>;
  readonly knownManagers: Informer<StoredManager>;
  readonly clusters: Informer<StoredCluster>;
  readonly leaders: Informer<collections.StoredLeader>;
}
export const World = Symbol('World');

/** Gives a cache that was made with {@link collections.allCollections} its types. */
export function worldOf(cache: WorldCache): World {
  return {
    cache,
    services: cache.collection(collections.services),
    serviceStatuses: cache.collection(collections.serviceStatuses),
    serviceRevisions: cache.collection(collections.serviceRevisions),
    tasks: cache.collection(collections.tasks),
    taskStatuses: cache.collection(collections.taskStatuses),
    cronJobs: cache.collection(collections.cronJobs),
    cronJobStatuses: cache.collection(collections.cronJobStatuses),
    nodes: cache.collection(collections.nodes),
    nodeStatuses: cache.collection(collections.nodeStatuses),
    nodeHealths: cache.collection(collections.nodeHealths),
    managers: cache.collection(collections.managers),
    knownManagers: cache.collection(collections.knownManagers),
    clusters: cache.collection(collections.cluster),
    leaders: cache.collection(collections.leader),
  };
}

/** The cluster object; undefined before `swarm-manager init`. */
export const clusterOf = (world: World): StoredCluster | undefined =>
  world.clusters.get(SINGLETON_KEY);

/** Who leads now; undefined between two leaders. */
export const leaderOf = (world: World): collections.StoredLeader | undefined =>
  world.leaders.get(SINGLETON_KEY);

/** The state of a task to act on, of its two halves. */
export const stateOf = (world: World, task: StoredTask): TaskState =>
  observedState(task, world.taskStatuses.get(task.metadata.uid));

/** Key of a revision within its collection. */
export const revisionKey = (service: string, revision: number): string =>
  `${service}/${String(revision).padStart(8, '0')}`;

/** The revision a task runs; undefined only while something is deleted by force. */
export const revisionOf = (world: World, task: StoredTask): StoredServiceRevision | undefined =>
  world.serviceRevisions.get(revisionKey(task.spec.service, task.spec.revision));
