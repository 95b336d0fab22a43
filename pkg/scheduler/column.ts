/**
 * Numbers by node slot. Typed arrays keep the planner's inner loops free of allocation; these two
 * accessors spare every loop the `undefined` of a checked index (slots are always in range).
 */
export function floatAt(column: Float64Array, index: number): number {
  return column[index] ?? 0;
}

/** As {@link floatAt}, for whole numbers. One accessor per array type keeps each of them fast. */
export function intAt(column: Int32Array, index: number): number {
  return column[index] ?? 0;
}

/** Adds to one place of a column. */
export function addTo(column: Float64Array, index: number, amount: number): void {
  column[index] = floatAt(column, index) + amount;
}

/** A longer copy of `column`, filled up with 0. */
export function grown(column: Float64Array, length: number): Float64Array {
  const copy = new Float64Array(length);
  copy.set(column);
  return copy;
}
