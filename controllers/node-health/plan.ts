import type {
  EffectiveClusterSpec,
  NodeState,
  StoredNodeHealth,
  StoredNodeStatus,
} from '../../api/v1/index.js';

/** Everything the verdict on one node needs. */
export interface NodeHealthSnapshot {
  readonly nodeId: string;
  /** The node is a member of the cluster. */
  readonly isMember: boolean;
  readonly status?: StoredNodeStatus | undefined;
  readonly health?: StoredNodeHealth | undefined;
  /** The manager of its session is alive. */
  readonly hasManager: boolean;
  /** That manager was started again since the session began, so it does not hold it. */
  readonly isManagerReborn: boolean;
  readonly settings: EffectiveClusterSpec;
  /** For how long this leader has seen the node out of order without a break. */
  readonly silentForMs: number;
  /** For how long this leader has led and heard the store without a break. */
  readonly listeningForMs: number;
  /** ISO 8601, the leader's wall clock. */
  readonly now: string;
}

/** What is to be written about a node. */
export type NodeHealthChange =
  | { readonly kind: 'set-health'; readonly health: Omit<StoredNodeHealth, 'version'> }
  /** The node is no member any more: what is known of it goes. */
  | { readonly kind: 'forget-node' };

/** At most one change, and after how long time alone may bring the next. */
export interface NodeHealthPlan {
  readonly change?: NodeHealthChange | undefined;
  readonly lookAgainAfterMs?: number | undefined;
}

/** Agents whose manager is gone find another within this many heartbeats. */
const RECONNECT_HEARTBEATS = 3;

/** Judges one node. Pure: same snapshot, same verdict. */
export function planNodeHealth(snapshot: NodeHealthSnapshot): NodeHealthPlan {
  const { isMember, status, health } = snapshot;
  if (!isMember) return status || health ? { change: { kind: 'forget-node' } } : {};
  const trouble = troubleOf(snapshot);
  if (trouble === undefined) return verdict(snapshot, 'ready', 'session open');
  const leftMs = timeLeftMs(snapshot);
  // A node that was lost stays lost until it is well again, whoever leads meanwhile.
  if (leftMs <= 0 || health?.state === 'lost') return verdict(snapshot, 'lost', trouble);
  return { ...verdict(snapshot, 'unknown', trouble), lookAgainAfterMs: leftMs };
}

/** What is wrong with a node; undefined when nothing is. */
export function troubleOf({
  status,
  health,
  hasManager,
  isManagerReborn,
}: Pick<NodeHealthSnapshot, 'status' | 'health' | 'hasManager' | 'isManagerReborn'>):
  string | undefined {
  if (!status) return 'never connected';
  const { session, engineHealthy, engineMessage } = status;
  if (!session.open) return session.reason === '' ? 'session closed' : session.reason;
  if (!hasManager) return 'its manager is gone';
  // A ready node has until its manager closes the old session; one that was not has to come back first.
  if (isManagerReborn && health?.state !== 'ready') return 'its manager was started again';
  if (engineHealthy) return undefined;
  return engineMessage === undefined ? 'engine does not answer' : `engine: ${engineMessage}`;
}

/**
 * How much silence is left before the node counts as lost. A manager closes a session after some silence
 * already, which counts. And whoever has only just begun to listen hears first who is there: after an
 * outage of everything nobody is lost before the agents had time to come back.
 */
function timeLeftMs({ status, settings, silentForMs, listeningForMs }: NodeHealthSnapshot): number {
  const { nodeLostAfterMs, nodeHeartbeatMs } = settings;
  const known = status?.session.open === false ? alreadySilentMs(status, settings) : 0;
  const silence = nodeLostAfterMs - known - silentForMs;
  const listening = nodeLostAfterMs + RECONNECT_HEARTBEATS * nodeHeartbeatMs - listeningForMs;
  return Math.max(silence, listening);
}

function alreadySilentMs(
  { session }: StoredNodeStatus,
  { nodeUnknownAfterMs, nodeHeartbeatMs }: EffectiveClusterSpec,
): number {
  return session.reason === 'heartbeat failure' ? nodeUnknownAfterMs : nodeHeartbeatMs;
}

function verdict(snapshot: NodeHealthSnapshot, state: NodeState, reason: string): NodeHealthPlan {
  const { nodeId, status, health, now } = snapshot;
  const epoch = status?.session.epoch ?? 0;
  if (health?.state !== state) return setHealth({ nodeId, state, reason, since: now, epoch });
  const isSame = health.reason === reason && health.epoch === epoch;
  return isSame ? {} : setHealth({ nodeId, state, reason, since: health.since, epoch });
}

const setHealth = (health: Omit<StoredNodeHealth, 'version'>): NodeHealthPlan => ({
  change: { kind: 'set-health', health },
});
