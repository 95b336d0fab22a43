import { messageOf } from '../../base/index.js';
import { parseConstraint } from '../constraint.js';
import type { Constraint } from '../constraint.js';
import { isInNetwork } from '../ip-network.js';
import type { IpNetwork } from '../ip-network.js';
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
    return compile(parseConstraint(text), table);
  } catch (error) {
    return { passes: () => false, reason: messageOf(error) };
  }
}

function compile(
  { text, attribute, operator, value, network }: Constraint,
  table: NodeTable,
): Test {
  const wanted = operator === '==';
  const reason = `constraint ${text}`;
  if (network !== undefined) return { passes: addressTest(network, wanted, table), reason };
  const values = table.attributeValues(attribute);
  return { passes: (slot) => (values[slot] === value) === wanted, reason };
}

function addressTest(network: IpNetwork, wanted: boolean, { addresses }: NodeTable) {
  return (slot: number): boolean => {
    const address = addresses[slot];
    return (address !== undefined && isInNetwork(address, network)) === wanted;
  };
}
