import type { SchedulingNode } from '../../pkg/scheduler/index.js';
import { type NodeStanding, matcherOf } from '../../pkg/lifecycle/index.js';
import { remove, stop, type ServiceChange } from './plan-changes.js';
import type { EmptyPlace, ScalePlan } from './plan-replicated.js';
import { isStopping, type Slot } from './plan-slots.js';

/** A node as a global service looks at it. */
export interface GlobalNode {
  readonly node: SchedulingNode;
  readonly standing: NodeStanding;
}

/** A {@link ScalePlan} and the number of tasks that there should be. */
export interface GlobalPlan extends ScalePlan {
  readonly desired: number;
}

/** What a global service asks of its nodes and gives them. */
export interface GlobalInput {
  readonly slots: readonly Slot[];
  readonly nodes: readonly GlobalNode[];
  readonly constraints: readonly string[];
}

/** One task on every node that is neither drained nor lost and matches (swarm-semantics 2.5). */
export function planGlobal({ slots, nodes, constraints }: GlobalInput): GlobalPlan {
  const slotByNode = new Map(slots.map((slot) => [slot.forNode ?? '', slot]));
  const known = new Set(nodes.map(({ node }) => node.id));
  const matches = matcherOf(constraints);
  const wishes = nodes.map((entry) => {
    const slot = slotByNode.get(entry.node.id);
    return { nodeId: entry.node.id, slot, wish: wishFor(entry, slot, matches) };
  });
  const kept = wishes.flatMap(({ slot, wish }) => (wish === 'keep' && slot ? [slot] : []));
  const untouched = wishes.flatMap(({ slot, wish }) => (wish === 'leave' && slot ? [slot] : []));
  const empty = wishes.filter(({ wish }) => wish === 'create');
  const unwanted = wishes.flatMap(({ slot, wish }) => (wish === 'stop' && slot ? slot.live : []));
  const homeless = slots.filter(({ forNode }) => !known.has(forNode ?? ''));
  return {
    desired: kept.length + untouched.length + empty.length,
    empty: empty.map(({ nodeId, slot }) => placeOn(nodeId, slot)),
    kept,
    counted: [...kept, ...untouched],
    changes: [...unwanted.flatMap(stop), ...homeless.flatMap(goneWithNode)],
  };
}

function wishFor(
  { node, standing }: GlobalNode,
  slot: Slot | undefined,
  matches: (node: SchedulingNode) => boolean,
): 'stop' | 'leave' | 'ignore' | 'keep' | 'create' {
  if (standing === 'draining' || !matches(node)) return 'stop';
  // A lost node keeps its task: nowhere else may it run, and it may run there all the time.
  if (standing === 'paused' || standing === 'lost')
    return slot && slot.live.length > 0 ? 'leave' : 'ignore';
  return slot?.filled ? 'keep' : 'create';
}

/** A node that came back may still be stopping its old task. */
function placeOn(forNode: string, slot: Slot | undefined): EmptyPlace {
  return { slot: 0, forNode, desiredState: slot && isStopping(slot) ? 'ready' : 'running' };
}

const goneWithNode = ({ tasks }: Slot): readonly ServiceChange[] => tasks.flatMap(remove);
