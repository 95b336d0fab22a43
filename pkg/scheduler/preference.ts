import { InvalidObjectError } from '../base/index.js';
import { ADDRESS_KEY, ATTRIBUTE_KEYS, findAttribute } from './attribute.js';
import type { NodeAttribute } from './attribute.js';
import type { SpreadPreference } from './types.js';

/**
 * The attribute that a preference spreads over. Any attribute of constraints but `node.ip` will do
 * (Swarm mode knows labels only, and ignores the rest silently). Throws InvalidObjectError.
 */
export function parsePreference({ spread }: SpreadPreference): NodeAttribute {
  const attribute = findSpreadAttribute(spread);
  if (attribute !== undefined) return attribute;
  const allowed = ATTRIBUTE_KEYS.filter((key) => key !== ADDRESS_KEY).join(', ');
  throw new InvalidObjectError(`cannot spread over "${spread}"; allowed are ${allowed}`);
}

/** As {@link parsePreference}, but undefined instead of an error. */
export function findSpreadAttribute(spread: string): NodeAttribute | undefined {
  const attribute = findAttribute(spread.trim());
  return attribute?.key === ADDRESS_KEY ? undefined : attribute;
}
