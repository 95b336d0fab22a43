import type { Condition } from '../../../api/v1/index.js';
import { cronJobResource } from './cron-job-resource.js';
import type { World } from '../../objects/index.js';
import {
  clusterResource,
  eventResource,
  managerResource,
  type EventReader,
} from './other-resources.js';
import { nodeResource } from './node-resource.js';
import type { Resource } from './resource.js';
import { revisionResource } from './revision-resource.js';
import { serviceResource } from './service-resource.js';
import { taskResource } from './task-resource.js';

/** All kinds that can be read, by plural. */
export type ResourceRegistry = ReadonlyMap<string, Resource>;

/** The kinds over this world; `conditions` are those of the cluster as this manager sees it. */
export function createResources(
  world: World,
  events: EventReader,
  conditions: () => readonly Condition[],
): ResourceRegistry {
  const resources = [
    serviceResource(world),
    taskResource(world),
    cronJobResource(world),
    revisionResource(world),
    nodeResource(world),
    managerResource(world),
    clusterResource(world, conditions),
    eventResource(events),
  ];
  return new Map(resources.map((resource) => [resource.kind.plural, resource]));
}
