import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Readable by its owner only: these files say who the node is, or what it runs. */
const OWNER_ONLY = 0o600;

/**
 * Replaces a file in one step, so that a reader finds the old or the new text and nothing between. With
 * `durable` (the default) the new one is on the disk when this resolves.
 */
export async function writeAtomic(
  path: string,
  text: string,
  { durable = true }: { readonly durable?: boolean } = {},
): Promise<void> {
  const draft = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    const file = await open(draft, 'wx', OWNER_ONLY);
    try {
      await file.writeFile(text);
      if (durable) await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
    if (durable) await syncFolder(dirname(path));
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** The rename itself must survive a power cut, too. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
