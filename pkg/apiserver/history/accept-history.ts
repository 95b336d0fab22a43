import type { HistoryAcceptance, StoredCluster } from '../../../api/v1/index.js';
import { NotFoundError, UnavailableError, hasCode, type Clock } from '../../base/index.js';
import type { EventRecorder } from '../../events/index.js';
import type { Logger } from '../../log/index.js';
import { atVersion, cluster, puts, type World } from '../../objects/index.js';
import { decodeEntry, type Keys, type Store } from '../../store/index.js';
import type { LostHistory } from '../sessions/lost-history.js';

/** What an acceptance works with. */
export interface AcceptHistoryOptions {
  readonly world: World;
  readonly store: Store;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: EventRecorder;
  readonly sessions: { readonly history: LostHistory };
}

/** Who accepts, and whether it is only tried. */
export interface AcceptHistoryRequest {
  readonly by: string;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

const MAX_ATTEMPTS = 5;

/**
 * Writes down that a person accepts what the store holds. Managers and frozen nodes compare that instant with the
 * latest one that they know, so it is later than any of those. Safe to repeat.
 * Errors: NotFoundError when the store holds no cluster; UnavailableError.
 */
export async function acceptHistory(
  options: AcceptHistoryOptions,
  request: AcceptHistoryRequest,
): Promise<HistoryAcceptance> {
  const { store, keys, world, sessions } = options;
  const { dryRun, signal } = request;
  const frozen = [...sessions.history.frozen];
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const stored = await readCluster(options, signal);
    const acceptedAt = nextAcceptance(options, stored);
    if (dryRun) return { acceptedAt, dryRun, revision: world.cache.revision, frozen };
    const accepted = { ...stored, history: { ...stored.history, acceptedAt } };
    const compare = [atVersion(keys.cluster, stored.metadata.version)];
    try {
      const operations = [puts.cluster(keys, accepted)];
      const revision = await store.commit({ compare, operations }, { signal });
      tellOf(options, request, { clusterId: stored.metadata.uid, nodes: frozen.length });
      return { acceptedAt, dryRun, revision, frozen };
    } catch (error) {
      if (!hasCode(error, 'ERR_CONFLICT')) throw error;
    }
  }
  throw new UnavailableError('others keep changing the cluster; try again');
}

async function readCluster(
  { store, keys }: AcceptHistoryOptions,
  signal: AbortSignal,
): Promise<StoredCluster> {
  const entry = await store.get(keys.cluster, { signal });
  if (!entry) throw new NotFoundError('the store holds no cluster; nothing can be accepted');
  const { key, modRevision, createRevision } = entry;
  return cluster.decode(decodeEntry(entry).value, { key, modRevision, createRevision });
}

function nextAcceptance(
  { clock, sessions }: AcceptHistoryOptions,
  { metadata, history }: StoredCluster,
): string {
  const known = [
    Date.parse(history?.acceptedAt ?? metadata.createdAt),
    sessions.history.latestKnownAcceptanceMs,
  ];
  return new Date(Math.max(clock.now().getTime(), ...known.map((ms) => ms + 1))).toISOString();
}

function tellOf(
  { events, log }: AcceptHistoryOptions,
  { by }: AcceptHistoryRequest,
  { clusterId, nodes }: { readonly clusterId: string; readonly nodes: number },
): void {
  log.warn({ by, nodes }, 'a person accepted the history of the store');
  events.record({
    type: 'normal',
    reason: 'HistoryAccepted',
    message: `${by} accepted what the store holds; ${nodes} nodes waited for it`,
    regarding: { kind: 'Cluster', name: 'default', uid: clusterId },
    source: 'api',
  });
}
