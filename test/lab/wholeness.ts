import {
  isJob,
  isTerminal,
  isWanted,
  type Node,
  type Service,
  type Task,
} from '../../api/v1/index.js';
import { CONTAINER_LABEL } from '../../pkg/agent/index.js';
import type { ContainerState } from '../../pkg/engine/index.js';

/** A container of ours, found on a real engine. */
export interface FoundContainer {
  /** Name of the host, which is the node's too. */
  readonly host: string;
  readonly id: string;
  readonly state: ContainerState;
  readonly labels: Readonly<Record<string, string>>;
}

/** Everything that is declared and everything that is real. */
export interface Findings {
  readonly services: readonly Service[];
  readonly tasks: readonly Task[];
  readonly nodes: readonly Node[];
  readonly containers: readonly FoundContainer[];
}

/**
 * What is not as it was declared, one line each: tasks that are lost, doubled or stuck, containers that are
 * orphans, nodes that are not ready. Nothing at all when the cluster is whole and at rest.
 */
export function flawsOf(findings: Findings): readonly string[] {
  return [
    ...findings.nodes.flatMap(flawsOfNode),
    ...findings.services.flatMap((service) => flawsOfService(service, findings)),
    ...findings.tasks.flatMap((task) => flawsOfTask(task, findings)),
    ...findings.containers.flatMap((container) => flawsOfContainer(container, findings)),
  ];
}

function flawsOfNode({ metadata, status }: Node): readonly string[] {
  if (status?.state === 'ready') return [];
  return [`node ${metadata.name} is ${status?.state ?? 'unheard of'}: ${status?.reason ?? ''}`];
}

const isRunning = ({ spec, status }: Task): boolean =>
  isWanted(spec.desiredState) && status?.state === 'running';

function flawsOfService(service: Service, findings: Findings): readonly string[] {
  const { name, uid } = service.metadata;
  const own = findings.tasks.filter(({ spec }) => spec.serviceUid === uid);
  const places = own.filter(isRunning).map(placeOf);
  const doubled = places.filter((place, index) => places.indexOf(place) !== index);
  return [
    ...flawsOfMode(service, places, findings.nodes),
    ...doubled.map((place) => `doubled: ${name}.${place} runs as two tasks`),
    ...flawsOfStatus(service),
  ];
}

/** How many tasks of a job are to run is for its status to tell: none when it has ended. */
function flawsOfMode(
  service: Service,
  places: readonly string[],
  nodes: readonly Node[],
): readonly string[] {
  if (isJob(service.spec)) return flawsOfJob(service, places);
  return service.spec.mode?.global
    ? flawsOfGlobal(service, places, nodes)
    : flawsOfReplicated(service, places);
}

function flawsOfJob({ metadata, status }: Service, places: readonly string[]): readonly string[] {
  const { running = 0 } = status ?? {};
  if (running === new Set(places).size) return [];
  return [`stuck: ${metadata.name} says that ${running} tasks run, and ${places.length} do`];
}

/** The slot of a task; in a global service its node takes that part. */
const placeOf = ({ spec }: Task): string =>
  spec.slot === 0 ? (spec.nodeId ?? '') : String(spec.slot);

/** Which slots are taken is the controller's business: after scaling down there may be gaps. */
function flawsOfReplicated(
  { metadata, spec }: Service,
  places: readonly string[],
): readonly string[] {
  const wanted = spec.mode?.replicated?.replicas ?? 1;
  const found = new Set(places).size;
  const words = `${metadata.name} runs in ${found} slots, and ${wanted} are wanted`;
  if (found === wanted) return [];
  return [`${found < wanted ? 'lost' : 'too many'}: ${words}`];
}

/** Where constraints say which nodes, only the scheduler could tell. */
function flawsOfGlobal(
  { metadata, spec }: Service,
  places: readonly string[],
  nodes: readonly Node[],
): readonly string[] {
  if (spec.task.placement?.constraints?.length) return [];
  const wanted = nodes.filter((node) => node.spec.availability === 'active').map(idOf);
  return [
    ...wanted
      .filter((place) => !places.includes(place))
      .map((place) => `lost: ${metadata.name}.${place} does not run`),
    ...places
      .filter((place) => !wanted.includes(place))
      .map((place) => `too many: ${metadata.name}.${place} runs and was not asked for`),
  ];
}

const idOf = ({ metadata }: Node): string => metadata.uid ?? '';

function flawsOfStatus({ metadata, status }: Service): readonly string[] {
  const { name, generation } = metadata;
  if (metadata.deletingAt !== undefined) return [`stuck: ${name} is being deleted`];
  if (status === undefined || status.observedGeneration !== generation)
    return [`stuck: ${name} has an old status`];
  const { desired, running, updated } = status;
  if (desired === running && updated === running) return [];
  return [`stuck: ${name} says that ${updated} new and ${running} of ${desired} tasks run`];
}

function flawsOfTask(task: Task, { services, containers }: Findings): readonly string[] {
  const { metadata, spec, status } = task;
  const words = wordsOf(task);
  if (!services.some((each) => each.metadata.uid === spec.serviceUid)) {
    return [`stuck: ${words}, has no service`];
  }
  const own = containers.filter((each) => each.labels[CONTAINER_LABEL.task] === metadata.uid);
  const alive = own.filter(({ state }) => state === 'running');
  if (hasEnded(task)) return alive.map(({ host }) => `zombie: ${words}, still runs on ${host}`);
  if (!isRunning(task)) return [`stuck: ${words}`];
  if (alive.length === 1 && alive[0]?.id === status?.containerId) return [];
  return [`lost: ${words}, has ${alive.length} running containers of its own`];
}

const hasEnded = ({ status }: Task): boolean => status !== undefined && isTerminal(status.state);

const wordsOf = ({ metadata, spec, status }: Task): string =>
  `${metadata.name} (${metadata.uid ?? ''}), ${status?.state ?? 'new'} and to be ${spec.desiredState}`;

function flawsOfContainer(
  { host, id, labels, state }: FoundContainer,
  { tasks, nodes }: Findings,
): readonly string[] {
  const words = `container ${id.slice(0, 12)} on ${host}, ${state}`;
  const task = tasks.find(({ metadata }) => metadata.uid === labels[CONTAINER_LABEL.task]);
  if (!task) return [`orphan: ${words}, is of no task`];
  const node = nodes.find((each) => idOf(each) === task.spec.nodeId);
  if (node?.metadata.name === host) return [];
  return [`orphan: ${words}, is of a task of node ${node?.metadata.name ?? 'nobody'}`];
}
