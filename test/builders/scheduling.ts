import type { PlacedTask, SchedulingNode, TaskGroup } from '../../pkg/scheduler/index.js';

/** A ready Linux worker with 4 CPUs and 8 GiB. */
export function aSchedulingNode(
  node: Partial<SchedulingNode> & Pick<SchedulingNode, 'id'>,
): SchedulingNode {
  return {
    hostname: `host-${node.id}`,
    role: 'worker',
    os: 'linux',
    architecture: 'x86_64',
    availability: 'active',
    ready: true,
    nodeLabels: {},
    engineLabels: {},
    resources: { cpuNano: 4e9, memoryBytes: 8 * 1024 ** 3 },
    ...node,
  };
}

/** A running task of service `web` that reserves nothing. */
export function aPlacedTask(
  task: Partial<PlacedTask> & Pick<PlacedTask, 'taskId' | 'nodeId'>,
): PlacedTask {
  return { serviceId: 'web', countsForSpread: true, ...task };
}

/** Pending tasks `web-1` to `web-<replicas>` of service `web` that ask for nothing. */
export function aTaskGroup({
  replicas = 1,
  ...group
}: Partial<TaskGroup> & { readonly replicas?: number } = {}): TaskGroup {
  const serviceId = group.serviceId ?? 'web';
  return {
    serviceId,
    revision: 1,
    position: 1,
    tasks: Array.from({ length: replicas }, (_, index) => ({ id: `${serviceId}-${index + 1}` })),
    ...group,
  };
}
