import { NotFoundError, hasCode, messageOf } from '../../../pkg/base/index.js';
import type { Session } from '../cli.js';
import { AlreadyToldError } from '../exit-code.js';

/** How things are read and what is done with those that are there. */
export interface ReadEach<T> {
  readonly read: (name: string) => Promise<T>;
  readonly print: (found: readonly T[]) => void | Promise<void>;
}

/**
 * Reads things by name, prints those that are there, then tells of the others, as Docker does.
 * Errors: AlreadyToldError when something was not there; NotFoundError when nothing was.
 */
export async function readEach<T>(
  { streams }: Session,
  names: readonly string[],
  { read, print }: ReadEach<T>,
): Promise<void> {
  const answers = await Promise.all(
    names.map(async (name) => {
      try {
        return { found: await read(name) };
      } catch (error) {
        if (!hasCode(error, 'ERR_NOT_FOUND')) throw error;
        return { missing: messageOf(error) };
      }
    }),
  );
  const missing = answers.flatMap((answer) => answer.missing ?? []);
  if (missing.length === 1 && names.length === 1) throw new NotFoundError(missing[0] ?? '');
  await print(answers.flatMap((answer) => ('found' in answer ? [answer.found as T] : [])));
  for (const message of missing) streams.err(`error: ${message}\n`);
  if (missing.length > 0) throw new AlreadyToldError('some were not found');
}
