import type { SessionRequest, StoredNodeStatus } from '../../../api/v1/index.js';
import { NodeRemovedError, UnavailableError, hasCode, type Clock } from '../../base/index.js';
import { absent, atVersion, nodeStatuses, puts } from '../../objects/index.js';
import type { Keys, Store } from '../../store/index.js';
import type { NodeStatusValue } from './live-session.js';
import { SessionFence } from './session-fence.js';

/** What a claim is made with. */
export interface SessionClaimOptions {
  readonly store: Store;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly managerId: string;
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
}

const MAX_ATTEMPTS = 5;

/**
 * Takes the next epoch of a node for this manager: from then on every older session of it, wherever it is
 * held, cannot write any more.
 * Errors: NodeRemovedError, UnavailableError.
 */
export async function claimSession(
  options: SessionClaimOptions,
  request: SessionClaimRequest,
): Promise<SessionClaim> {
  const { store, keys } = options;
  const { nodeId } = request;
  const fence = new SessionFence({ store, keys, onFenced: () => undefined });
  const statusKey = keys.nodeStatus(nodeId);
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const [node, previous] = await Promise.all([
      store.get(keys.node(nodeId)),
      fence.read(statusKey, nodeStatuses),
    ]);
    if (!node) throw new NodeRemovedError('node was removed from the cluster');
    const status = nextStatus(options, request, previous);
    const compare = [
      previous ? atVersion(statusKey, previous.version) : absent(statusKey),
      // The node's labels may change; that it is the same node may not.
      { key: node.key, createRevision: node.createRevision },
    ];
    try {
      const operations = [puts.nodeStatus(keys, status)];
      return { status, revision: await store.commit({ compare, operations }) };
    } catch (error) {
      if (!hasCode(error, 'ERR_CONFLICT')) throw error;
    }
  }
  throw new UnavailableError(`node ${nodeId} opens several sessions at once`);
}

function nextStatus(
  { managerId, clock }: SessionClaimOptions,
  { nodeId, address, certificateExpiresAt, request }: SessionClaimRequest,
  previous: StoredNodeStatus | undefined,
): NodeStatusValue {
  return {
    nodeId,
    address,
    description: request.description,
    session: {
      epoch: (previous?.session.epoch ?? 0) + 1,
      managerId,
      open: true,
      reason: '',
      changedAt: clock.now().toISOString(),
    },
    certificateExpiresAt: certificateExpiresAt.toISOString(),
    engineHealthy: request.engineHealthy,
    ...(request.engineMessage !== undefined && { engineMessage: request.engineMessage }),
  };
}
