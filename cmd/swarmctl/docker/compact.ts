/** Fields that are there: without those that are undefined, and without lists and maps that are empty. */
export type Compact<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Leaves out what is undefined, and lists and maps that are empty. */
export function compact<T extends object>(fields: T): Compact<T> {
  const kept = Object.entries(fields).filter(([, value]) => !isEmpty(value));
  return Object.fromEntries(kept) as Compact<T>;
}

/** Undefined, or a list or map without anything in it. */
export function isEmpty(value: unknown): boolean {
  if (value === undefined) return true;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
