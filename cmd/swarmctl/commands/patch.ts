import { readFile } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import type { PatchType } from '../../../pkg/client/index.js';
import { messageOf } from '../../../pkg/base/index.js';
import { withCluster, type Cli, type Session } from '../cli.js';
import { UsageError } from '../exit-code.js';
import { isMap } from '../objects/field-changes.js';
import { namedObjects, type NamedObject } from '../objects/named-objects.js';
import { pluralOf } from '../objects/target.js';
import { namedFailure } from '../objects/unknown-name.js';
import { WrittenReport } from '../output/print-written.js';
import type { Streams } from '../streams.js';
import { defineCommand } from './define-command.js';
import { addWriteOptions, writeOptionsOf, type WriteFlags } from './write-options.js';

interface PatchFlags extends WriteFlags {
  readonly patch?: string;
  readonly patchFile?: string;
  readonly type: PatchType;
}

/** `swarmctl patch`. */
export function patchCommand(cli: Cli): Command {
  const command = defineCommand({
    name: 'patch',
    summary: 'Change fields of an object',
    description:
      'Changes an object by a JSON merge patch (RFC 7386: fields are set, null removes one, lists are replaced whole) or a JSON patch (RFC 6902: a list of steps), in JSON or YAML.',
    examples: [
      ['A field', `swarmctl patch service web -p '{"spec":{"update":{"delay":"10s"}}}'`],
      ['In YAML, from a file', 'swarmctl patch service/web --patch-file patch.yaml'],
      [
        'An item of a list, if it is what one thinks it is',
        `swarmctl patch service web --type json -p '[{"op":"test","path":"/spec/task/container/args/0","value":"-v"},{"op":"remove","path":"/spec/task/container/args/0"}]'`,
      ],
    ],
  })
    .argument('<kind|kind/name>', 'kind of the object')
    .argument('[name...]', 'names, ids or beginnings of ids')
    .option('-p, --patch <patch>', 'the patch')
    .option('--patch-file <file>', 'a file that has the patch; - for standard input')
    .addOption(
      new Option('--type <type>', 'what the patch is')
        .choices(['merge', 'json'])
        .argParser(patchType)
        .default('merge'),
    );
  return addWriteOptions(command).action(
    async (kind: string, names: readonly string[], flags: PatchFlags, self: Command) => {
      const objects = namedObjects([kind, ...names], 'patch');
      const patch = await patchOf(flags, cli.streams);
      return withCluster(cli, self, (session) => patchAll(session, objects, { ...flags, patch }));
    },
  );
}

/** People know a third type from elsewhere. */
function patchType(text: string): PatchType {
  if (text === 'merge' || text === 'json') return text;
  throw new UsageError(
    `--type: found "${text}", expected merge or json`,
    text === 'strategic' ? 'A merge patch does the same, but replaces lists whole.' : undefined,
  );
}

async function patchOf({ patch, patchFile, type }: PatchFlags, streams: Streams): Promise<object> {
  if ((patch === undefined) === (patchFile === undefined)) {
    throw new UsageError('give either -p PATCH or --patch-file FILE');
  }
  const text = patch ?? (await textOf(patchFile ?? '', streams));
  const { parseYaml } = await import('../../../pkg/manifest/index.js');
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch (error) {
    throw new UsageError(`the patch cannot be read: ${messageOf(error)}`);
  }
  if (type === 'json') {
    if (Array.isArray(value)) return value as unknown[];
    const step = '[{"op":"remove","path":"/metadata/labels/old"}]';
    throw new UsageError(`a JSON patch is a list of steps, such as ${step}`);
  }
  if (isMap(value)) return value;
  throw new UsageError(
    'a merge patch is a map of fields, such as {"metadata":{"labels":{"old":null}}}',
    Array.isArray(value) ? 'Is it a JSON patch? Add --type json.' : undefined,
  );
}

async function textOf(file: string, streams: Streams): Promise<string> {
  if (file === '-') return streams.readStdin();
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${messageOf(error)}`);
  }
}

async function patchAll(
  session: Session,
  objects: readonly NamedObject[],
  { patch, type, ...flags }: Omit<PatchFlags, 'patch'> & { readonly patch: object },
): Promise<void> {
  const { api, streams } = session;
  const report = new WrittenReport(streams, flags.output, flags.dryRun ?? false);
  const options = { ...writeOptionsOf(flags, streams), type };
  try {
    for (const { kind, name } of objects) {
      const { result, object } = await api
        .patch(pluralOf(kind), name, patch, options)
        .catch(namedFailure(api, kind, name));
      const word = result === 'unchanged' ? 'patched (no change)' : 'patched';
      report.add({ kind, name: object.metadata.name, word, object });
    }
  } finally {
    await report.end();
  }
}
