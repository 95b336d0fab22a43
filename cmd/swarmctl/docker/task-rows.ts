import type { Task } from '../../../api/v1/index.js';
import type { Session } from '../cli.js';
import { readNodeNames } from '../objects/node-names.js';
import { byPlace, slotOf } from '../objects/task-order.js';
import { formatAgo } from '../output/age.js';
import { backoffWords, shownState } from '../output/backoff.js';
import { imageWords, portWords, shortId } from '../output/words.js';
import { hasLabels, matches, parseFilters, type Filters } from './filters.js';
import { capitalised } from './pretty/pretty-node.js';
import type { Heading, Row } from './print-rows.js';

/** Columns of `docker service ps` and `docker node ps`. */
export const TASK_HEADINGS: readonly Heading[] = [
  ['ID', 'ID'],
  ['Name', 'NAME'],
  ['Image', 'IMAGE'],
  ['Node', 'NODE'],
  ['DesiredState', 'DESIRED STATE'],
  ['CurrentState', 'CURRENT STATE'],
  ['Error', 'ERROR'],
  ['Ports', 'PORTS'],
];

/** How tasks are listed. */
export interface TaskListOptions {
  readonly filter?: readonly string[];
  readonly resolve: boolean;
  readonly trunc: boolean;
  readonly quiet?: boolean;
}

/** Characters of an error that are shown, as in Docker. */
const ERROR_WIDTH = 75;
const FILTERS = ['id', 'label', 'name', 'node', 'desired-state'];

/** Rows of tasks, each slot with its history below it. Errors: UsageError for unknown filters. */
export async function taskRows(
  session: Session,
  tasks: readonly Task[],
  options: TaskListOptions,
): Promise<readonly Row[]> {
  const filters = parseFilters(options.filter ?? [], FILTERS);
  const signal = session.streams.interrupted;
  const [nodeName, imageOf, labelsOf] = await Promise.all([
    options.resolve ? readNodeNames(session.api, signal) : (id: string) => id,
    readImages(session, tasks),
    filters.has('label') ? readServiceLabels(session) : () => ({}),
  ]);
  const now = session.streams.clock.now();
  const sorted = tasks
    .filter((task) => isWanted(task, filters, nodeName))
    .filter((task) => hasLabels(filters, 'label', labelsOf(task)))
    .sort(byPlace);
  return sorted.map((task, index) => {
    const before = sorted[index - 1];
    const isHistory =
      before !== undefined && placeOf(before) === placeOf(task) && options.quiet !== true;
    return rowOf(task, { options, isHistory, now, nodeName, imageOf });
  });
}

const placeOf = (task: Task) => `${task.spec.service}.${slotOf(task)}`;

function isWanted(task: Task, filters: Filters, nodeName: (id: string) => string): boolean {
  const { uid = '', name } = task.metadata;
  const { nodeId = '', desiredState } = task.spec;
  return (
    matches(filters, 'id', (wanted) => uid.startsWith(wanted)) &&
    matches(filters, 'name', (wanted) => name.startsWith(wanted)) &&
    matches(
      filters,
      'node',
      (wanted) => nodeId.startsWith(wanted) || nodeName(nodeId) === wanted,
    ) &&
    matches(filters, 'desired-state', (wanted) => wanted.toLowerCase() === desiredState)
  );
}

interface RowContext {
  readonly options: TaskListOptions;
  readonly isHistory: boolean;
  readonly now: Date;
  readonly nodeName: (id: string) => string;
  readonly imageOf: (task: Task) => string;
}

function rowOf(task: Task, { options, isHistory, now, nodeName, imageOf }: RowContext): Row {
  const { metadata, spec, status } = task;
  const error = errorOf(task, now);
  const since = status?.at ?? metadata.updatedAt;
  return {
    ID: idOf(task, options),
    Name: `${isHistory ? ' \\_ ' : ''}${nameOf(task, options)}`,
    Image: options.trunc ? imageWords(imageOf(task)) : imageOf(task),
    Node: spec.nodeId === undefined ? '' : nodeName(spec.nodeId),
    DesiredState: capitalised(spec.desiredState),
    CurrentState: `${capitalised(shownState(task, now))} ${formatAgo(since, now).toLowerCase()}`,
    Error: quotedError(error, options),
    Ports: (status?.ports ?? []).map(portWords).join(','),
  };
}

function errorOf(task: Task, now: Date): string {
  const { spec, status } = task;
  const heldBack = backoffWords(task, now);
  if (heldBack !== '') return heldBack;
  const pending = spec.nodeId === undefined ? spec.pending?.message : undefined;
  return status?.error ?? pending ?? '';
}

/** With --no-resolve, the service goes by its id, too. */
function nameOf({ metadata, spec }: Task, { resolve }: TaskListOptions): string {
  if (resolve) return metadata.name;
  return `${spec.serviceUid}${metadata.name.slice(spec.service.length)}`;
}

const idOf = ({ metadata: { uid = '' } }: Task, { trunc }: TaskListOptions) =>
  trunc ? shortId(uid) : uid;

function quotedError(error: string, { trunc }: TaskListOptions): string {
  return error === '' ? '' : `"${trunc ? truncated(error) : error}"`;
}

function truncated(text: string): string {
  const line = text.replace(/\s*\n\s*/g, ' ');
  return line.length <= ERROR_WIDTH ? line : `${line.slice(0, ERROR_WIDTH)}…`;
}

/** Tasks are found by the labels of their services. */
async function readServiceLabels({
  api,
  streams,
}: Session): Promise<(task: Task) => Readonly<Record<string, string>>> {
  const { items } = await api.listAll('services', { signal: streams.interrupted });
  const labels = new Map(items.map(({ metadata }) => [metadata.uid, metadata.labels ?? {}]));
  return ({ spec }) => labels.get(spec.serviceUid) ?? {};
}

/** Images by service and revision: a task carries only the number of its template. */
async function readImages(
  { api, streams }: Session,
  tasks: readonly Task[],
): Promise<(task: Task) => string> {
  const services = [...new Set(tasks.map(({ spec }) => spec.service))];
  const images = new Map<string, string>();
  await Promise.all(
    services.map(async (service) => {
      const query = { fieldSelector: `service=${service}`, signal: streams.interrupted };
      const { items } = await api.listAll('servicerevisions', query);
      for (const { serviceUid, revision, template } of items) {
        images.set(`${serviceUid}/${String(revision)}`, template.task.container.image);
      }
    }),
  );
  return ({ spec }) => images.get(`${spec.serviceUid}/${String(spec.revision)}`) ?? '';
}
