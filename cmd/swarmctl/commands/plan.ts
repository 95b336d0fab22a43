import { Option, type Command } from 'commander';
import type { PlanAnswer } from '../../../api/v1/index.js';
import { withCluster, type Cli, type Session } from '../cli.js';
import { DifferentError, UsageError } from '../exit-code.js';
import { changeWords, type FieldChange } from '../objects/field-changes.js';
import { readNodeNames } from '../objects/node-names.js';
import { checkPruneFlags, chosenObjects, leftovers, type PruneFlags } from '../objects/prune.js';
import { readFiles } from '../objects/read-files.js';
import { titleOf } from '../objects/target.js';
import { changesOf, triedObjects } from '../objects/tried-objects.js';
import { toJson } from '../output/json.js';
import { planWords } from '../plan/plan-words.js';
import { defineCommand } from './define-command.js';
import { answered } from './diff.js';
import { addFileOptions, type FileFlags } from './file-options.js';

interface PlanOptions extends FileFlags, PruneFlags {
  readonly output?: 'json' | 'yaml';
}

/** `swarmctl plan`. */
export function planCommand(cli: Cli): Command {
  const command = defineCommand({
    name: 'plan',
    summary: 'What an apply of files would do to tasks and nodes',
    description:
      'Shows what an apply would change, and then what the managers would make of it: which tasks are created, replaced, moved and stopped, in which order, which node each one goes to, and what every node says to those that find none, before and after. It is what would happen if every task started and ran well; nothing is written. Exits as diff does: with 0 when nothing would change, with 1 when something would, with 2 when it cannot be told.',
    examples: [
      ['What would happen?', 'swarmctl plan -f web.yaml'],
      ['Before a node is drained or labelled', 'swarmctl plan -f node-h1.yaml'],
      ['Also what would be deleted', 'swarmctl plan -f shop/ --prune -l app=shop'],
      ['For programs', 'swarmctl plan -f web.yaml -o json'],
    ],
  });
  return addFileOptions(command, 'what to plan; may be repeated')
    .option('-l, --selector <labels>', 'only objects of the files with these labels')
    .option('--prune', 'also what an apply with --prune would delete')
    .option('--all', 'with --prune: whatever its labels are')
    .addOption(new Option('-o, --output <format>', 'print everything').choices(['json', 'yaml']))
    .action(async (options: PlanOptions, self: Command) => {
      const differs = await answered(() => {
        const { filename } = options;
        if (filename === undefined) {
          throw new UsageError('plan needs -f FILE', "See 'swarmctl plan --help'.");
        }
        checkPruneFlags(options);
        return withCluster(cli, self, (session) => plan(session, { ...options, filename }));
      });
      if (differs) throw new DifferentError('something would change');
    });
}

interface ChangedObject {
  readonly title: string;
  readonly result: string;
  readonly changes: readonly FieldChange[];
}

/** Whether anything would change. */
async function plan(
  session: Session,
  options: PlanOptions & { readonly filename: readonly string[] },
): Promise<boolean> {
  const { api, streams } = session;
  const { interrupted: signal } = streams;
  const tried = chosenObjects(
    session,
    await triedObjects(session, await readFiles(options, streams)),
    options,
  );
  const gone = options.prune ? await leftovers(session, tried, options) : [];
  const changes: readonly ChangedObject[] = [
    ...tried.map((object) => ({ ...object, changes: changesOf(object) })),
    ...gone.map(({ kind, object }) => ({
      title: titleOf(kind, object.metadata.name),
      result: 'deleting',
      changes: [],
    })),
  ].map(({ title, result, changes: fields }) => ({ title, result, changes: fields }));
  const answer = await api.plan(
    {
      apply: tried.map(({ value }) => value),
      delete: gone.map(({ kind, object }) => ({ kind: kind.kind, name: object.metadata.name })),
    },
    { signal },
  );
  await show(session, { answer, changes, format: options.output });
  return changes.some(({ result }) => result !== 'unchanged');
}

interface Shown {
  readonly answer: PlanAnswer;
  readonly changes: readonly ChangedObject[];
  readonly format: PlanOptions['output'];
}

async function show({ api, streams }: Session, { answer, changes, format }: Shown): Promise<void> {
  if (format === undefined) {
    const nodeName = await readNodeNames(api, streams.interrupted);
    const words = planWords(answer, nodeName);
    streams.out(`${changes.map(objectLines).join('')}${words && `\n${words}`}`);
    return;
  }
  const objects = answer.objects.map((object, index) => ({
    ...object,
    changes: changes[index]?.changes ?? [],
  }));
  const document = { ...answer, objects };
  if (format === 'json') {
    streams.out(toJson(document));
    return;
  }
  const { toYaml } = await import('../../../pkg/manifest/index.js');
  streams.out(toYaml(document));
}

const objectLines = ({ title, result, changes }: ChangedObject): string =>
  [`${title} ${result}`, ...changes.map((change) => `  ${changeWords(change)}`)]
    .map((line) => `${line}\n`)
    .join('');
