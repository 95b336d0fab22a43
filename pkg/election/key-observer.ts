import { AbortScope, backoffMs } from '../base/index.js';
import type { Clock } from '../base/index.js';
import type { Entry, Revision, Store, WatchEvent } from '../store/index.js';

/** How to observe one key. */
export interface KeyObservation {
  readonly store: Store;
  readonly key: string;
  readonly clock: Clock;
  /** The key is read this often even while the watch says nothing. */
  readonly pollMs: number;
  /** Called with what the key was found to be: at first, at each change, and at each poll. */
  readonly onEntry: (entry: Entry | undefined) => void;
}

const BACKOFF = { initialMs: 100, maxMs: 2000 };

/**
 * Observes one key until the signal aborts: by a short watch of its own, which is quick, and by polling,
 * which is certain. Needs no cache. Never rejects.
 */
export async function observeKey(options: KeyObservation, signal: AbortSignal): Promise<void> {
  await Promise.all([followKey(options, signal), pollKey(options, signal)]);
}

/** Resolves when the key does not exist. Errors: the signal's reason. */
export async function untilAbsent(
  options: Omit<KeyObservation, 'onEntry'>,
  signal: AbortSignal,
): Promise<void> {
  const scope = new AbortScope(signal);
  const onEntry = (entry: Entry | undefined) => {
    if (!entry) scope.abort();
  };
  await observeKey({ ...options, onEntry }, scope.signal);
  scope[Symbol.dispose]();
  signal.throwIfAborted();
}

async function followKey(options: KeyObservation, signal: AbortSignal): Promise<void> {
  const { store, key, clock, onEntry } = options;
  const onBatch = ({ events }: { readonly events: readonly WatchEvent[] }) => {
    for (const event of events) {
      if (event.kind === 'put' && event.entry.key === key) onEntry(event.entry);
      if (event.kind === 'delete' && event.key === key) onEntry(undefined);
    }
  };
  let failures = 0;
  while (!signal.aborted) {
    try {
      const { entry, revision } = await readKey(options, signal);
      onEntry(entry);
      failures = 0;
      await store.watch(key, revision + 1, { signal, onBatch });
    } catch {
      failures += 1;
      await clock.sleep(backoffMs(BACKOFF, failures), signal).catch(() => undefined);
    }
  }
}

async function pollKey(options: KeyObservation, signal: AbortSignal): Promise<void> {
  const { store, key, clock, pollMs, onEntry } = options;
  while (!signal.aborted) {
    try {
      await clock.sleep(pollMs, signal);
      onEntry(await store.get(key, { signal }));
    } catch {
      // away or aborted; the next round tells
    }
  }
}

/** The key with the revision it was read at, which may be much later than its last write. */
async function readKey(
  { store, key }: KeyObservation,
  signal: AbortSignal,
): Promise<{ readonly entry: Entry | undefined; readonly revision: Revision }> {
  for await (const { entries, revision } of store.list(key, { pageSize: 1, signal })) {
    // The key itself is the first of all that start with it.
    const [first] = entries;
    return { entry: first?.key === key ? first : undefined, revision };
  }
  throw new Error('the store gave a list without a page');
}
