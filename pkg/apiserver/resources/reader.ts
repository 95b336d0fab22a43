import type { Change, Informer } from '../../informer/index.js';

/** Reads the world, now or at a revision that is still remembered. */
export interface Reader {
  get<T>(informer: Informer<T>, key: string): T | undefined;
  list<T>(informer: Informer<T>): readonly T[];
}

/** The world as it is. */
export const presentReader: Reader = {
  get: (informer, key) => informer.get(key),
  list: (informer) => informer.list(),
};

/** The world as it was before `changes`: every later page of a list is read at the first one's revision. */
export function readerBefore(changes: readonly Change[]): Reader {
  if (changes.length === 0) return presentReader;
  const before = new Map<string, Map<string, Change>>();
  for (const change of changes) {
    const ofCollection = before.get(change.collection) ?? new Map<string, Change>();
    before.set(change.collection, ofCollection);
    if (!ofCollection.has(change.key)) ofCollection.set(change.key, change);
  }
  return new PastReader(before);
}

class PastReader implements Reader {
  /** @param before the first change of each key, by collection. */
  constructor(private readonly before: ReadonlyMap<string, ReadonlyMap<string, Change>>) {}

  get<T>(informer: Informer<T>, key: string): T | undefined {
    const change = this.before.get(informer.definition.name)?.get(key);
    return change === undefined ? informer.get(key) : (change.previous as T | undefined);
  }

  list<T>(informer: Informer<T>): readonly T[] {
    const changes = this.before.get(informer.definition.name);
    if (changes === undefined) return informer.list();
    const changed = new Set<unknown>([...changes.keys()].map((key) => informer.get(key)));
    const untouched = informer.list().filter((object) => !changed.has(object));
    const previous = [...changes.values()].map((change) => change.previous as T | undefined);
    return [...untouched, ...previous.filter((object) => object !== undefined)];
  }
}
