import type { Demand } from '../demand.js';
import type { Ledger } from '../ledger.js';
import type { FilterName, TaskGroup } from '../types.js';

/** What a filter may look at: the group, and the nodes with all decisions so far booked. */
export interface FilterContext {
  readonly group: TaskGroup;
  readonly demand: Demand;
  readonly ledger: Ledger;
}

/** A filter made ready for one group. Slots given to it are always slots of existing nodes. */
export interface Check {
  readonly name: FilterName;
  /** True when placing a task of the group on a node can turn a pass into a fail. */
  readonly spent: boolean;
  /** Asked once per node and group, and again after each placement when `spent`. */
  passes(slot: number): boolean;
  /** Why a node that does not pass fails: a few words, the same for nodes with the same problem. */
  reason(slot: number): string;
  /** More of the same for one node, e.g. the amounts. Default: the reason. */
  detail?(slot: number): string;
}

/** Makes the check for a group; undefined when the group asks nothing of this filter. */
export type Filter = (context: FilterContext) => Check | undefined;
