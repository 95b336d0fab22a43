import type {
  ContainerSpec,
  Resources,
  RestartPolicy,
  ServiceMode,
  ServiceSpec,
} from '../../../api/v1/index.js';
import { UsageError } from '../exit-code.js';
import type { CreateOptions } from './create-options.js';
import { readEnvironment } from './environment.js';
import { parseMount } from './mount.js';
import { changedCapabilities } from './capabilities.js';
import { compact } from './compact.js';
import { healthAfter } from './health-flags.js';
import { parsePublish } from './publish.js';
import { rollbackFlags, updateFlags } from './rollout-policy.js';
import {
  addressValue,
  cpuValue,
  credentialSpec,
  durationValue,
  endpointModeValue,
  genericResource,
  given,
  hostEntry,
  integerValue,
  labelMap,
  oneOf,
  pairMap,
  placementPreference,
  shellWords,
  sizeValue,
  ulimitValue,
} from './values.js';

/** What runs: the arguments behind the flags. */
export interface CreateArguments {
  readonly image: string;
  readonly args: readonly string[];
  /** Values of variables that are given by name only. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The spec that a command line of `docker service create` means. Errors: UsageError in Docker's words. */
export function serviceSpecOf(options: CreateOptions, what: CreateArguments): ServiceSpec {
  const endpoint = compact({
    mode: given(options.endpointMode, 'endpoint-mode', endpointModeValue),
    ports: options.publish.map(parsePublish),
  });
  const resources = resourcesOf(options);
  const restartPolicy = restartOf(options);
  const placement = placementOf(options);
  const logDriver = logDriverOf(options);
  return {
    mode: modeOf(options),
    task: {
      container: containerOf(options, what),
      ...compact({ resources, restartPolicy, placement, logDriver }),
    },
    ...compact({ update: updateFlags(options), rollback: rollbackFlags(options), endpoint }),
  };
}

function modeOf(options: CreateOptions): ServiceMode {
  const { mode = 'replicated', replicas, maxConcurrent, replicasMaxPerNode } = options;
  const name = oneOf('mode', mode, ['replicated', 'global', 'replicated-job', 'global-job']);
  const wanted = given(replicas, 'replicas', integerValue);
  if (maxConcurrent !== undefined && name !== 'replicated-job') {
    throw new UsageError('max-concurrent can only be used with replicated-job mode');
  }
  switch (name) {
    case 'replicated':
      return { replicated: compact({ replicas: wanted }) };
    case 'replicated-job': {
      const totalCompletions = wanted ?? 1;
      const concurrent = given(maxConcurrent, 'max-concurrent', integerValue);
      return { replicatedJob: { totalCompletions, maxConcurrent: concurrent ?? totalCompletions } };
    }
    case 'global':
    case 'global-job': {
      const only = 'can only be used with replicated or replicated-job mode';
      if (replicas !== undefined) throw new UsageError(`replicas ${only}`);
      if (replicasMaxPerNode !== undefined) throw new UsageError(`replicas-max-per-node ${only}`);
      return name === 'global' ? { global: {} } : { globalJob: {} };
    }
  }
}

function containerOf(options: CreateOptions, what: CreateArguments): ContainerSpec {
  const capabilities = changedCapabilities(NO_CAPABILITIES, {
    add: options.capAdd,
    drop: options.capDrop,
  });
  const credential = given(options.credentialSpec, 'credential-spec', credentialSpec);
  return {
    image: what.image,
    ...compact({
      command: given(options.entrypoint, 'entrypoint', shellWords) as string[] | undefined,
      args: [...what.args],
      env: readEnvironment(options.envFile, options.env, what.environment),
      dir: options.workdir,
      user: options.user,
      groups: [...options.group],
      hostname: options.hostname,
      labels: labelMap('container-label', options.containerLabel),
      tty: options.tty === true ? true : undefined,
      readOnly: options.readOnly === true ? true : undefined,
      init: options.init,
      stopSignal: options.stopSignal,
      stopGracePeriod: given(options.stopGracePeriod, 'stop-grace-period', durationValue),
      hosts: options.host.map(hostEntry),
      dnsConfig: dnsOf(options),
      healthcheck: healthAfter(options, undefined),
      capabilityAdd: [...capabilities.add],
      capabilityDrop: [...capabilities.drop],
      privileges: credential && { credentialSpec: credential },
      sysctls: pairMap('sysctl', options.sysctl),
      ulimits: options.ulimit.map(ulimitValue),
      oomScoreAdj: given(options.oomScoreAdj, 'oom-score-adj', (flag, text) =>
        integerValue(flag, text, -1000),
      ),
      isolation: given(options.isolation, 'isolation', (flag, text) =>
        oneOf(flag, text, ['default', 'process', 'hyperv']),
      ),
      mounts: options.mount.map(parseMount),
    }),
  };
}

const NO_CAPABILITIES = { add: [], drop: [] };

function dnsOf({ dns, dnsOption, dnsSearch }: CreateOptions): ContainerSpec['dnsConfig'] {
  const config = {
    nameservers: dns.map((address) => addressValue('dns', address)),
    search: [...dnsSearch],
    options: [...dnsOption],
  };
  return compact(config);
}

function resourcesOf(options: CreateOptions): Resources {
  const { memorySwap } = options;
  return compact({
    limits: compact({
      cpus: given(options.limitCpu, 'limit-cpu', cpuValue),
      memory: given(options.limitMemory, 'limit-memory', sizeValue),
      pids: given(options.limitPids, 'limit-pids', integerValue),
    }),
    reservations: compact({
      cpus: given(options.reserveCpu, 'reserve-cpu', cpuValue),
      memory: given(options.reserveMemory, 'reserve-memory', sizeValue),
      genericResources: options.genericResource.map(genericResource),
    }),
    memorySwap: memorySwap === '-1' ? (-1 as const) : given(memorySwap, 'memory-swap', sizeValue),
    memorySwappiness: given(options.memorySwappiness, 'memory-swappiness', integerValue),
  });
}

function restartOf(options: CreateOptions): RestartPolicy {
  return compact({
    condition: given(options.restartCondition, 'restart-condition', (flag, text) =>
      oneOf(flag, text, ['none', 'on-failure', 'any']),
    ),
    delay: given(options.restartDelay, 'restart-delay', durationValue),
    maxAttempts: given(options.restartMaxAttempts, 'restart-max-attempts', integerValue),
    window: given(options.restartWindow, 'restart-window', durationValue),
  });
}

function placementOf(options: CreateOptions) {
  return compact({
    constraints: [...options.constraint],
    preferences: options.placementPref.map(placementPreference),
    maxReplicasPerNode: given(options.replicasMaxPerNode, 'replicas-max-per-node', integerValue),
  });
}

function logDriverOf({ logDriver, logOpt }: CreateOptions) {
  const options = pairMap('log-opt', logOpt);
  if (logDriver !== undefined) return { name: logDriver, ...compact({ options }) };
  if (logOpt.length > 0) throw new UsageError('--log-opt needs --log-driver');
  return undefined;
}
