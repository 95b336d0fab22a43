import { SERVICE_NAME } from './common.js';
import type { ContainerSpec, Healthcheck, Mount } from './container.js';
import { codec, describeValue, fieldPath, type Problem } from './problems.js';
import { parseBytes, parseCpuNano, parseDurationMs } from './quantities.js';
import { Cluster } from './cluster.js';
import { Node } from './node.js';
import {
  Service,
  type Endpoint,
  type Resources,
  type ServiceMode,
  type ServiceSpec,
  type UpdatePolicy,
} from './service.js';

/** Smallest memory the engine can run a container with (Swarm's bound). */
const MIN_MEMORY_BYTES = 4 * 1024 * 1024;
const LATER = 'not supported yet';

const serviceCodec = codec<Service>(Service);
const nodeCodec = codec<Node>(Node);
const clusterCodec = codec<Cluster>(Cluster);

type Report = (path: string, message: string) => void;

/** Every problem of a service as a user wrote it: schema first, rules when the schema holds. */
export function serviceProblems(input: unknown): readonly Problem[] {
  if (!serviceCodec.check(input)) return serviceCodec.problems(input);
  const problems: Problem[] = [];
  const report: Report = (path, message) => problems.push({ path, message });
  if (!SERVICE_NAME.test(input.metadata.name)) {
    report(
      'metadata.name',
      `found ${describeValue(input.metadata.name)}, expected at most 63 characters of a-z, 0-9, "-" and "_", starting and ending with a-z or 0-9`,
    );
  }
  checkSpec(input.spec, report);
  return problems;
}

/** Every problem of a node as an operator wrote it. */
export const nodeProblems = (input: unknown): readonly Problem[] => nodeCodec.problems(input);

/** Every problem of the cluster object as an operator wrote it. */
export function clusterProblems(input: unknown): readonly Problem[] {
  if (!clusterCodec.check(input)) return clusterCodec.problems(input);
  const { spec } = input;
  const problems: Problem[] = [];
  const atLeast = (name: keyof typeof spec, minimumMs: number, words: string) => {
    const ms = parseDurationMs(String(spec[name] ?? ''));
    if (ms !== undefined && ms < minimumMs) {
      problems.push({
        path: `spec.${name}`,
        message: `found ${String(spec[name])}, expected ${words}`,
      });
    }
  };
  atLeast('nodeHeartbeat', 200, 'at least 200ms');
  atLeast('nodeUnknownAfter', 400, 'at least twice the heartbeat');
  atLeast('nodeLostAfter', 1000, 'at least 1s');
  atLeast('certificateExpiry', 3_600_000, 'at least 1h');
  return problems;
}

function checkSpec(spec: ServiceSpec, report: Report): void {
  checkMode(spec.mode, report);
  checkContainer(spec.task.container, report);
  checkResources(spec.task.resources, report);
  checkEndpoint(spec.endpoint, spec.task.container, report);
  checkUpdate('spec.update', spec.update, report);
  checkUpdate('spec.rollback', spec.rollback, report);
  if (spec.task.networks?.length) report('spec.task.networks', LATER);
  if (spec.task.placement?.maxReplicasPerNode && spec.mode?.global) {
    report('spec.task.placement.maxReplicasPerNode', 'only for replicated services');
  }
}

function checkMode(mode: ServiceMode | undefined, report: Report): void {
  if (mode === undefined) return;
  if (mode.replicatedJob) report('spec.mode.replicatedJob', LATER);
  if (mode.globalJob) report('spec.mode.globalJob', LATER);
  const given = Object.keys(mode);
  if (given.length !== 1) {
    report(
      'spec.mode',
      `found ${given.length === 0 ? 'none' : given.join(' and ')}, expected exactly one of replicated, global`,
    );
  }
}

function checkUpdate(path: string, policy: UpdatePolicy | undefined, report: Report): void {
  const supported: Readonly<Record<string, readonly (string | number)[]>> = {
    parallelism: [1],
    delay: ['0', '0s'],
    order: ['stop-first'],
  };
  for (const [key, value] of Object.entries(policy ?? {})) {
    const allowed = supported[key];
    if (allowed?.includes(value)) continue;
    report(
      `${path}.${key}`,
      allowed ? `${describeValue(value)} is ${LATER}; only ${String(allowed[0])} is` : LATER,
    );
  }
}

function checkEndpoint(
  endpoint: Endpoint | undefined,
  container: ContainerSpec,
  report: Report,
): void {
  if (endpoint?.mode === 'dnsrr') report('spec.endpoint.mode', `dnsrr is ${LATER}`);
  const seen = new Set<string>();
  for (const [index, port] of (endpoint?.ports ?? []).entries()) {
    const path = fieldPath('spec.endpoint.ports', index);
    if (port.mode !== 'host') {
      report(`${path}.mode`, `ingress (the default) is ${LATER}; write mode: host`);
    }
    const key = `${String(port.published)}/${port.protocol ?? 'tcp'}`;
    if (port.published !== undefined && seen.has(key)) {
      report(`${path}.published`, `${key} is published twice`);
    }
    seen.add(key);
    if (container.networkMode === 'host' || container.networkMode === 'none') {
      report(path, `a container with networkMode ${container.networkMode} cannot publish ports`);
    }
  }
}

function checkResources(resources: Resources | undefined, report: Report): void {
  const bytes = (value: string | number | undefined) =>
    value === undefined ? undefined : parseBytes(value);
  const limit = bytes(resources?.limits?.memory);
  const reserved = bytes(resources?.reservations?.memory);
  checkMemory('spec.task.resources.limits.memory', limit, report);
  checkMemory('spec.task.resources.reservations.memory', reserved, report);
  if (limit !== undefined && reserved !== undefined && reserved > limit) {
    report('spec.task.resources.reservations.memory', 'is more than the limit');
  }
  checkCpus(resources, report);
  const swap = resources?.memorySwap;
  if (swap !== undefined && limit === undefined) {
    report('spec.task.resources.memorySwap', 'needs spec.task.resources.limits.memory');
  }
}

function checkMemory(path: string, bytes: number | undefined, report: Report): void {
  if (bytes !== undefined && bytes < MIN_MEMORY_BYTES) {
    report(path, `found ${String(bytes)} bytes, expected at least 4Mi`);
  }
}

function checkCpus(resources: Resources | undefined, report: Report): void {
  const nano = (value: string | number | undefined) =>
    value === undefined ? undefined : parseCpuNano(value);
  const limit = nano(resources?.limits?.cpus);
  const reserved = nano(resources?.reservations?.cpus);
  for (const [name, value] of [
    ['limits', limit],
    ['reservations', reserved],
  ] as const) {
    if (value !== undefined && value < 1_000_000) {
      report(`spec.task.resources.${name}.cpus`, 'expected at least 0.001');
    }
  }
  if (limit !== undefined && reserved !== undefined && reserved > limit) {
    report('spec.task.resources.reservations.cpus', 'is more than the limit');
  }
}

function checkContainer(container: ContainerSpec, report: Report): void {
  const path = 'spec.task.container';
  if (container.secrets?.length) report(`${path}.secrets`, LATER);
  if (container.configs?.length) report(`${path}.configs`, LATER);
  for (const label of Object.keys(container.labels ?? {})) {
    if (/^(com\.docker\.swarm|io\.swarmkeeper)\./.test(label)) {
      report(fieldPath(`${path}.labels`, label), 'this prefix is reserved');
    }
  }
  checkMounts(container.mounts ?? [], report);
  checkHealth(`${path}.healthcheck`, container.healthcheck, report);
  const seccomp = container.privileges?.seccomp;
  if (seccomp && (seccomp.mode === 'custom') !== (seccomp.profile !== undefined)) {
    report(`${path}.privileges.seccomp.profile`, 'is given for mode custom, and only then');
  }
  for (const [index, request] of (container.deviceRequests ?? []).entries()) {
    if (request.count !== undefined && request.deviceIds?.length) {
      report(fieldPath(`${path}.deviceRequests`, index), 'count and deviceIds exclude each other');
    }
  }
}

function checkHealth(path: string, check: Healthcheck | undefined, report: Report): void {
  if (check === undefined) return;
  const kind = check.test?.[0];
  if (kind !== undefined && !['CMD', 'CMD-SHELL', 'NONE'].includes(kind)) {
    report(`${path}.test[0]`, `found ${describeValue(kind)}, expected CMD, CMD-SHELL or NONE`);
  }
  for (const name of ['interval', 'timeout', 'startPeriod', 'startInterval'] as const) {
    const ms = parseDurationMs(check[name] ?? '0');
    if (ms !== undefined && ms !== 0 && ms < 1) {
      report(`${path}.${name}`, `found ${String(check[name])}, expected 0 or at least 1ms`);
    }
  }
}

function checkMounts(mounts: readonly Mount[], report: Report): void {
  const targets = new Set<string>();
  for (const [index, mount] of mounts.entries()) {
    const path = fieldPath('spec.task.container.mounts', index);
    if (targets.has(mount.target)) report(`${path}.target`, `${mount.target} is mounted twice`);
    targets.add(mount.target);
    checkMount(path, mount, report);
  }
}

function checkMount(path: string, mount: Mount, report: Report): void {
  const type = mount.type ?? 'volume';
  if (type === 'cluster') report(`${path}.type`, `cluster is ${LATER}`);
  if (type === 'tmpfs' && mount.source !== undefined)
    report(`${path}.source`, 'a tmpfs has no source');
  if ((type === 'bind' || type === 'image' || type === 'npipe') && mount.source === undefined) {
    report(`${path}.source`, `is required for type ${type}`);
  }
  if (
    type === 'bind' &&
    mount.source !== undefined &&
    !/^(\/|[A-Za-z]:\\|\{\{)/.test(mount.source)
  ) {
    report(
      `${path}.source`,
      `found ${describeValue(mount.source)}, expected an absolute path on the node`,
    );
  }
  for (const options of ['bind', 'volume', 'tmpfs', 'image'] as const) {
    if (mount[options] !== undefined && options !== type) {
      report(`${path}.${options}`, `is only for type ${options}; this is a ${type}`);
    }
  }
}
