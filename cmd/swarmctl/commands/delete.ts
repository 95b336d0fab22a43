import type { Command } from 'commander';
import type { KindDescription } from '../../../api/v1/index.js';
import { hasCode, messageOf } from '../../../pkg/base/index.js';
import { withCluster, type Cli, type Session } from '../cli.js';
import { AlreadyToldError, UsageError } from '../exit-code.js';
import { awaitGone } from '../objects/await-gone.js';
import { declaredObjects, problemLine } from '../objects/declared.js';
import { readFiles, type FileOptions } from '../objects/read-files.js';
import { parseTargets, pluralOf, titleOf, type AnyObject } from '../objects/target.js';
import { unknownName } from '../objects/unknown-name.js';
import type { Streams } from '../streams.js';
import { collect, defineCommand } from './define-command.js';
import { timeoutOption, waitDeadline } from './timeout-option.js';

interface DeleteOptions {
  readonly filename?: readonly string[];
  readonly recursive?: boolean;
  readonly wait?: boolean;
  readonly timeout: number;
  readonly force?: boolean;
  readonly ignoreNotFound?: boolean;
}

/** One object to delete. */
interface Doomed {
  readonly kind: KindDescription;
  readonly name: string;
}

/** `swarmctl delete`. */
export function deleteCommand(cli: Cli): Command {
  return defineCommand({
    name: 'delete',
    summary: 'Delete objects',
    examples: [
      [
        'A service and its tasks, and wait until they are gone',
        'swarmctl delete service web --wait',
      ],
      ['Everything that a file declares', 'swarmctl delete -f web.yaml'],
      ['A node that will not come back', 'swarmctl delete node worker-3 --force'],
    ],
  })
    .argument('[kind|kind/name]', 'kind of the objects')
    .argument('[name...]', 'their names')
    .option('-f, --filename <file|dir|->', 'delete what files declare; may be repeated', collect)
    .option('-R, --recursive', 'also directories below')
    .option('--wait', 'wait until they are gone')
    .addOption(timeoutOption('5m'))
    .option('--force', 'nodes: also when the node is ready')
    .option('--ignore-not-found', 'what is not there counts as deleted')
    .action(
      (
        kind: string | undefined,
        names: readonly string[],
        options: DeleteOptions,
        command: Command,
      ) => runDelete(cli, command, { args: kind === undefined ? [] : [kind, ...names], options }),
    );
}

interface DeleteCall {
  readonly args: readonly string[];
  readonly options: DeleteOptions;
}

async function runDelete(cli: Cli, command: Command, { args, options }: DeleteCall): Promise<void> {
  const doomed = await doomedObjects(cli, args, options);
  if (options.force && doomed.some(({ kind }) => kind.kind !== 'Node')) {
    throw new UsageError('--force is for nodes only');
  }
  await withCluster(cli, command, (session) => deleteAll(session, doomed, options));
}

async function doomedObjects(
  { streams }: Cli,
  args: readonly string[],
  { filename, recursive = false }: DeleteOptions,
): Promise<readonly Doomed[]> {
  if (filename !== undefined && args.length > 0) {
    throw new UsageError('give either -f or names, not both');
  }
  return filename === undefined
    ? namedObjects(args)
    : declaredInFiles({ filename, recursive }, streams);
}

async function declaredInFiles(files: FileOptions, streams: Streams): Promise<readonly Doomed[]> {
  const { objects, problems } = await readFiles(files, streams);
  const found = declaredObjects(objects);
  const all = [...problems, ...found.problems];
  for (const problem of all) streams.err(`${problemLine(problem)}\n`);
  if (all.length > 0) throw new AlreadyToldError('problems in files');
  return found.declared;
}

function namedObjects(args: readonly string[]): readonly Doomed[] {
  const targets = parseTargets(args.length === 0 ? [''] : args);
  const doomed = targets.flatMap(({ kind, names }) => names.map((name) => ({ kind, name })));
  if (doomed.length === 0) {
    throw new UsageError('nothing is named to delete', "See 'swarmctl delete --help'.");
  }
  for (const { kind } of doomed) {
    if (!kind.verbs.includes('delete')) throw new UsageError(`${kind.plural} cannot be deleted`);
  }
  return doomed;
}

/** Deletes one after the other; a failure does not keep the rest. */
async function deleteAll(
  session: Session,
  doomed: readonly Doomed[],
  options: DeleteOptions,
): Promise<void> {
  const { streams } = session;
  const deadline = waitDeadline(streams, options.timeout);
  const deleted: { readonly kind: KindDescription; readonly object: AnyObject }[] = [];
  const failures: unknown[] = [];
  for (const target of doomed) {
    try {
      const object = await deleteOne(session, target, options);
      if (object) deleted.push({ kind: target.kind, object });
    } catch (error) {
      if (!hasCode(error, 'ERR_NOT_FOUND') || doomed.length === 1) throw error;
      streams.err(`error: ${messageOf(error)}\n`);
      failures.push(error);
    }
  }
  if (options.wait) {
    for (const { kind, object } of deleted) await awaitGone(session, kind, object, deadline);
  }
  if (failures.length > 0) throw new AlreadyToldError('some were not found');
}

async function deleteOne(
  { api, streams }: Session,
  { kind, name }: Doomed,
  { force = false, ignoreNotFound = false }: DeleteOptions,
): Promise<AnyObject | undefined> {
  try {
    const written = await api.delete(pluralOf(kind), name, {
      signal: streams.interrupted,
      ...(force && { force }),
    });
    const word = written.result === 'unchanged' ? 'deleting' : written.result;
    streams.out(`${titleOf(kind, written.object.metadata.name)} ${word}\n`);
    return written.object;
  } catch (error) {
    if (!hasCode(error, 'ERR_NOT_FOUND')) throw error;
    if (ignoreNotFound) return undefined;
    throw await unknownName(api, kind, name);
  }
}
