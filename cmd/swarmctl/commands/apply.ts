import type { Command } from 'commander';
import { withCluster, type Cli, type Session } from '../cli.js';
import { UsageError } from '../exit-code.js';
import type { Declared } from '../objects/declared.js';
import { changeWords } from '../objects/field-changes.js';
import {
  checkPruneFlags,
  chosenObjects,
  deleteLeftover,
  leftovers,
  type PruneFlags,
} from '../objects/prune.js';
import { readFiles } from '../objects/read-files.js';
import { pluralOf } from '../objects/target.js';
import { changesOf, triedObjects, type TriedObject } from '../objects/tried-objects.js';
import { WrittenReport } from '../output/print-written.js';
import { followServices } from '../progress/follow-services.js';
import { addFileOptions, type FileFlags } from './file-options.js';
import { defineCommand } from './define-command.js';
import { timeoutOption, waitDeadline } from './timeout-option.js';
import { addWriteOptions, writeOptionsOf, type WriteFlags } from './write-options.js';

interface ApplyOptions extends FileFlags, PruneFlags, WriteFlags {
  readonly wait?: boolean;
  readonly timeout: number;
}

/** `swarmctl apply`. */
export function applyCommand(cli: Cli): Command {
  const command = defineCommand({
    name: 'apply',
    summary: 'Create or change objects from files',
    description:
      'Creates what does not exist and changes what differs. Everything is checked before anything is written. Fields that a file does not name stay as others set them (scale, set, label); fields that leave the file leave the object.',
    examples: [
      ['Make it so, and see it happen', 'swarmctl apply -f web.yaml --wait'],
      ['All YAML and JSON files of a directory and those below', 'swarmctl apply -R -f services/'],
      ['What would happen', 'swarmctl apply -f web.yaml --dry-run'],
      ['Say why, for the history', "swarmctl apply -f web.yaml -m 'fixes the login'"],
      [
        'Also delete what is no longer in the directory',
        'swarmctl apply -f shop/ --prune -l app=shop',
      ],
      ['From another program', 'generate-services | swarmctl apply -f -'],
    ],
  });
  addFileOptions(command, 'what to apply; may be repeated')
    .option('--wait', 'show progress until all services run as declared')
    .addOption(timeoutOption('5m'))
    .option('-l, --selector <labels>', 'only objects of the files with these labels')
    .option('--prune', 'also delete what was applied before and is in no file any more')
    .option('--all', 'with --prune: whatever its labels are');
  return addWriteOptions(command).action((options: ApplyOptions, self: Command) => {
    const { filename } = options;
    if (filename === undefined) {
      throw new UsageError('apply needs -f FILE', "See 'swarmctl apply --help'.");
    }
    checkPruneFlags(options);
    return withCluster(cli, self, (session) => apply(session, { ...options, filename }));
  });
}

async function apply(
  session: Session,
  options: ApplyOptions & { readonly filename: readonly string[] },
): Promise<void> {
  const { streams } = session;
  const { dryRun = false, output } = options;
  const deadline = waitDeadline(streams, options.timeout);
  const tried = await triedObjects(session, await readFiles(options, streams), options.message);
  const chosen = chosenObjects(session, tried, options);
  const report = new WrittenReport(streams, output, dryRun);
  try {
    for (const object of chosen) {
      const written = dryRun ? asTried(object) : await write(session, object, options);
      report.add({ ...object, ...written });
    }
    if (options.prune) await prune(session, tried, { ...options, report });
  } finally {
    await report.end();
  }
  if (!options.wait || dryRun) return;
  const services = chosen.filter(({ kind }) => kind.kind === 'Service').map(({ name }) => name);
  await followServices(session, services, deadline);
}

async function write({ api, streams }: Session, { kind, value }: Declared, flags: ApplyOptions) {
  const options = writeOptionsOf(flags, streams);
  const { result, object } = await api.apply(pluralOf(kind), value, options);
  return { word: result, object };
}

/** What a dry run says: also which fields would change, and how. */
function asTried({ before, after, result }: TriedObject) {
  const notes = changesOf({ before, after, result }).map((change) => `  ${changeWords(change)}`);
  return { word: result, object: after, notes };
}

async function prune(
  session: Session,
  declared: readonly Declared[],
  {
    dryRun = false,
    report,
    ...flags
  }: PruneFlags & WriteFlags & { readonly report: WrittenReport },
): Promise<void> {
  for (const leftover of await leftovers(session, declared, flags)) {
    await deleteLeftover(session, leftover, dryRun);
    const { kind, object } = leftover;
    report.add({ kind, name: object.metadata.name, word: 'pruned', object });
  }
}
