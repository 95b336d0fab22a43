import { KINDS, type KindDescription } from '../../../api/v1/index.js';

/** The description of a kind that exists for certain. */
export function kindOf(kind: string): KindDescription {
  const found = KINDS.find((description) => description.kind === kind);
  if (!found) throw new RangeError(`no such kind: ${kind}`);
  return found;
}
