import { isWanted, type StoredTask } from '../../api/v1/index.js';
import type { World } from '../objects/index.js';
import { avoidancesOf, type PlacedTask } from '../scheduler/index.js';
import { demandOf } from './demand-of.js';

/** What a task holds on its node, as long as it has not ended. */
export function placedTaskOf(world: World, task: StoredTask, nodeId: string): PlacedTask {
  const { reservations, hostPorts, antiAffinity } = demandOf(world, task);
  const { service, serviceUid, assignedResources, desiredState } = task.spec;
  return {
    taskId: task.metadata.uid,
    serviceId: serviceUid,
    nodeId,
    reservations,
    assigned: assignedResources,
    hostPorts,
    ...(antiAffinity && { avoids: avoidancesOf(service, antiAffinity) }),
    countsForSpread: isWanted(desiredState),
  };
}
