import type { Command } from 'commander';
import { hasCode } from '../../../pkg/base/index.js';
import { withCluster, type Cli, type Session } from '../cli.js';
import { UsageError } from '../exit-code.js';
import { awaitGone } from '../objects/await-gone.js';
import { checkedObjects } from '../objects/checked-objects.js';
import type { Declared } from '../objects/declared.js';
import { readFiles } from '../objects/read-files.js';
import { pluralOf } from '../objects/target.js';
import { WrittenReport } from '../output/print-written.js';
import { followServices } from '../progress/follow-services.js';
import { defineCommand } from './define-command.js';
import { addFileOptions, type FileFlags } from './file-options.js';
import { timeoutOption, waitDeadline, type Deadline } from './timeout-option.js';
import { addWriteOptions, writeOptionsOf, type WriteFlags } from './write-options.js';

interface ReplaceOptions extends FileFlags, WriteFlags {
  readonly force?: boolean;
  readonly wait?: boolean;
  readonly timeout: number;
}

/** `swarmctl replace`. */
export function replaceCommand(cli: Cli): Command {
  const command = defineCommand({
    name: 'replace',
    summary: 'Replace objects by files as a whole',
    description:
      'Makes existing objects exactly what the files say: what a file does not name goes back to its default, whoever set it. With metadata.version in the file, it fails when the object changed since. apply is the gentler command.',
    examples: [
      ['The file and nothing but the file', 'swarmctl replace -f web.yaml'],
      [
        'What cannot be changed: delete the service with its tasks, and create it again',
        'swarmctl replace --force -f web.yaml',
      ],
    ],
  });
  addFileOptions(command, 'what to replace; may be repeated')
    .option('--force', 'delete what is there, wait until it is gone, and create it again')
    .option('--wait', 'show progress until all services run as declared')
    .addOption(timeoutOption('5m'));
  return addWriteOptions(command).action((options: ReplaceOptions, self: Command) => {
    const { filename } = options;
    if (filename === undefined) {
      throw new UsageError('replace needs -f FILE', "See 'swarmctl replace --help'.");
    }
    return withCluster(cli, self, (session) => replace(session, { ...options, filename }));
  });
}

async function replace(
  session: Session,
  options: ReplaceOptions & { readonly filename: readonly string[] },
): Promise<void> {
  const { streams } = session;
  const { dryRun = false, force = false, output } = options;
  const deadline = waitDeadline(streams, options.timeout);
  const attempt = force ? tryAnew : write;
  const declared = await checkedObjects(streams, await readFiles(options, streams), (object) =>
    attempt(session, object, { ...options, dryRun: true }),
  );
  const report = new WrittenReport(streams, output, dryRun);
  try {
    for (const declaredObject of declared) {
      const work = force && !dryRun ? anew : attempt;
      const object = await work(session, declaredObject, { ...options, deadline });
      report.add({ ...declaredObject, word: 'replaced', object });
    }
  } finally {
    await report.end();
  }
  if (!options.wait || dryRun) return;
  const services = declared.filter(({ kind }) => kind.kind === 'Service').map(({ name }) => name);
  await followServices(session, services, deadline);
}

async function write(
  { api, streams }: Session,
  { kind, name, value }: Declared,
  flags: WriteFlags,
): Promise<unknown> {
  const options = writeOptionsOf(flags, streams);
  return (await api.replace(pluralOf(kind), name, value, options)).object;
}

/** Whether it could be created, were there nothing of its name. */
async function tryAnew(session: Session, declared: Declared, flags: WriteFlags): Promise<unknown> {
  const { api, streams } = session;
  const { kind, value } = declared;
  if (!kind.verbs.includes('create')) {
    throw new UsageError(`--force: a ${kind.singular} is not made by people`);
  }
  try {
    const options = { ...writeOptionsOf(flags, streams), dryRun: true };
    return (await api.create(pluralOf(kind), withoutVersion(value), options)).object;
  } catch (error) {
    if (hasCode(error, 'ERR_ALREADY_EXISTS')) return value;
    throw error;
  }
}

async function anew(
  session: Session,
  { kind, name, value }: Declared,
  { deadline, ...flags }: WriteFlags & { readonly deadline: Deadline },
): Promise<unknown> {
  const { api, streams } = session;
  const options = writeOptionsOf(flags, streams);
  try {
    const { object } = await api.delete(pluralOf(kind), name, { signal: streams.interrupted });
    await awaitGone(session, kind, object, deadline);
  } catch (error) {
    if (!hasCode(error, 'ERR_NOT_FOUND')) throw error;
  }
  return (await api.create(pluralOf(kind), withoutVersion(value), options)).object;
}

/** What the server sets belongs to the object that goes. */
function withoutVersion(value: Declared['value']): object {
  const { name, labels, annotations } = value.metadata as Readonly<Record<string, unknown>>;
  return { ...value, metadata: { name, labels, annotations } };
}
