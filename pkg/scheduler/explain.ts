import type { ClusterState } from './cluster-state.js';
import { DomainTable } from './domains.js';
import { findFailingCheck } from './filters/index.js';
import type { Check } from './filters/index.js';
import { openGroup } from './group-work.js';
import { Ledger } from './ledger.js';
import type { NodeVerdict, SchedulingNode, TaskGroup } from './types.js';

/** What every node says to one more task of `group`, as things stand in `state`; by node id. */
export function explain(group: TaskGroup, state: ClusterState): readonly NodeVerdict[] {
  const { checks } = openGroup(group, new Ledger(state), new DomainTable(state.table));
  return state.table.nodes
    .flatMap((node, slot) => (node === undefined ? [] : verdictOf(node, slot, checks)))
    .sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
}

function verdictOf(node: SchedulingNode, slot: number, checks: readonly Check[]): NodeVerdict {
  const { id: nodeId, hostname } = node;
  const check = findFailingCheck(checks, slot);
  if (check === undefined) return { nodeId, hostname, ok: true, message: 'fits' };
  const message = check.detail?.(slot) ?? check.reason(slot);
  return { nodeId, hostname, ok: false, filter: check.name, message };
}
