import type {
  CronJobSpec,
  StoredCronJob,
  RestartPolicy,
  ServiceMode,
  ServiceSpec,
  StoredMeta,
  StoredNode,
  StoredNodeHealth,
  StoredNodeStatus,
  StoredService,
  StoredServiceRevision,
  StoredTask,
  StoredTaskStatus,
  TaskState,
} from '../../api/v1/index.js';
import { revisionTemplateOf } from '../../api/v1/index.js';
import { taskView, type TaskView } from '../../pkg/lifecycle/index.js';
import { templateHash } from '../../pkg/objects/index.js';

/** When built objects were made, unless told otherwise. */
export const BUILT_AT = '2026-01-01T00:00:00.000Z';

function aMeta(name: string, uid: string, more: Partial<StoredMeta> = {}): StoredMeta {
  return {
    name,
    uid,
    version: 1,
    generation: 1,
    createdAt: BUILT_AT,
    updatedAt: BUILT_AT,
    labels: {},
    ...more,
  };
}

/** What {@link aService} can be told. */
export interface ServiceOptions {
  readonly name?: string;
  readonly uid?: string;
  readonly image?: string;
  /** Default 1. */
  readonly replicas?: number;
  readonly global?: boolean;
  /** Makes it a replicated job. */
  readonly job?: NonNullable<ServiceMode['replicatedJob']>;
  /** Makes it a global job. */
  readonly globalJob?: NonNullable<ServiceMode['globalJob']>;
  /** Counts forced runs. */
  readonly forceUpdate?: number;
  readonly restartPolicy?: RestartPolicy;
  readonly constraints?: readonly string[];
  readonly memory?: string;
  readonly meta?: Partial<StoredMeta>;
}

/** A stored service; `web` with one replica unless told otherwise. */
export function aService(options: ServiceOptions = {}): StoredService {
  const { name = 'web', uid = `uid-${name}`, meta } = options;
  return {
    apiVersion: 'swarm/v1',
    kind: 'Service',
    metadata: aMeta(name, uid, meta),
    spec: aServiceSpec(options),
  };
}

/** The spec of {@link aService}. */
export function aServiceSpec(options: ServiceOptions = {}): ServiceSpec {
  const { image = 'app:1', restartPolicy, constraints, forceUpdate } = options;
  return {
    mode: modeOf(options),
    task: {
      container: { image },
      ...(restartPolicy && { restartPolicy }),
      ...(forceUpdate !== undefined && { forceUpdate }),
      ...(constraints && { placement: { constraints: [...constraints] } }),
      ...(options.memory && { resources: { reservations: { memory: options.memory } } }),
    },
  };
}

function modeOf({ replicas = 1, global = false, job, globalJob }: ServiceOptions): ServiceMode {
  if (job) return { replicatedJob: job };
  if (globalJob) return { globalJob };
  return global ? { global: {} } : { replicated: { replicas } };
}

/** What {@link aCronJob} can be told. */
export interface CronJobOptions extends Partial<Omit<CronJobSpec, 'job'>> {
  readonly name?: string;
  readonly job?: CronJobSpec['job']['mode'];
  readonly meta?: Partial<StoredMeta>;
}

/** A stored cron job; `backup`, every five minutes, unless told otherwise. */
export function aCronJob(options: CronJobOptions = {}): StoredCronJob {
  const { name = 'backup', schedule = '*/5 * * * *', job, meta, ...spec } = options;
  return {
    apiVersion: 'swarm/v1',
    kind: 'CronJob',
    metadata: aMeta(name, `uid-${name}`, meta),
    spec: {
      schedule,
      ...spec,
      job: { mode: job ?? { replicatedJob: {} }, task: { container: { image: 'app:1' } } },
    },
  };
}

/** The revision of a service's present template. */
export function aRevision(service: StoredService, revision = 1): StoredServiceRevision {
  const template = revisionTemplateOf(service.spec);
  return {
    apiVersion: 'swarm/v1',
    kind: 'ServiceRevision',
    metadata: aMeta(`${service.metadata.name}.${String(revision)}`, `rev-${String(revision)}`),
    service: service.metadata.name,
    serviceUid: service.metadata.uid,
    revision,
    hash: templateHash(template),
    template,
    createdAt: BUILT_AT,
  };
}

/** What {@link aTask} can be told. */
export interface TaskOptions extends Partial<StoredTask['spec']> {
  readonly id?: string;
  readonly createdAt?: string;
  /** Observed state; none is reported unless given. */
  readonly state?: TaskState;
  readonly status?: Partial<StoredTaskStatus>;
}

let count = 0;

/** Both halves of a task; slot 1 of `web`, wanted and nowhere unless told otherwise. */
export function aTask(options: TaskOptions = {}): TaskView {
  const {
    id = `task${String((count += 1))}`,
    createdAt = BUILT_AT,
    state,
    status,
    ...spec
  } = options;
  const { service = 'web', slot = 1, forNode } = spec;
  const task: StoredTask = {
    apiVersion: 'swarm/v1',
    kind: 'Task',
    metadata: aMeta(`${service}.${forNode ?? String(slot)}`, id, { createdAt }),
    spec: {
      service,
      serviceUid: `uid-${service}`,
      revision: 1,
      slot,
      desiredState: 'running',
      restarts: 0,
      failures: 0,
      ...(state !== undefined && { nodeId: 'n1' }),
      ...spec,
    },
  };
  return taskView(task, state && aTaskStatus(id, state, status));
}

/** What a node reports of a task. */
export function aTaskStatus(
  taskId: string,
  state: TaskState,
  more: Partial<StoredTaskStatus> = {},
): StoredTaskStatus {
  return {
    taskId,
    nodeId: 'n1',
    epoch: 1,
    state,
    at: BUILT_AT,
    appliedAt: BUILT_AT,
    message: '',
    version: 1,
    ...more,
  };
}

/** What {@link aNode} can be told. */
export interface NodeOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly availability?: StoredNode['spec']['availability'];
  readonly role?: StoredNode['spec']['role'];
}

/** A member of the cluster, active. */
export function aNode(id = 'n1', options: NodeOptions = {}): StoredNode {
  const { labels = {}, availability = 'active', role = 'worker' } = options;
  return {
    apiVersion: 'swarm/v1',
    kind: 'Node',
    metadata: aMeta(`host-${id}`, id, { labels }),
    spec: { role, availability },
  };
}

/** What the manager of a node's session stores: 4 CPUs, 8 GiB, session open. */
export function aNodeStatus(id = 'n1', more: Partial<StoredNodeStatus> = {}): StoredNodeStatus {
  return {
    nodeId: id,
    address: '10.0.0.1',
    description: {
      hostname: `host-${id}`,
      os: 'linux',
      architecture: 'x86_64',
      cpuNano: 4e9,
      memoryBytes: 8 * 2 ** 30,
      engineVersion: '20.10.24',
      engineApiVersion: '1.41',
      engineId: `engine-${id}`,
      engineLabels: {},
      plugins: { volume: ['local'], network: ['bridge'], log: ['json-file'] },
      genericResources: {},
      kernelVersion: '6.1',
      operatingSystem: 'Debian 12',
      agentVersion: '0.1.0',
    },
    session: { epoch: 1, managerId: 'm1', open: true, reason: '', changedAt: BUILT_AT },
    engineHealthy: true,
    version: 1,
    ...more,
  };
}

/** The leader's verdict on a node; ready unless told otherwise. */
export function aNodeHealth(id = 'n1', more: Partial<StoredNodeHealth> = {}): StoredNodeHealth {
  return { nodeId: id, state: 'ready', reason: '', since: BUILT_AT, epoch: 1, version: 1, ...more };
}
