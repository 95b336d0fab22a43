import type { HistoryLost, HistoryMark, StoreFacts } from '../../../api/v1/index.js';
import { UnavailableError } from '../../base/index.js';
import { decodeEntry, type Entry, type Keys, type Store } from '../../store/index.js';

/** What the facts are read from. */
export interface StoreFactsOptions {
  readonly store: Pick<Store, 'list' | 'remembers'>;
  readonly keys: Keys;
}

/** Older than any acceptance: of a cluster object that tells nothing. */
const NEVER = new Date(0).toISOString();

/**
 * The store as it is now, past every cache. `mark` is what the node has seen.
 * Errors: UnavailableError, also when the store holds no cluster: nobody is told anything by such a one.
 */
export async function readStoreFacts(
  { store, keys }: StoreFactsOptions,
  mark: HistoryMark | undefined,
): Promise<StoreFacts> {
  const [page, remembers] = await Promise.all([
    firstPage(store, keys.cluster),
    mark ? store.remembers(mark) : ('unknown' as const),
  ]);
  const cluster = page.entries.find(({ key }) => key === keys.cluster);
  if (!cluster)
    throw new UnavailableError('the store holds no cluster: it was emptied or replaced');
  const { acceptedAt, restoreId } = historyOf(cluster);
  return {
    // a backup may be restored into the etcd that remembers what came after it
    id: restoreId === undefined ? page.clusterId : `${page.clusterId}+${restoreId}`,
    revision: page.revision,
    acceptedAt,
    remembers,
  };
}

/** True when a person accepted the store after the latest acceptance that the node knows of. */
export function isAccepted(lost: HistoryLost, acceptedAt: string): boolean {
  return Date.parse(lost.acceptedAt) < Date.parse(acceptedAt);
}

/** The header of an answer tells what a single read does not. */
async function firstPage(store: StoreFactsOptions['store'], key: string) {
  for await (const page of store.list(key, { pageSize: 1 })) return page;
  throw new UnavailableError('the store gave a list without a page');
}

/** An object that cannot be read otherwise must not keep nodes out. */
function historyOf(entry: Entry): { acceptedAt: string; restoreId: string | undefined } {
  try {
    const { metadata, history } = decodeEntry(entry).value as ClusterDates;
    const { acceptedAt, restoreId } = history ?? {};
    return {
      acceptedAt: [acceptedAt, metadata?.createdAt].find(isInstant) ?? NEVER,
      restoreId: typeof restoreId === 'string' ? restoreId : undefined,
    };
  } catch {
    return { acceptedAt: NEVER, restoreId: undefined };
  }
}

interface ClusterDates {
  readonly metadata?: { readonly createdAt?: unknown };
  readonly history?: { readonly acceptedAt?: unknown; readonly restoreId?: unknown };
}

const isInstant = (text: unknown): text is string =>
  typeof text === 'string' && !Number.isNaN(Date.parse(text));
