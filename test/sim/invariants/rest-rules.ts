import {
  effectiveClusterSpec,
  effectiveRestartPolicy,
  isJob,
  isTerminal,
  isWanted,
  replicasOf,
  type StoredService,
  type StoredTask,
} from '../../../api/v1/index.js';
import { slotKey } from '../../../pkg/objects/index.js';
import type { SimNode } from '../cluster/sim-node.js';
import { failingConstraint, whyUnfit } from './fitness.js';
import { jobAtRest } from './job-rest.js';
import { containersAtRest, nodesAtRest, remains } from './rest-remains.js';
import type { Truth } from './truth.js';
import { updateAtRest } from './update-rest.js';

/** Revisions that are kept although nothing uses them, unless a service says otherwise. */
const KEPT_REVISIONS = 10;

/** Everything that is not yet as it should be in a cluster whose faults have stopped; empty at rest. */
export function unrest(truth: Truth, nodes: readonly SimNode[]): readonly string[] {
  return [
    ...nodesAtRest(truth, nodes),
    ...[...truth.services.values()].flatMap((service) => serviceAtRest(truth, service)),
    ...remains(truth),
    ...nodes.flatMap((node) => containersAtRest(truth, node)),
  ];
}

type Slots = ReadonlyMap<string, readonly StoredTask[]>;

function serviceAtRest(truth: Truth, service: StoredService): readonly string[] {
  const { name, uid, deletingAt } = service.metadata;
  if (deletingAt !== undefined) return [`service ${name} is still being deleted`];
  const tasks = [...truth.tasks.values()].filter(({ spec }) => spec.serviceUid === uid);
  const slots = bySlot(tasks);
  if (isJob(service.spec)) {
    return [
      ...jobAtRest(truth, service, tasks),
      ...[...slots.values()].flatMap((members) => slotAtRest(truth, members)),
      ...revisionsAtRest(truth, service, tasks),
    ];
  }
  return [
    ...countAtRest(truth, service, slots),
    ...[...slots.values()].flatMap((members) => slotAtRest(truth, members)),
    ...updateAtRest(truth, service, tasks),
    ...statusAtRest(truth, service, tasks),
    ...revisionsAtRest(truth, service, tasks),
  ];
}

function bySlot(tasks: readonly StoredTask[]): Slots {
  const slots = new Map<string, StoredTask[]>();
  for (const task of tasks) {
    const key = slotKey(task.spec);
    slots.set(key, [...(slots.get(key) ?? []), task]);
  }
  return slots;
}

function countAtRest(truth: Truth, service: StoredService, slots: Slots): readonly string[] {
  const { name, uid } = service.metadata;
  const filled = [...slots].filter(([, members]) => isFilled(truth, members)).map(([key]) => key);
  const replicas = replicasOf(service.spec);
  if (replicas !== undefined) {
    if (filled.length === replicas && slots.size === replicas) return [];
    return [`${name} has ${filled.length} of ${slots.size} slots filled, not ${replicas}`];
  }
  const wanted = [...truth.nodes.values()]
    .filter((node) => node.spec.availability === 'active')
    .filter((node) => failingConstraint(truth, node, service.spec.task) === undefined)
    .map(({ metadata }) => `${uid}/@${metadata.uid}`);
  const missing = wanted.filter((key) => !filled.includes(key));
  return missing.map((key) => `${name} misses ${key}`);
}

/** There is a live task, or its policy says that nothing follows the last one. */
function isFilled(truth: Truth, members: readonly StoredTask[]): boolean {
  if (members.some(({ spec }) => isWanted(spec.desiredState))) return true;
  return members.some((task) => isFinal(truth, task));
}

function isFinal(truth: Truth, task: StoredTask): boolean {
  const revision = truth.revisionOf(task);
  if (!revision || !truth.hasEnded(task)) return false;
  const { condition, maxAttempts } = effectiveRestartPolicy(revision.template);
  if (condition === 'none') return true;
  if (condition === 'on-failure' && truth.stateOf(task) === 'complete') return true;
  return maxAttempts > 0 && task.spec.restarts >= maxAttempts;
}

function slotAtRest(truth: Truth, members: readonly StoredTask[]): readonly string[] {
  const found = members.flatMap((task) =>
    isWanted(task.spec.desiredState) ? liveAtRest(truth, task) : endedAtRest(truth, task),
  );
  const limit = effectiveClusterSpec(truth.cluster?.spec ?? {}).taskHistoryLimit;
  const live = members.filter(({ spec }) => isWanted(spec.desiredState)).length;
  const newest = [...members].sort(byCreation).at(-1);
  const isNewestOver = newest !== undefined && !isWanted(newest.spec.desiredState);
  // The newest stays, whatever the limit is.
  const most = Math.max(1, live + (isNewestOver ? 1 : 0), limit, attemptsOf(truth, members) + 1);
  if (members.length <= most) return found;
  return [...found, `${members[0]?.metadata.name ?? ''} has ${members.length} tasks of ${most}`];
}

function endedAtRest(truth: Truth, task: StoredTask): readonly string[] {
  const state = truth.stateOf(task);
  if (task.spec.desiredState === 'remove') return [`${label(task)} is to be removed and is there`];
  const hasNeverRun = task.spec.nodeId === undefined; // what a job gave up before it had a node
  return isTerminal(state) || hasNeverRun
    ? []
    : [`${label(task)} is to be stopped and is ${state}`];
}

function liveAtRest(truth: Truth, task: StoredTask): readonly string[] {
  const { nodeId } = task.spec;
  if (nodeId === undefined) return waitingAtRest(truth, task);
  const state = truth.stateOf(task);
  const isDone = state === 'complete' && task.spec.desiredState === 'complete';
  if (isDone) return [];
  const isReady = truth.taskStatuses.get(task.metadata.uid)?.ready !== false;
  if (state === 'running' && isReady) return [];
  return [`${label(task)} is ${state}${isReady ? '' : ' and not ready'} on ${nodeId}`];
}

function attemptsOf(truth: Truth, members: readonly StoredTask[]): number {
  const attempts = members.map((task) => {
    const revision = truth.revisionOf(task);
    return revision ? effectiveRestartPolicy(revision.template).maxAttempts : 0;
  });
  return Math.max(0, ...attempts);
}

/** A task may wait for a node when there is none that could take it, and it says why. */
function waitingAtRest(truth: Truth, task: StoredTask): readonly string[] {
  if (task.spec.pending === undefined) return [`${label(task)} waits and does not say why`];
  const fit = [...truth.nodes.keys()].filter((nodeId) => !whyUnfit(truth, nodeId, task));
  return fit.map((nodeId) => `${label(task)} waits for a node, and ${nodeId} would do`);
}

function statusAtRest(
  truth: Truth,
  { metadata, spec }: StoredService,
  tasks: readonly StoredTask[],
): readonly string[] {
  const { name, uid, generation } = metadata;
  const status = truth.serviceStatuses.get(name);
  if (status?.serviceUid !== uid) return [`${name} has no status`];
  const running = tasks.filter((task) => isWanted(task.spec.desiredState) && isUp(truth, task));
  const slots = bySlot(running).size;
  const replicas = replicasOf(spec) ?? status.desired;
  return [
    ...(status.observedGeneration === generation ? [] : [`the status of ${name} is outdated`]),
    ...(status.running === slots
      ? []
      : [`${name} is said to have ${status.running} tasks running, not ${slots}`]),
    ...(status.desired === replicas
      ? []
      : [`${name} is said to want ${status.desired} tasks, not ${replicas}`]),
  ];
}

const isUp = (truth: Truth, task: StoredTask): boolean => truth.stateOf(task) === 'running';

function revisionsAtRest(
  truth: Truth,
  { metadata, spec }: StoredService,
  tasks: readonly StoredTask[],
): readonly string[] {
  const used = new Set(tasks.map((task) => task.spec.revision));
  const own = [...truth.revisions.values()].filter(({ serviceUid }) => serviceUid === metadata.uid);
  const unused = own.filter(({ revision }) => !used.has(revision));
  const most = (spec.revisionHistoryLimit ?? KEPT_REVISIONS) + 1;
  if (unused.length <= most) return [];
  return [`${metadata.name} keeps ${unused.length} unused revisions`];
}

const label = ({ metadata }: StoredTask): string => `${metadata.name} ${metadata.uid.slice(0, 6)}`;

function byCreation(a: StoredTask, b: StoredTask): number {
  const [one, two] = [a.metadata, b.metadata];
  if (one.createdAt !== two.createdAt) return one.createdAt < two.createdAt ? -1 : 1;
  return one.uid < two.uid ? -1 : 1;
}
