import {
  parseDurationMs,
  stopGraceMs,
  type Assignment,
  type ContainerSpec,
  type Healthcheck,
  type RevisionTemplate,
} from '../../api/v1/index.js';
import type { ContainerCreateBody, CreateHealthcheck } from '../engine/index.js';
import { createHostConfig, portKey } from './container-host-config.js';
import { defined, optional } from './defined.js';
import { assertEngineSupports } from './engine-support.js';
import { templateExpander, type Expand, type TemplateContext } from './template.js';

/** The node a container is made for. */
export interface NodeFacts {
  readonly clusterId: string;
  readonly nodeId: string;
  readonly hostname: string;
  readonly os: string;
  readonly architecture: string;
  readonly engineApiVersion: string;
}

/** Labels by which an agent knows its own containers. */
export const CONTAINER_LABEL = {
  cluster: 'io.swarmkeeper.cluster',
  node: 'io.swarmkeeper.node',
  task: 'io.swarmkeeper.task',
  service: 'io.swarmkeeper.service',
  serviceId: 'io.swarmkeeper.service-id',
  slot: 'io.swarmkeeper.slot',
  template: 'io.swarmkeeper.template',
} as const;

/** Unique for ever, because a task id is. */
export const containerName = ({ name, taskId }: Assignment): string => `${name}.${taskId}`;

/**
 * The container of a task: every field of its template in the engine's words.
 * Errors: TerminalError for a template that names an unknown placeholder or needs a newer engine.
 */
export function containerBody(
  assignment: Assignment,
  template: RevisionTemplate,
  node: NodeFacts,
): ContainerCreateBody {
  const { container } = template.task;
  assertEngineSupports(container, node.engineApiVersion);
  const expand = templateExpander(templateContext(assignment, node));
  return defined({
    Image: container.image,
    ...identity(container, expand),
    Env: environment(container, assignment, expand),
    ...processOf(container),
    Labels: labels(assignment, container, node),
    Healthcheck: optional(container.healthcheck, createHealthcheck),
    ExposedPorts: optional(template.endpoint?.ports, (ports) =>
      Object.fromEntries(ports.map((port) => [portKey(port), {}])),
    ),
    HostConfig: createHostConfig(template, expand),
  });
}

function templateContext(assignment: Assignment, node: NodeFacts): TemplateContext {
  const { taskId, name, service, serviceUid, serviceLabels, slot } = assignment;
  return {
    service: { id: serviceUid, name: service, labels: serviceLabels },
    node: {
      id: node.nodeId,
      hostname: node.hostname,
      os: node.os,
      architecture: node.architecture,
    },
    task: { id: taskId, name: `${name}.${taskId}`, slot: slot === 0 ? node.nodeId : String(slot) },
  };
}

const identity = (container: ContainerSpec, expand: Expand) => ({
  Hostname: optional(container.hostname, expand),
  Domainname: container.domainname,
  User: container.user,
  WorkingDir: container.dir,
});

/** What the task was given of generic resources stands last, so that nothing else can claim to be it. */
function environment(
  { env = {} }: ContainerSpec,
  { assignedResources = {} }: Assignment,
  expand: Expand,
): readonly string[] | undefined {
  const written = Object.entries(env).map(([key, value]) => `${key}=${expand(String(value))}`);
  const given = Object.entries(assignedResources).map(
    ([kind, what]) => `DOCKER_RESOURCE_${kind.toUpperCase()}=${valueOf(what)}`,
  );
  return written.length + given.length === 0 ? undefined : [...written, ...given];
}

/** As Docker writes it: ids by comma, or a number. */
const valueOf = (what: readonly string[] | number): string =>
  typeof what === 'number' ? String(what) : what.join(',');

const processOf = (container: ContainerSpec) => ({
  Entrypoint: emptyAsAbsent(container.command),
  Cmd: emptyAsAbsent(container.args),
  Tty: container.tty,
  OpenStdin: container.openStdin,
  StopSignal: container.stopSignal,
  StopTimeout: optional(container.stopGracePeriod, () => Math.ceil(stopGraceMs(container) / 1000)),
});

/** An empty list means "the image's", as in Docker's services. */
const emptyAsAbsent = (words: readonly string[] | undefined) =>
  words === undefined || words.length === 0 ? undefined : words;

function labels(
  assignment: Assignment,
  container: ContainerSpec,
  node: NodeFacts,
): Record<string, string> {
  const { taskId, name, service, serviceUid, slot, template } = assignment;
  return {
    ...container.labels,
    [CONTAINER_LABEL.cluster]: node.clusterId,
    [CONTAINER_LABEL.node]: node.nodeId,
    [CONTAINER_LABEL.task]: taskId,
    [CONTAINER_LABEL.service]: service,
    [CONTAINER_LABEL.serviceId]: serviceUid,
    [CONTAINER_LABEL.slot]: String(slot),
    [CONTAINER_LABEL.template]: template,
    // Tools that know Docker's services find ours by these.
    'com.docker.swarm.task': '',
    'com.docker.swarm.task.id': taskId,
    'com.docker.swarm.task.name': `${name}.${taskId}`,
    'com.docker.swarm.node.id': node.nodeId,
    'com.docker.swarm.service.id': serviceUid,
    'com.docker.swarm.service.name': service,
  };
}

const nanoseconds = (duration: string): number =>
  Math.round((parseDurationMs(duration) ?? 0) * 1e6);

function createHealthcheck(check: Healthcheck): CreateHealthcheck {
  return defined({
    Test: check.test,
    Interval: optional(check.interval, nanoseconds),
    Timeout: optional(check.timeout, nanoseconds),
    StartPeriod: optional(check.startPeriod, nanoseconds),
    StartInterval: optional(check.startInterval, nanoseconds),
    Retries: check.retries,
  });
}
