import type { KindDescription } from '../../../api/v1/index.js';
import type { Session } from '../cli.js';
import { readNodeNames, type NodeNames } from '../objects/node-names.js';
import { pluralOf, referenceOf, titleOf, type AnyObject } from '../objects/target.js';
import { columnsOf, type ColumnContext } from './columns.js';
import { toJson } from './json.js';
import { renderTable, type Column } from './table.js';

/** How objects are shown; without one as a table. */
export const OUTPUT_FORMATS = ['wide', 'json', 'yaml', 'name'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** Objects of one kind. */
export interface ObjectGroup {
  readonly kind: KindDescription;
  readonly objects: readonly AnyObject[];
}

/** How to print. */
export interface PrintOptions {
  readonly output?: OutputFormat;
  readonly headers: boolean;
  /** One object was asked for: no list around it. */
  readonly isSingle: boolean;
  /** More follows: columns keep a width that later lines can keep, too. */
  readonly isStream?: boolean;
  /** Said behind each row of a table. */
  readonly note?: string | undefined;
  /** Default: read from the cluster when they are needed. */
  readonly nodeNames?: NodeNames | undefined;
}

/** Prints objects in the form that was asked for. */
export async function printObjects(
  session: Session,
  groups: readonly ObjectGroup[],
  options: PrintOptions,
): Promise<void> {
  const { streams } = session;
  switch (options.output) {
    case 'json':
      streams.out(toJson(documentOf(groups, options)));
      return;
    case 'yaml': {
      const { toYaml } = await import('../../../pkg/manifest/index.js');
      streams.out(`${options.isStream ? '---\n' : ''}${toYaml(documentOf(groups, options))}`);
      return;
    }
    case 'name':
      streams.out(groups.flatMap(namesOf).join(''));
      return;
    case 'wide':
    case undefined:
      await printTables(session, groups, options);
  }
}

function documentOf(groups: readonly ObjectGroup[], { isSingle }: PrintOptions): unknown {
  const items = groups.flatMap(({ objects }) => objects);
  return isSingle && items.length === 1
    ? items[0]
    : { apiVersion: 'swarm/v1', kind: 'List', items };
}

function namesOf({ kind, objects }: ObjectGroup): readonly string[] {
  return objects.map((object) => `${titleOf(kind, referenceOf(kind, object))}\n`);
}

async function printTables(
  session: Session,
  groups: readonly ObjectGroup[],
  options: PrintOptions,
): Promise<void> {
  const { streams, paint } = session;
  const context: ColumnContext = {
    now: streams.clock.now(),
    paint,
    nodeName: options.nodeNames ?? (await namesForTasks(session, groups)),
  };
  const filled = groups.filter(({ objects }) => objects.length > 0);
  if (filled.length === 0 && !options.isStream) {
    streams.err(`no ${groups.map(({ kind }) => kind.plural).join(', ')} found\n`);
  }
  const fitTo = streams.isTerminal && options.output === undefined ? streams.columns : undefined;
  const tables = filled.map((group) =>
    tableOf(group, context, { ...options, isPrefixed: groups.length > 1, fitTo }),
  );
  streams.out(tables.join('\n'));
}

async function namesForTasks(
  { api, streams }: Session,
  groups: readonly ObjectGroup[],
): Promise<NodeNames> {
  const hasPlaced = groups.some(({ objects }) =>
    objects.some((object) => object.kind === 'Task' && object.spec.nodeId !== undefined),
  );
  return hasPlaced ? readNodeNames(api, streams.interrupted) : (id) => id;
}

function tableOf(
  { kind, objects }: ObjectGroup,
  context: ColumnContext,
  options: PrintOptions & { readonly isPrefixed: boolean; readonly fitTo: number | undefined },
): string {
  const columns = columnsOf(pluralOf(kind), context) as readonly Column<AnyObject>[];
  const [first, ...others] = columns;
  const named: readonly Column<AnyObject>[] =
    first && options.isPrefixed
      ? [{ ...first, text: (object) => titleOf(kind, first.text(object)) }, ...others]
      : columns;
  const noted: readonly Column<AnyObject>[] =
    options.note === undefined
      ? named
      : [...named, { heading: '', text: () => options.note ?? '' }];
  return renderTable(noted, objects, {
    wide: options.output === 'wide',
    headings: options.headers,
    ...(options.isStream && { minimumWidths: STREAM_WIDTHS }),
    ...(options.fitTo !== undefined && { fitTo: options.fitTo }),
  });
}

/** Wide enough for most of what comes later. */
const STREAM_WIDTHS: Readonly<Record<string, number>> = {
  NAME: 16,
  STATE: 9,
  STATUS: 7,
  DESIRED: 8,
  NODE: 10,
  SERVICE: 10,
  REPLICAS: 8,
  IMAGE: 16,
  AGE: 6,
  LAST: 5,
  TYPE: 7,
  REASON: 18,
  OBJECT: 20,
};
