import {
  replicasOf,
  revisionTemplateOf,
  type RevisionTemplate,
  type StoredService,
  type StoredServiceRevision,
} from '../../api/v1/index.js';
import {
  nodeStandingOf,
  runsTheSame,
  schedulingNodeOf,
  taskView,
} from '../../pkg/lifecycle/index.js';
import { revisionKey, templateHash, type NodeLosses, type World } from '../../pkg/objects/index.js';
import type { ServiceSnapshot } from './plan.js';
import type { GlobalNode } from './plan-global.js';
import type { Departure } from './plan-moves.js';

/** Templates of stored specs and their hashes, which never change. */
const templates = new WeakMap<StoredService, HashedTemplate>();

interface HashedTemplate {
  readonly template: RevisionTemplate;
  readonly hash: string;
}

/** When a decision is taken, and what the leader has seen so far. */
export interface SnapshotTime {
  readonly losses: NodeLosses;
  /** ISO 8601. */
  readonly now: string;
  /** Since when this leader leads (milliseconds since 1970). */
  readonly leadingSince: number;
}

/** Reads what a decision about `service` needs; synchronous, so that all of it is of one revision. */
export function snapshotOf(
  world: World,
  service: StoredService,
  { now, leadingSince, losses }: SnapshotTime,
): ServiceSnapshot {
  const { name, uid } = service.metadata;
  const revisions = world.serviceRevisions.byIndex('service', uid);
  const newest = revisions.reduce((max, { revision }) => Math.max(max, revision), 0);
  const status = world.serviceStatuses.get(name);
  return {
    service,
    templateHash: hashedTemplateOf(service).hash,
    revisions,
    freeRevision: freeRevision(world, name, newest + 1),
    tasks: world.tasks
      .byIndex('service', uid)
      .map((task) => taskView(task, world.taskStatuses.get(task.metadata.uid))),
    lostNodes: lostNodesOf(world, uid),
    departures: departuresOf(world, service, { losses, now: Date.parse(now) }),
    nodes: replicasOf(service.spec) === undefined ? nodesOf(world) : [],
    placedNodes: placedNodesOf(world, service, revisions),
    status: status?.serviceUid === uid ? status : undefined,
    leadingSince,
    now,
  };
}

function lostNodesOf(world: World, serviceUid: string): ReadonlySet<string> {
  const ids = world.tasks.byIndex('service', serviceUid).map(({ spec }) => spec.nodeId ?? '');
  return new Set(ids.filter((id) => world.nodeHealths.get(id)?.state === 'lost'));
}

function departuresOf(
  world: World,
  service: StoredService,
  { losses, now }: { readonly losses: NodeLosses; readonly now: number },
): ServiceSnapshot['departures'] {
  const tasks = world.tasks.byIndex('service', service.metadata.uid);
  const departures = new Map<string, Departure>();
  for (const id of new Set(tasks.map(({ spec }) => spec.nodeId ?? ''))) {
    const replaceableAt = losses.replaceableAt(service, id, now);
    const departure = departureOf(world, id, replaceableAt);
    if (departure) departures.set(id, departure);
  }
  return departures;
}

/** That nobody hears of it weighs more than that it is drained. */
function departureOf(
  world: World,
  nodeId: string,
  replaceableAt: number | undefined,
): Departure | undefined {
  const health = world.nodeHealths.get(nodeId);
  if (health?.state === 'lost') return { kind: 'lost', replaceableAt, version: health.version };
  const node = world.nodes.get(nodeId);
  if (node?.spec.availability !== 'drain') return undefined;
  const isForced = node.spec.drainMode === 'force';
  return { kind: 'drained', isForced, version: node.metadata.version };
}

function hashedTemplateOf(service: StoredService): HashedTemplate {
  const known = templates.get(service);
  if (known !== undefined) return known;
  const template = revisionTemplateOf(service.spec);
  const hashed = { template, hash: templateHash(template) };
  templates.set(service, hashed);
  return hashed;
}

/** Nodes matter only where another placement is all that separates revisions, which is rare. */
function placedNodesOf(
  world: World,
  service: StoredService,
  revisions: readonly StoredServiceRevision[],
): ServiceSnapshot['placedNodes'] {
  const all = [...revisions, hashedTemplateOf(service)];
  const isAlike = all.some((one, index) =>
    all
      .slice(0, index)
      .some((other) => one.hash !== other.hash && runsTheSame(one.template, other.template)),
  );
  if (!isAlike) return new Map();
  const tasks = world.tasks.byIndex('service', service.metadata.uid);
  const ids = new Set(tasks.map(({ spec }) => spec.nodeId ?? ''));
  return new Map(
    [...ids].flatMap((id) => {
      const node = world.nodes.get(id);
      const parts = { status: world.nodeStatuses.get(id), health: world.nodeHealths.get(id) };
      return node ? [[id, schedulingNodeOf({ node, ...parts })] as const] : [];
    }),
  );
}

/** An earlier service of the name, deleted by force, may have left revisions behind. */
function freeRevision(world: World, name: string, from: number): number {
  const { serviceRevisions } = world;
  for (let revision = from; ; revision += 1) {
    const key = revisionKey(name, revision);
    if (!serviceRevisions.get(key) && !serviceRevisions.isInvalid(key)) return revision;
  }
}

function nodesOf(world: World): readonly GlobalNode[] {
  return world.nodes.list().map((node) => {
    const id = node.metadata.uid;
    const health = world.nodeHealths.get(id);
    return {
      node: schedulingNodeOf({ node, status: world.nodeStatuses.get(id), health }),
      standing: nodeStandingOf(node, health),
    };
  });
}
