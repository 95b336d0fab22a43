import type {
  Endpoint,
  Placement,
  Port,
  Resources,
  Service,
  ServiceMode,
  ServiceSpec,
  TaskTemplate,
} from '../../../../api/v1/index.js';
import { UsageError } from '../../exit-code.js';
import { compact } from '../compact.js';
import { parsePublish, parseUnpublish } from '../publish.js';
import { rollbackFlags, updateFlags } from '../rollout-policy.js';
import type { UpdateOptions } from '../update-options.js';
import {
  cpuValue,
  durationValue,
  endpointModeValue,
  genericResource,
  given,
  integerValue,
  labelMap,
  oneOf,
  pairMap,
  placementPreference,
  sizeValue,
} from '../values.js';
import { changedList, changedMap } from './list-changes.js';
import { updatedContainer } from './updated-container.js';

/** What people write of a service. */
export interface WrittenService {
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: ServiceSpec;
}

/**
 * What a service is after `docker service update`: what no flag names stays as it is.
 * Errors: UsageError in Docker's words.
 */
export function updatedService(
  { metadata, spec }: Pick<Service, 'metadata' | 'spec'>,
  options: UpdateOptions,
  environment: Readonly<Record<string, string | undefined>>,
): WrittenService {
  const { labelAdd = [], labelRm } = options;
  const { update, rollback, endpoint, ...others } = spec;
  return {
    labels: changedMap(metadata.labels, labelMap('label-add', labelAdd), labelRm),
    spec: {
      ...others,
      mode: modeAfter(spec.mode, options),
      task: taskAfter(spec, options, environment),
      ...compact({
        update: { ...update, ...updateFlags(options) },
        rollback: { ...rollback, ...rollbackFlags(options) },
        endpoint: endpointAfter(endpoint, options),
      }),
    },
  };
}

function modeAfter(
  mode: ServiceMode = { replicated: {} },
  { replicas, maxConcurrent }: UpdateOptions,
): ServiceMode {
  const wanted = given(replicas, 'replicas', integerValue);
  const concurrent = given(maxConcurrent, 'max-concurrent', integerValue);
  if (concurrent !== undefined && !mode.replicatedJob) {
    throw new UsageError('max-concurrent can only be used with replicated-job mode');
  }
  if (mode.replicatedJob) {
    const jobs = { totalCompletions: wanted, maxConcurrent: concurrent };
    return { replicatedJob: { ...mode.replicatedJob, ...compact(jobs) } };
  }
  if (wanted === undefined) return mode;
  if (!mode.replicated) {
    throw new UsageError('replicas can only be used with replicated or replicated-job mode');
  }
  return { replicated: { ...mode.replicated, replicas: wanted } };
}

function taskAfter(
  { task, mode }: ServiceSpec,
  options: UpdateOptions,
  environment: Readonly<Record<string, string | undefined>>,
): TaskTemplate {
  const { container, resources, restartPolicy, placement, logDriver, ...others } = task;
  const restart = { ...restartPolicy, ...restartFlags(options) };
  if (options.replicasMaxPerNode !== undefined && (mode?.global ?? mode?.globalJob)) {
    throw new UsageError(
      'replicas-max-per-node can only be used with replicated or replicated-job mode',
    );
  }
  return {
    ...others,
    container: updatedContainer(container, options, environment),
    ...compact({
      resources: resourcesAfter(resources, options),
      restartPolicy: restart,
      placement: placementAfter(placement, options),
      logDriver: logDriverAfter(logDriver, options),
    }),
    ...(options.force && { forceUpdate: (task.forceUpdate ?? 0) + 1 }),
  };
}

function restartFlags(options: UpdateOptions) {
  return compact({
    condition: given(options.restartCondition, 'restart-condition', (flag, text) =>
      oneOf(flag, text, ['none', 'on-failure', 'any']),
    ),
    delay: given(options.restartDelay, 'restart-delay', durationValue),
    maxAttempts: given(options.restartMaxAttempts, 'restart-max-attempts', integerValue),
    window: given(options.restartWindow, 'restart-window', durationValue),
  });
}

/** 0 takes a limit or a reservation away. */
function resourcesAfter(before: Resources = {}, options: UpdateOptions): Resources {
  const { genericResourceAdd = [], genericResourceRm = [], memorySwap, memorySwappiness } = options;
  const amount = <T>(
    text: string | undefined,
    old: T | undefined,
    read: () => T,
  ): T | undefined => {
    if (text === undefined) return old;
    return Number(text) === 0 ? undefined : read();
  };
  const cpus = (flag: string, text: string | undefined, old: string | number | undefined) =>
    amount(text, old, () => cpuValue(flag, text ?? ''));
  const size = (flag: string, text: string | undefined, old: string | number | undefined) =>
    amount(text, old, () => sizeValue(flag, text ?? ''));
  const { limits = {}, reservations = {} } = before;
  const swap = memorySwap === '-1' ? (-1 as const) : size('memory-swap', memorySwap, undefined);
  const swappiness =
    memorySwappiness === '-1'
      ? undefined
      : given(memorySwappiness, 'memory-swappiness', integerValue);
  return compact({
    ...before,
    limits: compact({
      ...limits,
      cpus: cpus('limit-cpu', options.limitCpu, limits.cpus),
      memory: size('limit-memory', options.limitMemory, limits.memory),
      pids: amount(options.limitPids, limits.pids, () =>
        integerValue('limit-pids', options.limitPids ?? ''),
      ),
    }),
    reservations: compact({
      ...reservations,
      cpus: cpus('reserve-cpu', options.reserveCpu, reservations.cpus),
      memory: size('reserve-memory', options.reserveMemory, reservations.memory),
      genericResources: changedList(reservations.genericResources, {
        add: genericResourceAdd.map(genericResource),
        isRemoved: ({ kind }) => genericResourceRm.includes(kind),
        keyOf: ({ kind }) => kind,
      }),
    }),
    memorySwap: memorySwap === undefined ? before.memorySwap : swap,
    memorySwappiness: memorySwappiness === undefined ? before.memorySwappiness : swappiness,
  });
}

function placementAfter(before: Placement = {}, options: UpdateOptions): Placement {
  const { constraintAdd = [], constraintRm = [], replicasMaxPerNode } = options;
  const { placementPrefAdd = [], placementPrefRm = [] } = options;
  const plain = (text: string) => text.replace(/\s+/g, '');
  const removed = constraintRm.map(plain);
  const gone = placementPrefRm.map((text) => placementPreference(text).spread);
  const preferences = (before.preferences ?? []).filter(({ spread }) => !gone.includes(spread));
  return compact({
    ...before,
    constraints: changedList(before.constraints, {
      add: constraintAdd,
      isRemoved: (text) => removed.includes(plain(text)),
      keyOf: plain,
    }),
    preferences: [...preferences, ...placementPrefAdd.map(placementPreference)],
    maxReplicasPerNode:
      given(replicasMaxPerNode, 'replicas-max-per-node', integerValue) ?? before.maxReplicasPerNode,
  });
}

/** A driver comes with its options; options alone are for the driver that is there. */
function logDriverAfter(
  before: TaskTemplate['logDriver'],
  { logDriver, logOpt = [] }: UpdateOptions,
): TaskTemplate['logDriver'] {
  const options = pairMap('log-opt', logOpt);
  if (logDriver !== undefined) {
    return logDriver === '' ? undefined : { name: logDriver, ...compact({ options }) };
  }
  if (logOpt.length === 0) return before;
  if (before === undefined) throw new UsageError('--log-opt needs --log-driver');
  return { ...before, options: { ...before.options, ...options } };
}

function endpointAfter(before: Endpoint = {}, options: UpdateOptions): Endpoint {
  const { publishAdd = [], publishRm = [], endpointMode } = options;
  const removed = publishRm.map(parseUnpublish);
  const kept = (before.ports ?? []).filter((port) => !removed.some((fits) => fits(port)));
  return compact({
    ...before,
    mode: given(endpointMode, 'endpoint-mode', endpointModeValue) ?? before.mode,
    ports: changedList(kept, {
      add: publishAdd.map(parsePublish),
      isRemoved: () => false,
      keyOf: portKey,
    }),
  });
}

const portKey = ({ target, published, protocol = 'tcp', mode = 'ingress' }: Port) =>
  [published ?? '', target, protocol, mode].join('/');
