import { AlreadyToldError, UsageError } from '../exit-code.js';
import type { Streams } from '../streams.js';

/** For commands that ask before they act. */
export const YES_OPTION = ['-y, --yes', 'do not ask'] as const;

/**
 * Goes on when the person is sure. Errors: UsageError when nobody is there to be asked; AlreadyToldError when the
 * answer is no.
 */
export async function confirm(
  { ask, err }: Streams,
  question: string,
  isSure: boolean,
): Promise<void> {
  if (isSure) return;
  if (!ask) {
    throw new UsageError(
      'this asks before it acts, and nobody can answer here',
      'Pass --yes if you are sure.',
    );
  }
  const answer = await ask(`${question} [y/N] `);
  if (/^y(es)?$/iu.test(answer.trim())) return;
  err('nothing was changed\n');
  throw new AlreadyToldError('the answer was no');
}
