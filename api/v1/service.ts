import { Type, type Static } from 'typebox';
import {
  Condition,
  ObjectMeta,
  Timestamp,
  byteSize,
  cpuCount,
  duration,
  type StoredMeta,
} from './common.js';
import { ContainerSpec } from './container.js';

const closed = { additionalProperties: false } as const;

const GenericResource = Type.Object(
  {
    kind: Type.String({ minLength: 1, description: 'As the node advertises it, such as gpu.' }),
    value: Type.Integer({ minimum: 1, description: 'How many of them.' }),
  },
  closed,
);

/** What a task may use at most, and what a node must have free for it. */
export const Resources = Type.Object(
  {
    limits: Type.Optional(
      Type.Object(
        {
          cpus: Type.Optional(
            cpuCount({ description: 'At most this much CPU time. Default: unlimited.' }),
          ),
          memory: Type.Optional(byteSize({ description: 'At least 4Mi. Default: unlimited.' })),
          pids: Type.Optional(
            Type.Integer({ minimum: 0, default: 0, description: '0 means unlimited.' }),
          ),
        },
        { ...closed, description: 'What a task may use at most.' },
      ),
    ),
    reservations: Type.Optional(
      Type.Object(
        {
          cpus: Type.Optional(cpuCount({ description: 'Must be free on the node.' })),
          memory: Type.Optional(
            byteSize({ description: 'Must be free on the node. At least 4Mi.' }),
          ),
          genericResources: Type.Optional(
            Type.Array(GenericResource, { description: 'Must be free on the node.' }),
          ),
        },
        { ...closed, description: 'What a node must have free for a task.' },
      ),
    ),
    memorySwap: Type.Optional(
      Type.Union([byteSize(), Type.Literal(-1)], {
        expected: 'a size such as 1g, or -1 for unlimited',
        description: 'Swap on top of the memory limit, which it needs. -1 means unlimited.',
      }),
    ),
    memorySwappiness: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 100,
        description: "How readily its memory is swapped out. Default: the kernel's.",
      }),
    ),
  },
  { ...closed, description: 'Limits and reservations of a task.' },
);
export type Resources = Static<typeof Resources>;

/** What happens when a task ends. */
export const RestartPolicy = Type.Object(
  {
    condition: Type.Optional(
      Type.Enum(['none', 'on-failure', 'any'], {
        default: 'any',
        description: 'on-failure leaves a task that ended with exit code 0 alone.',
      }),
    ),
    delay: Type.Optional(
      duration({ default: '5s', description: 'Wait before the first restart.' }),
    ),
    maxAttempts: Type.Optional(
      Type.Integer({
        minimum: 0,
        default: 0,
        description: 'Restarts per slot and revision. 0 means no limit.',
      }),
    ),
    window: Type.Optional(
      duration({
        default: '0s',
        description: 'Only restarts this recent count for maxAttempts. 0 means all.',
      }),
    ),
    maxDelay: Type.Optional(
      duration({
        default: '5m',
        description:
          'A task that keeps failing soon after its start waits twice as long each time, up to this.',
      }),
    ),
    resetAfter: Type.Optional(
      duration({
        default: '1m',
        description: 'A task that ran this long starts again from `delay`.',
      }),
    ),
  },
  { ...closed, description: 'What happens when a task ends.' },
);
export type RestartPolicy = Static<typeof RestartPolicy>;

/** Which nodes may run tasks, and how tasks spread over them. */
export const Placement = Type.Object(
  {
    constraints: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        description: 'All must hold, such as node.labels.disk == ssd or node.role != manager.',
      }),
    ),
    preferences: Type.Optional(
      Type.Array(
        Type.Object(
          {
            spread: Type.String({
              pattern: '^(node|engine)\\.labels\\..+$',
              expected: 'node.labels.NAME or engine.labels.NAME',
              description: 'The label.',
            }),
          },
          closed,
        ),
        { description: 'Spread evenly over the values of a label; several nest.' },
      ),
    ),
    maxReplicasPerNode: Type.Optional(
      Type.Integer({
        minimum: 0,
        default: 0,
        description: 'Replicated services only. 0 means no limit.',
      }),
    ),
  },
  { ...closed, description: 'Which nodes may run tasks.' },
);
export type Placement = Static<typeof Placement>;

/** Where the container's output goes. */
export const LogDriver = Type.Object(
  {
    name: Type.String({ minLength: 1, description: 'Such as json-file, local, journald, none.' }),
    options: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'Of the driver, such as max-size: 10m.',
      }),
    ),
  },
  { ...closed, description: "Where the container's output goes. Default: the engine's driver." },
);
export type LogDriver = Static<typeof LogDriver>;

/** Template of a service's tasks. A change of it makes a new revision and restarts tasks. */
export const TaskTemplate = Type.Object(
  {
    container: ContainerSpec,
    resources: Type.Optional(Resources),
    restartPolicy: Type.Optional(RestartPolicy),
    placement: Type.Optional(Placement),
    logDriver: Type.Optional(LogDriver),
    networks: Type.Optional(Type.Array(Type.Unknown(), { description: 'Not supported yet.' })),
    forceUpdate: Type.Optional(
      Type.Integer({
        minimum: 0,
        default: 0,
        description: 'Counts forced redeployments; a change restarts tasks.',
      }),
    ),
  },
  { ...closed, description: 'Template of the tasks. A change of it restarts tasks.' },
);
export type TaskTemplate = Static<typeof TaskTemplate>;

/** A port of the tasks made reachable from outside. */
export const Port = Type.Object(
  {
    name: Type.Optional(Type.String({ minLength: 1, description: 'For people.' })),
    target: Type.Integer({ minimum: 1, maximum: 65535, description: 'Port inside the container.' }),
    published: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 65535,
        description: 'Port on the node. Default: one the engine chooses.',
      }),
    ),
    protocol: Type.Optional(
      Type.Enum(['tcp', 'udp', 'sctp'], { default: 'tcp', description: 'Protocol of the port.' }),
    ),
    mode: Type.Optional(
      Type.Enum(['ingress', 'host'], {
        default: 'ingress',
        description: 'host: on the nodes that run a task. ingress is not supported yet.',
      }),
    ),
  },
  closed,
);
export type Port = Static<typeof Port>;

/** How clients reach the service. */
export const Endpoint = Type.Object(
  {
    mode: Type.Optional(
      Type.Enum(['vip', 'dnsrr'], { default: 'vip', description: 'dnsrr is not supported yet.' }),
    ),
    ports: Type.Optional(Type.Array(Port, { description: 'Ports made reachable from outside.' })),
  },
  { ...closed, description: 'How clients reach the service.' },
);
export type Endpoint = Static<typeof Endpoint>;

/** How a new revision replaces an old one. Only the defaults are supported yet. */
export const UpdatePolicy = Type.Object(
  {
    parallelism: Type.Optional(
      Type.Integer({ minimum: 0, default: 1, description: 'Tasks replaced at once; 0 means all.' }),
    ),
    delay: Type.Optional(duration({ default: '0s', description: 'Wait between groups of tasks.' })),
    failureAction: Type.Optional(
      Type.Enum(['pause', 'continue', 'rollback'], {
        default: 'pause',
        description: 'When new tasks fail.',
      }),
    ),
    monitor: Type.Optional(
      duration({
        default: '5s',
        description: 'A new task that fails this soon counts as failed update.',
      }),
    ),
    maxFailureRatio: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        default: 0,
        description: 'Share of new tasks that may fail.',
      }),
    ),
    order: Type.Optional(
      Type.Enum(['stop-first', 'start-first'], {
        default: 'stop-first',
        description: 'Whether the old task stops before the new one starts.',
      }),
    ),
  },
  {
    ...closed,
    description: 'How a new revision replaces an old one. Only the defaults are supported yet.',
  },
);
export type UpdatePolicy = Static<typeof UpdatePolicy>;

const JobMode = Type.Object(
  {
    maxConcurrent: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Tasks that run at once.' }),
    ),
    totalCompletions: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Tasks that have to end well.' }),
    ),
  },
  closed,
);

/** How many tasks there are; exactly one member is set. It cannot be changed later. */
export const ServiceMode = Type.Object(
  {
    replicated: Type.Optional(
      Type.Object(
        {
          replicas: Type.Optional(
            Type.Integer({
              minimum: 0,
              maximum: 100_000,
              default: 1,
              description: 'Tasks wanted.',
            }),
          ),
        },
        { ...closed, description: 'A number of equal tasks.' },
      ),
    ),
    global: Type.Optional(
      Type.Object({}, { ...closed, description: 'One task on every eligible node.' }),
    ),
    replicatedJob: Type.Optional(
      Type.Object(JobMode.properties, { ...closed, description: 'Not supported yet.' }),
    ),
    globalJob: Type.Optional(Type.Object({}, { ...closed, description: 'Not supported yet.' })),
  },
  {
    ...closed,
    description: 'Exactly one of replicated and global. Default: replicated with 1 replica.',
  },
);
export type ServiceMode = Static<typeof ServiceMode>;

/** Desired state of a service, as users write it. */
export const ServiceSpec = Type.Object(
  {
    mode: Type.Optional(ServiceMode),
    task: TaskTemplate,
    update: Type.Optional(UpdatePolicy),
    rollback: Type.Optional(UpdatePolicy),
    endpoint: Type.Optional(Endpoint),
  },
  { ...closed, description: 'Desired state of the service.' },
);
export type ServiceSpec = Static<typeof ServiceSpec>;

/** What controllers found about a service. */
export const ServiceStatus = Type.Object(
  {
    observedGeneration: Type.Integer({
      minimum: 0,
      description: 'Generation of the spec this status speaks of.',
    }),
    revision: Type.Integer({ minimum: 0, description: 'Newest service revision.' }),
    desired: Type.Integer({ minimum: 0, description: 'Tasks wanted now.' }),
    running: Type.Integer({
      minimum: 0,
      description: 'Tasks observed running that are meant to run.',
    }),
    updated: Type.Integer({ minimum: 0, description: 'Running tasks of the newest revision.' }),
    pending: Type.Integer({ minimum: 0, description: 'Tasks without a node.' }),
    failed: Type.Integer({
      minimum: 0,
      description: 'Slots whose newest task failed and waits for its next try or gave up.',
    }),
    conditions: Type.Array(Condition),
  },
  { description: 'What controllers found.' },
);
export type ServiceStatus = Static<typeof ServiceStatus>;

/** A service: what to run and how many of it. */
export const Service = Type.Object(
  {
    apiVersion: Type.Literal('swarm/v1'),
    kind: Type.Literal('Service'),
    metadata: ObjectMeta,
    spec: ServiceSpec,
    status: Type.Optional(ServiceStatus),
  },
  { ...closed, description: 'What to run and how many of it.' },
);
export type Service = Static<typeof Service>;

/** A service as stored: its desired half, normalised (defaults filled in, see normalise.ts). */
export interface StoredService {
  readonly apiVersion: 'swarm/v1';
  readonly kind: 'Service';
  readonly metadata: StoredMeta;
  readonly spec: ServiceSpec;
}

/** The observed half of a service. `serviceUid` tells it from that of an earlier service of the name. */
export interface StoredServiceStatus extends ServiceStatus {
  readonly serviceUid: string;
  readonly version: number;
}

/** The part of a service's spec that restarts tasks when it changes: what a revision stores. */
export const RevisionTemplate = Type.Object(
  { task: TaskTemplate, endpoint: Type.Optional(Endpoint) },
  closed,
);
export type RevisionTemplate = Static<typeof RevisionTemplate>;

/** One stored template of a service. Immutable. */
export const ServiceRevision = Type.Object(
  {
    apiVersion: Type.Literal('swarm/v1'),
    kind: Type.Literal('ServiceRevision'),
    metadata: ObjectMeta,
    service: Type.String({ description: 'Name of the service.' }),
    serviceUid: Type.String(),
    revision: Type.Integer({ minimum: 1 }),
    hash: Type.String({ description: 'Of the canonical template: equal templates, equal hashes.' }),
    template: RevisionTemplate,
    createdAt: Timestamp,
  },
  { ...closed, description: 'One stored task template of a service: rollout history.' },
);
export type ServiceRevision = Static<typeof ServiceRevision>;

/** A revision as stored. */
export interface StoredServiceRevision extends Omit<ServiceRevision, 'metadata'> {
  readonly metadata: StoredMeta;
}
