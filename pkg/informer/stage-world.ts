import { TimeSlice } from '../base/index.js';
import type { Page, Revision, Store } from '../store/index.js';
import type { Change } from './collection.js';
import { changeOf, WorldState } from './world-state.js';

/** How to list the world. */
export interface StagingOptions {
  readonly store: Store;
  /** The world so far. It must not change while the list runs. */
  readonly previous: WorldState;
  /** Equal revisions mean equal objects; false after the store lost history. */
  readonly trustVersions: boolean;
  readonly pageSize: number;
  readonly signal: AbortSignal;
}

/** A world that was listed and is not in use yet. */
export interface StagedWorld {
  readonly state: WorldState;
  /** In no particular order. Deletions carry the list's revision: the true one is unknown. */
  readonly changes: readonly Change[];
  readonly revision: Revision;
  readonly clusterId: string;
}

/**
 * Lists everything under the root beside the world in use, a slice at a time, and finds what is different.
 * Errors: those of `store.list`.
 */
export async function stageWorld(options: StagingOptions): Promise<StagedWorld> {
  const { store, previous, pageSize, signal } = options;
  const state = new WorldState(previous.root, previous.definitions);
  const changes: Change[] = [];
  const slice = new TimeSlice();
  let header: Page | undefined;
  for await (const page of store.list(previous.root, { pageSize, signal })) {
    header ??= page;
    await stagePage(page, { ...options, state, changes, slice });
    await slice.yield();
  }
  if (!header) throw new Error('the store gave a list without a page');
  await findDeleted(previous, { state, changes, slice, revision: header.revision });
  return { state, changes, revision: header.revision, clusterId: header.clusterId };
}

interface Staging {
  readonly state: WorldState;
  readonly changes: Change[];
  readonly slice: TimeSlice;
}

async function stagePage(page: Page, staging: Staging & StagingOptions): Promise<void> {
  const { state, previous, changes, slice, trustVersions } = staging;
  for (const entry of page.entries) {
    const known = previous.find(entry.key);
    const change = state.stage(entry, trustVersions ? known : withoutVersion(known));
    if (change) changes.push(change);
    if (slice.isSpent) await slice.yield();
  }
}

async function findDeleted(
  previous: WorldState,
  { state, changes, slice, revision }: Staging & { readonly revision: Revision },
): Promise<void> {
  for (const collection of previous.all()) {
    const current = state.collection(collection.definition.name);
    for (const [key, stored] of collection.entries()) {
      if (current.find(key)) continue;
      const change = changeOf({ collection, key }, revision, stored, undefined);
      if (change) changes.push(change);
      if (slice.isSpent) await slice.yield();
    }
  }
}

/** The same object under a version that no entry has. */
function withoutVersion<T extends object>(stored: T | undefined) {
  return stored && { ...stored, modRevision: -1, createRevision: -1 };
}
