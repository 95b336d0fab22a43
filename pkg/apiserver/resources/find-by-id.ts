import { BadRequestError } from '../../base/index.js';

const MIN_PREFIX = 4;

/**
 * The only id of `ids` that begins with `text`, which must have at least four characters.
 * Errors: BadRequestError when several do.
 */
export function findByIdPrefix(ids: Iterable<string>, text: string): string | undefined {
  if (text.length < MIN_PREFIX) return undefined;
  const found: string[] = [];
  for (const id of ids) if (id.startsWith(text)) found.push(id);
  if (found.length > 1) {
    throw new BadRequestError(
      `"${text}" is the beginning of ${String(found.length)} ids; write more of it`,
    );
  }
  return found[0];
}
