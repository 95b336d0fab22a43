import { isWanted, type PlannedService, type UnplacedTasks } from '../../api/v1/index.js';
import type { World } from '../objects/index.js';
import { explainUnplaced, type ClusterView } from '../placement/index.js';

/** Tasks of a service that are meant to run. */
export interface ServiceCounts {
  tasks: number;
  placed: number;
  readonly nodes: Record<string, number>;
}

/** The counts of every service, by name. */
export function countServices(world: World): ReadonlyMap<string, ServiceCounts> {
  const counts = new Map<string, ServiceCounts>();
  for (const { spec } of world.tasks.list()) {
    if (!isWanted(spec.desiredState)) continue;
    const found = counts.get(spec.service) ?? { tasks: 0, placed: 0, nodes: {} };
    counts.set(spec.service, found);
    found.tasks += 1;
    if (spec.nodeId === undefined) continue;
    found.placed += 1;
    found.nodes[spec.nodeId] = (found.nodes[spec.nodeId] ?? 0) + 1;
  }
  return counts;
}

/** Why tasks of these services have no node. `now`: milliseconds since 1970. */
export function unplacedOf(
  world: World,
  view: ClusterView,
  services: readonly string[],
  now: number,
): readonly UnplacedTasks[] {
  return services.flatMap((name) => {
    const serviceUid = world.services.get(name)?.metadata.uid;
    return serviceUid === undefined ? [] : explainUnplaced(world, view, { serviceUid, now });
  });
}

/** How things stood and stand. */
export interface BeforeAndAfter {
  readonly before: ReadonlyMap<string, ServiceCounts>;
  readonly after: ReadonlyMap<string, ServiceCounts>;
  readonly unplacedBefore: readonly UnplacedTasks[];
  readonly unplacedAfter: readonly UnplacedTasks[];
}

/** What has become of one service. */
export function serviceReport(
  world: World,
  name: string,
  { before, after, unplacedBefore, unplacedAfter }: BeforeAndAfter,
): PlannedService {
  const update = world.serviceStatuses.get(name)?.update;
  return {
    service: name,
    before: before.get(name) ?? NONE,
    after: after.get(name) ?? NONE,
    unplacedBefore: unplacedBefore.filter(({ service }) => service === name),
    unplacedAfter: unplacedAfter.filter(({ service }) => service === name),
    ...(update && { update: { state: update.state, message: update.message } }),
  };
}

const NONE: ServiceCounts = { tasks: 0, placed: 0, nodes: {} };
