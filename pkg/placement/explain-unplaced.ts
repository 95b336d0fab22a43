import { isWanted, type StoredTask, type UnplacedTasks } from '../../api/v1/index.js';
import { groupsOf, taskView } from '../lifecycle/index.js';
import type { World } from '../objects/index.js';
import { explain, type TaskGroup } from '../scheduler/index.js';
import type { ClusterView } from './cluster-view.js';
import { demandOf } from './demand-of.js';
import { placementFacts } from './placement-facts.js';

/** Names of slots that are told; the others are counted. */
const MOST_NAMES = 100;
/** Nodes whose answers are told; every one is in the counts. */
const MOST_NODES = 1_000;

/**
 * Why tasks of a service have no node: what every node says to one more of them, as things stand. `view` has to
 * be up to date; `now` is milliseconds since 1970.
 */
export function explainUnplaced(
  world: World,
  view: ClusterView,
  { serviceUid, now }: { readonly serviceUid: string; readonly now: number },
): readonly UnplacedTasks[] {
  const waiting = world.tasks
    .byIndex('service', serviceUid)
    .filter(({ spec }) => spec.nodeId === undefined && isWanted(spec.desiredState));
  const tasks = waiting.map((task) => ({
    ...taskView(task, world.taskStatuses.get(task.metadata.uid)),
    demand: demandOf(world, task),
  }));
  const byId = new Map(waiting.map((task) => [task.metadata.uid, task]));
  return groupsOf(tasks, placementFacts(world, view, now)).flatMap((group) =>
    byBoundNode(group).map((part) => answerFor(part, byId, view)),
  );
}

/** Tasks that are bound to a node ask that one only. */
function byBoundNode(group: TaskGroup): readonly TaskGroup[] {
  const parts = new Map<string, TaskGroup['tasks'][number][]>();
  for (const task of group.tasks) {
    const key = task.preassignedNodeId ?? '';
    const known = parts.get(key);
    if (known) known.push(task);
    else parts.set(key, [task]);
  }
  return [...parts.values()].map((tasks) => ({ ...group, tasks }));
}

function answerFor(
  group: TaskGroup,
  byId: ReadonlyMap<string, StoredTask>,
  view: ClusterView,
): UnplacedTasks {
  const tasks = group.tasks.flatMap(({ id }) => byId.get(id) ?? []);
  const nodeId = group.tasks[0]?.preassignedNodeId;
  const verdicts = explain(group, view.state)
    .filter((verdict) => nodeId === undefined || verdict.nodeId === nodeId)
    .sort((a, b) => (a.hostname < b.hostname ? -1 : 1));
  const pending = tasks.find(({ spec }) => spec.pending !== undefined)?.spec.pending;
  return {
    service: group.serviceName ?? '',
    revision: group.revision,
    tasks: tasks.slice(0, MOST_NAMES).map(({ metadata }) => metadata.name),
    count: tasks.length,
    message: pending?.message ?? 'not looked at yet',
    filters: (pending?.filters ?? []).map((each) => ({ ...each })),
    nodes: verdicts.slice(0, MOST_NODES).map((verdict) => ({ ...verdict })),
  };
}
