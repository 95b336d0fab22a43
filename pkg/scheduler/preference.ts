import { InvalidObjectError } from '../base/index.js';
import { ADDRESS_KEY, ATTRIBUTE_KEYS, findAttribute } from './attribute.js';
import type { NodeAttribute } from './attribute.js';
import type { SpreadPreference, TaskGroup } from './types.js';

/**
 * The attribute that a preference spreads over. Any attribute of constraints but `node.ip` will do
 * (Swarm mode knows labels only, and ignores the rest silently). Throws InvalidObjectError.
 */
export function parsePreference({ spread }: SpreadPreference): NodeAttribute {
  return parseAttribute(spread, 'spread over');
}

/** The attribute of a maximum or an affinity. Throws InvalidObjectError. */
export function parseTopology(key: string): NodeAttribute {
  return parseAttribute(key, 'tell nodes apart by');
}

function parseAttribute(text: string, verb: string): NodeAttribute {
  const attribute = findGroupingAttribute(text);
  if (attribute !== undefined) return attribute;
  const allowed = ATTRIBUTE_KEYS.filter((key) => key !== ADDRESS_KEY).join(', ');
  throw new InvalidObjectError(`cannot ${verb} "${text}"; allowed are ${allowed}`);
}

/** The attribute by whose values nodes can be sorted; undefined when there is none of that name. */
export function findGroupingAttribute(key: string): NodeAttribute | undefined {
  const attribute = findAttribute(key.trim());
  return attribute?.key === ADDRESS_KEY ? undefined : attribute;
}

/** The levels of a group's spread tree; what cannot be spread over is left out. */
export function spreadAttributes({ preferences = [] }: TaskGroup): readonly NodeAttribute[] {
  return preferences.flatMap(({ spread }) => findGroupingAttribute(spread) ?? []);
}
