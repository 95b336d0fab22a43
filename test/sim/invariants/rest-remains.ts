import { isWanted } from '../../../api/v1/index.js';
import { CONTAINER_LABEL } from '../../../pkg/agent/index.js';
import type { FakeContainer } from '../../fakes/fake-container.js';
import type { SimNode } from '../cluster/sim-node.js';
import type { Truth } from './truth.js';

/** Somebody leads, and every member is ready. */
export function nodesAtRest(truth: Truth, nodes: readonly SimNode[]): readonly string[] {
  const found = [...truth.nodes.keys()].flatMap((id) => {
    const state = truth.nodeHealths.get(id)?.state;
    return state === 'ready' ? [] : [`node ${id} is ${state ?? 'unheard of'}`];
  });
  const removed = nodes.filter(({ id, hasLeft }) => !hasLeft && !truth.nodes.has(id));
  return [
    ...(truth.leader ? [] : ['nobody leads']),
    ...found,
    ...removed.map(({ id }) => `${id} has not noticed that it was removed`),
  ];
}

/** Nothing is left of what is gone. */
export function remains(truth: Truth): readonly string[] {
  const tasks = [...truth.tasks.values()].filter((task) => !truth.serviceOf(task));
  const statuses = [...truth.taskStatuses.keys()].filter((id) => !truth.tasks.has(id));
  const revisions = [...truth.revisions.values()].filter(
    ({ service, serviceUid }) => truth.services.get(service)?.metadata.uid !== serviceUid,
  );
  const services = [...truth.serviceStatuses.keys()].filter((name) => !truth.services.has(name));
  const nodes = [...truth.nodeStatuses.keys(), ...truth.nodeHealths.keys()].filter(
    (id) => !truth.nodes.has(id),
  );
  return [
    ...tasks.map(({ metadata }) => `task ${metadata.name} is of no service`),
    ...statuses.map((id) => `the status of task ${id} was left behind`),
    ...revisions.map(
      ({ service, revision }) => `revision ${revision} of ${service} was left behind`,
    ),
    ...services.map((name) => `the status of service ${name} was left behind`),
    ...nodes.map((id) => `what was known of node ${id} was left behind`),
  ];
}

/** A node runs what is assigned to it and nothing else. */
export function containersAtRest(truth: Truth, node: SimNode): readonly string[] {
  const containers = node.engine.fake.all;
  const running = new Set(containers.filter(({ isRunning }) => isRunning).map(taskOf));
  const missing = [...truth.tasks.values()].filter(
    (task) =>
      task.spec.nodeId === node.id &&
      truth.stateOf(task) === 'running' &&
      !running.has(task.metadata.uid),
  );
  return [
    ...containers.flatMap((container) => containerAtRest(truth, node, container)),
    ...missing.map(({ metadata }) => `${metadata.name} is said to run on ${node.id} and does not`),
  ];
}

function containerAtRest(
  truth: Truth,
  { id }: SimNode,
  container: FakeContainer,
): readonly string[] {
  const task = truth.tasks.get(taskOf(container));
  if (!task || !truth.nodes.has(id)) return [`${id} keeps ${container.name} of no task`];
  const isStranger = container.isRunning && !isWanted(task.spec.desiredState);
  return isStranger ? [`${id} runs ${container.name}, which is to be stopped`] : [];
}

const taskOf = ({ labels }: FakeContainer): string => labels[CONTAINER_LABEL.task] ?? '';
