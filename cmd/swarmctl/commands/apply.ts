import type { Command } from 'commander';
import type { WriteResult } from '../../../api/v1/index.js';
import { InvalidObjectError, hasCode, messageOf } from '../../../pkg/base/index.js';
import type { ManifestProblem } from '../../../pkg/manifest/index.js';
import { withCluster, type Cli, type Session } from '../cli.js';
import { AlreadyToldError, UsageError } from '../exit-code.js';
import { declaredObjects, problemAt, problemLine, type Declared } from '../objects/declared.js';
import { pluralOf } from '../objects/target.js';
import { readFiles } from '../objects/read-files.js';
import { followServices } from '../progress/follow-services.js';
import { collect, defineCommand } from './define-command.js';
import { timeoutOption, waitDeadline } from './timeout-option.js';

interface ApplyOptions {
  readonly filename?: readonly string[];
  readonly recursive?: boolean;
  readonly wait?: boolean;
  readonly timeout: number;
  readonly dryRun?: boolean;
}

/** `swarmctl apply`. */
export function applyCommand(cli: Cli): Command {
  return defineCommand({
    name: 'apply',
    summary: 'Create or change objects from files',
    description:
      'Creates what does not exist and changes what differs. Everything is checked before anything is written.',
    examples: [
      ['Make it so, and see it happen', 'swarmctl apply -f web.yaml --wait'],
      ['All YAML and JSON files of a directory and those below', 'swarmctl apply -R -f services/'],
      ['What would happen', 'swarmctl apply -f web.yaml --dry-run'],
      ['From another program', 'generate-services | swarmctl apply -f -'],
    ],
  })
    .option('-f, --filename <file|dir|->', 'what to apply; may be repeated', collect)
    .option('-R, --recursive', 'also directories below')
    .option('--wait', 'show progress until all services run as declared')
    .addOption(timeoutOption('5m'))
    .option('--dry-run', 'check everything and say what would happen, but write nothing')
    .action((options: ApplyOptions, command: Command) => {
      const { filename } = options;
      if (filename === undefined) {
        throw new UsageError('apply needs -f FILE', "See 'swarmctl apply --help'.");
      }
      return withCluster(cli, command, (session) => apply(session, { ...options, filename }));
    });
}

async function apply(
  session: Session,
  options: ApplyOptions & { readonly filename: readonly string[] },
): Promise<void> {
  const { streams } = session;
  const deadline = waitDeadline(streams, options.timeout);
  const declared = await checkedObjects(session, await readFiles(options, streams));
  const written: WriteResult[] = [];
  for (const object of declared) {
    const result = await write(session, object, options.dryRun ?? false);
    written.push(result);
    streams.out(`${object.title} ${result.result}${options.dryRun ? ' (dry run)' : ''}\n`);
  }
  if (!options.wait || options.dryRun) return;
  const services = declared.filter(({ kind }) => kind.kind === 'Service').map(({ name }) => name);
  await followServices(session, services, deadline);
}

/** What can be written, in the order of the files. Errors: AlreadyToldError after telling all problems. */
async function checkedObjects(
  session: Session,
  files: Awaited<ReturnType<typeof readFiles>>,
): Promise<readonly Declared[]> {
  const { declared, problems } = declaredObjects(files.objects);
  const found = [...files.problems, ...problems];
  const answers = await inParallel(declared, (object) => problemsOf(session, object));
  const all = [...found, ...answers.flat()];
  if (all.length === 0) return declared;
  for (const line of all.sort(byPosition).map(problemLine)) session.streams.err(`${line}\n`);
  const things = all.length === 1 ? '1 problem' : `${String(all.length)} problems`;
  session.streams.err(`error: ${things}; nothing was written\n`);
  throw new AlreadyToldError(things);
}

function byPosition(a: ManifestProblem, b: ManifestProblem): number {
  return (
    a.file.localeCompare(b.file) ||
    a.position.line - b.position.line ||
    a.position.column - b.position.column
  );
}

/** Asks the server what it would say. Errors: those that have nothing to do with the object. */
async function problemsOf(session: Session, object: Declared): Promise<readonly ManifestProblem[]> {
  const { source } = object;
  try {
    await write(session, object, true);
    return [];
  } catch (error) {
    if (!isAboutObject(error)) throw error;
    const found = error instanceof InvalidObjectError ? error.problems : [];
    if (found.length > 0) {
      return found.map(({ path, message }) => problemAt(source, path, message));
    }
    return [problemAt(source, '', `${object.title}: ${wordsOf(error, object)}`)];
  }
}

const OBJECT_ERRORS = [
  'ERR_INVALID_OBJECT',
  'ERR_BAD_REQUEST',
  'ERR_CONFLICT',
  'ERR_NOT_FOUND',
  'ERR_ALREADY_EXISTS',
  'ERR_TOO_LARGE',
];
const isAboutObject = (error: unknown) => OBJECT_ERRORS.some((code) => hasCode(error, code));

function wordsOf(error: unknown, { value }: Declared): string {
  const message = messageOf(error);
  return hasCode(error, 'ERR_CONFLICT') && value.metadata.version !== undefined
    ? `${message} (the file states metadata.version; leave it out to apply whatever is there)`
    : message;
}

function write(
  { api, streams }: Session,
  { kind, value }: Declared,
  dryRun: boolean,
): Promise<WriteResult> {
  return api.apply(pluralOf(kind), value, { dryRun, signal: streams.interrupted });
}

/** Requests under way at once. */
const PARALLEL = 8;

async function inParallel<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += PARALLEL) {
    results.push(...(await Promise.all(items.slice(start, start + PARALLEL).map(work))));
  }
  return results;
}
