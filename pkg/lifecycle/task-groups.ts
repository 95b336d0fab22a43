import type { AffinityTerm, Strategy, TaskGroup } from '../scheduler/index.js';
import { instantMs, type TaskView } from './task-view.js';
import type { TemplateDemand } from './template-demand.js';

/** A task that waits for a node, with what its revision asks of one. */
export interface UnplacedView extends TaskView {
  readonly demand: TemplateDemand;
}

/** What groups rest on besides their tasks. */
export interface PlacementFacts {
  /** The cluster's, for services that name none. */
  readonly strategy: Strategy;
  /** Id of the service of a name; undefined when there is none. */
  serviceIdOf(name: string): string | undefined;
  /** Present priority of the service of a name: a change of it takes effect at once, whatever runs. */
  priorityOf(name: string): number;
  /** Whether tasks of the service of a name may send others away, as its present spec says. */
  mayPreempt(name: string): boolean;
  /** Recent failures by node of one service revision. */
  failuresOf(serviceUid: string, revision: number): ReadonlyMap<string, number> | undefined;
}

/** Tasks that are equal in all that placement looks at, in one group each; oldest first. */
export function groupsOf(
  tasks: readonly UnplacedView[],
  facts: PlacementFacts,
): readonly TaskGroup[] {
  const groups = new Map<string, UnplacedView[]>();
  for (const view of tasks) {
    const { serviceUid, revision } = view.task.spec;
    const key = `${serviceUid}/${String(revision)}`;
    const known = groups.get(key);
    if (known) known.push(view);
    else groups.set(key, [view]);
  }
  return [...groups.values()].flatMap((members) => groupOf(members.sort(inOrder), facts));
}

function groupOf(members: readonly UnplacedView[], facts: PlacementFacts): readonly TaskGroup[] {
  const [first] = members;
  if (!first) return [];
  const { service, serviceUid, revision } = first.task.spec;
  const { affinity, antiAffinity, strategy = facts.strategy } = first.demand;
  const group: TaskGroup = {
    ...first.demand,
    ...(affinity && { affinity: affinity.map((term) => resolved(term, facts)) }),
    ...(antiAffinity && { antiAffinity: antiAffinity.map((term) => resolved(term, facts)) }),
    strategy,
    serviceId: serviceUid,
    serviceName: service,
    revision,
    priority: facts.priorityOf(service),
    mayPreempt: facts.mayPreempt(service),
    position: instantMs(first.task.metadata.createdAt),
    tasks: members.map(({ task }) => ({
      id: task.metadata.uid,
      preassignedNodeId: task.spec.forNode,
    })),
    recentFailures: facts.failuresOf(serviceUid, revision),
  };
  return [group];
}

/** By name and not by id, so that a service may be made again; looked up anew for every batch. */
function resolved(term: AffinityTerm, facts: PlacementFacts): AffinityTerm {
  return { ...term, serviceId: facts.serviceIdOf(term.service) };
}

/** By age, then by slot: of tasks that were made together the lower numbers go first. */
function inOrder(a: UnplacedView, b: UnplacedView): number {
  const [one, two] = [a.task, b.task];
  if (one.metadata.createdAt !== two.metadata.createdAt) {
    return one.metadata.createdAt < two.metadata.createdAt ? -1 : 1;
  }
  return one.spec.slot - two.spec.slot || (one.metadata.uid < two.metadata.uid ? -1 : 1);
}
