import type {
  ContainerSpec,
  Healthcheck,
  Resources,
  RestartPolicy,
  ServiceMode,
  ServiceSpec,
} from '../../../api/v1/index.js';
import { UsageError } from '../exit-code.js';
import type { CreateOptions } from './create-options.js';
import { readEnvironment } from './environment.js';
import { parseMount } from './mount.js';
import { parsePublish } from './publish.js';
import {
  addressValue,
  cpuValue,
  durationValue,
  genericResource,
  hostEntry,
  integerValue,
  invalidArgument,
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
  const ports = options.publish.map(parsePublish);
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
    ...(ports.length > 0 && { endpoint: { ports } }),
  };
}

/** Leaves out what is undefined, and lists and maps that are empty. */
function compact<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const kept = Object.entries(fields).filter(([, value]) => !isEmpty(value));
  return Object.fromEntries(kept) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function isEmpty(value: unknown): boolean {
  if (value === undefined) return true;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** Applies `read` to a value that may not be there. */
function given<T>(
  text: string | undefined,
  flag: string,
  read: (flag: string, text: string) => T,
): T | undefined {
  return text === undefined ? undefined : read(flag, text);
}

function modeOf({ mode = 'replicated', replicas, replicasMaxPerNode }: CreateOptions): ServiceMode {
  if (['replicated-job', 'global-job'].includes(mode)) {
    throw new UsageError(`--mode ${mode} is not supported yet`, 'Modes: replicated, global.');
  }
  if (oneOf('mode', mode, ['replicated', 'global']) === 'global') {
    const only = 'can only be used with replicated or replicated-job mode';
    if (replicas !== undefined) throw new UsageError(`replicas ${only}`);
    if (replicasMaxPerNode !== undefined) throw new UsageError(`replicas-max-per-node ${only}`);
    return { global: {} };
  }
  const wanted = given(replicas, 'replicas', integerValue);
  return { replicated: wanted === undefined ? {} : { replicas: wanted } };
}

function containerOf(options: CreateOptions, what: CreateArguments): ContainerSpec {
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
      tty: options.tty,
      readOnly: options.readOnly,
      init: options.init,
      stopSignal: options.stopSignal,
      stopGracePeriod: given(options.stopGracePeriod, 'stop-grace-period', durationValue),
      hosts: options.host.map(hostEntry),
      dnsConfig: dnsOf(options),
      healthcheck: healthOf(options),
      capabilityAdd: options.capAdd.map((name) => name.toUpperCase()),
      capabilityDrop: options.capDrop.map((name) => name.toUpperCase()),
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

function dnsOf({ dns, dnsOption, dnsSearch }: CreateOptions): ContainerSpec['dnsConfig'] {
  const config = {
    nameservers: dns.map((address) => addressValue('dns', address)),
    search: [...dnsSearch],
    options: [...dnsOption],
  };
  return compact(config);
}

function healthOf(options: CreateOptions): Healthcheck | undefined {
  const { healthCmd, healthInterval, healthTimeout } = options;
  const check = compact({
    test: healthCmd === undefined ? undefined : ['CMD-SHELL', healthCmd],
    interval: given(healthInterval, 'health-interval', durationValue),
    timeout: given(healthTimeout, 'health-timeout', durationValue),
    startPeriod: given(options.healthStartPeriod, 'health-start-period', durationValue),
    startInterval: given(options.healthStartInterval, 'health-start-interval', durationValue),
    retries: given(options.healthRetries, 'health-retries', integerValue),
  });
  if (options.healthcheck) return check;
  if (!isEmpty(check)) {
    throw new UsageError('--no-healthcheck conflicts with --health-* options');
  }
  return { test: ['NONE'] };
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
    constraints: options.constraint.map(checkedConstraint),
    preferences: options.placementPref.map(placementPreference),
    maxReplicasPerNode: given(options.replicasMaxPerNode, 'replicas-max-per-node', integerValue),
  });
}

function checkedConstraint(text: string): string {
  if (!/(==|!=)/.test(text)) {
    throw invalidArgument('constraint', text, 'expected KEY==VALUE or KEY!=VALUE');
  }
  return text;
}

function logDriverOf({ logDriver, logOpt }: CreateOptions) {
  const options = pairMap('log-opt', logOpt);
  if (logDriver !== undefined) return { name: logDriver, ...compact({ options }) };
  if (logOpt.length > 0) throw new UsageError('--log-opt needs --log-driver');
  return undefined;
}
