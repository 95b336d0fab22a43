import { deepFreeze, InvalidObjectError, messageOf } from '../base/index.js';
import { decodeEntry } from '../store/index.js';
import type { Entry, Revision } from '../store/index.js';
import type { CollectionDefinition, EntryMeta, InvalidEntry } from './collection.js';

/** One key as the cache holds it: an object, or why there is none. */
export interface Stored {
  readonly modRevision: Revision;
  readonly createRevision: Revision;
  readonly object?: unknown;
  readonly invalid?: InvalidEntry;
}

interface Bucket {
  readonly members: Map<string, unknown>;
  array?: readonly unknown[];
}

/** Bucket by value. */
type Index = Map<string, Bucket>;

const NOTHING: readonly unknown[] = Object.freeze([]);

/** The objects of one collection with their indexes; one generation, replaced whole by a list. */
export class CollectionState {
  private readonly stored = new Map<string, Stored>();
  private readonly indexes: ReadonlyMap<string, Index>;
  private readonly invalidKeys = new Set<string>();
  private array: readonly unknown[] | undefined;

  constructor(readonly definition: CollectionDefinition<unknown>) {
    const names = Object.keys(definition.indexes ?? {});
    this.indexes = new Map(names.map((name) => [name, new Map<string, Bucket>()]));
  }

  /** All keys, invalid ones included. */
  get keyCount(): number {
    return this.stored.size;
  }

  get size(): number {
    return this.stored.size - this.invalidKeys.size;
  }

  find(key: string): Stored | undefined {
    return this.stored.get(key);
  }

  entries(): IterableIterator<[string, Stored]> {
    return this.stored.entries();
  }

  *invalidEntries(): Generator<readonly [string, InvalidEntry]> {
    for (const key of this.invalidKeys) {
      const invalid = this.stored.get(key)?.invalid;
      if (invalid) yield [key, invalid];
    }
  }

  list(): readonly unknown[] {
    this.array ??= this.collect();
    return this.array;
  }

  byIndex(name: string, value: string): readonly unknown[] {
    const index = this.indexes.get(name);
    if (!index) throw new RangeError(`${this.definition.name} has no index "${name}"`);
    const bucket = index.get(value);
    if (!bucket) return NOTHING;
    bucket.array ??= [...bucket.members.values()];
    return bucket.array;
  }

  put(key: string, stored: Stored): void {
    this.unlink(key);
    this.stored.set(key, stored);
    this.array = undefined;
    if (stored.invalid) this.invalidKeys.add(key);
    else this.addToIndexes(key, stored.object);
  }

  delete(key: string): void {
    this.unlink(key);
    this.stored.delete(key);
    this.array = undefined;
  }

  private collect(): readonly unknown[] {
    const objects: unknown[] = [];
    for (const stored of this.stored.values()) if (!stored.invalid) objects.push(stored.object);
    return objects;
  }

  private unlink(key: string): void {
    const stored = this.stored.get(key);
    if (!stored) return;
    if (stored.invalid) this.invalidKeys.delete(key);
    else this.removeFromIndexes(key, stored.object);
  }

  private addToIndexes(key: string, object: unknown): void {
    for (const [name, index] of this.indexes) {
      for (const value of indexValues(this.definition, name, object, key)) {
        const bucket = index.get(value) ?? { members: new Map<string, unknown>() };
        index.set(value, bucket);
        bucket.members.set(key, object);
        delete bucket.array;
      }
    }
  }

  private removeFromIndexes(key: string, object: unknown): void {
    for (const [name, index] of this.indexes) {
      for (const value of indexValues(this.definition, name, object, key)) {
        const bucket = index.get(value);
        if (!bucket) continue;
        bucket.members.delete(key);
        delete bucket.array;
        if (bucket.members.size === 0) index.delete(value);
      }
    }
  }
}

/** Decodes and freezes an entry. Never throws: what is wrong becomes part of the result. */
export function decodeStored(
  definition: CollectionDefinition<unknown>,
  key: string,
  entry: Entry,
): Stored {
  const { modRevision, createRevision } = entry;
  try {
    const { value, writeId } = decodeEntry(entry);
    const meta: EntryMeta = {
      key,
      modRevision,
      createRevision,
      ...(writeId !== '' && { writeId }),
    };
    const object = deepFreeze(definition.decode(value, meta));
    // An index that throws would break the world later on; found out here, the object is just skipped.
    for (const name of Object.keys(definition.indexes ?? {})) {
      indexValues(definition, name, object, key);
    }
    return { modRevision, createRevision, object };
  } catch (error) {
    const problems = error instanceof InvalidObjectError ? error.problems : [];
    return {
      modRevision,
      createRevision,
      invalid: { message: messageOf(error), problems, modRevision },
    };
  }
}

function indexValues(
  definition: CollectionDefinition<unknown>,
  name: string,
  object: unknown,
  key: string,
): readonly string[] {
  const values = definition.indexes?.[name]?.(object, key);
  if (values === undefined) return [];
  return typeof values === 'string' ? [values] : values;
}
