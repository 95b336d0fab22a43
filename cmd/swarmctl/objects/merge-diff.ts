import { isDeepStrictEqual } from 'node:util';
import { isMap } from './field-changes.js';

/** The JSON merge patch (RFC 7386) that makes `after` of `before`; undefined when they are equal. */
export function mergeDiff(before: unknown, after: unknown): unknown {
  if (!isMap(before) || !isMap(after)) return isDeepStrictEqual(before, after) ? undefined : after;
  const gone = Object.keys(before)
    .filter((key) => after[key] === undefined)
    .map((key) => [key, null] as const);
  const changed = Object.entries(after)
    .map(([key, value]) => [key, mergeDiff(before[key], value)] as const)
    .filter(([, change]) => change !== undefined);
  const patch = [...gone, ...changed];
  return patch.length === 0 ? undefined : Object.fromEntries(patch);
}
