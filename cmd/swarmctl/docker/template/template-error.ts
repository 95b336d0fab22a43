import { UsageError } from '../../exit-code.js';

/** A template that cannot be read or evaluated, in the words of Go's templates. */
export function templateError(why: string, text?: string): UsageError {
  const place = text === undefined ? '' : ` in "${text.trim()}"`;
  return new UsageError(
    `template parsing error: ${why}${place}`,
    'Fields such as {{.Name}}, if, range, with, and functions such as json, join, upper, printf, index are understood.',
  );
}
