import type { StoredService, StoredTask } from '../../api/v1/index.js';
import { newTaskId, newUid, unreachable } from '../../pkg/base/index.js';
import { isLive, type TaskView } from '../../pkg/lifecycle/index.js';
import { absent, atVersion, puts, remove } from '../../pkg/objects/index.js';
import type { Keys, TxnPart } from '../../pkg/store/index.js';
import type { JobChange, NewTask } from './plan-changes.js';

/** Where and when changes of a job are applied. */
export interface ApplyContext {
  readonly keys: Keys;
  readonly service: StoredService;
  /** ISO 8601. */
  readonly now: string;
}

/** One change as writes, guarded by the versions of everything it rests on. */
export function partOf(change: JobChange, context: ApplyContext): TxnPart {
  const { keys, service, now } = context;
  const { name, version } = service.metadata;
  const unchanged = atVersion(keys.service(name), version);
  switch (change.kind) {
    case 'create-revision':
      return revisionPart(change, context);
    case 'create-task':
      return taskPart(change.task, change.after, context);
    case 'set-desired-state': {
      const part = desiredPart(change.task.task, change.desiredState, { keys, now });
      return { ...part, compare: [unchanged, ...part.compare] };
    }
    case 'delete-revision': {
      const { revision, metadata } = change.revision;
      const key = keys.serviceRevision(name, revision);
      return { compare: [unchanged, atVersion(key, metadata.version)], operations: [remove(key)] };
    }
    case 'expire-service': {
      const metadata = { ...service.metadata, deletingAt: now, updatedAt: now };
      return { compare: [unchanged], operations: [puts.service(keys, { ...service, metadata })] };
    }
    case 'delete-service':
      return {
        compare: [unchanged],
        operations: [remove(keys.serviceStatus(name)), remove(keys.service(name))],
      };
    default:
      return unreachable(change);
  }
}

function revisionPart(
  { revision, hash, template }: Extract<JobChange, { kind: 'create-revision' }>,
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
  });
  const compare = [atVersion(keys.service(name), version), absent(operation.key)];
  return { compare, operations: [operation] };
}

/** The try before ends as wanted in the moment in which the next one comes into being, if it was wanted still. */
function taskPart(task: NewTask, after: TaskView | undefined, context: ApplyContext): TxnPart {
  const { keys, service } = context;
  const unchanged = atVersion(keys.service(service.metadata.name), service.metadata.version);
  const create = puts.task(keys, newTask(task, after, context));
  if (!after) return { compare: [unchanged], operations: [create] };
  if (isLive(after)) {
    const end = desiredPart(after.task, 'shutdown', context);
    return { compare: [unchanged, ...end.compare], operations: [...end.operations, create] };
  }
  const { uid, version } = after.task.metadata;
  return { compare: [unchanged, atVersion(keys.task(uid), version)], operations: [create] };
}

function newTask(task: NewTask, after: TaskView | undefined, { service, now }: ApplyContext) {
  const { name: serviceName, uid: serviceUid } = service.metadata;
  const { slot, forNode, startAt, tryingSince, ...rest } = task;
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
      slot,
      ...(forNode !== undefined && { forNode }),
      ...rest,
      ...(startAt !== undefined && { startAt }),
      ...(tryingSince !== undefined && { tryingSince }),
      ...(after && { replaces: after.task.metadata.uid }),
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
