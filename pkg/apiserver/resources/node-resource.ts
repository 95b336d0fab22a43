import {
  isWanted,
  type NodeStatus,
  type StoredNode,
  type StoredNodeHealth,
  type StoredNodeStatus,
  type StoredTask,
} from '../../../api/v1/index.js';
import { BadRequestError } from '../../base/index.js';
import { nodeHealths, nodeStatuses, stateOf, type World } from '../../objects/index.js';
import { findByIdPrefix } from './find-by-id.js';
import { kindOf } from './kind-of.js';
import { defineResource, type Resource } from './resource.js';

/**
 * Nodes: by id, the beginning of an id, or hostname. Task counts are as of the read; a watch does not
 * tell of a change in them alone, or every task would be told of twice.
 */
export function nodeResource(world: World): Resource {
  return defineResource<StoredNode>({
    kind: kindOf('Node'),
    cache: world.cache,
    primary: world.nodes,
    alsoShown: {
      [nodeStatuses.name]: ({ key }) => [key],
      [nodeHealths.name]: ({ key }) => [key],
    },
    keyOf: ({ metadata }) => metadata.uid,
    labelsOf: ({ metadata }) => metadata.labels,
    fields: {
      'metadata.name': ({ metadata }) => metadata.name,
      'metadata.uid': ({ metadata }) => metadata.uid,
      'spec.role': ({ spec }) => spec.role,
      'spec.availability': ({ spec }) => spec.availability,
      'status.state': ({ metadata }, reader) =>
        reader.get(world.nodeHealths, metadata.uid)?.state ?? 'unknown',
    },
    view: ({ applied: _applied, ...node }, reader) => ({
      ...node,
      status: statusOf(world, node, {
        status: reader.get(world.nodeStatuses, node.metadata.uid),
        health: reader.get(world.nodeHealths, node.metadata.uid),
      }),
    }),
    find: (name) => findNode(world, name)?.metadata.uid,
  });
}

/** The node that a person means. Errors: BadRequestError when the name is ambiguous. */
export function findNode(world: World, name: string): StoredNode | undefined {
  const exact = world.nodes.get(name);
  if (exact) return exact;
  const [first, ...others] = world.nodes.byIndex('name', name);
  if (others.length > 0) {
    throw new BadRequestError(
      `${String(others.length + 1)} nodes have the hostname "${name}"; name one by its id`,
    );
  }
  if (first) return first;
  const id = findByIdPrefix(
    world.nodes.list().map(({ metadata }) => metadata.uid),
    name,
  );
  return id === undefined ? undefined : world.nodes.get(id);
}

interface Parts {
  readonly status: StoredNodeStatus | undefined;
  readonly health: StoredNodeHealth | undefined;
}

function statusOf(world: World, node: StoredNode, { status, health }: Parts): NodeStatus {
  const unseen = status ? 'not looked at yet' : 'has not opened a session yet';
  const { state, reason, since } = health ?? {
    state: 'unknown',
    reason: unseen,
    since: node.metadata.createdAt,
  };
  return {
    state,
    reason,
    since,
    address: status?.address ?? '',
    ...(status && reportedBy(status)),
    tasks: countsOf(world, node.metadata.uid),
    conditions: status ? [engineCondition(status), historyCondition(status)] : [],
  };
}

function reportedBy({ description, session, certificateExpiresAt }: StoredNodeStatus) {
  return {
    description,
    session,
    ...(certificateExpiresAt !== undefined && { certificateExpiresAt }),
  };
}

type NodeCondition = NodeStatus['conditions'][number];

function engineCondition(status: StoredNodeStatus): NodeCondition {
  return {
    type: 'EngineHealthy',
    status: status.engineHealthy ? 'true' : 'false',
    reason: status.engineHealthy ? 'EngineAnswers' : 'EngineAway',
    message: status.engineMessage ?? (status.engineHealthy ? 'the Docker Engine answers' : ''),
    changedAt: status.session.changedAt,
  };
}

/** A task of a job that has ended well stays wanted. */
const isDone = (world: World, task: StoredTask): boolean => stateOf(world, task) === 'complete';

function historyCondition({ historyLost, session }: StoredNodeStatus): NodeCondition {
  return {
    type: 'HistoryKept',
    status: historyLost ? 'false' : 'true',
    reason: historyLost ? 'HistoryLost' : 'StoreContinues',
    message: historyLost
      ? `frozen: it keeps what it runs and changes nothing, for ${historyLost.reason}`
      : 'the store is the one that the node knows',
    changedAt: session.changedAt,
  };
}

function countsOf(world: World, nodeId: string): { running: number; wanted: number } {
  const tasks = world.tasks.byIndex('node', nodeId);
  return {
    running: tasks.filter((task) => stateOf(world, task) === 'running').length,
    wanted: tasks.filter((task) => isWanted(task.spec.desiredState) && !isDone(world, task)).length,
  };
}
