import type { BackupEntry, BackupHeader } from '../../../api/v1/index.js';
import { messageOf, type Clock } from '../../base/index.js';
import { BackupSum } from '../../client/index.js';
import type { Logger } from '../../log/index.js';
import {
  decodeEntry,
  restoreMarker,
  type Entry,
  type Keys,
  type Page,
  type Store,
} from '../../store/index.js';
import { failureAnswer } from '../http/failure.js';
import type { NdjsonStream } from '../http/ndjson-stream.js';

/** What a backup is made with. */
export interface MakeBackupOptions {
  readonly store: Pick<Store, 'list'>;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly log: Logger;
  readonly clusterId: string;
  /** Of the software. */
  readonly version: string;
}

/** Objects may be as large as half a mebibyte. */
const PAGE_SIZE = 100;

/**
 * Begins a backup of all that lasts, at one revision: reads its first page, and resolves to what writes all of it.
 * Errors: UnavailableError. What fails later is told by the last line.
 */
export async function beginBackup(
  options: MakeBackupOptions,
  signal: AbortSignal,
): Promise<(stream: NdjsonStream) => Promise<void>> {
  const { store, keys, log } = options;
  const pages = store.list(keys.root, { pageSize: PAGE_SIZE, signal })[Symbol.asyncIterator]();
  const first = await pages.next();
  return async (stream) => {
    try {
      await writeAll(options, { first, pages, stream });
    } catch (error) {
      if (stream.isClosed) return;
      log.warn({ reason: messageOf(error) }, 'a backup failed');
      stream.end({ error: failureAnswer(error).body });
    }
  };
}

interface BackupRun {
  readonly first: IteratorResult<Page>;
  readonly pages: AsyncIterator<Page>;
  readonly stream: NdjsonStream;
}

async function writeAll(options: MakeBackupOptions, run: BackupRun): Promise<void> {
  const { pages, stream } = run;
  const sum = new BackupSum();
  let skipped = 0;
  for (let next = run.first; !next.done; next = await pages.next()) {
    const page = next.value;
    if (next === run.first) await stream.write(sum.add(headerOf(options, page)));
    for (const entry of page.entries.filter(isLasting(options.keys))) {
      const line = lineOf(options.keys, entry);
      if (line) await stream.write(sum.add(line));
      else skipped += 1;
    }
  }
  stream.end(sum.end(skipped));
}

function headerOf(
  { clusterId, version, clock }: MakeBackupOptions,
  { clusterId: storeId, revision }: Page,
): BackupHeader {
  return { format: 1, clusterId, storeId, revision, createdAt: clock.now().toISOString(), version };
}

/** What lives on a lease is about processes that run now. */
const isLasting =
  (keys: Keys) =>
  ({ key, leaseId }: Entry): boolean =>
    leaseId === undefined && key !== restoreMarker(keys);

/** Undefined for what somebody else wrote there: everybody passes over it. */
function lineOf({ root }: Keys, entry: Entry): BackupEntry | undefined {
  try {
    const value = decodeEntry(entry).value as BackupEntry['value'];
    return { key: entry.key.slice(root.length), value };
  } catch {
    return undefined;
  }
}
