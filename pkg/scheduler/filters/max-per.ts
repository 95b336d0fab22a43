import { findAttribute } from '../attribute.js';
import { floatAt, intAt } from '../column.js';
import type { Domains } from '../domains.js';
import type { MaxPer } from '../types.js';
import type { Check, FilterContext } from './filter.js';

/** One limit, and how many active tasks of the service each value of its attribute has. */
interface Limit extends MaxPer {
  /** Undefined for a key that does not parse: then every node fails, and is told so. */
  readonly domains: Domains | undefined;
  readonly counts: Float64Array;
}

/** Passes nodes whose value of every limited attribute has room for one more active task of the service. */
export function maxPerFilter({ group, ledger, domains }: FilterContext): Check | undefined {
  const limits = (group.maxPer ?? [])
    .filter(({ max }) => max > 0)
    .map((limit): Limit => {
      const attribute = findAttribute(limit.key);
      const sorted = attribute && domains.by(attribute);
      return { ...limit, domains: sorted, counts: new Float64Array(sorted?.size ?? 0) };
    });
  if (limits.length === 0) return undefined;
  for (const slot of ledger.activeSlots()) {
    for (const limit of limits) count(limit, slot, floatAt(ledger.serviceTasks, slot));
  }
  const full = (slot: number) => limits.find((limit) => !hasRoom(limit, slot));
  return {
    name: 'max-per',
    passes: (slot) => full(slot) === undefined,
    placed: (slot) => {
      for (const limit of limits) count(limit, slot, 1);
    },
    reason: (slot) => reasonOf(full(slot)),
  };
}

function count({ domains, counts }: Limit, slot: number, amount: number): void {
  const domain = domains === undefined ? -1 : intAt(domains.bySlot, slot);
  if (domain >= 0) counts[domain] = floatAt(counts, domain) + amount;
}

function hasRoom({ domains, counts, max }: Limit, slot: number): boolean {
  return domains !== undefined && floatAt(counts, intAt(domains.bySlot, slot)) < max;
}

function reasonOf(limit: Limit | undefined): string {
  if (limit?.domains === undefined) return `unknown key "${limit?.key ?? ''}" of a maximum`;
  return `max replicas per ${limit.key} (${limit.max}) reached`;
}
