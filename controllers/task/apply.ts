import type { StoredTask, TaskReport } from '../../api/v1/index.js';
import { newTaskId, unreachable } from '../../pkg/base/index.js';
import { pastOf, type EndCause, type TaskView } from '../../pkg/lifecycle/index.js';
import { atVersion, puts, remove } from '../../pkg/objects/index.js';
import type { Keys, TxnPart } from '../../pkg/store/index.js';
import type { Successor, TaskChange } from './plan-changes.js';

/** Where and when changes of tasks are applied. */
export interface ApplyContext {
  readonly keys: Keys;
  /** ISO 8601. */
  readonly now: string;
}

/** One change as writes, guarded by the versions of the task's own records. */
export function partOf(change: TaskChange, context: ApplyContext): TxnPart {
  const { task } = change.task;
  switch (change.kind) {
    case 'end-task':
      return endPart(task, change, context);
    case 'start-task':
      return startPart(change, context);
    case 'remove-task':
      return specPart(task, { desiredState: 'remove' }, context);
    case 'orphan-task':
      return orphanPart(change.task, context);
    case 'delete-task':
      return deletePart(task, context);
    case 'place-task':
      return specPart(task, placed(change), context);
    case 'explain-task':
      return specPart(task, { pending: change.pending }, context);
    default:
      return unreachable(change);
  }
}

type PlacedSpec = Pick<StoredTask['spec'], 'nodeId' | 'assignedResources'>;

function placed({ nodeId, resources }: Extract<TaskChange, { kind: 'place-task' }>): PlacedSpec {
  if (resources === undefined) return { nodeId };
  const entries = Object.entries(resources).map(
    ([kind, what]) => [kind, typeof what === 'number' ? what : [...what]] as const,
  );
  return { nodeId, assignedResources: Object.fromEntries(entries) };
}

type Ending = Extract<TaskChange, { kind: 'end-task' }>;

/** Any change but a new reason ends the one that is stored. */
function specPart(
  task: StoredTask,
  change: Partial<StoredTask['spec']>,
  { keys, now }: ApplyContext,
): TxnPart {
  const { uid, version, generation } = task.metadata;
  const { pending: _pending, ...spec } = task.spec;
  const operation = puts.task(keys, {
    ...task,
    metadata: { ...task.metadata, generation: generation + 1, updatedAt: now },
    spec: { ...spec, ...change },
  });
  return { compare: [atVersion(keys.task(uid), version)], operations: [operation] };
}

function startPart(
  { task: { task }, desiredState, beside }: Extract<TaskChange, { kind: 'start-task' }>,
  context: ApplyContext,
): TxnPart {
  const start = specPart(task, { desiredState }, context);
  const unchanged = beside.map(({ task: { metadata } }) =>
    atVersion(context.keys.task(metadata.uid), metadata.version),
  );
  return { ...start, compare: [...start.compare, ...unchanged] };
}

function endPart(
  task: StoredTask,
  { cause, successor }: Pick<Ending, 'cause' | 'successor'>,
  context: ApplyContext,
): TxnPart {
  const end = specPart(task, { desiredState: 'shutdown' }, context);
  if (!successor) return end;
  const create = puts.task(context.keys, successorOf(task, { cause, successor }, context.now));
  return { ...end, operations: [...end.operations, create] };
}

/** It belongs to the update that made the first task of the slot; a task that failed was that update's try. */
function successorOf(
  old: StoredTask,
  { cause, successor }: { readonly cause: EndCause; readonly successor: Successor },
  now: string,
) {
  const { service, serviceUid, revision, slot, forNode, attempt, updates } = old.spec;
  const { startAt, ...counters } = successor;
  return {
    apiVersion: 'swarm/v1',
    kind: 'Task',
    metadata: {
      name: old.metadata.name,
      uid: newTaskId(),
      generation: 1,
      createdAt: now,
      updatedAt: now,
      labels: {},
    },
    spec: {
      service,
      serviceUid,
      revision,
      slot,
      ...(forNode !== undefined && { forNode }),
      ...counters,
      ...(startAt !== undefined && { startAt }),
      ...(attempt !== undefined && { attempt }),
      ...(updates !== undefined && cause !== 'ended' && { updates }),
      replaces: old.metadata.uid,
    },
  } as const;
}

function orphanPart({ task, status }: TaskView, { keys, now }: ApplyContext): TxnPart {
  const { uid, version } = task.metadata;
  const report: TaskReport = {
    state: 'orphaned',
    at: now,
    message: 'its node was removed from the cluster',
    reason: 'NodeRemoved',
    ...(status?.startedAt !== undefined && { startedAt: status.startedAt }),
    finishedAt: now,
  };
  const statusKey = keys.taskStatus(uid);
  const nodeId = task.spec.nodeId ?? '';
  return {
    compare: [atVersion(keys.task(uid), version), atVersion(statusKey, status?.version ?? 0)],
    operations: [
      puts.taskStatus(keys, {
        ...report,
        taskId: uid,
        nodeId,
        epoch: status?.epoch ?? 0,
        appliedAt: now,
        ...pastOf(status),
      }),
    ],
  };
}

/** The status goes whatever it says by now: a task that may be deleted only ever moves on. */
function deletePart({ metadata: { uid, version } }: StoredTask, { keys }: ApplyContext): TxnPart {
  return {
    compare: [atVersion(keys.task(uid), version)],
    operations: [remove(keys.task(uid)), remove(keys.taskStatus(uid))],
  };
}
