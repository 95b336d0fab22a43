import { InvalidObjectError } from '../base/index.js';
import { ADDRESS_KEY, ATTRIBUTE_KEYS, findAttribute } from './attribute.js';
import type { NodeAttribute } from './attribute.js';
import { isInNetwork, parseIpAddress, parseIpNetwork } from './ip-network.js';
import type { IpNetwork } from './ip-network.js';
import type { SchedulingNode } from './types.js';

/** Equal or not equal; later operators are added here. */
export type ConstraintOperator = '==' | '!=';

/** One parsed placement constraint. */
export interface Constraint {
  /** Canonical text, e.g. `node.labels.disk == ssd`. */
  readonly text: string;
  readonly attribute: NodeAttribute;
  readonly operator: ConstraintOperator;
  /** Normalised as the attribute's values are. */
  readonly value: string;
  /** Set for `node.ip`: the address or block asked for. */
  readonly network?: IpNetwork;
}

const KEY_PATTERN = /^[a-z_][a-z0-9\-_.]+$/i;
const VALUE_PATTERN = /^[a-z0-9:\-_\s.*()?+[\]\\^$|/]+$/i;

/**
 * Reads `key == value` or `key != value`; spaces around the parts do not matter. Throws
 * InvalidObjectError, whose message says what was found and what is allowed.
 */
export function parseConstraint(text: string): Constraint {
  const { key, operator, value } = splitConstraint(text);
  const attribute = findAttribute(key);
  if (attribute === undefined) {
    throw refused(text, `unknown key "${key}"; allowed are ${ATTRIBUTE_KEYS.join(', ')}`);
  }
  const constraint = {
    text: `${attribute.key} ${operator} ${value}`,
    attribute,
    operator,
    value: attribute.normalise(value),
  };
  if (attribute.key !== ADDRESS_KEY) return constraint;

  const network = parseIpNetwork(value);
  if (network === undefined) {
    throw refused(text, `"${value}" is neither an IP address nor a CIDR block such as 10.0.0.0/8`);
  }
  return { ...constraint, network };
}

/** True when `node` satisfies the constraint. A missing label is the empty string. */
export function matchesConstraint(constraint: Constraint, node: SchedulingNode): boolean {
  return (constraint.operator === '==') === hasValue(constraint, node);
}

/** The first of `constraints` that `node` does not satisfy, or undefined when it satisfies all. */
export function findFailingConstraint(
  constraints: readonly Constraint[],
  node: SchedulingNode,
): Constraint | undefined {
  return constraints.find((constraint) => !matchesConstraint(constraint, node));
}

function hasValue({ attribute, value, network }: Constraint, node: SchedulingNode): boolean {
  if (network === undefined) return attribute.normalise(attribute.read(node)) === value;
  const address = parseIpAddress(attribute.read(node));
  return address !== undefined && isInNetwork(address, network);
}

interface ConstraintParts {
  readonly key: string;
  readonly operator: ConstraintOperator;
  readonly value: string;
}

function splitConstraint(text: string): ConstraintParts {
  const at = text.search(/[=!]=/);
  if (at < 0) {
    throw refused(text, 'no operator; write key == value or key != value');
  }
  const operator = text.startsWith('==', at) ? '==' : '!=';
  const key = text.slice(0, at).trim();
  const value = text.slice(at + operator.length).trim();
  if (!KEY_PATTERN.test(key)) {
    const rule = 'a letter or _, then letters, digits, "-", "_" and "."';
    throw refused(text, `the key is "${key}"; allowed is ${rule}`);
  }
  if (!VALUE_PATTERN.test(value)) {
    const rule = 'letters, digits, spaces and any of : - _ . * ( ) ? + [ ] \\ ^ $ | /';
    throw refused(text, `the value is "${value}"; allowed are ${rule}`);
  }
  return { key, operator, value };
}

function refused(text: string, why: string): InvalidObjectError {
  return new InvalidObjectError(`constraint "${text}": ${why}`);
}
