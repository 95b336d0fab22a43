/** What the two flags of a list say: `--x-add` and `--x-rm`. */
export interface ListChange<T> {
  readonly add: readonly T[];
  /** Whether `--x-rm` names an item. */
  readonly isRemoved: (item: T) => boolean;
  /** Items of one key take each other's place. Default: the item itself. */
  readonly keyOf?: (item: T) => string;
}

/**
 * A list after `--x-add` and `--x-rm`: an item takes the place of the one with its key, others come behind. What is
 * removed is not there, even if it is also added, as in Docker.
 */
export function changedList<T>(
  before: readonly T[] | undefined,
  { add, isRemoved, keyOf = (item) => JSON.stringify(item) }: ListChange<T>,
): T[] {
  const items = new Map((before ?? []).map((item) => [keyOf(item), item]));
  for (const item of add) items.set(keyOf(item), item);
  return [...items.values()].filter((item) => !isRemoved(item));
}

/** A map after `--x-add key=value` and `--x-rm key`. */
export function changedMap<V>(
  before: Readonly<Record<string, V>> | undefined,
  add: Readonly<Record<string, V>>,
  remove: readonly string[] = [],
): Record<string, V> {
  const entries = Object.entries({ ...before, ...add });
  return Object.fromEntries(entries.filter(([key]) => !remove.includes(key)));
}

/** A text after its flag: as it was when the flag was not given, gone when it is empty. */
export function changedText(
  before: string | undefined,
  flag: string | undefined,
): string | undefined {
  return flag === undefined ? before : flag || undefined;
}
