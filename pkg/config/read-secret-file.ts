import { readFile, stat } from 'node:fs/promises';
import { InvalidObjectError, NotFoundError, messageOf } from '../base/index.js';

const MAX_BYTES = 64 * 1024;

/**
 * The text of a file that holds a secret, without white space around it; this is how secrets reach a
 * process, never as arguments. Errors: NotFoundError; InvalidObjectError for an empty, unreadable or
 * oversized file. No error repeats the content.
 */
export async function readSecretFile(path: string): Promise<string> {
  const text = (await readSmall(path)).trim();
  if (text === '') throw new InvalidObjectError(`the file ${path} is empty`);
  return text;
}

async function readSmall(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > MAX_BYTES) throw new Error(`larger than ${String(MAX_BYTES)} bytes`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new NotFoundError(`the file ${path} does not exist`);
    }
    throw new InvalidObjectError(`the file ${path} cannot be read: ${messageOf(error)}`);
  }
}
