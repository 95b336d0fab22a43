import type { Demand } from '../demand.js';
import type { DomainTable } from '../domains.js';
import type { Ledger } from '../ledger.js';
import type { FilterName, TaskGroup } from '../types.js';

/** What a filter may look at: the group, and the nodes with all decisions so far booked. */
export interface FilterContext {
  readonly group: TaskGroup;
  readonly demand: Demand;
  readonly ledger: Ledger;
  readonly domains: DomainTable;
}

/** A filter made ready for one group. Slots given to it are always slots of existing nodes. */
export interface Check {
  readonly name: FilterName;
  /**
   * Set when the verdicts depend on nothing that a placement changes: checks of one filter with the
   * same key then agree about every node for a whole batch, and are asked once for all groups.
   * Without a key, a node is asked once per group and again after each placement on it.
   */
  readonly fixedKey?: string;
  /**
   * Set when a placement of the group can make other nodes fail as well, never pass. It is told of
   * each, and nodes are asked once more before they are chosen.
   */
  placed?(slot: number): void;
  passes(slot: number): boolean;
  /** Why a node that does not pass fails: a few words, the same for nodes with the same problem. */
  reason(slot: number): string;
  /** More of the same for one node, e.g. the amounts. Default: the reason. */
  detail?(slot: number): string;
}

/** Makes the check for a group; undefined when the group asks nothing of this filter. */
export type Filter = (context: FilterContext) => Check | undefined;
