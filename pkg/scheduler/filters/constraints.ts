import { messageOf } from '../../base/index.js';
import { isInAny, parseConstraint } from '../constraint/constraint.js';
import type { Constraint } from '../constraint/constraint.js';
import type { NodeTable } from '../node-table.js';
import type { SchedulingNode } from '../types.js';
import type { Check, FilterContext } from './filter.js';

/** One constraint against the table's columns. */
interface Test {
  readonly passes: (slot: number) => boolean;
  readonly reason: string;
  /** What a node has instead; empty where that says nothing. */
  readonly found: (slot: number) => string;
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
    detail: (slot) => {
      const test = failing(slot);
      return test === undefined ? '' : `${test.reason}${test.found(slot)}`;
    },
  };
}

/** A constraint that does not parse must not be dropped silently: it fails everywhere, and says so. */
function testOf(text: string, table: NodeTable): Test {
  try {
    const constraint = parseConstraint(text);
    return {
      passes: columnTest(constraint, table),
      reason: `constraint ${constraint.text}`,
      found: (slot) => foundWords(constraint, table.nodes[slot]),
    };
  } catch (error) {
    return { passes: () => false, reason: messageOf(error), found: () => '' };
  }
}

function foundWords({ attribute }: Constraint, node: SchedulingNode | undefined): string {
  if (node === undefined) return '';
  return attribute.isPresent(node) ? `, it is "${attribute.read(node)}"` : ', it has none';
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
