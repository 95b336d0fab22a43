import { byNaturalOrder } from './natural-order.js';
import type { Task } from '../../../api/v1/index.js';

/** By service, then slot, then newest first: how people read tasks. */
export function byPlace(a: Task, b: Task): number {
  return (
    byNaturalOrder(a.spec.service, b.spec.service) ||
    a.spec.slot - b.spec.slot ||
    (a.spec.forNode ?? '').localeCompare(b.spec.forNode ?? '') ||
    byNewest(a, b)
  );
}

/** The newest first. */
export function byNewest(a: Task, b: Task): number {
  return (b.metadata.createdAt ?? '').localeCompare(a.metadata.createdAt ?? '');
}

/** What names a task's slot within its service. */
export function slotOf({ spec }: Task): string {
  return spec.slot > 0 ? String(spec.slot) : (spec.forNode ?? spec.nodeId ?? '');
}
