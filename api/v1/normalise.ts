import type { ClusterSpec } from './cluster.js';
import type { CronJobSpec } from './cron-job.js';
import { modeNameOf } from './job.js';
import type { NodeSpec } from './node.js';
import type { PlacementStrategy, Preemption } from './placement.js';
import type { ServiceMode } from './service-mode.js';
import { RevisionTemplate } from './service-revision.js';
import type { ServiceSpec } from './service.js';
import {
  durationMs,
  formatBytes,
  formatDurationMs,
  parseBytes,
  parseDurationMs,
} from './quantities.js';

interface SchemaNode {
  readonly expected?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly patternProperties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
}

/**
 * A valid spec as it is stored: the mode is spelled out, nothing else is filled in. What the user did not
 * write stays unwritten, so that a later release may add fields without changing stored objects.
 */
export function normaliseServiceSpec(spec: ServiceSpec): ServiceSpec {
  return { ...spec, mode: normaliseMode(spec.mode) };
}

/** A valid cron job's spec as it is stored; as sparing as {@link normaliseServiceSpec}. */
export function normaliseCronJobSpec(spec: CronJobSpec): CronJobSpec {
  return { ...spec, job: { ...spec.job, mode: spec.job.mode ?? { replicatedJob: {} } } };
}

/** The spec of the services that a cron job makes. */
export function jobSpecOf({ job }: CronJobSpec): ServiceSpec {
  const { mode = { replicatedJob: {} }, task, endpoint } = job;
  return { mode, task, ...(endpoint !== undefined && { endpoint }) };
}

function normaliseMode(mode: ServiceMode | undefined): ServiceMode {
  if (mode?.replicatedJob ?? mode?.globalJob) return { ...mode };
  if (mode?.global) return { global: {} };
  return { replicated: { replicas: mode?.replicated?.replicas ?? 1 } };
}

/** A valid spec of a node as it is stored: how it is drained matters only while it is. */
export function normaliseNodeSpec({ drainMode, ...spec }: NodeSpec): NodeSpec {
  const isForced = spec.availability === 'drain' && drainMode === 'force';
  return isForced ? { ...spec, drainMode } : spec;
}

/** Replicas wanted; undefined for every other mode than replicated. */
export function replicasOf(spec: ServiceSpec): number | undefined {
  return modeNameOf(spec) === 'replicated' ? (spec.mode?.replicated?.replicas ?? 1) : undefined;
}

/** The part of a spec that restarts tasks when it changes. */
export function revisionTemplateOf(spec: ServiceSpec): RevisionTemplate {
  return spec.endpoint === undefined
    ? { task: spec.task }
    : { task: spec.task, endpoint: spec.endpoint };
}

/**
 * A text that is equal for templates that mean the same: keys sorted, durations and sizes in canonical
 * form, fields that equal their default or are empty left out. Hash it to compare revisions.
 */
export function canonicalTemplate(template: RevisionTemplate): string {
  return canonicalText(template, RevisionTemplate);
}

/** As {@link canonicalTemplate}, for a value of any schema: equal texts mean the same. */
export function canonicalText(value: unknown, schema: object): string {
  return JSON.stringify(canonical(value, schema) ?? {});
}

function canonical(value: unknown, schema: SchemaNode | undefined): unknown {
  if (Array.isArray(value)) {
    return value.length === 0
      ? undefined
      : value.map((item: unknown) => canonical(item, schema?.items) ?? item);
  }
  if (typeof value === 'object' && value !== null) return canonicalObject(value, schema);
  const plain = canonicalScalar(value, schema?.expected);
  return plain === canonicalScalar(schema?.default, schema?.expected) ? undefined : plain;
}

function canonicalObject(value: object, schema: SchemaNode | undefined): unknown {
  const entries: [string, unknown][] = [];
  for (const [key, part] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const below = canonical(
      part,
      schema?.properties?.[key] ?? Object.values(schema?.patternProperties ?? {})[0],
    );
    if (below !== undefined) entries.push([key, below]);
  }
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** How quantities are written, by the first words of what their field expects. */
const CANONICAL: readonly [string, (value: string | number) => unknown][] = [
  ['a duration', (value) => mapDefined(parseDurationMs(String(value)), formatDurationMs)],
  ['a size', (value) => mapDefined(parseBytes(value), formatBytes)],
  ['a number of CPUs', Number],
];

function canonicalScalar(value: unknown, expected: string | undefined): unknown {
  if (typeof value !== 'string' && typeof value !== 'number') return value;
  const [, write] = CANONICAL.find(([words]) => expected?.startsWith(words)) ?? [];
  return write?.(value) ?? value;
}

const mapDefined = (value: number | undefined, write: (value: number) => string) =>
  value === undefined ? undefined : write(value);

/** The cluster's settings with every default filled in. */
export interface EffectiveClusterSpec {
  readonly taskHistoryLimit: number;
  readonly nodeHeartbeatMs: number;
  readonly nodeUnknownAfterMs: number;
  readonly nodeLostAfterMs: number;
  readonly certificateExpiryMs: number;
  readonly strategy: PlacementStrategy;
  readonly preemption: Preemption;
}

/** Of stored specs, which never change. */
const clusterSpecs = new WeakMap<ClusterSpec, EffectiveClusterSpec>();

/** Reads a cluster's settings, defaults included. Asked with every heartbeat of every node. */
export function effectiveClusterSpec(spec: ClusterSpec): EffectiveClusterSpec {
  const known = clusterSpecs.get(spec);
  if (known) return known;
  const found = readClusterSpec(spec);
  if (Object.isFrozen(spec)) clusterSpecs.set(spec, found);
  return found;
}

function readClusterSpec(spec: ClusterSpec): EffectiveClusterSpec {
  return {
    taskHistoryLimit: spec.taskHistoryLimit ?? 5,
    nodeHeartbeatMs: durationMs(spec.nodeHeartbeat, 2_000),
    nodeUnknownAfterMs: durationMs(spec.nodeUnknownAfter, 5_000),
    nodeLostAfterMs: durationMs(spec.nodeLostAfter, 10_000),
    certificateExpiryMs: durationMs(spec.certificateExpiry, 90 * 24 * 3_600_000),
    strategy: spec.scheduling?.strategy ?? 'spread',
    preemption: spec.scheduling?.preemption ?? 'off',
  };
}

/** A restart policy with every default filled in (Swarm's, see the field descriptions). */
export interface EffectiveRestartPolicy {
  readonly condition: 'none' | 'on-failure' | 'any';
  readonly delayMs: number;
  readonly maxAttempts: number;
  readonly windowMs: number;
  readonly maxDelayMs: number;
  readonly resetAfterMs: number;
}

/** Reads a template's restart policy, defaults included. */
export function effectiveRestartPolicy(template: RevisionTemplate): EffectiveRestartPolicy {
  const policy = template.task.restartPolicy ?? {};
  return {
    condition: policy.condition ?? 'any',
    delayMs: durationMs(policy.delay, 5_000),
    maxAttempts: policy.maxAttempts ?? 0,
    windowMs: durationMs(policy.window, 0),
    maxDelayMs: durationMs(policy.maxDelay, 300_000),
    resetAfterMs: durationMs(policy.resetAfter, 60_000),
  };
}
