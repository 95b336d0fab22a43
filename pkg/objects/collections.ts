import { Type, type TSchema } from 'typebox';
import {
  Cluster,
  CronJob,
  CronJobStatus,
  HistoryLost,
  Node,
  NodeDescription,
  NodeSession,
  NODE_STATES,
  Sealed,
  Service,
  ServiceRevision,
  ServiceStatus,
  Task,
  TaskReport,
  codec,
  isWanted,
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
  type TaskSpec,
} from '../../api/v1/index.js';
import { InvalidObjectError } from '../base/index.js';
import type { CollectionDefinition, EntryMeta, IndexFunction } from '../informer/index.js';
import { Folder } from '../store/index.js';

/** Who leads, as the election stores it. */
export interface StoredLeader {
  readonly managerId: string;
  readonly address: string;
  readonly version: number;
}

const text = Type.String();
const count = Type.Integer({ minimum: 0 });

type Decoder<T> = (value: unknown, meta: EntryMeta) => T;

/** Objects with metadata carry their version there. */
function objectDecoder<T>(schema: TSchema): Decoder<T> {
  const shape = codec<T>(schema);
  return (value, meta) => {
    assertShape(shape.problems(value), meta);
    const object = value as { metadata: object };
    return {
      ...object,
      metadata: { labels: {}, ...object.metadata, version: meta.modRevision },
    } as T;
  };
}

/** Records without metadata carry their version at the top. */
function recordDecoder<T>(schema: TSchema): Decoder<T> {
  const shape = codec<T>(schema);
  return (value, meta) => {
    assertShape(shape.problems(value), meta);
    return { ...(value as object), version: meta.modRevision } as T;
  };
}

function assertShape(
  problems: readonly { path: string; message: string }[],
  meta: EntryMeta,
): void {
  if (problems.length > 0) {
    const [first] = problems;
    throw new InvalidObjectError(
      `stored object ${meta.key} is not valid: ${first?.path ?? ''}: ${first?.message ?? ''}`,
      problems,
    );
  }
}

/** Which slot of which service a task fills: `uid/slot`, or `uid/@node` for a global service. */
export function slotKey({ serviceUid, slot, forNode }: TaskSpec): string {
  return slot === 0 ? `${serviceUid}/@${forNode ?? ''}` : `${serviceUid}/${String(slot)}`;
}

const taskIndexes: Readonly<Record<string, IndexFunction<StoredTask>>> = {
  service: (task) => task.spec.serviceUid,
  node: (task) => task.spec.nodeId,
  slot: ({ spec }) => slotKey(spec),
  name: (task) => task.metadata.name,
  /** Tasks the scheduler has to look at, under the one value `yes`. */
  unplaced: ({ spec }) =>
    spec.nodeId === undefined && isWanted(spec.desiredState) ? 'yes' : undefined,
};

/** Desired services, by name. Index: owner (uid). */
export const services: CollectionDefinition<StoredService> = {
  name: Folder.services,
  decode: objectDecoder(Service),
  indexes: { owner: ({ metadata }) => metadata.ownedBy?.uid },
};

/** Observed services, by name. */
export const serviceStatuses: CollectionDefinition<StoredServiceStatus> = {
  name: Folder.serviceStatus,
  decode: recordDecoder(Type.Intersect([ServiceStatus, Type.Object({ serviceUid: text })])),
};

/** Revisions, by `service/number`. Index: service (uid). */
export const serviceRevisions: CollectionDefinition<StoredServiceRevision> = {
  name: Folder.serviceRevisions,
  decode: objectDecoder(ServiceRevision),
  indexes: { service: (revision) => revision.serviceUid },
};

const decodeTask = objectDecoder<StoredTask>(Task);

/** Desired tasks, by id. Indexes: service (uid), node, slot ({@link slotKey}), name, unplaced (`yes`). */
export const tasks: CollectionDefinition<StoredTask> = {
  name: Folder.tasks,
  marksHistory: true,
  decode: (value, meta) => ({ ...decodeTask(value, meta), createRevision: meta.createRevision }),
  indexes: taskIndexes,
};

/** Observed tasks, by id. Index: node. */
export const taskStatuses: CollectionDefinition<StoredTaskStatus> = {
  name: Folder.taskStatus,
  marksHistory: true,
  decode: recordDecoder(
    Type.Intersect([
      TaskReport,
      Type.Object({
        taskId: text,
        nodeId: text,
        epoch: count,
        appliedAt: text,
        runningAt: Type.Optional(text),
        readyAt: Type.Optional(text),
        servedAt: Type.Optional(text),
      }),
    ]),
  ),
  indexes: { node: (status) => status.nodeId },
};

/** Desired cron jobs, by name. */
export const cronJobs: CollectionDefinition<StoredCronJob> = {
  name: Folder.cronJobs,
  decode: objectDecoder(CronJob),
};

/** Observed cron jobs, by name. */
export const cronJobStatuses: CollectionDefinition<StoredCronJobStatus> = {
  name: Folder.cronJobStatus,
  decode: recordDecoder(
    Type.Intersect([CronJobStatus, Type.Object({ cronJobUid: text, plan: text, since: text })]),
  ),
};

/** Desired nodes, by id. Index: name (hostname). */
export const nodes: CollectionDefinition<StoredNode> = {
  name: Folder.nodes,
  marksHistory: true,
  decode: objectDecoder(Node),
  indexes: { name: (node) => node.metadata.name },
};

/** What session managers say of nodes, by id. Index: manager (id of the session's manager). */
export const nodeStatuses: CollectionDefinition<StoredNodeStatus> = {
  name: Folder.nodeStatus,
  marksHistory: true,
  decode: recordDecoder(
    Type.Object({
      nodeId: text,
      address: text,
      description: NodeDescription,
      session: NodeSession,
      certificateExpiresAt: Type.Optional(text),
      engineHealthy: Type.Boolean(),
      engineMessage: Type.Optional(text),
      historyLost: Type.Optional(HistoryLost),
    }),
  ),
  indexes: { manager: (status) => status.session.managerId },
};

/** The leader's verdict on nodes, by id. */
export const nodeHealths: CollectionDefinition<StoredNodeHealth> = {
  name: Folder.nodeHealth,
  marksHistory: true,
  decode: recordDecoder(
    Type.Object({
      nodeId: text,
      state: Type.Enum([...NODE_STATES]),
      reason: text,
      since: text,
      epoch: count,
    }),
  ),
};

const managerDecoder = recordDecoder<StoredManager>(
  Type.Object({
    id: text,
    hostname: text,
    address: text,
    softwareVersion: text,
    startedAt: text,
  }),
);

/** Running managers, by id. */
export const managers: CollectionDefinition<StoredManager> = {
  name: Folder.managers,
  marksHistory: true,
  decode: managerDecoder,
};

/** Managers that have run, by id, and that nobody has removed. */
export const knownManagers: CollectionDefinition<StoredManager> = {
  name: Folder.knownManagers,
  decode: managerDecoder,
};

/** The cluster; one object. */
export const cluster: CollectionDefinition<StoredCluster> = {
  name: Folder.cluster,
  decode: objectDecoder(
    Type.Object({
      ...Cluster.properties,
      history: Type.Optional(Type.Object({ acceptedAt: text, restoreId: Type.Optional(text) })),
      security: Type.Object({
        caCertificate: text,
        caKey: Sealed,
        workerToken: Sealed,
        managerToken: Sealed,
      }),
    }),
  ),
};

/** The leader's key; one object. */
export const leader: CollectionDefinition<StoredLeader> = {
  name: Folder.leader,
  decode: recordDecoder(Type.Object({ managerId: text, address: text })),
};

/** Everything the world cache mirrors. */
export const allCollections: readonly CollectionDefinition<unknown>[] = [
  services,
  serviceStatuses,
  serviceRevisions,
  tasks,
  taskStatuses,
  cronJobs,
  cronJobStatuses,
  nodes,
  nodeStatuses,
  nodeHealths,
  managers,
  knownManagers,
  cluster,
  leader,
];
