import type { Command } from 'commander';
import { withCluster, type Cli, type Session } from '../cli.js';
import { DifferentError, NoAnswerError, UsageError } from '../exit-code.js';
import { writtenParts } from '../objects/field-changes.js';
import { checkPruneFlags, chosenObjects, leftovers, type PruneFlags } from '../objects/prune.js';
import { readFiles } from '../objects/read-files.js';
import { titleOf } from '../objects/target.js';
import { triedObjects } from '../objects/tried-objects.js';
import { printable } from '../output/table.js';
import { unifiedDiff, type DiffLine } from '../output/unified-diff.js';
import type { Paint } from '../output/colour.js';
import { defineCommand } from './define-command.js';
import { addFileOptions, type FileFlags } from './file-options.js';

type DiffOptions = FileFlags & PruneFlags;

/** `swarmctl diff`. */
export function diffCommand(cli: Cli): Command {
  const command = defineCommand({
    name: 'diff',
    summary: 'What an apply of files would change',
    description:
      'Asks the managers what an apply would make of each object, and shows how that differs from what there is. Exits with 0 when nothing differs, with 1 when something does, with 2 when it cannot be told.',
    examples: [
      ['What would change?', 'swarmctl diff -f web.yaml'],
      [
        'Apply only when something would change',
        'swarmctl diff -f shop/ >/dev/null || swarmctl apply -f shop/',
      ],
      ['Also what would be deleted', 'swarmctl diff -f shop/ --prune -l app=shop'],
    ],
  });
  return addFileOptions(command, 'what to compare; may be repeated')
    .option('-l, --selector <labels>', 'only objects of the files with these labels')
    .option('--prune', 'also what an apply with --prune would delete')
    .option('--all', 'with --prune: whatever its labels are')
    .action(async (options: DiffOptions, self: Command) => {
      const differs = await answered(() => {
        const { filename } = options;
        if (filename === undefined) {
          throw new UsageError('diff needs -f FILE', "See 'swarmctl diff --help'.");
        }
        checkPruneFlags(options);
        return withCluster(cli, self, (session) => diff(session, { ...options, filename }));
      });
      if (differs) throw new DifferentError('there are differences');
    });
}

/** For commands whose 1 is an answer: a failure is told by 2. Errors: NoAnswerError. */
export async function answered<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new NoAnswerError(error);
  }
}

/** Whether anything differs. */
async function diff(
  session: Session,
  options: DiffOptions & { readonly filename: readonly string[] },
): Promise<boolean> {
  const { streams, paint } = session;
  const tried = await triedObjects(session, await readFiles(options, streams));
  const texts = chosenObjects(session, tried, options)
    .filter(({ result }) => result !== 'unchanged')
    .map(({ title, source, before, after }) => {
      const names = before === undefined ? NOTHING : `${title} (live)`;
      return { from: names, to: `${title} (${source.file})`, before, after };
    });
  const gone = options.prune ? await leftovers(session, tried, options) : [];
  const deletions = gone.map(({ kind, object }) => ({
    from: `${titleOf(kind, object.metadata.name)} (live)`,
    to: NOTHING,
    before: object,
    after: undefined,
  }));
  const all = await Promise.all([...texts, ...deletions].map((each) => rendered(each, paint)));
  streams.out(all.join(''));
  return all.some((text) => text !== '');
}

const NOTHING = '/dev/null';

interface Compared {
  readonly from: string;
  readonly to: string;
  readonly before: object | undefined;
  readonly after: object | undefined;
}

async function rendered({ from, to, before, after }: Compared, paint: Paint): Promise<string> {
  const hunks = unifiedDiff(await yamlOf(before), await yamlOf(after));
  if (hunks.length === 0) return '';
  const head = [paint('strong', `--- ${from}`), paint('strong', `+++ ${to}`)];
  const body = hunks.flatMap(({ header, lines }) => [
    paint('aside', header),
    ...lines.map((line) => lineWords(line, paint)),
  ]);
  return [...head, ...body].map((line) => `${line}\n`).join('');
}

function lineWords({ mark, text }: DiffLine, paint: Paint): string {
  const line = `${mark}${printable(text)}`;
  if (mark === ' ') return line;
  return paint(mark === '-' ? 'bad' : 'good', line);
}

/** What people write of an object, its fields in an order that does not depend on who wrote them. */
async function yamlOf(object: object | undefined): Promise<string> {
  if (object === undefined) return '';
  const { toYaml } = await import('../../../pkg/manifest/index.js');
  return toYaml(sorted(writtenParts(object)));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, part]) => [key, sorted(part)]));
}
