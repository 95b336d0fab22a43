import {
  durationMs,
  effectiveJob,
  effectiveRestartPolicy,
  formatBytes,
  formatDurationMs,
  parseBytes,
  replicasOf,
  type ContainerSpec,
  type EffectiveJob,
  type Healthcheck,
  type Mount,
  type Placement,
  type Resources,
  type RevisionTemplate,
  type Service,
  type TaskTemplate,
} from '../../../api/v1/index.js';
import { plural, portWords } from '../output/words.js';
import { probeRows } from './probe-words.js';
import type { SheetRow } from './sheet.js';

/** A service's template in words; what nobody wrote appears as what is in effect. */
export function templateRows(
  { task, endpoint }: RevisionTemplate,
  { isOfJob = false }: { readonly isOfJob?: boolean } = {},
): readonly SheetRow[] {
  const { container, resources, placement, logDriver } = task;
  return [
    ...containerRows(container),
    ['Ports', endpoint?.ports?.map((port) => `${portWords(port)} (on the node)`)],
    ['Health check', healthWords(container.healthcheck)],
    ...probeRows(task),
    ['Limits', limitWords(resources)],
    ['Reserved', reservationWords(resources)],
    ...placementRows(placement),
    ['Priority', priorityWords(task)],
    ['Restart', restartWords({ task }, isOfJob)],
    ['Stop', stopWords(container)],
    ['Log driver', logDriver ? [logDriver.name, ...(pairs(logDriver.options) ?? [])] : undefined],
    ['Forced updates', task.forceUpdate ? String(task.forceUpdate) : undefined],
    ...otherRows(container),
  ];
}

function containerRows(container: ContainerSpec): readonly SheetRow[] {
  return [
    ['Image', imageWords(container)],
    ['Entrypoint', container.command && quoted(container.command)],
    ['Arguments', container.args && quoted(container.args)],
    ['Environment', pairs(container.env)],
    ['Working dir', container.dir],
    ['User', container.user],
    ['Mounts', container.mounts?.map(mountWords)],
  ];
}

function placementRows(placement: Placement = {}): readonly SheetRow[] {
  const { constraints, preferences, soft, strategy, maxReplicasPerNode, maxPer } = placement;
  return [
    ['Placement', constraints],
    [
      'Rather where',
      soft?.map(({ constraint, weight = 1 }) => `${constraint} (weight ${String(weight)})`),
    ],
    ['Near', placement.affinity?.map(neighbourWords)],
    ['Away from', placement.antiAffinity?.map(neighbourWords)],
    ['Spread over', preferences?.map(({ spread }) => spread)],
    ['Strategy', strategy],
    ['Max per node', maxReplicasPerNode ? String(maxReplicasPerNode) : undefined],
    ['Max per label', maxPer?.map(({ key, max }) => `${key}: ${String(max)}`)],
  ];
}

function priorityWords({ priority = 0, preemption }: TaskTemplate): string {
  if (priority === 0) return '';
  return preemption === 'never' ? `${String(priority)} (sends nobody away)` : String(priority);
}

type Neighbour = NonNullable<Placement['affinity']>[number];

/** `db on the same node (required)`, `db by node.labels.zone (weight 10)`. */
function neighbourWords({ service, topology = 'node.id', weight }: Neighbour): string {
  const place = topology === 'node.id' ? 'on the same node' : `by ${topology}`;
  const how = weight === undefined ? 'required' : `weight ${String(weight)}`;
  return `${service} ${place} (${how})`;
}

/** `replicated, 3 replicas`, `global, one task on every eligible node`, and what a job may take. */
export function modeWords({ spec }: Pick<Service, 'spec'>): string {
  const job = effectiveJob(spec);
  if (job) return jobWords(job);
  const replicas = replicasOf(spec);
  return replicas === undefined
    ? 'global, one task on every eligible node'
    : `replicated, ${plural(replicas, 'replica')}`;
}

function jobWords(job: EffectiveJob): string {
  const { totalCompletions, maxConcurrent, backoffLimit, deadlineMs, ttlAfterFinishedMs } = job;
  const isGlobal = totalCompletions === undefined;
  const where = isGlobal ? ' on each node' : '';
  return [
    isGlobal
      ? 'global job, one task to complete on every eligible node'
      : `replicated job, ${plural(totalCompletions, 'task')} to complete, ${String(maxConcurrent)} at once`,
    `at most ${plural(backoffLimit, 'failure')}${where}`,
    ...(Number.isFinite(deadlineMs) ? [`within ${formatDurationMs(deadlineMs)}${where}`] : []),
    ...(ttlAfterFinishedMs === undefined
      ? []
      : [`deleted ${formatDurationMs(ttlAfterFinishedMs)} after its end`]),
  ].join('; ');
}

function imageWords({ image, pullPolicy = 'always', platform }: ContainerSpec): string {
  const pulled = {
    always: 'pulled before every start',
    'if-not-present': 'pulled when the node has it not',
    never: 'never pulled',
  }[pullPolicy];
  return `${image} (${platform === undefined ? '' : `${platform}, `}${pulled})`;
}

function mountWords({ type = 'volume', source, target, readOnly }: Mount): string {
  return `${target} from ${type}${source === undefined ? '' : ` ${source}`}${readOnly ? ' (read-only)' : ''}`;
}

function healthWords(check: Healthcheck | undefined): string {
  const [kind, ...words] = check?.test ?? [];
  if (kind === 'NONE') return 'switched off';
  if (check === undefined) return "the image's";
  const test = kind === undefined ? "the image's" : words.join(' ');
  const { interval = '30s', timeout = '30s', retries = 3, startPeriod = '0s' } = check;
  return `${test} (every ${interval}, timeout ${timeout}, ${plural(retries, 'retry').replace('retrys', 'retries')}, start period ${startPeriod})`;
}

function limitWords(resources: Resources | undefined): string {
  const { cpus, memory, pids } = resources?.limits ?? {};
  const words = [
    cpus === undefined ? '' : `${String(cpus)} CPUs`,
    memory === undefined ? '' : `${sizeWords(memory)} memory`,
    pids === undefined || pids === 0 ? '' : `${String(pids)} processes`,
    resources?.memorySwap === undefined ? '' : `${swapWords(resources.memorySwap)} swap`,
  ].filter(Boolean);
  return words.length === 0 ? 'none' : words.join(', ');
}

function reservationWords(resources: Resources | undefined): string {
  const { cpus, memory, genericResources = [] } = resources?.reservations ?? {};
  const words = [
    cpus === undefined ? '' : `${String(cpus)} CPUs`,
    memory === undefined ? '' : `${sizeWords(memory)} memory`,
    ...genericResources.map(({ kind, value }) => `${String(value)} ${kind}`),
  ].filter(Boolean);
  return words.length === 0 ? 'nothing' : words.join(', ');
}

const sizeWords = (size: string | number) => formatBytes(parseBytes(size) ?? 0);
const swapWords = (size: string | number) => (size === -1 ? 'unlimited' : sizeWords(size));

/** `always, after 5s (twice as long each time it fails soon, up to 5m)`. */
export function restartWords(template: { readonly task: TaskTemplate }, isOfJob = false): string {
  const policy = effectiveRestartPolicy(template);
  if (policy.condition === 'none') return 'never';
  const when = policy.condition === 'any' && !isOfJob ? 'whenever it ends' : 'when it fails';
  const delay = `after ${formatDurationMs(policy.delayMs)}`;
  const backOff =
    policy.maxDelayMs > policy.delayMs
      ? `, twice as long each time it fails within ${formatDurationMs(policy.resetAfterMs)}, up to ${formatDurationMs(policy.maxDelayMs)}`
      : '';
  const window = policy.windowMs > 0 ? ` within ${formatDurationMs(policy.windowMs)}` : '';
  const limit =
    policy.maxAttempts > 0 ? `; at most ${plural(policy.maxAttempts, 'restart')}${window}` : '';
  return `${when}, ${delay}${backOff}${limit}`;
}

function stopWords({
  stopSignal = "the image's signal or SIGTERM",
  stopGracePeriod,
}: ContainerSpec): string {
  return `${stopSignal}, SIGKILL after ${formatDurationMs(durationMs(stopGracePeriod, 10_000))}`;
}

/** Fields that have a line of their own above. */
const TOLD = new Set([
  'image',
  'pullPolicy',
  'platform',
  'command',
  'args',
  'env',
  'dir',
  'user',
  'mounts',
  'healthcheck',
  'stopSignal',
  'stopGracePeriod',
]);

/** Whatever else is given, under its own name. */
function otherRows(container: ContainerSpec): readonly SheetRow[] {
  return Object.entries(container)
    .filter(([key]) => !TOLD.has(key))
    .map(([key, value]) => [key, plainWords(value)]);
}

function plainWords(value: unknown): string | readonly string[] {
  if (Array.isArray(value)) return value.map((item: unknown) => scalarWords(item));
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).map(([key, part]) => `${key}=${scalarWords(part)}`);
  }
  return scalarWords(value);
}

const scalarWords = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));

/** A command line as a shell would take it. */
export function quoted(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ');
}

function pairs(
  map: Readonly<Record<string, string | number | boolean>> | undefined,
): readonly string[] | undefined {
  return map && Object.entries(map).map(([key, value]) => `${key}=${String(value)}`);
}
