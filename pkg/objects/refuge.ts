import { effectiveClusterSpec } from '../../api/v1/index.js';
import { instantMs } from '../lifecycle/index.js';
import { clusterOf, type World } from './world.js';

/**
 * Says from when on the tasks of lost nodes have somewhere to go: to a node that takes tasks and has been
 * ready for as long as a silent one is waited for. When all nodes are lost at once the fault is rarely
 * theirs, and the first one to come back must not be given everything before the others had their chance.
 */
export class Refuge {
  private revision = -1;
  private oldest: number | undefined;

  constructor(private readonly world: World) {}

  /** Milliseconds since 1970, as is `now`; undefined while there is no such node. */
  since(now: number): number | undefined {
    const oldest = this.readySince();
    if (oldest === undefined) return undefined;
    const { nodeLostAfterMs } = effectiveClusterSpec(clusterOf(this.world)?.spec ?? {});
    // A stamp that is ahead of our clock says only that one of the clocks was set.
    return oldest > now ? now : oldest + nodeLostAfterMs;
  }

  /** One look at all nodes for every revision: a lost rack asks for hundreds of slots at once. */
  private readySince(): number | undefined {
    const { cache, nodes, nodeHealths } = this.world;
    if (cache.revision === this.revision) return this.oldest;
    const stamps = nodes.list().flatMap(({ metadata, spec }) => {
      const health = nodeHealths.get(metadata.uid);
      const isOpen = spec.availability === 'active' && health?.state === 'ready';
      return isOpen ? [instantMs(health.since)] : [];
    });
    this.revision = cache.revision;
    this.oldest = stamps.length === 0 ? undefined : stamps.reduce((a, b) => Math.min(a, b));
    return this.oldest;
  }
}
