import {
  effectiveRestartPolicy,
  isJob,
  type EffectiveRestartPolicy,
  type StoredServiceRevision,
  type StoredTask,
} from '../../api/v1/index.js';
import { nodeStandingOf, taskView, type NodeStanding } from '../../pkg/lifecycle/index.js';
import { revisionOf, type World } from '../../pkg/objects/index.js';
import type { SlotTask } from './plan-restart.js';

const policies = new WeakMap<StoredServiceRevision, EffectiveRestartPolicy>();

/** A revision that is gone (deleted by force) restarts by default. */
const BY_DEFAULT = effectiveRestartPolicy({ task: { container: { image: 'none' } } });

/** The restart policy of a task's own revision; computed once for each stored object. */
export function policyOf(world: World, task: StoredTask): EffectiveRestartPolicy {
  const revision = revisionOf(world, task);
  if (revision?.serviceUid !== task.spec.serviceUid) return BY_DEFAULT;
  const known = policies.get(revision);
  if (known) return known;
  const policy = effectiveRestartPolicy(revision.template);
  policies.set(revision, policy);
  return policy;
}

/** A task with what its restart depends on. */
export function slotTaskOf(world: World, task: StoredTask): SlotTask {
  return {
    ...taskView(task, world.taskStatuses.get(task.metadata.uid)),
    policy: policyOf(world, task),
    isOfJob: isOfJob(world, task),
    standing: standingOf(world, task.spec.nodeId),
  };
}

/** By the service's mode, which never changes. */
function isOfJob(world: World, { spec }: StoredTask): boolean {
  const service = world.services.get(spec.service);
  return service?.metadata.uid === spec.serviceUid && isJob(service.spec);
}

/** A node that cannot be read is there all the same. */
function standingOf(world: World, nodeId: string | undefined): NodeStanding | undefined {
  if (nodeId === undefined) return undefined;
  if (world.nodes.isInvalid(nodeId)) return 'available';
  return nodeStandingOf(world.nodes.get(nodeId), world.nodeHealths.get(nodeId));
}

/** Whether a task's very service is there. */
export function serviceStateOf(world: World, task: StoredTask): 'present' | 'deleting' | 'gone' {
  const { service: name, serviceUid } = task.spec;
  if (world.services.isInvalid(name)) return 'deleting'; // nothing new, and nothing removed
  const service = world.services.get(name);
  if (service?.metadata.uid !== serviceUid) return 'gone';
  return service.metadata.deletingAt === undefined ? 'present' : 'deleting';
}
