import type {
  StoredCluster,
  StoredCronJob,
  StoredCronJobStatus,
  StoredMeta,
  StoredNode,
  StoredNodeHealth,
  StoredNodeStatus,
  StoredService,
  StoredServiceRevision,
  StoredServiceStatus,
  StoredTask,
  StoredTaskStatus,
} from '../../api/v1/index.js';
import type { Compare, Keys, Operation } from '../store/index.js';

/** The version is etcd's to keep: it is never part of what is stored. */
function withoutVersion<T extends { readonly version: number }>(value: T): Omit<T, 'version'> {
  const { version: _version, ...rest } = value;
  return rest;
}

/** An object whose metadata may lack a version, because it is new. */
type Unversioned<T extends { readonly metadata: StoredMeta }> = Omit<T, 'metadata'> & {
  readonly metadata: Omit<StoredMeta, 'version'> & { readonly version?: number };
};
type UnversionedRecord<T extends { readonly version: number }> = Omit<T, 'version'> & {
  readonly version?: number;
};

const put = (key: string, value: object): Operation => ({ kind: 'put', key, value });
const object = (key: string, value: { readonly metadata: object }): Operation =>
  put(key, { ...value, metadata: withoutVersion({ version: 0, ...value.metadata }) });
const record = (key: string, value: object): Operation =>
  put(key, withoutVersion({ version: 0, ...value }));

/** Holds when the key is still at `version`; 0 means it does not exist. */
export const atVersion = (key: string, version: number): Compare => ({ key, modRevision: version });
/** Holds when the key does not exist. */
export const absent = (key: string): Compare => ({ key, modRevision: 0 });
/** Deletes the key; nothing when it is not there. */
export const remove = (key: string): Operation => ({ kind: 'delete', key });

/** Writes of whole objects and records to where they belong. */
export const puts = {
  service: (keys: Keys, value: Unversioned<StoredService>) =>
    object(keys.service(value.metadata.name), value),
  serviceStatus: (keys: Keys, name: string, value: UnversionedRecord<StoredServiceStatus>) =>
    record(keys.serviceStatus(name), value),
  serviceRevision: (keys: Keys, value: Unversioned<StoredServiceRevision>) =>
    object(keys.serviceRevision(value.service, value.revision), value),
  task: (keys: Keys, { createRevision: _known, ...value }: Unversioned<StoredTask>) =>
    object(keys.task(value.metadata.uid), value),
  taskStatus: (keys: Keys, value: UnversionedRecord<StoredTaskStatus>) =>
    record(keys.taskStatus(value.taskId), value),
  cronJob: (keys: Keys, value: Unversioned<StoredCronJob>) =>
    object(keys.cronJob(value.metadata.name), value),
  cronJobStatus: (keys: Keys, name: string, value: UnversionedRecord<StoredCronJobStatus>) =>
    record(keys.cronJobStatus(name), value),
  node: (keys: Keys, value: Unversioned<StoredNode>) =>
    object(keys.node(value.metadata.uid), value),
  nodeStatus: (keys: Keys, value: UnversionedRecord<StoredNodeStatus>) =>
    record(keys.nodeStatus(value.nodeId), value),
  nodeHealth: (keys: Keys, value: UnversionedRecord<StoredNodeHealth>) =>
    record(keys.nodeHealth(value.nodeId), value),
  cluster: (keys: Keys, value: Unversioned<StoredCluster>) => object(keys.cluster, value),
} as const;
