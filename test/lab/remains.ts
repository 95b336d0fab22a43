import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../deploy/local/command.js';
import { Daemons, listRunFolders } from '../../deploy/local/daemons.js';
import { FileLock } from '../../deploy/local/file-lock.js';
import { LabStateFile } from './lab-state.js';
import { removeLabCgroups } from './machine.js';

/** Folders of labs that tests make begin so. */
export const TEST_LAB_PREFIX = join(tmpdir(), 'swarm-lab-');

/** Held by the process whose lab this is. */
export const makerLock = (folder: string): FileLock => new FileLock(join(folder, 'maker'));

/**
 * Removes all of a lab, in whatever state it is: its processes and with them its machines, its end of the wire,
 * its control groups, and its folder. Safe to repeat.
 */
export async function removeLab(folder: string): Promise<void> {
  const state = await LabStateFile.read(folder);
  await new Daemons(folder).killLeftovers();
  if (state) {
    await runCommand('ip', ['link', 'delete', `swk${state.id}`]).catch(() => undefined);
    await removeLabCgroups(state.id);
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** Removes the labs of tests that were killed. Returns how many there were. */
export async function removeForsakenLabs(): Promise<number> {
  const running = [...(await listRunFolders())].filter((folder) =>
    folder.startsWith(TEST_LAB_PREFIX),
  );
  const entries = await readdir(tmpdir());
  const left = entries.map((name) => join(tmpdir(), name));
  const folders = new Set([...running, ...left.filter((path) => path.startsWith(TEST_LAB_PREFIX))]);
  let removed = 0;
  for (const folder of folders) {
    if ((await makerLock(folder).holder()) !== undefined) continue;
    await removeLab(folder);
    removed += 1;
  }
  return removed;
}
