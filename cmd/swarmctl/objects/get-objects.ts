import type { WatchLine } from '../../../api/v1/index.js';
import type { Session } from '../cli.js';
import { UsageError } from '../exit-code.js';
import { printObjects, type OutputFormat } from '../output/print-objects.js';
import { compareValues, valueAt } from './field-path.js';
import { warnOfCluster } from './cluster-warnings.js';
import { readNodeNames } from './node-names.js';
import { pluralOf, type AnyObject, type Target } from './target.js';
import { byPlace } from './task-order.js';
import { readObject } from './unknown-name.js';

/** Which objects, and how. */
export interface GetOptions {
  readonly output?: OutputFormat;
  readonly watch?: boolean;
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly sortBy?: string;
  readonly headers: boolean;
  /** Also which fields belong to the applied document; for JSON and YAML. */
  readonly showApplied?: boolean;
}

/** Prints objects, once or as they change. */
export async function getObjects(
  session: Session,
  targets: readonly Target[],
  options: GetOptions,
): Promise<void> {
  if (options.showApplied && (options.watch || !isDocument(options))) {
    throw new UsageError('--show-applied needs -o yaml or -o json, and no --watch');
  }
  if (options.watch) return watch(session, targets, options);
  const grouped = await Promise.all(
    mergedByKind(targets).map(async (target) => {
      const objects = await readTarget(session, target, options);
      return { kind: target.kind, objects: sorted(objects, options.sortBy) };
    }),
  );
  const [only] = targets;
  const isSingle = targets.length === 1 && only?.names.length === 1;
  await printObjects(session, grouped, { ...options, isSingle });
  const isAboutMachines = grouped.some(({ kind }) => ABOUT_MACHINES.has(kind.kind));
  if (isAboutMachines && !isDocument(options)) await warnOfCluster(session);
}

/** Whoever looks at these asks whether the cluster is well. */
const ABOUT_MACHINES = new Set(['Manager', 'Node']);

const isDocument = ({ output }: GetOptions) => output === 'yaml' || output === 'json';

/** `service/a service/b task/c` asks for two kinds. */
function mergedByKind(targets: readonly Target[]): readonly Target[] {
  const byKind = new Map<string, Target>();
  for (const target of targets) {
    const known = byKind.get(target.kind.kind);
    const names = [...(known?.names ?? []), ...target.names];
    byKind.set(target.kind.kind, { kind: target.kind, names });
  }
  return [...byKind.values()];
}

async function readTarget(
  { api, streams }: Session,
  { kind, names }: Target,
  { selector, fieldSelector, showApplied = false }: GetOptions,
): Promise<readonly AnyObject[]> {
  const options = { showApplied, signal: streams.interrupted };
  if (names.length > 0) {
    return Promise.all(names.map((name) => readObject(api, { kind, name }, options)));
  }
  const { items } = await api.listAll(pluralOf(kind), {
    ...options,
    ...(selector !== undefined && { labelSelector: selector }),
    ...(fieldSelector !== undefined && { fieldSelector }),
  });
  return items;
}

function sorted(objects: readonly AnyObject[], path: string | undefined): readonly AnyObject[] {
  if (path !== undefined) {
    return [...objects].sort((a, b) => compareValues(valueAt(a, path), valueAt(b, path)));
  }
  const tasks = objects.filter((object) => object.kind === 'Task');
  if (tasks.length > 0) return [...tasks].sort(byPlace);
  const events = objects.filter((object) => object.kind === 'Event');
  if (events.length > 0) return [...events].sort((a, b) => a.lastAt.localeCompare(b.lastAt));
  return objects;
}

async function watch(
  session: Session,
  targets: readonly Target[],
  options: GetOptions,
): Promise<void> {
  const [target] = targets;
  if (targets.length !== 1 || target === undefined || target.names.length > 1) {
    throw new UsageError('-w follows one kind, or one object');
  }
  const { api, streams } = session;
  const [name] = target.names;
  const wanted =
    name === undefined
      ? undefined
      : await readObject(api, { kind: target.kind, name }, streams.interrupted);
  const lines = api.watch(pluralOf(target.kind), {
    signal: streams.interrupted,
    ...(options.selector !== undefined && { labelSelector: options.selector }),
    ...(options.fieldSelector !== undefined && { fieldSelector: options.fieldSelector }),
  });
  const isWanted = (object: AnyObject) =>
    wanted === undefined || object.metadata.uid === wanted.metadata.uid;
  await printChanges(session, { target, lines, isWanted }, options);
}

interface Watching {
  readonly target: Target;
  readonly lines: AsyncIterable<WatchLine<AnyObject>>;
  readonly isWanted: (object: AnyObject) => boolean;
}

/** The first set as one table; then one line per change. */
async function printChanges(
  session: Session,
  { target, lines, isWanted }: Watching,
  options: GetOptions,
): Promise<void> {
  const { kind } = target;
  let initial: AnyObject[] | undefined = [];
  const nodeNames =
    kind.kind === 'Task' && (options.output ?? 'wide') === 'wide'
      ? await readNodeNames(session.api, session.streams.interrupted)
      : undefined;
  for await (const line of lines) {
    if (line.type === 'error') continue;
    if (line.type === 'bookmark') {
      if (initial === undefined) continue;
      const objects = sorted(initial, options.sortBy);
      initial = undefined;
      await printObjects(session, [{ kind, objects }], {
        ...options,
        isSingle: false,
        isStream: true,
        nodeNames,
      });
    } else if (isWanted(line.object)) {
      if (initial !== undefined) initial.push(line.object);
      else await printChange(session, line, { kind, options, nodeNames });
    }
  }
}

interface ChangeContext {
  readonly kind: Target['kind'];
  readonly options: GetOptions;
  readonly nodeNames: ((id: string) => string) | undefined;
}

async function printChange(
  session: Session,
  line: Extract<WatchLine<AnyObject>, { readonly object: AnyObject }>,
  { kind, options, nodeNames }: ChangeContext,
): Promise<void> {
  const note = line.type === 'deleted' ? 'deleted' : undefined;
  await printObjects(session, [{ kind, objects: [line.object] }], {
    ...options,
    headers: false,
    isSingle: true,
    isStream: true,
    note,
    nodeNames,
  });
}
