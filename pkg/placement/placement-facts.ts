import { effectiveClusterSpec } from '../../api/v1/index.js';
import type { PlacementFacts } from '../lifecycle/index.js';
import { clusterOf, type World } from '../objects/index.js';
import type { ClusterView } from './cluster-view.js';

/** What groups rest on besides their tasks. `now`: milliseconds since 1970. */
export function placementFacts(world: World, view: ClusterView, now: number): PlacementFacts {
  const { strategy, preemption } = effectiveClusterSpec(clusterOf(world)?.spec ?? {});
  return {
    strategy,
    serviceIdOf: (name) => world.services.get(name)?.metadata.uid,
    priorityOf: (name) => world.services.get(name)?.spec.task.priority ?? 0,
    mayPreempt: (name) => {
      const task = world.services.get(name)?.spec.task;
      return preemption === 'on' && (task?.priority ?? 0) > 0 && task?.preemption !== 'never';
    },
    failuresOf: (serviceUid, revision) => view.failuresOf(`${serviceUid}/${String(revision)}`, now),
  };
}
