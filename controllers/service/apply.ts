import type { StoredService, StoredTask } from '../../api/v1/index.js';
import { newTaskId, newUid, unreachable } from '../../pkg/base/index.js';
import { absent, atVersion, puts, remove } from '../../pkg/objects/index.js';
import type { Compare, Keys, TxnPart } from '../../pkg/store/index.js';
import type { NewTask, ServiceChange } from './plan-changes.js';

/** Where and when changes of a service are applied. */
export interface ApplyContext {
  readonly keys: Keys;
  readonly service: StoredService;
  /** ISO 8601. */
  readonly now: string;
}

/** One change as writes, guarded by the versions of everything it rests on. */
export function partOf(change: ServiceChange, context: ApplyContext): TxnPart {
  const { keys, service, now } = context;
  const unchanged = atVersion(keys.service(service.metadata.name), service.metadata.version);
  switch (change.kind) {
    case 'create-revision':
      return revisionPart(change, context);
    case 'create-task':
      return { compare: [unchanged], operations: [puts.task(keys, newTask(change.task, context))] };
    case 'replace-task':
      return replacementPart(change, context);
    case 'move-task': {
      const part = replacementPart(change, context);
      return { ...part, compare: [...part.compare, nodeIsSame(change, keys)] };
    }
    case 'set-desired-state': {
      const part = desiredPart(change.task.task, change.desiredState, { keys, now });
      return { ...part, compare: [unchanged, ...part.compare] };
    }
    case 'delete-revision': {
      const { revision, metadata } = change.revision;
      const key = keys.serviceRevision(service.metadata.name, revision);
      return { compare: [unchanged, atVersion(key, metadata.version)], operations: [remove(key)] };
    }
    case 'delete-service': {
      const { name } = service.metadata;
      const operations = [remove(keys.serviceStatus(name)), remove(keys.service(name))];
      return { compare: [unchanged], operations };
    }
    default:
      return unreachable(change);
  }
}

function replacementPart(
  { stopped, task }: Pick<Extract<ServiceChange, { kind: 'replace-task' }>, 'stopped' | 'task'>,
  context: ApplyContext,
): TxnPart {
  const { keys, service } = context;
  const unchanged = atVersion(keys.service(service.metadata.name), service.metadata.version);
  const stops = stopped.map((view) => desiredPart(view.task, 'shutdown', context));
  return {
    compare: [unchanged, ...stops.flatMap(({ compare }) => compare)],
    operations: [
      ...stops.flatMap(({ operations }) => operations),
      puts.task(keys, newTask(task, context)),
    ],
  };
}

/** A node that came back in the same moment keeps its tasks. */
function nodeIsSame(
  { from, why, nodeVersion }: Extract<ServiceChange, { kind: 'move-task' }>,
  keys: Keys,
): Compare {
  const { nodeId = '' } = from.task.spec;
  return atVersion(why === 'node-lost' ? keys.nodeHealth(nodeId) : keys.node(nodeId), nodeVersion);
}

function revisionPart(
  { revision, hash, template, cause }: Extract<ServiceChange, { kind: 'create-revision' }>,
  { keys, service, now }: ApplyContext,
): TxnPart {
  const { name, uid, version } = service.metadata;
  const operation = puts.serviceRevision(keys, {
    apiVersion: 'swarm/v1',
    kind: 'ServiceRevision',
    metadata: {
      name: `${name}.${revision}`,
      uid: newUid(),
      generation: 1,
      createdAt: now,
      updatedAt: now,
      labels: {},
    },
    service: name,
    serviceUid: uid,
    revision,
    hash,
    template,
    createdAt: now,
    ...(cause !== undefined && { cause }),
  });
  const compare = [atVersion(keys.service(name), version), absent(operation.key)];
  return { compare, operations: [operation] };
}

function newTask(task: NewTask, { service, now }: ApplyContext) {
  const { name: serviceName, uid: serviceUid } = service.metadata;
  const { slot, forNode, revision, desiredState, updates, moves, attempt, retry } = task;
  return {
    apiVersion: 'swarm/v1',
    kind: 'Task',
    metadata: {
      name: `${serviceName}.${forNode ?? slot}`,
      uid: newTaskId(),
      generation: 1,
      createdAt: now,
      updatedAt: now,
      labels: {},
    },
    spec: {
      service: serviceName,
      serviceUid,
      revision,
      slot,
      ...(forNode !== undefined && { forNode }),
      desiredState,
      restarts: 0,
      failures: 0,
      ...retry,
      ...(updates !== undefined && { updates }),
      ...(moves !== undefined && { moves }),
      ...(attempt !== undefined && { attempt }),
    },
  } as const;
}

/** A task that is told to stop waits for no node any more. */
function desiredPart(
  task: StoredTask,
  desiredState: 'shutdown' | 'remove',
  { keys, now }: Pick<ApplyContext, 'keys' | 'now'>,
): TxnPart {
  const { uid, version, generation } = task.metadata;
  const { pending: _pending, ...spec } = task.spec;
  const operation = puts.task(keys, {
    ...task,
    metadata: { ...task.metadata, generation: generation + 1, updatedAt: now },
    spec: { ...spec, desiredState },
  });
  return { compare: [atVersion(keys.task(uid), version)], operations: [operation] };
}
