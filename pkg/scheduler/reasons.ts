import { findFailingCheck } from './filters/index.js';
import type { Check } from './filters/index.js';
import type { NodeTable } from './node-table.js';
import type { FilterCount } from './types.js';

/** More reasons than this make no text better; programs get all of them. */
const MAX_REASONS_IN_TEXT = 6;

/** Why tasks stay without a node: a text for people, counts for programs. */
export interface Reason {
  readonly reason: string;
  readonly counts: readonly FilterCount[];
}

/** Counts the first failing check of every node, as things stand now. */
export function whyNoNode(checks: readonly Check[], table: NodeTable): Reason {
  const countByReason = new Map<string, FilterCount>();
  for (let slot = 0; slot < table.slots; slot += 1) {
    if (table.nodes[slot] === undefined) continue;
    const check = findFailingCheck(checks, slot);
    if (check === undefined) continue;
    const message = check.reason(slot);
    const count = (countByReason.get(message)?.count ?? 0) + 1;
    countByReason.set(message, { filter: check.name, count, message });
  }
  const counts = [...countByReason.values()].sort(byCount);
  return { reason: reasonText(counts, table.size), counts };
}

/** The same for a task that may run on one node only. */
export function whyNotHere(check: Check, slot: number, table: NodeTable): Reason {
  const hostname = table.nodes[slot]?.hostname ?? '';
  return {
    reason: `node ${hostname}: ${check.detail?.(slot) ?? check.reason(slot)}`,
    counts: [{ filter: check.name, count: 1, message: check.reason(slot) }],
  };
}

/** For a task whose one node is gone. */
export function whyNoSuchNode(nodeId: string): Reason {
  const message = 'node does not exist';
  return {
    reason: `node ${nodeId} does not exist`,
    counts: [{ filter: 'ready', count: 1, message }],
  };
}

function reasonText(counts: readonly FilterCount[], nodes: number): string {
  if (nodes === 0) return 'no nodes in the cluster';
  const shown = counts
    .slice(0, MAX_REASONS_IN_TEXT)
    .map(({ count, message }) => `${count} ${message}`);
  const rest = counts.slice(MAX_REASONS_IN_TEXT).reduce((sum, { count }) => sum + count, 0);
  const others = rest > 0 ? [`${rest} for other reasons`] : [];
  return `0/${nodes} nodes: ${[...shown, ...others].join(', ')}`;
}

/** Highest count first; equal counts by text, so that the order of nodes does not show. */
function byCount(a: FilterCount, b: FilterCount): number {
  if (a.count !== b.count) return b.count - a.count;
  return a.message < b.message ? -1 : 1;
}
