import type { Condition, Event, ObjectMeta, Task } from '../../../api/v1/index.js';
import type { Session } from '../cli.js';
import type { NodeNames } from '../objects/node-names.js';
import { ageOf } from '../output/age.js';
import type { Paint } from '../output/colour.js';
import { columnsOf, eventMessage } from '../output/columns.js';
import { renderTable } from '../output/table.js';
import { indented, renderPart, type SheetRow } from './sheet.js';

/** What descriptions are written with. */
export interface DescribeContext {
  readonly now: Date;
  readonly paint: Paint;
  readonly nodeName: NodeNames;
}

/** Name, labels and age of any object. */
export function metaRows(metadata: ObjectMeta, now: Date): readonly SheetRow[] {
  const labels = Object.entries(metadata.labels ?? {}).map(([key, value]) => `${key}=${value}`);
  const notes = Object.entries(metadata.annotations ?? {}).map(([key, value]) => `${key}=${value}`);
  return [
    ['Name', metadata.name],
    ['ID', metadata.uid],
    ['Labels', labels.length === 0 ? '<none>' : labels],
    ['Annotations', notes],
    ['Created', instantWords(metadata.createdAt, now)],
    ['Deleting', metadata.deletingAt && `since ${instantWords(metadata.deletingAt, now) ?? ''}`],
  ];
}

/** `2026-11-20T10:00:00Z (5m ago)`; for instants to come `(in 5s)`. */
export function instantWords(at: string | undefined, now: Date): string | undefined {
  if (at === undefined) return undefined;
  const short = at.replace(/\.\d+Z$/, 'Z');
  const isPast = Date.parse(at) <= now.getTime();
  return isPast ? `${short} (${ageOf(at, now)} ago)` : `${short} (in ${untilWords(at, now)})`;
}

/** How long it is until an instant. */
export function untilWords(at: string, now: Date): string {
  return ageOf(new Date(2 * now.getTime() - Date.parse(at)).toISOString(), now);
}

/** Conditions as a table. */
export function conditionsPart(conditions: readonly Condition[], { now }: DescribeContext): string {
  if (conditions.length === 0) return '';
  const table = renderTable<Condition>(
    [
      { heading: 'TYPE', text: ({ type }) => type },
      { heading: 'STATUS', text: ({ status }) => status },
      { heading: 'SINCE', text: ({ changedAt }) => ageOf(changedAt, now) },
      { heading: 'REASON', text: ({ reason }) => reason },
      { heading: 'MESSAGE', text: ({ message }) => message },
    ],
    conditions,
  );
  return renderPart('Conditions', indented(table));
}

/** Tasks as `get tasks` shows them. */
export function tasksPart(tasks: readonly Task[], context: DescribeContext): string {
  if (tasks.length === 0) return renderPart('Tasks', '  <none>\n');
  const columns = columnsOf('tasks', context).filter(({ heading }) => heading !== 'SERVICE');
  return renderPart('Tasks', indented(renderTable(columns, tasks)));
}

/** Events, the newest last. */
export function eventsPart(
  events: readonly Event[],
  { now, paint, nodeName }: DescribeContext,
): string {
  if (events.length === 0) return renderPart('Events', '  <none> (events are kept for an hour)\n');
  const sorted = [...events].sort((a, b) => a.lastAt.localeCompare(b.lastAt));
  const table = renderTable<Event>(
    [
      { heading: 'LAST', text: ({ lastAt }) => ageOf(lastAt, now) },
      { heading: 'TYPE', text: ({ type }) => paint(type === 'warning' ? 'busy' : 'quiet', type) },
      { heading: 'REASON', text: ({ reason }) => reason },
      { heading: 'OBJECT', text: ({ regarding }) => regarding.name },
      { heading: 'FROM', text: ({ source }) => sourceWords(source, nodeName) },
      { heading: 'MESSAGE', text: eventMessage },
    ],
    sorted,
  );
  return renderPart('Events', indented(table));
}

/** `agent/worker-1` instead of the node's id. */
function sourceWords(source: string, nodeName: NodeNames): string {
  const [, id] = /^agent\/(.+)$/.exec(source) ?? [];
  return id === undefined ? source : `agent/${nodeName(id)}`;
}

/** Events that a field selects. */
export async function readEvents(
  { api, streams }: Session,
  fieldSelector: string,
): Promise<readonly Event[]> {
  const { items } = await api.listAll('events', { fieldSelector, signal: streams.interrupted });
  return items;
}

/** Tasks that a field selects. */
export async function readTasks(
  { api, streams }: Session,
  fieldSelector: string,
): Promise<readonly Task[]> {
  const { items } = await api.listAll('tasks', { fieldSelector, signal: streams.interrupted });
  return items;
}
