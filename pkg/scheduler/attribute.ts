import { normaliseArchitecture } from './platform.js';
import type { SchedulingNode } from './types.js';

/** A fact about a node that constraints and preferences can name. */
export interface NodeAttribute {
  /** Canonical key: fixed parts in lower case, label names as written. */
  readonly key: string;
  /** The value as the node has it; empty when it has none. */
  readonly read: (node: SchedulingNode) => string;
  /** Whether the node has it at all: a label may be there and empty. */
  readonly isPresent: (node: SchedulingNode) => boolean;
  /** Two values are the same when they are equal after this. */
  readonly normalise: (value: string) => string;
  /** Values are versions: 20.10 is more than 20.9. */
  readonly isVersion: boolean;
}

/** What may stand before the operator of a constraint, for messages. */
export const ATTRIBUTE_KEYS: readonly string[] = [
  'node.id',
  'node.hostname',
  'node.ip',
  'node.role',
  'node.platform.os',
  'node.platform.arch',
  'node.platform.kernel',
  'node.labels.<name>',
  'engine.labels.<name>',
  'engine.version',
  'engine.storageDriver',
];

/** The key whose values are addresses: compared as such, and not good for spreading. */
export const ADDRESS_KEY = 'node.ip';

const lowerCase = (value: string) => value.toLowerCase();

function attribute(
  key: string,
  read: (node: SchedulingNode) => string | undefined,
  { normalise = lowerCase, isVersion = false }: Partial<NodeAttribute> = {},
): NodeAttribute {
  const text = (node: SchedulingNode) => read(node) ?? '';
  return { key, read: text, isPresent: (node) => text(node) !== '', normalise, isVersion };
}

/** The node itself: what separates nodes from each other. */
export const NODE_ID = attribute('node.id', ({ id }) => id);

/** The node's operating system, e.g. `linux`. */
export const OPERATING_SYSTEM = attribute('node.platform.os', ({ os }) => os);

/** The node's architecture by the name that images use, e.g. `amd64`. */
export const ARCHITECTURE = attribute('node.platform.arch', ({ architecture }) => architecture, {
  normalise: normaliseArchitecture,
});

const FIXED_ATTRIBUTES: readonly NodeAttribute[] = [
  NODE_ID,
  attribute('node.hostname', ({ hostname }) => hostname),
  attribute(ADDRESS_KEY, ({ address }) => address),
  attribute('node.role', ({ role }) => role),
  OPERATING_SYSTEM,
  ARCHITECTURE,
  attribute('node.platform.kernel', ({ kernel }) => kernel, { isVersion: true }),
  attribute('engine.version', ({ engineVersion }) => engineVersion, { isVersion: true }),
  attribute('engine.storageDriver', ({ storageDriver }) => storageDriver),
];

const LABEL_PREFIXES = [
  { prefix: 'node.labels.', labels: (node: SchedulingNode) => node.nodeLabels },
  { prefix: 'engine.labels.', labels: (node: SchedulingNode) => node.engineLabels },
] as const;

/** The attribute called `key`, or undefined. Case matters only in the name of a label. */
export function findAttribute(key: string): NodeAttribute | undefined {
  const lower = key.toLowerCase();
  const family = LABEL_PREFIXES.find(({ prefix }) => lower.startsWith(prefix));
  if (family === undefined) return FIXED_ATTRIBUTES.find((fixed) => lowerCase(fixed.key) === lower);

  const name = key.slice(family.prefix.length);
  if (name === '') return undefined;
  const valueOf = (node: SchedulingNode) => labelOf(family.labels(node), name);
  return {
    ...attribute(family.prefix + name, valueOf),
    isPresent: (node) => valueOf(node) !== undefined,
  };
}

/** Own labels only: a label named `constructor` is missing unless somebody set it. */
function labelOf(labels: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(labels, name) ? labels[name] : undefined;
}
