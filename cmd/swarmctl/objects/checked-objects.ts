import { InvalidObjectError, hasCode, messageOf } from '../../../pkg/base/index.js';
import type { ManifestProblem } from '../../../pkg/manifest/index.js';
import { AlreadyToldError } from '../exit-code.js';
import type { Streams } from '../streams.js';
import { declaredObjects, problemAt, problemLine, type Declared } from './declared.js';
import { inParallel } from './in-parallel.js';
import type { ReadFiles } from './read-files.js';

/**
 * The objects of files, in their order, after `attempt` was made with each: a write that writes nothing.
 * Errors: AlreadyToldError after telling every problem of every file; what has nothing to do with an object.
 */
export async function checkedObjects<T>(
  streams: Streams,
  files: ReadFiles,
  attempt: (object: Declared) => Promise<T>,
): Promise<readonly (Declared & { readonly attempted: T })[]> {
  const { declared, problems } = declaredObjects(files.objects);
  const answers = await inParallel(declared, async (object) => attempted(object, attempt));
  const all = [...files.problems, ...problems, ...answers.flatMap((answer) => answer.problems)];
  if (all.length === 0) return answers.flatMap(({ done }) => (done === undefined ? [] : [done]));
  for (const line of [...all].sort(byPosition).map(problemLine)) streams.err(`${line}\n`);
  const things = all.length === 1 ? '1 problem' : `${String(all.length)} problems`;
  streams.err(`error: ${things}; nothing was written\n`);
  throw new AlreadyToldError(things);
}

interface Attempt<T> {
  readonly done?: Declared & { readonly attempted: T };
  readonly problems: readonly ManifestProblem[];
}

async function attempted<T>(
  object: Declared,
  attempt: (object: Declared) => Promise<T>,
): Promise<Attempt<T>> {
  try {
    return { done: { ...object, attempted: await attempt(object) }, problems: [] };
  } catch (error) {
    if (!isAboutObject(error)) throw error;
    return { problems: problemsIn(object, error) };
  }
}

function problemsIn(object: Declared, error: unknown): readonly ManifestProblem[] {
  const { source, title } = object;
  const found = error instanceof InvalidObjectError ? error.problems : [];
  if (found.length === 0) return [problemAt(source, '', `${title}: ${wordsOf(error, object)}`)];
  return found.map(({ path, message }) => problemAt(source, path, message));
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

function byPosition(a: ManifestProblem, b: ManifestProblem): number {
  return (
    a.file.localeCompare(b.file) ||
    a.position.line - b.position.line ||
    a.position.column - b.position.column
  );
}
