import { messageOf } from '../../base/index.js';
import { isInAny, parseConstraint } from '../constraint/constraint.js';
import type { Constraint } from '../constraint/constraint.js';
import type { NodeTable } from '../node-table.js';
import type { Check, FilterContext } from './filter.js';

/** One constraint against the table's columns. */
interface Test {
  readonly passes: (slot: number) => boolean;
  readonly reason: string;
}

/** Passes nodes that satisfy every constraint. */
export function constraintsFilter({ group, ledger }: FilterContext): Check | undefined {
  const tests = (group.constraints ?? []).map((text) => testOf(text, ledger.state.table));
  const [first, ...others] = tests;
  if (first === undefined) return undefined;
  const failing = (slot: number) => tests.find((test) => !test.passes(slot));
  return {
    name: 'constraints',
    fixedKey: JSON.stringify(group.constraints),
    passes: others.length === 0 ? first.passes : (slot) => failing(slot) === undefined,
    reason: (slot) => failing(slot)?.reason ?? '',
  };
}

/** A constraint that does not parse must not be dropped silently: it fails everywhere, and says so. */
function testOf(text: string, table: NodeTable): Test {
  try {
    const constraint = parseConstraint(text);
    return {
      passes: columnTest(constraint, table),
      reason: `constraint ${constraint.text}`,
    };
  } catch (error) {
    return { passes: () => false, reason: messageOf(error) };
  }
}

/** Tells the slots whose nodes satisfy a constraint. Only for slots of existing nodes. */
export function columnTest(
  { attribute, test }: Constraint,
  table: NodeTable,
): (slot: number) => boolean {
  switch (test.kind) {
    case 'value': {
      const values = table.attributeValues(attribute);
      return (slot) => test.accepts(values[slot] ?? '');
    }
    case 'presence': {
      const { nodes } = table;
      return (slot) => {
        const node = nodes[slot];
        return (node !== undefined && attribute.isPresent(node)) === test.wanted;
      };
    }
    case 'networks': {
      const { addresses } = table;
      return (slot) => isInAny(addresses[slot], test.networks) === test.wanted;
    }
  }
}
