import { floatAt } from '../column.js';
import type { SchedulingNode } from '../types.js';
import type { Check, FilterContext } from './filter.js';

/** Passes nodes that are ready and take new tasks. Always active. */
export function readyFilter({ ledger }: FilterContext): Check {
  const { table } = ledger.state;
  const available = table.column('available');
  return {
    name: 'ready',
    fixedKey: '',
    passes: (slot) => floatAt(available, slot) === 1,
    reason: (slot) => whyNotAvailable(table.nodes[slot]),
  };
}

const AVAILABILITY_REASON: Readonly<Record<SchedulingNode['availability'], string>> = {
  active: 'not ready',
  pause: 'paused',
  drain: 'drained',
};

/** Readiness first: a node that is drained and down shows what nobody asked for. */
function whyNotAvailable(node: SchedulingNode | undefined): string {
  if (node === undefined) return 'not ready';
  if (!node.ready) return node.reasonNotReady ?? 'not ready';
  return AVAILABILITY_REASON[node.availability];
}
