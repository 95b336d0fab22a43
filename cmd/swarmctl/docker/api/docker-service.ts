import {
  effectiveJob,
  type Endpoint,
  type JobStatus,
  type Placement,
  type Port,
  type Resources,
  type Service,
  type ServiceMode,
  type ServiceSpec,
  type ServiceStatus,
  type TaskTemplate,
  type UpdateStatus,
} from '../../../../api/v1/index.js';
import { compact } from '../compact.js';
import { dockerContainer } from './docker-container.js';
import { bytes, nanoCpus, nanoseconds } from './docker-fields.js';

/** A service in the form of Docker's API, defaults filled in as `docker service inspect` shows them. */
export function dockerService(service: Service): object {
  const { metadata, spec } = service;
  const endpoint = dockerEndpoint(spec.endpoint);
  return {
    ID: metadata.uid ?? '',
    Version: { Index: metadata.version ?? 0 },
    CreatedAt: metadata.createdAt ?? '',
    UpdatedAt: metadata.updatedAt ?? '',
    Spec: {
      Name: metadata.name,
      Labels: metadata.labels ?? {},
      TaskTemplate: dockerTask(spec.task),
      Mode: dockerMode(spec.mode),
      UpdateConfig: dockerPolicy(spec.update),
      RollbackConfig: dockerPolicy(spec.rollback),
      EndpointSpec: endpoint,
    },
    Endpoint: { Spec: endpoint, ...(endpoint.Ports && { Ports: endpoint.Ports }) },
    ...statusParts(service),
  };
}

/** What is not there yet is there all the same, without a value: `{{if .UpdateStatus}}` is no mistake. */
function statusParts({ spec, status }: Service): object {
  return {
    ServiceStatus: status && dockerStatus(status, spec),
    PreviousSpec: undefined,
    UpdateStatus: status?.update && dockerUpdate(status.update),
    JobStatus: status?.job && dockerJob(status.job),
  };
}

/** Docker counts runs from 0, ours are numbered from 1. */
function dockerJob({ iteration, startedAt }: JobStatus): object {
  return { JobIteration: { Index: iteration - 1 }, LastExecution: startedAt };
}

/** Of a replicated job Docker's "desired" are the tasks at once that are allowed. */
function dockerStatus({ running, desired, job }: ServiceStatus, spec: ServiceSpec): object {
  const atOnce = effectiveJob(spec)?.maxConcurrent ?? Infinity;
  return {
    RunningTasks: running,
    DesiredTasks: Number.isFinite(atOnce) ? atOnce : desired,
    ...compact({ CompletedTasks: job?.succeeded }),
  };
}

function dockerUpdate({ state, startedAt, completedAt, message }: UpdateStatus): object {
  return compact({
    State: state,
    StartedAt: startedAt,
    CompletedAt: completedAt,
    Message: message,
  });
}

function dockerTask(task: TaskTemplate): object {
  const { container, resources = {}, restartPolicy = {}, placement, logDriver, forceUpdate } = task;
  const { condition = 'any', delay = '5s', maxAttempts = 0, window = '0s' } = restartPolicy;
  return {
    ContainerSpec: dockerContainer(container),
    Resources: dockerResources(resources),
    RestartPolicy: {
      Condition: condition,
      Delay: nanoseconds(delay),
      MaxAttempts: maxAttempts,
      Window: nanoseconds(window),
    },
    Placement: dockerPlacement(placement),
    ...compact({
      LogDriver: logDriver && compact({ Name: logDriver.name, Options: logDriver.options }),
    }),
    ForceUpdate: forceUpdate ?? 0,
    Runtime: 'container',
  };
}

function dockerResources({ limits, reservations, memorySwap, memorySwappiness }: Resources) {
  return {
    Limits: compact({
      NanoCPUs: nanoCpus(limits?.cpus),
      MemoryBytes: bytes(limits?.memory),
      Pids: limits?.pids,
    }),
    Reservations: compact({
      NanoCPUs: nanoCpus(reservations?.cpus),
      MemoryBytes: bytes(reservations?.memory),
      GenericResources: reservations?.genericResources?.map(({ kind, value }) => ({
        DiscreteResourceSpec: { Kind: kind, Value: value },
      })),
    }),
    ...compact({ SwapBytes: bytes(memorySwap), MemorySwappiness: memorySwappiness }),
  };
}

function dockerPlacement(placement: Placement = {}): object {
  return compact({
    Constraints: placement.constraints,
    Preferences: placement.preferences?.map(({ spread }) => ({
      Spread: { SpreadDescriptor: spread },
    })),
    MaxReplicas: placement.maxReplicasPerNode,
  });
}

function dockerMode(mode: ServiceMode = {}): object {
  if (mode.global) return { Global: {} };
  if (mode.globalJob) return { GlobalJob: {} };
  if (mode.replicatedJob) {
    const job = effectiveJob({ mode });
    const total = job?.totalCompletions;
    return { ReplicatedJob: { MaxConcurrent: job?.maxConcurrent, TotalCompletions: total } };
  }
  return { Replicated: { Replicas: mode.replicated?.replicas ?? 1 } };
}

function dockerPolicy(policy: ServiceSpec['update'] = {}): object {
  const { parallelism = 1, delay, failureAction = 'pause', monitor = '5s' } = policy;
  return {
    Parallelism: parallelism,
    ...compact({ Delay: nanoseconds(delay) }),
    FailureAction: failureAction,
    Monitor: nanoseconds(monitor),
    MaxFailureRatio: policy.maxFailureRatio ?? 0,
    Order: policy.order ?? 'stop-first',
  };
}

function dockerEndpoint({ mode = 'vip', ports = [] }: Endpoint = {}): {
  readonly Mode: string;
  readonly Ports?: readonly object[];
} {
  return { Mode: mode, ...(ports.length > 0 && { Ports: ports.map(dockerPort) }) };
}

function dockerPort({ name, target, published, protocol = 'tcp', mode = 'ingress' }: Port): object {
  return compact({
    Name: name,
    Protocol: protocol,
    TargetPort: target,
    PublishedPort: published,
    PublishMode: mode,
  });
}
