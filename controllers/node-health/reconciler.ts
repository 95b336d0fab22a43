import { effectiveClusterSpec, type StoredNode } from '../../api/v1/index.js';
import type { Clock } from '../../pkg/base/index.js';
import type {
  GuardedWriter,
  ReconcileContext,
  ReconcileResult,
  Reconciler,
} from '../../pkg/controller/index.js';
import type { EventRecorder } from '../../pkg/events/index.js';
import { atVersion, clusterOf, puts, remove, type World } from '../../pkg/objects/index.js';
import type { Keys, TxnPart } from '../../pkg/store/index.js';
import { NodeObservations } from './observations.js';
import {
  planNodeHealth,
  troubleOf,
  type NodeHealthChange,
  type NodeHealthSnapshot,
} from './plan.js';

/** What a {@link NodeHealthReconciler} is made of. */
export interface NodeHealthReconcilerOptions {
  readonly world: World;
  readonly keys: Keys;
  readonly writer: GuardedWriter;
  readonly clock: Clock;
  readonly events: EventRecorder;
}

/** Says of every node whether it is ready, unknown or lost. Keys are nodes' ids. */
export class NodeHealthReconciler implements Reconciler {
  private readonly observations = new NodeObservations();

  constructor(private readonly options: NodeHealthReconcilerOptions) {}

  async reconcile(nodeId: string, context: ReconcileContext): Promise<ReconcileResult> {
    const { world } = this.options;
    const snapshot = this.snapshotOf(nodeId, context);
    const { change, lookAgainAfterMs } = planNodeHealth(snapshot);
    const isHeld = change?.kind === 'forget-node' && world.cache.historyBreak !== undefined;
    if (change && !isHeld) await this.apply(nodeId, change, snapshot, context);
    return lookAgainAfterMs === undefined ? {} : { requeueAfterMs: lookAgainAfterMs };
  }

  private snapshotOf(nodeId: string, { term }: ReconcileContext): NodeHealthSnapshot {
    const { world, clock } = this.options;
    const nowMs = clock.monotonicMs();
    const status = world.nodeStatuses.get(nodeId);
    const isMember = world.nodes.get(nodeId) !== undefined || world.nodes.isInvalid(nodeId);
    const health = world.nodeHealths.get(nodeId);
    const manager = status && world.managers.get(status.session.managerId);
    const standing = {
      status,
      health,
      hasManager: manager !== undefined,
      isManagerReborn: isOfAnotherRun(status?.session.managerStartedAt, manager?.startedAt),
    };
    this.observations.begin(term.epoch, world.cache.connected, nowMs);
    return {
      nodeId,
      isMember,
      ...standing,
      settings: effectiveClusterSpec(clusterOf(world)?.spec ?? {}),
      silentForMs: this.observe(nodeId, isMember && troubleOf(standing) !== undefined),
      listeningForMs: this.observations.listeningForMs(nowMs),
      now: clock.now().toISOString(),
    };
  }

  private observe(nodeId: string, isInTrouble: boolean): number {
    if (isInTrouble) return this.observations.silent(nodeId, this.options.clock.monotonicMs());
    this.observations.forget(nodeId);
    return 0;
  }

  private async apply(
    nodeId: string,
    change: NodeHealthChange,
    snapshot: NodeHealthSnapshot,
    context: ReconcileContext,
  ): Promise<void> {
    await this.options.writer.commit(this.partOf(nodeId, change, snapshot), context);
    if (change.kind === 'forget-node') return;
    const { state, reason } = change.health;
    if (snapshot.health?.state === state) return;
    context.log.info({ nodeId, state, reason }, 'node state changed');
    const hasJustJoined = snapshot.health === undefined && state === 'unknown';
    if (!hasJustJoined) this.record(nodeId, state, reason); // that it joined is an event already
  }

  private partOf(nodeId: string, change: NodeHealthChange, snapshot: NodeHealthSnapshot): TxnPart {
    const { keys, world } = this.options;
    const [statusKey, healthKey] = [keys.nodeStatus(nodeId), keys.nodeHealth(nodeId)];
    const read = [
      atVersion(statusKey, snapshot.status?.version ?? 0),
      atVersion(healthKey, snapshot.health?.version ?? 0),
    ];
    if (change.kind === 'forget-node') {
      const isGone = atVersion(keys.node(nodeId), 0);
      return { compare: [isGone, ...read], operations: [remove(statusKey), remove(healthKey)] };
    }
    const node = world.nodes.get(nodeId);
    const isMember = node ? [atVersion(keys.node(nodeId), node.metadata.version)] : [];
    const operation = puts.nodeHealth(keys, change.health);
    return { compare: [...isMember, ...read], operations: [operation] };
  }

  private record(nodeId: string, state: 'ready' | 'unknown' | 'lost', reason: string): void {
    const node: StoredNode | undefined = this.options.world.nodes.get(nodeId);
    this.options.events.record({
      ...VERDICTS[state],
      message: reason,
      regarding: { kind: 'Node', name: node?.metadata.name ?? nodeId, uid: nodeId },
      source: 'node-health-controller',
    });
  }
}

/** Told by being another, not by being later: somebody may have set the manager's clock back. */
const isOfAnotherRun = (session: string | undefined, manager: string | undefined): boolean =>
  session !== undefined && manager !== undefined && session !== manager;

const VERDICTS = {
  ready: { type: 'normal', reason: 'NodeReady' },
  unknown: { type: 'warning', reason: 'NodeUnknown' },
  lost: { type: 'warning', reason: 'NodeLost' },
} as const;
