import { modeNameOf, revisionTemplateOf, type StoredService } from '../../api/v1/index.js';
import { nodeStandingOf, schedulingNodeOf, taskView } from '../../pkg/lifecycle/index.js';
import { revisionKey, templateHash, type World } from '../../pkg/objects/index.js';
import type { JobSnapshot } from './plan.js';
import type { JobNode } from './plan-global.js';

/** Hashes of stored specs, which never change. */
const hashes = new WeakMap<StoredService, string>();

/** Reads what a decision about a job needs; synchronous, so that all of it is of one revision. */
export function snapshotOf(world: World, service: StoredService, now: string): JobSnapshot {
  const { name, uid } = service.metadata;
  const revisions = world.serviceRevisions.byIndex('service', uid);
  const newest = revisions.reduce((max, { revision }) => Math.max(max, revision), 0);
  const status = world.serviceStatuses.get(name);
  return {
    service,
    templateHash: hashOf(service),
    revisions,
    freeRevision: freeRevision(world, name, newest + 1),
    tasks: world.tasks
      .byIndex('service', uid)
      .map((task) => taskView(task, world.taskStatuses.get(task.metadata.uid))),
    lostNodes: lostNodesOf(world, uid),
    nodes: modeNameOf(service.spec) === 'global-job' ? nodesOf(world) : [],
    status: status?.serviceUid === uid ? status : undefined,
    now,
  };
}

function lostNodesOf(world: World, serviceUid: string): ReadonlySet<string> {
  const ids = world.tasks.byIndex('service', serviceUid).map(({ spec }) => spec.nodeId ?? '');
  return new Set(ids.filter((id) => isUnreachable(world, id)));
}

/** A node that was removed from the cluster does not come back. */
function isUnreachable(world: World, id: string): boolean {
  if (id === '' || world.nodes.isInvalid(id)) return false;
  return world.nodes.get(id) === undefined || world.nodeHealths.get(id)?.state === 'lost';
}

function hashOf(service: StoredService): string {
  const known = hashes.get(service);
  if (known !== undefined) return known;
  const hash = templateHash(revisionTemplateOf(service.spec));
  hashes.set(service, hash);
  return hash;
}

/** An earlier service of the name, deleted by force, may have left revisions behind. */
function freeRevision(world: World, name: string, from: number): number {
  const { serviceRevisions } = world;
  for (let revision = from; ; revision += 1) {
    const key = revisionKey(name, revision);
    if (!serviceRevisions.get(key) && !serviceRevisions.isInvalid(key)) return revision;
  }
}

function nodesOf(world: World): readonly JobNode[] {
  return world.nodes.list().map((node) => {
    const id = node.metadata.uid;
    const health = world.nodeHealths.get(id);
    return {
      node: schedulingNodeOf({ node, status: world.nodeStatuses.get(id), health }),
      standing: nodeStandingOf(node, health),
    };
  });
}
