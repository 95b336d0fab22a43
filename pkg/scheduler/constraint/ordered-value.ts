/** A value that can be less or more than another: a number, a version, or what may be taken as both. */
export interface OrderedValue {
  /** Set for plain numbers such as `16` or `-0.5`. */
  readonly number?: number;
  /** `20.10.24` as 20, 10, 24; whatever follows the numbers (`-ce`, `+dfsg1`) does not count. */
  readonly parts?: readonly number[];
}

const NUMBER = /^[+-]?\d+(\.\d+)?$/;
const VERSION = /^v?(\d+(?:\.\d+)*)(?:[-+~_\s].*)?$/i;

/** Reads a number or a version; undefined for anything else. */
export function parseOrderedValue(text: string): OrderedValue | undefined {
  const number = NUMBER.test(text) ? Number(text) : undefined;
  const parts = VERSION.exec(text)?.[1]?.split('.').map(Number);
  if (number === undefined && parts === undefined) return undefined;
  return { ...(number !== undefined && { number }), ...(parts && { parts }) };
}

/**
 * Below 0 when `a` is less than `b`; undefined when they do not compare. Two plain numbers are compared as
 * numbers unless `isVersion` (1.5 is more than 1.10, but version 1.5 is less); a part that is missing is 0.
 */
export function compareOrdered(
  a: OrderedValue,
  b: OrderedValue,
  isVersion: boolean,
): number | undefined {
  if (!isVersion && a.number !== undefined && b.number !== undefined) return a.number - b.number;
  if (a.parts === undefined || b.parts === undefined) return undefined;
  return compareParts(a.parts, b.parts);
}

function compareParts(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
