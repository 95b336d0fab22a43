/** The filters in the order in which nodes are asked; the first that fails is the reason given. */
import { affinityFilter, antiAffinityFilter } from './affinity.js';
import { constraintsFilter } from './constraints.js';
import type { Check, Filter, FilterContext } from './filter.js';
import { hostPortsFilter } from './host-ports.js';
import { maxPerFilter } from './max-per.js';
import { maxReplicasFilter } from './max-replicas.js';
import { platformFilter } from './platform.js';
import { pluginsFilter } from './plugins.js';
import { readyFilter } from './ready.js';
import { resourcesFilter } from './resources.js';

/** To add a filter: write it in a file of its own, name it in `FilterName`, and list it here. */
const FILTERS: readonly Filter[] = [
  readyFilter,
  resourcesFilter,
  pluginsFilter,
  constraintsFilter,
  platformFilter,
  hostPortsFilter,
  maxReplicasFilter,
  maxPerFilter,
  affinityFilter,
  antiAffinityFilter,
];

/** The checks that matter to a group. */
export function checksFor(context: FilterContext): readonly Check[] {
  return FILTERS.flatMap((filter) => filter(context) ?? []);
}

/** True when a node passes all of `checks`. */
export function passesAll(checks: readonly Check[], slot: number): boolean {
  for (const check of checks) {
    if (!check.passes(slot)) return false;
  }
  return true;
}

/** The first of `checks` that a node does not pass. */
export function findFailingCheck(checks: readonly Check[], slot: number): Check | undefined {
  return checks.find((check) => !check.passes(slot));
}

export type { Check, FilterContext } from './filter.js';
