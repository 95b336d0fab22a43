import {
  isTerminal,
  isWanted,
  observedState,
  type StoredTask,
  type StoredTaskStatus,
  type TaskReport,
} from '../../../api/v1/index.js';
import { taskStatuses, type World } from '../../objects/index.js';
import { findByIdPrefix } from './find-by-id.js';
import { kindOf } from './kind-of.js';
import { defineResource, type Resource } from './resource.js';

/** Tasks: by name (`web.3`: the live one, else the newest), id or the beginning of an id. */
export function taskResource(world: World): Resource {
  return defineResource<StoredTask>({
    kind: kindOf('Task'),
    cache: world.cache,
    primary: world.tasks,
    alsoShown: { [taskStatuses.name]: ({ key }) => [key] },
    keyOf: ({ metadata }) => metadata.uid,
    labelsOf: ({ metadata }) => metadata.labels,
    fields: {
      'metadata.name': ({ metadata }) => metadata.name,
      'metadata.uid': ({ metadata }) => metadata.uid,
      'spec.service': ({ spec }) => spec.service,
      'spec.serviceUid': ({ spec }) => spec.serviceUid,
      'spec.nodeId': ({ spec }) => spec.nodeId ?? '',
      'spec.slot': ({ spec }) => String(spec.slot),
      'spec.revision': ({ spec }) => String(spec.revision),
      'spec.desiredState': ({ spec }) => spec.desiredState,
      'status.state': (task, reader) =>
        observedState(task, reader.get(world.taskStatuses, task.metadata.uid)),
    },
    view: ({ createRevision: _hidden, ...task }, reader) => ({
      ...task,
      status: reportOf(task, reader.get(world.taskStatuses, task.metadata.uid)),
    }),
    find: (name) => findTask(world, name)?.metadata.uid,
  });
}

/** The task that a person means. Errors: BadRequestError when an id's beginning is ambiguous. */
export function findTask(world: World, name: string): StoredTask | undefined {
  const exact = world.tasks.get(name) ?? bestOf(world, world.tasks.byIndex('name', name));
  if (exact) return exact;
  const id = findByIdPrefix(idsOf(world), name);
  return id === undefined ? undefined : world.tasks.get(id);
}

function* idsOf(world: World): Generator<string> {
  for (const { metadata } of world.tasks.list()) yield metadata.uid;
}

function bestOf(world: World, tasks: readonly StoredTask[]): StoredTask | undefined {
  return [...tasks].sort((a, b) => liveness(world, b) - liveness(world, a) || byAge(b, a))[0];
}

function liveness(world: World, task: StoredTask): number {
  const state = observedState(task, world.taskStatuses.get(task.metadata.uid));
  if (isTerminal(state)) return 0;
  return isWanted(task.spec.desiredState) ? 2 : 1;
}

function byAge(a: StoredTask, b: StoredTask): number {
  return a.metadata.createdAt.localeCompare(b.metadata.createdAt);
}

function reportOf(task: StoredTask, status: StoredTaskStatus | undefined): TaskReport {
  if (status === undefined) return expectedReport(task);
  const { taskId, nodeId, epoch, appliedAt, runningAt, readyAt, servedAt, version, ...report } =
    status;
  return report;
}

/** What there is to say before a node has said anything. */
function expectedReport(task: StoredTask): TaskReport {
  const { pending, nodeId } = task.spec;
  const waiting = nodeId === undefined ? 'waiting for a node' : 'waiting for its node to accept it';
  return {
    state: observedState(task, undefined),
    at: pending?.since ?? task.metadata.updatedAt,
    message: nodeId === undefined ? (pending?.message ?? waiting) : waiting,
  };
}
