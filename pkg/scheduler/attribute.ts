import { normaliseArchitecture } from './platform.js';
import type { SchedulingNode } from './types.js';

/** A fact about a node that constraints and preferences can name. */
export interface NodeAttribute {
  /** Canonical key: fixed parts in lower case, label names as written. */
  readonly key: string;
  /** The value as the node has it; empty when it has none. */
  readonly read: (node: SchedulingNode) => string;
  /** Two values are the same when they are equal after this. */
  readonly normalise: (value: string) => string;
}

/** What may stand before the operator of a constraint, for messages. */
export const ATTRIBUTE_KEYS: readonly string[] = [
  'node.id',
  'node.hostname',
  'node.ip',
  'node.role',
  'node.platform.os',
  'node.platform.arch',
  'node.labels.<name>',
  'engine.labels.<name>',
];

/** The key whose values are addresses: compared as such, and not good for spreading. */
export const ADDRESS_KEY = 'node.ip';

const lowerCase = (value: string) => value.toLowerCase();

/** The node's operating system, e.g. `linux`. */
export const OPERATING_SYSTEM: NodeAttribute = {
  key: 'node.platform.os',
  read: (node) => node.os,
  normalise: lowerCase,
};

/** The node's architecture by the name that images use, e.g. `amd64`. */
export const ARCHITECTURE: NodeAttribute = {
  key: 'node.platform.arch',
  read: (node) => node.architecture,
  normalise: normaliseArchitecture,
};

const FIXED_ATTRIBUTES: readonly NodeAttribute[] = [
  { key: 'node.id', read: (node) => node.id, normalise: lowerCase },
  { key: 'node.hostname', read: (node) => node.hostname, normalise: lowerCase },
  { key: ADDRESS_KEY, read: (node) => node.address ?? '', normalise: lowerCase },
  { key: 'node.role', read: (node) => node.role, normalise: lowerCase },
  OPERATING_SYSTEM,
  ARCHITECTURE,
];

const LABEL_PREFIXES = [
  { prefix: 'node.labels.', labels: (node: SchedulingNode) => node.nodeLabels },
  { prefix: 'engine.labels.', labels: (node: SchedulingNode) => node.engineLabels },
] as const;

/** The attribute called `key`, or undefined. Case matters only in the name of a label. */
export function findAttribute(key: string): NodeAttribute | undefined {
  const lower = key.toLowerCase();
  const family = LABEL_PREFIXES.find(({ prefix }) => lower.startsWith(prefix));
  if (family === undefined) return FIXED_ATTRIBUTES.find((attribute) => attribute.key === lower);

  const name = key.slice(family.prefix.length);
  if (name === '') return undefined;
  return {
    key: family.prefix + name,
    read: (node) => labelOf(family.labels(node), name),
    normalise: lowerCase,
  };
}

/** Own labels only: a label named `constructor` is missing unless somebody set it. */
function labelOf(labels: Readonly<Record<string, string>>, name: string): string {
  return Object.hasOwn(labels, name) ? (labels[name] ?? '') : '';
}
