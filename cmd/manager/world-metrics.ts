import {
  DESIRED_STATES,
  NODE_STATES,
  TASK_STATES,
  UPDATE_STATES,
  isBackingOff,
} from '../../api/v1/index.js';
import type { Clock } from '../../pkg/base/index.js';
import { isReady, taskView } from '../../pkg/lifecycle/index.js';
import type { ManagerMetrics } from '../../pkg/metrics/index.js';
import { stateOf, type World } from '../../pkg/objects/index.js';

/** Counts objects at every scrape, from the cache. */
export function collectCluster(
  metrics: ManagerMetrics['of']['cluster'],
  world: World,
  clock: Clock,
): void {
  metrics.services.onCollect(() => [[{}, world.services.size]]);
  metrics.cronJobs.onCollect(() => [[{}, world.cronJobs.size]]);
  metrics.tasks.onCollect(() => {
    const counts = countBy(world.tasks.list(), (task) => stateOf(world, task));
    return TASK_STATES.map((state) => [{ state }, counts.get(state) ?? 0] as const);
  });
  metrics.desiredTasks.onCollect(() => {
    const counts = countBy(world.tasks.list(), ({ spec }) => spec.desiredState);
    return DESIRED_STATES.map((state) => [{ state }, counts.get(state) ?? 0] as const);
  });
  metrics.readyTasks.onCollect(() => {
    const views = world.tasks
      .list()
      .map((task) => taskView(task, world.taskStatuses.get(task.metadata.uid)));
    return [[{}, views.filter(isReady).length]];
  });
  metrics.backoffTasks.onCollect(() => {
    const nowMs = clock.now().getTime();
    const held = world.tasks
      .list()
      .filter((task) => isBackingOff(task.spec, stateOf(world, task), nowMs));
    return [[{}, held.length]];
  });
  metrics.frozenNodes.onCollect(() => {
    const frozen = world.nodeStatuses.list().filter(({ historyLost }) => historyLost !== undefined);
    return [[{}, frozen.length]];
  });
  metrics.nodes.onCollect(() => {
    const stateOfNode = (id: string) => world.nodeHealths.get(id)?.state ?? 'unknown';
    const counts = countBy(world.nodes.list(), ({ metadata }) => stateOfNode(metadata.uid));
    return NODE_STATES.map((state) => [{ state }, counts.get(state) ?? 0] as const);
  });
}

/** Counts services by their latest update at every scrape; those that had none are in no state. */
export function collectRollouts(metrics: ManagerMetrics['of']['rollout'], world: World): void {
  metrics.services.onCollect(() => {
    const counts = countBy(world.serviceStatuses.list(), ({ update }) => update?.state);
    return UPDATE_STATES.map((state) => [{ state }, counts.get(state) ?? 0] as const);
  });
}

function countBy<T, K>(items: readonly T[], keyOf: (item: T) => K): ReadonlyMap<K, number> {
  const counts = new Map<K, number>();
  for (const item of items) {
    const key = keyOf(item);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}
