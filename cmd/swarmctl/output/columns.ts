import {
  effectiveCronJob,
  isJob,
  jobOutcomeOf,
  modeNameOf,
  type Cluster,
  type CronJob,
  type Event,
  type Manager,
  type Node,
  type Service,
  type ServiceRevision,
  type Task,
} from '../../../api/v1/index.js';
import type { KindTypes, Plural } from '../../../pkg/client/index.js';
import { ageOf, formatAge } from './age.js';
import { backoffWords, shownState } from './backoff.js';
import type { Paint, Tone } from './colour.js';
import type { Column } from './table.js';
import {
  isReachable,
  labelWords,
  portsOf,
  reachabilityOf,
  replicaWords,
  revisionState,
  shortId,
  taskMessage,
} from './words.js';

/** What columns need besides the object. */
export interface ColumnContext {
  readonly now: Date;
  readonly paint: Paint;
  /** The host name of a node's id; the id when it is not known. */
  readonly nodeName: (id: string) => string;
}

type Columns<T> = (context: ColumnContext) => readonly Column<T>[];

const services: Columns<Service> = ({ now, paint }) => [
  { heading: 'NAME', text: ({ metadata }) => metadata.name },
  { heading: 'MODE', text: ({ spec }) => modeNameOf(spec) },
  { heading: 'REPLICAS', text: (service) => paint(replicaTone(service), replicaWords(service)) },
  { heading: 'IMAGE', text: ({ spec }) => spec.task.container.image },
  { heading: 'PORTS', text: portsOf },
  { heading: 'AGE', text: ({ metadata }) => ageOf(metadata.createdAt, now) },
  { heading: 'REVISION', wide: true, text: ({ status }) => String(status?.revision ?? 0) },
  { heading: 'STATE', wide: true, text: serviceState },
  { heading: 'LABELS', wide: true, text: ({ metadata }) => labelWords(metadata.labels) },
];

/** The first condition that says that something is not as it should be. */
function serviceState({ metadata, spec, status }: Service): string {
  if (metadata.deletingAt !== undefined) return 'Deleting';
  if (isJob(spec)) return jobState(status);
  const available = status?.conditions.find(({ type }) => type === 'Available');
  if (available === undefined) return 'New';
  if (available.status === 'true') return 'Available';
  return status?.conditions.find(({ type }) => type === 'Progressing')?.reason ?? available.reason;
}

function jobState(status: Service['status']): string {
  const outcome = jobOutcomeOf(status);
  if (outcome === 'complete') return 'Complete';
  if (outcome === 'failed') return 'Failed';
  return status?.conditions.find(({ type }) => type === 'Progressing')?.reason ?? 'New';
}

function replicaTone({ spec, status }: Service): Tone {
  if (isJob(spec)) {
    const outcome = jobOutcomeOf(status);
    if (outcome === undefined) return 'busy';
    return outcome === 'complete' ? 'good' : 'bad';
  }
  if (status === undefined || status.running >= status.desired) return 'good';
  return status.failed > 0 ? 'bad' : 'busy';
}

const tasks: Columns<Task> = ({ now, paint, nodeName }) => [
  { heading: 'NAME', text: ({ metadata }) => metadata.name },
  { heading: 'ID', text: ({ metadata }) => shortId(metadata.uid) },
  { heading: 'SERVICE', text: ({ spec }) => spec.service },
  { heading: 'NODE', text: ({ spec }) => nodeOf(spec.nodeId, nodeName) },
  { heading: 'DESIRED', text: ({ spec }) => spec.desiredState },
  { heading: 'STATE', text: (task) => paint(taskTone(task, now), shownState(task, now)) },
  { heading: 'AGE', text: ({ metadata }) => ageOf(metadata.createdAt, now) },
  { heading: 'REVISION', wide: true, text: ({ spec }) => String(spec.revision) },
  { heading: 'RESTARTS', wide: true, text: ({ spec }) => String(spec.restarts) },
  { heading: 'CONTAINER', wide: true, text: ({ status }) => shortId(status?.containerId) },
  { heading: 'MESSAGE', text: (task) => backoffWords(task, now) || taskMessage(task) },
];

/** What runs and is not in service is on its way, too. */
function taskTone(task: Task, now: Date): Tone {
  return task.status?.ready === false ? 'busy' : stateTone(shownState(task, now));
}

const nodeOf = (id: string | undefined, nodeName: (id: string) => string) =>
  id === undefined ? '' : nodeName(id);

const TONES: Readonly<Record<string, Tone>> = {
  running: 'good',
  complete: 'good',
  ready: 'good',
  outdated: 'quiet',
  failed: 'bad',
  rejected: 'bad',
  orphaned: 'bad',
  lost: 'bad',
  shutdown: 'quiet',
};

/** How a state of a task or node is meant. */
export const stateTone = (state: string): Tone => TONES[state] ?? 'busy';

const cronjobs: Columns<CronJob> = ({ now, paint }) => [
  { heading: 'NAME', text: ({ metadata }) => metadata.name },
  { heading: 'SCHEDULE', text: ({ spec }) => spec.schedule },
  { heading: 'TIMEZONE', text: ({ spec }) => effectiveCronJob(spec).timeZone },
  { heading: 'STATE', text: (cronJob) => paint(cronJobTone(cronJob), cronJobState(cronJob)) },
  { heading: 'ACTIVE', text: ({ status }) => String(status?.active.length ?? 0) },
  { heading: 'LAST', text: ({ status }) => agoOf(status?.lastRun?.scheduledAt, now) },
  { heading: 'NEXT', text: ({ status }) => inOf(status?.nextAt, now) },
  { heading: 'AGE', text: ({ metadata }) => ageOf(metadata.createdAt, now) },
  { heading: 'SUCCEEDED', wide: true, text: ({ status }) => agoOf(status?.lastSucceededAt, now) },
  { heading: 'CONCURRENCY', wide: true, text: ({ spec }) => effectiveCronJob(spec).concurrency },
  { heading: 'IMAGE', wide: true, text: ({ spec }) => spec.job.task.container.image },
];

const agoOf = (at: string | undefined, now: Date): string =>
  at === undefined ? '<none>' : `${ageOf(at, now)} ago`;

/** A time stays overdue while no manager leads. */
function inOf(at: string | undefined, now: Date): string {
  if (at === undefined) return '<none>';
  const ms = Date.parse(at) - now.getTime();
  return ms < 0 ? `${formatAge(-ms)} overdue` : `in ${formatAge(ms)}`;
}

function cronJobState({ metadata, status }: CronJob): string {
  if (metadata.deletingAt !== undefined) return 'Deleting';
  return status?.conditions.find(({ type }) => type === 'Scheduled')?.reason ?? 'New';
}

function cronJobTone({ status }: CronJob): Tone {
  const scheduled = status?.conditions.find(({ type }) => type === 'Scheduled');
  if (scheduled?.reason === 'InvalidSchedule') return 'bad';
  return scheduled?.status === 'true' ? 'good' : 'quiet';
}

const nodes: Columns<Node> = ({ now, paint }) => [
  { heading: 'ID', text: ({ metadata }) => shortId(metadata.uid) },
  { heading: 'HOSTNAME', text: ({ metadata }) => metadata.name },
  {
    heading: 'STATUS',
    text: (node) => paint(nodeTone(node), nodeState(node)),
  },
  { heading: 'AVAILABILITY', text: ({ spec }) => spec.availability },
  { heading: 'ROLE', text: ({ spec }) => spec.role },
  { heading: 'ENGINE', text: ({ status }) => status?.description?.engineVersion ?? '' },
  { heading: 'AGE', text: ({ metadata }) => ageOf(metadata.createdAt, now) },
  { heading: 'TASKS', wide: true, text: ({ status }) => String(status?.tasks?.running ?? 0) },
  { heading: 'ADDRESS', wide: true, text: ({ status }) => status?.address ?? '' },
  { heading: 'PLATFORM', wide: true, text: ({ status }) => platformOf(status?.description) },
  { heading: 'LABELS', wide: true, text: ({ metadata }) => labelWords(metadata.labels) },
];

/** A frozen node is there and does nothing that it is told. */
export const isFrozen = ({ status }: Node): boolean =>
  status?.conditions.some(({ type, status: is }) => type === 'HistoryKept' && is === 'false') ??
  false;

function nodeState(node: Node): string {
  const state = node.status?.state ?? 'unknown';
  return isFrozen(node) ? `${state},frozen` : state;
}

const nodeTone = (node: Node): Tone =>
  isFrozen(node) ? 'bad' : stateTone(node.status?.state ?? '');

function platformOf(found: { os: string; architecture: string } | undefined): string {
  return found === undefined ? '' : `${found.os}/${found.architecture}`;
}

const managers: Columns<Manager> = ({ now, paint }) => [
  { heading: 'ID', text: ({ metadata }) => shortId(metadata.name) },
  {
    heading: 'HOSTNAME',
    text: ({ metadata }) => metadata.annotations?.['io.swarmkeeper.hostname'] ?? '',
  },
  { heading: 'ADDRESS', text: ({ status }) => status.address },
  {
    heading: 'STATUS',
    text: (manager) => paint(isReachable(manager) ? 'good' : 'bad', reachabilityOf(manager)),
  },
  { heading: 'VERSION', text: ({ status }) => status.version },
  { heading: 'AGE', text: ({ status }) => ageOf(status.startedAt, now) },
];

const events: Columns<Event> = ({ now, paint }) => [
  { heading: 'LAST', text: ({ lastAt }) => ageOf(lastAt, now) },
  { heading: 'TYPE', text: ({ type }) => paint(type === 'warning' ? 'busy' : 'quiet', type) },
  { heading: 'REASON', text: ({ reason }) => reason },
  {
    heading: 'OBJECT',
    text: ({ regarding }) => `${regarding.kind.toLowerCase()}/${regarding.name}`,
  },
  { heading: 'COUNT', wide: true, text: ({ count }) => String(count) },
  { heading: 'SOURCE', wide: true, text: ({ source }) => source },
  { heading: 'MESSAGE', text: eventMessage },
];

/** With how often it happened, when more than once. */
export function eventMessage({ message, count }: Event): string {
  return count > 1 ? `${message} (${String(count)} times)` : message;
}

const servicerevisions: Columns<ServiceRevision> = ({ now }) => [
  { heading: 'NAME', text: ({ service, revision }) => `${service}/${String(revision)}` },
  { heading: 'SERVICE', text: ({ service }) => service },
  { heading: 'REVISION', text: ({ revision }) => String(revision) },
  { heading: 'IMAGE', text: ({ template }) => template.task.container.image },
  { heading: 'STATE', text: revisionState },
  { heading: 'AGE', text: ({ createdAt }) => ageOf(createdAt, now) },
  { heading: 'CHANGE-CAUSE', text: ({ cause }) => cause ?? '<none>' },
  { heading: 'HASH', wide: true, text: ({ hash }) => hash },
];

/** What the manager that answers has to say against the cluster. */
function clusterHealth({ status }: Cluster): string {
  const bad = (status?.conditions ?? []).filter((condition) => condition.status === 'false');
  return bad.length === 0 ? 'ok' : bad.map(({ reason }) => reason).join(',');
}

const clusters: Columns<Cluster> = ({ now, paint }) => [
  { heading: 'NAME', text: ({ metadata }) => metadata.name },
  { heading: 'ID', text: ({ status }) => shortId(status?.clusterId) },
  { heading: 'LEADER', text: ({ status }) => shortId(status?.leader) },
  {
    heading: 'HEALTH',
    text: (cluster) => {
      const health = clusterHealth(cluster);
      return paint(health === 'ok' ? 'good' : 'bad', health);
    },
  },
  { heading: 'AGE', text: ({ metadata }) => ageOf(metadata.createdAt, now) },
  { heading: 'CA', wide: true, text: ({ status }) => status?.caFingerprint ?? '' },
];

const COLUMNS: { readonly [P in Plural]: Columns<KindTypes[P]> } = {
  services,
  tasks,
  cronjobs,
  nodes,
  managers,
  events,
  servicerevisions,
  clusters,
};

/** The columns that `get` shows of a kind. */
export function columnsOf<P extends Plural>(
  plural: P,
  context: ColumnContext,
): readonly Column<KindTypes[P]>[] {
  return COLUMNS[plural](context);
}
