import { ADDRESS_KEY, ATTRIBUTE_KEYS, findAttribute } from '../attribute.js';
import type { NodeAttribute } from '../attribute.js';
import { isInNetwork, parseIpAddress, parseIpNetwork } from '../ip-network.js';
import type { IpNetwork } from '../ip-network.js';
import type { SchedulingNode } from '../types.js';
import { compareOrdered, parseOrderedValue } from './ordered-value.js';
import type { OrderedValue } from './ordered-value.js';
import { compilePattern, PatternError } from './pattern.js';
import { quoted, readConstraintSyntax, refusedAt } from './syntax.js';
import type { ConstraintOperator, ConstraintSyntax, Token } from './syntax.js';

/** What is asked of a node's attribute. */
export type ConstraintTest =
  /** Of its value, normalised; a missing one is empty. */
  | { readonly kind: 'value'; readonly accepts: (value: string) => boolean }
  /** Whether it has one at all, be it empty. */
  | { readonly kind: 'presence'; readonly wanted: boolean }
  /** Whether its address is in one of the blocks. */
  | {
      readonly kind: 'networks';
      readonly networks: readonly IpNetwork[];
      readonly wanted: boolean;
    };

/** One parsed placement constraint. */
export interface Constraint {
  /** Canonical text, e.g. `node.labels.disk == ssd`. */
  readonly text: string;
  readonly attribute: NodeAttribute;
  readonly operator: ConstraintOperator;
  readonly test: ConstraintTest;
}

/** Texts that are remembered: they come again with every batch and every node. */
const MAX_PARSED = 2_000;
const parsed = new Map<string, Constraint>();

/**
 * Reads `key == value`, `key in (a, b)`, `key exists`, `key >= 4`, `key =~ ^a.*z$`; spaces around the parts
 * do not matter. Throws InvalidObjectError, whose message says in which column what was found and what is
 * allowed there.
 */
export function parseConstraint(text: string): Constraint {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const constraint = readConstraint(text);
  if (parsed.size >= MAX_PARSED) parsed.clear();
  parsed.set(text, constraint);
  return constraint;
}

/** True when `node` satisfies the constraint. A missing label is the empty string, and does not exist. */
export function matchesConstraint({ attribute, test }: Constraint, node: SchedulingNode): boolean {
  switch (test.kind) {
    case 'value':
      return test.accepts(attribute.normalise(attribute.read(node)));
    case 'presence':
      return attribute.isPresent(node) === test.wanted;
    case 'networks': {
      const address = parseIpAddress(attribute.read(node));
      return isInAny(address, test.networks) === test.wanted;
    }
  }
}

/** True when the address is known and inside one of the blocks. */
export function isInAny(
  address: ReturnType<typeof parseIpAddress>,
  networks: readonly IpNetwork[],
): boolean {
  return address !== undefined && networks.some((network) => isInNetwork(address, network));
}

/** The first of `constraints` that `node` does not satisfy, or undefined when it satisfies all. */
export function findFailingConstraint(
  constraints: readonly Constraint[],
  node: SchedulingNode,
): Constraint | undefined {
  return constraints.find((constraint) => !matchesConstraint(constraint, node));
}

function readConstraint(text: string): Constraint {
  const syntax = readConstraintSyntax(text);
  const { key, operator, operands } = syntax;
  const attribute = findAttribute(key.text);
  if (attribute === undefined) {
    const found = `unknown key "${key.text}"`;
    throw refusedAt(text, key.column, { found, expected: `one of ${ATTRIBUTE_KEYS.join(', ')}` });
  }
  const words = operands.map((operand) => operand.text).join(', ');
  const isList = operator === 'in' || operator === 'notin';
  const canonical = [attribute.key, operator, isList ? `(${words})` : words].filter(Boolean);
  return {
    text: canonical.join(' '),
    attribute,
    operator,
    test: testOf(text, attribute, syntax),
  };
}

/** Operators that say no to what their counterpart says yes to. */
const NEGATIONS: readonly ConstraintOperator[] = ['!=', 'notin', '!exists', '!~'];

function testOf(
  text: string,
  attribute: NodeAttribute,
  { operator, operatorColumn, operands }: ConstraintSyntax,
): ConstraintTest {
  const wanted = !NEGATIONS.includes(operator);
  const [operand = { text: '', column: 1 }] = operands;
  switch (operator) {
    case '==':
    case '!=':
    case 'in':
    case 'notin':
      if (attribute.key !== ADDRESS_KEY) return equalityTest(attribute, operands, wanted);
      return { kind: 'networks', networks: operands.map((each) => networkOf(text, each)), wanted };
    case 'exists':
    case '!exists':
      return { kind: 'presence', wanted };
    case '=~':
    case '!~':
      return patternTest(text, operand, wanted);
    case '<':
    case '<=':
    case '>':
    case '>=':
      if (attribute.key === ADDRESS_KEY) throw addressRefused(text, operator, operatorColumn);
      return {
        kind: 'value',
        accepts: remembered(orderTest(text, attribute.isVersion, { operator, operand })),
      };
  }
}

function equalityTest(
  { normalise }: NodeAttribute,
  operands: readonly Token[],
  wanted: boolean,
): ConstraintTest {
  const [first, ...others] = operands.map((operand) => normalise(operand.text));
  if (others.length === 0)
    return { kind: 'value', accepts: (value) => (value === first) === wanted };
  const values = new Set([first, ...others]);
  return { kind: 'value', accepts: (value) => values.has(value) === wanted };
}

function networkOf(text: string, { text: value, column }: Token): IpNetwork {
  const network = parseIpNetwork(value);
  if (network !== undefined) return network;
  const expected = 'an IP address or a CIDR block such as 10.0.0.0/8';
  throw refusedAt(text, column, { found: quoted(value), expected });
}

function patternTest(
  text: string,
  { text: pattern, column }: Token,
  wanted: boolean,
): ConstraintTest {
  try {
    const isFound = compilePattern(pattern);
    return { kind: 'value', accepts: remembered((value) => isFound(value) === wanted) };
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    const [found, expected = 'a regular expression'] = error.message
      .replace(/^found /, '')
      .split(', expected ');
    throw refusedAt(text, column + error.at, { found: found ?? '', expected });
  }
}

type OrderOperator = '<' | '<=' | '>' | '>=';

const IS_IN_ORDER: Readonly<Record<OrderOperator, (difference: number) => boolean>> = {
  '<': (difference) => difference < 0,
  '<=': (difference) => difference <= 0,
  '>': (difference) => difference > 0,
  '>=': (difference) => difference >= 0,
};

/** A value that is neither number nor version is not less and not more than anything. */
function orderTest(
  text: string,
  isVersion: boolean,
  { operator, operand }: { readonly operator: OrderOperator; readonly operand: Token },
): (value: string) => boolean {
  const bound = parseOrderedValue(operand.text);
  if (bound === undefined) {
    const expected = 'a number such as 16 or a version such as 20.10.1';
    throw refusedAt(text, operand.column, { found: quoted(operand.text), expected });
  }
  const isInOrder = IS_IN_ORDER[operator];
  return (found) => {
    const difference = differenceOf(parseOrderedValue(found), bound, isVersion);
    return difference !== undefined && isInOrder(difference);
  };
}

function addressRefused(text: string, operator: OrderOperator, column: number) {
  const expected = 'for an address one of == != in notin exists !exists =~ !~';
  return refusedAt(text, column, { found: quoted(operator), expected });
}

function differenceOf(
  found: OrderedValue | undefined,
  bound: OrderedValue,
  isVersion: boolean,
): number | undefined {
  return found && compareOrdered(found, bound, isVersion);
}

/** Verdicts kept at a time: nodes share the values of their labels, but not their names. */
const MAX_VERDICTS = 1_000;

/** Asks a slow test once for each value. */
function remembered(test: (value: string) => boolean): (value: string) => boolean {
  const verdicts = new Map<string, boolean>();
  return (value) => {
    const known = verdicts.get(value);
    if (known !== undefined) return known;
    const verdict = test(value);
    if (verdicts.size >= MAX_VERDICTS) verdicts.clear();
    verdicts.set(value, verdict);
    return verdict;
  };
}
