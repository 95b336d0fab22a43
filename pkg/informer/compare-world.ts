import { TimeSlice } from '../base/index.js';
import type { Clock } from '../base/index.js';
import type { Revision, Store } from '../store/index.js';
import type { WorldState } from './world-state.js';

/** How to compare the world with the store. */
export interface ComparisonOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** The world in use, asked anew each time: a list may replace it meanwhile. */
  readonly world: () => WorldState;
  readonly pageSize: number;
  /** How long a difference must last to count: longer than a watch lags behind a list. */
  readonly graceMs: number;
  readonly signal: AbortSignal;
}

/** More suspects than this need no second look to be counted. */
const MAX_SECOND_LOOKS = 100;

/** A watch that follows is never further behind than this. */
const MAX_LAG_MS = 100;

/**
 * Lists the store and compares versions with the world while the watch goes on. Returns the etcd keys
 * that differ and still differ after a while.
 * Errors: those of `store.list` and `store.get`.
 */
export async function compareWorld(options: ComparisonOptions): Promise<readonly string[]> {
  const suspects = await findSuspects(options);
  if (suspects.length === 0 || suspects.length > MAX_SECOND_LOOKS) return suspects;
  await options.clock.sleep(options.graceMs, options.signal);
  const confirmed: string[] = [];
  for (const key of suspects) if (await isStillDifferent(key, options)) confirmed.push(key);
  return confirmed;
}

async function findSuspects(options: ComparisonOptions): Promise<string[]> {
  const { store, world, pageSize, signal } = options;
  const suspects: string[] = [];
  const seen = new Set<string>();
  const slice = new TimeSlice();
  let revision: Revision = 0;
  for await (const page of store.list(world().root, { pageSize, signal })) {
    revision = page.revision;
    for (const { key, modRevision } of page.entries) {
      seen.add(key);
      if (!world().locate(key)) continue;
      const known = world().find(key)?.modRevision ?? 0;
      if (known < modRevision) suspects.push(key);
    }
    await slice.yield();
  }
  return [...suspects, ...(await findSuperfluous(options, seen, revision))];
}

/** Keys of ours that a list at `revision` should have shown. */
async function findSuperfluous(
  { world }: ComparisonOptions,
  seen: ReadonlySet<string>,
  revision: Revision,
): Promise<string[]> {
  const found: string[] = [];
  const slice = new TimeSlice();
  const state = world();
  for (const collection of state.all()) {
    for (const [key, { modRevision }] of collection.entries()) {
      const etcdKey = state.etcdKey(collection.definition.name, key);
      if (modRevision <= revision && !seen.has(etcdKey)) found.push(etcdKey);
      if (slice.isSpent) await slice.yield();
    }
  }
  return found;
}

/** Asks the store first and the world later, so that a world which follows is never behind. */
async function isStillDifferent(key: string, options: ComparisonOptions): Promise<boolean> {
  const { store, clock, world, graceMs, signal } = options;
  const entry = await store.get(key, { signal });
  await clock.sleep(Math.min(graceMs, MAX_LAG_MS), signal);
  const known = world().find(key);
  if (entry && known) return known.modRevision < entry.modRevision;
  if (!entry && !known) return false;
  // One of them has it: deleted or created in between, or really different.
  const exists = (await store.get(key, { signal })) !== undefined;
  return exists !== (known !== undefined);
}
