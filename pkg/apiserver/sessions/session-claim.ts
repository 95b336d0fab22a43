import type { SessionRequest, StoreFacts } from '../../../api/v1/index.js';
import { NodeRemovedError, UnavailableError, hasCode, type Clock } from '../../base/index.js';
import { absent, atVersion, nodeStatuses, puts } from '../../objects/index.js';
import { decodeEntry, type Entry, type Keys, type Store } from '../../store/index.js';
import type { NodeStatusValue } from './live-session.js';
import { isAccepted, readStoreFacts } from './store-facts.js';

/** What a claim is made with. */
export interface SessionClaimOptions {
  readonly store: Store;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly managerId: string;
  /** Of this run of the manager, as its record in the store says. ISO 8601. */
  readonly startedAt: string;
}

/** Who wants a session. */
export interface SessionClaimRequest {
  readonly nodeId: string;
  readonly address: string;
  readonly certificateExpiresAt: Date;
  readonly request: SessionRequest;
}

/** The epoch that was taken. */
export interface SessionClaim {
  readonly status: NodeStatusValue;
  /** Of the write: also the version of node-status. */
  readonly revision: number;
  /** The store at that write. */
  readonly facts: StoreFacts;
}

const MAX_ATTEMPTS = 5;

/**
 * Takes the next epoch of a node for this manager: from then on every older session of it, wherever it is
 * held, cannot write any more.
 * Errors: NodeRemovedError with facts for the node to judge by, UnavailableError.
 */
export async function claimSession(
  options: SessionClaimOptions,
  request: SessionClaimRequest,
): Promise<SessionClaim> {
  const { store, keys } = options;
  const { nodeId } = request;
  const statusKey = keys.nodeStatus(nodeId);
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const [facts, node, entry] = await Promise.all([
      readStoreFacts(options, request.request.historyMark),
      store.get(keys.node(nodeId)),
      store.get(statusKey),
    ]);
    if (!node) throw new NodeRemovedError('node was removed from the cluster', facts);
    const epoch = entry ? epochOf(entry) + 1 : 1;
    const status = nextStatus(options, request, { epoch, facts });
    const compare = [
      entry ? atVersion(statusKey, entry.modRevision) : absent(statusKey),
      // The node's labels may change; that it is the same node may not.
      { key: node.key, createRevision: node.createRevision },
    ];
    try {
      const operations = [puts.nodeStatus(keys, status)];
      const revision = await store.commit({ compare, operations });
      return { status, revision, facts: { ...facts, revision } };
    } catch (error) {
      if (!hasCode(error, 'ERR_CONFLICT')) throw error;
    }
  }
  throw new UnavailableError(`node ${nodeId} opens several sessions at once`);
}

/**
 * The epoch that is taken. Whatever cannot be read must not keep a node out for ever: the revision of its
 * write is greater than any epoch before it.
 */
function epochOf(entry: Entry): number {
  const { key, modRevision, createRevision } = entry;
  try {
    const { value } = decodeEntry(entry);
    return nodeStatuses.decode(value, { key, modRevision, createRevision }).session.epoch;
  } catch (error) {
    if (hasCode(error, 'ERR_INVALID_OBJECT')) return modRevision;
    throw error;
  }
}

function nextStatus(
  { managerId, startedAt, clock }: SessionClaimOptions,
  { nodeId, address, certificateExpiresAt, request }: SessionClaimRequest,
  { epoch, facts }: { readonly epoch: number; readonly facts: StoreFacts },
): NodeStatusValue {
  const { historyLost } = request;
  // What a person has accepted since, the node goes on with as soon as it reads our answer.
  const isLost = historyLost !== undefined && !isAccepted(historyLost, facts.acceptedAt);
  return {
    nodeId,
    address,
    description: request.description,
    session: {
      epoch,
      managerId,
      managerStartedAt: startedAt,
      open: true,
      reason: '',
      changedAt: clock.now().toISOString(),
    },
    certificateExpiresAt: certificateExpiresAt.toISOString(),
    engineHealthy: request.engineHealthy,
    ...(request.engineMessage !== undefined && { engineMessage: request.engineMessage }),
    ...(isLost && { historyLost }),
  };
}
