import {
  stateRank,
  type RevisionTemplate,
  type StoredServiceRevision,
} from '../../api/v1/index.js';
import { pullsTheSame, runsTheSame, type TaskView, matcherOf } from '../../pkg/lifecycle/index.js';
import type { SchedulingNode } from '../../pkg/scheduler/index.js';
import type { IsCurrent } from './plan-slots.js';

/** A template by which tasks are judged, and the number of its revision. */
export interface Goal {
  readonly revision: number;
  readonly hash: string;
  readonly template: RevisionTemplate;
}

/** What the judgement rests on besides the goal. */
export interface CurrentInput {
  readonly revisions: readonly StoredServiceRevision[];
  /** By id; at least those of tasks whose revision differs from the goal in nothing but its placement. */
  readonly nodes: ReadonlyMap<string, SchedulingNode>;
}

/**
 * Tells tasks that need no update (swarm-semantics 2.7, dirty test): those of an equal template, and those
 * that only another placement separates from it when their node suits the new one as well.
 */
export function currentTest(goal: Goal, { revisions, nodes }: CurrentInput): IsCurrent {
  const byNumber = new Map(revisions.map((revision) => [revision.revision, revision]));
  const suits = matcherOf(goal.template.task.placement?.constraints ?? []);
  return (view) => {
    const { revision, nodeId } = view.task.spec;
    if (revision === goal.revision) return true;
    const own = byNumber.get(revision);
    if (own === undefined) return false;
    if (own.hash === goal.hash) return true;
    if (!runsTheSame(own.template, goal.template)) return false;
    if (!pullsTheSame(own.template, goal.template) && !hasImage(view)) return false;
    const node = nodeId === undefined ? undefined : nodes.get(nodeId);
    return node !== undefined && suits(node);
  };
}

/** The other revisions of which tasks may stay, in order. */
export function revisionsLike(
  goal: Goal,
  revisions: readonly StoredServiceRevision[],
): readonly number[] {
  return revisions
    .filter(
      ({ revision, hash, template }) =>
        revision !== goal.revision && (hash === goal.hash || runsTheSame(template, goal.template)),
    )
    .map(({ revision }) => revision)
    .sort((a, b) => a - b);
}

/** How the image is pulled does not matter any more. */
function hasImage({ state }: TaskView): boolean {
  return stateRank(state) >= stateRank('ready') && stateRank(state) <= stateRank('running');
}
