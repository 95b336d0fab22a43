import { SERVICE_NAME } from './common.js';
import { containerRules } from './container-rules.js';
import type { ContainerSpec } from './container.js';
import { codec, describeValue, fieldPath, type Problem } from './problems.js';
import { NOT_SUPPORTED_YET, type Report } from './report.js';
import { parseBytes, parseCpuNano, parseDurationMs } from './quantities.js';
import { Cluster } from './cluster.js';
import { Node } from './node.js';
import {
  Service,
  type Endpoint,
  type Port,
  type Resources,
  type ServiceMode,
  type ServiceSpec,
  type UpdatePolicy,
} from './service.js';

/** Smallest memory the engine can run a container with (Swarm's bound). */
const MIN_MEMORY_BYTES = 4 * 1024 * 1024;
/** A thousandth of a CPU (Swarm's bound). */
const MIN_CPU_NANO = 1_000_000;

const serviceCodec = codec<Service>(Service);
const nodeCodec = codec<Node>(Node);
const clusterCodec = codec<Cluster>(Cluster);

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
  return MINIMUM_DURATIONS.flatMap(({ field, minimumMs, words }) => {
    const found = input.spec[field];
    const ms = parseDurationMs(found ?? '');
    if (ms === undefined || ms >= minimumMs) return [];
    return [{ path: `spec.${field}`, message: `found ${String(found)}, expected ${words}` }];
  });
}

const MINIMUM_DURATIONS = [
  { field: 'nodeHeartbeat', minimumMs: 200, words: 'at least 200ms' },
  { field: 'nodeUnknownAfter', minimumMs: 400, words: 'at least 400ms' },
  { field: 'nodeLostAfter', minimumMs: 1000, words: 'at least 1s' },
  { field: 'certificateExpiry', minimumMs: 3_600_000, words: 'at least 1h' },
] as const;

function checkSpec(spec: ServiceSpec, report: Report): void {
  checkMode(spec.mode, report);
  containerRules(spec.task.container, report);
  checkResources(spec.task.resources, report);
  checkEndpoint(spec.endpoint, spec.task.container, report);
  checkUpdate('spec.update', spec.update, report);
  checkUpdate('spec.rollback', spec.rollback, report);
  if (spec.task.networks?.length) report('spec.task.networks', NOT_SUPPORTED_YET);
  if (spec.task.placement?.maxReplicasPerNode && spec.mode?.global) {
    report('spec.task.placement.maxReplicasPerNode', 'only for replicated services');
  }
}

function checkMode(mode: ServiceMode | undefined, report: Report): void {
  if (mode === undefined) return;
  if (mode.replicatedJob) report('spec.mode.replicatedJob', NOT_SUPPORTED_YET);
  if (mode.globalJob) report('spec.mode.globalJob', NOT_SUPPORTED_YET);
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
      allowed
        ? `${describeValue(value)} is ${NOT_SUPPORTED_YET}; only ${String(allowed[0])} is`
        : NOT_SUPPORTED_YET,
    );
  }
}

function checkEndpoint(
  endpoint: Endpoint | undefined,
  container: ContainerSpec,
  report: Report,
): void {
  if (endpoint?.mode === 'dnsrr') report('spec.endpoint.mode', `dnsrr is ${NOT_SUPPORTED_YET}`);
  const ports = endpoint?.ports ?? [];
  checkPorts(ports, report);
  const { networkMode = 'default' } = container;
  if (ports.length > 0 && ['host', 'none'].includes(networkMode)) {
    report(
      'spec.endpoint.ports',
      `a container with networkMode ${networkMode} cannot publish ports`,
    );
  }
}

function checkPorts(ports: readonly Port[], report: Report): void {
  const seen = new Set<string>();
  for (const [index, { mode, published, protocol = 'tcp' }] of ports.entries()) {
    const path = fieldPath('spec.endpoint.ports', index);
    if (mode !== 'host') {
      report(`${path}.mode`, `ingress (the default) is ${NOT_SUPPORTED_YET}; write mode: host`);
    }
    if (published === undefined) continue;
    const key = `${String(published)}/${protocol}`;
    if (seen.has(key)) report(`${path}.published`, `${key} is published twice`);
    seen.add(key);
  }
}

/** Both kinds of a quantity, as plain numbers. */
interface Bounds {
  readonly limit: number | undefined;
  readonly reserved: number | undefined;
}

function checkResources(resources: Resources | undefined, report: Report): void {
  if (resources === undefined) return;
  const { limits, reservations, memorySwap } = resources;
  const memory: Bounds = {
    limit: parseOptional(limits?.memory, parseBytes),
    reserved: parseOptional(reservations?.memory, parseBytes),
  };
  const cpus: Bounds = {
    limit: parseOptional(limits?.cpus, parseCpuNano),
    reserved: parseOptional(reservations?.cpus, parseCpuNano),
  };
  checkBounds('memory', memory, { minimum: MIN_MEMORY_BYTES, words: '4Mi' }, report);
  checkBounds('cpus', cpus, { minimum: MIN_CPU_NANO, words: '0.001' }, report);
  if (memorySwap !== undefined && memory.limit === undefined) {
    report('spec.task.resources.memorySwap', 'needs spec.task.resources.limits.memory');
  }
}

function parseOptional(
  value: string | number | undefined,
  parse: (value: string | number) => number | undefined,
): number | undefined {
  return value === undefined ? undefined : parse(value);
}

function checkBounds(
  name: 'memory' | 'cpus',
  { limit, reserved }: Bounds,
  { minimum, words }: { readonly minimum: number; readonly words: string },
  report: Report,
): void {
  const path = 'spec.task.resources';
  for (const [kind, value] of Object.entries({ limits: limit, reservations: reserved })) {
    if (value !== undefined && value < minimum) {
      report(`${path}.${kind}.${name}`, `is too little, expected at least ${words}`);
    }
  }
  if (limit !== undefined && reserved !== undefined && reserved > limit) {
    report(`${path}.reservations.${name}`, 'is more than the limit');
  }
}
