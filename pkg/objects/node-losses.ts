import {
  effectiveClusterSpec,
  effectiveNodeLoss,
  type EffectiveClusterSpec,
  type StoredNodeHealth,
  type StoredService,
} from '../../api/v1/index.js';
import type { Clock } from '../base/index.js';
import { Refuge } from './refuge.js';
import { clusterOf, type World } from './world.js';

interface Seen {
  /** The stamp of the verdict: a node that is lost again has another one. */
  readonly stamp: string;
  readonly sinceMs: number;
}

/**
 * Says from when on others may take the place of tasks on lost nodes. That a node is lost is the cluster's
 * verdict; a service may ask for more patience. For how long the node has been lost is measured by the leader
 * itself, in monotonic time: a new one begins anew, and so is never too early.
 */
export class NodeLosses {
  private readonly refuge: Refuge;
  private readonly seen = new Map<string, Seen>();

  constructor(
    private readonly world: World,
    private readonly clock: Clock,
  ) {
    this.refuge = new Refuge(world);
  }

  /**
   * When tasks of `service` may be replaced that are on this node (milliseconds since 1970, as is `now`);
   * undefined when as things stand they keep their place, and when the node is not lost.
   */
  replaceableAt(service: StoredService, nodeId: string, now: number): number | undefined {
    const health = this.world.nodeHealths.get(nodeId);
    if (health?.state !== 'lost') {
      this.seen.delete(nodeId);
      return undefined;
    }
    const settings = effectiveClusterSpec(clusterOf(this.world)?.spec ?? {});
    const patienceMs = patienceOf(service, settings);
    const refugeAt = this.refuge.since(now);
    if (refugeAt === undefined || patienceMs === undefined) return undefined;
    return Math.max(refugeAt, now + patienceMs - this.lostForMs(health));
  }

  private lostForMs({ nodeId, since }: StoredNodeHealth): number {
    const nowMs = this.clock.monotonicMs();
    const known = this.seen.get(nodeId);
    if (known?.stamp === since) return nowMs - known.sinceMs;
    this.seen.set(nodeId, { stamp: since, sinceMs: nowMs });
    return 0;
  }
}

/** How long the service waits after the verdict; undefined: for ever. */
function patienceOf(
  { spec }: StoredService,
  settings: Pick<EffectiveClusterSpec, 'nodeLostAfterMs'>,
): number | undefined {
  const { action, afterMs } = effectiveNodeLoss(spec, settings);
  return action === 'wait' ? undefined : afterMs - settings.nodeLostAfterMs;
}
