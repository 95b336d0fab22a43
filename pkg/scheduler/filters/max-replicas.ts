import { floatAt } from '../column.js';
import type { Check, FilterContext } from './filter.js';

/** Passes nodes with room for one more active task of the service. */
export function maxReplicasFilter({ group, ledger }: FilterContext): Check | undefined {
  const limit = group.maxReplicasPerNode ?? 0;
  if (limit <= 0) return undefined;
  const reason = `max replicas per node (${limit}) reached`;
  return {
    name: 'max-replicas',
    passes: (slot) => floatAt(ledger.serviceTasks, slot) < limit,
    reason: () => reason,
  };
}
