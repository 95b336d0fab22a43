import { SwarmError } from '../base/index.js';
import type { Entry, Revision, WatchEvent } from '../store/index.js';
import { CollectionState, decodeStored } from './collection-state.js';
import type { Stored } from './collection-state.js';
import type { Change, CollectionDefinition, InvalidEntry } from './collection.js';
import { NewestWrite } from './newest-write.js';

/** The watch contradicts the cache: something was missed. The answer is a list. */
export class DoubtError extends SwarmError {
  readonly code = 'ERR_DOUBT';
}

/** Where an etcd key belongs. */
export interface Place {
  readonly collection: CollectionState;
  readonly key: string;
}

/** All collections at one revision. Changes to it are not announced here. */
export class WorldState {
  /** Among the collections that mark history. */
  readonly newest = new NewestWrite();
  private readonly collections: ReadonlyMap<string, CollectionState>;

  constructor(
    readonly root: string,
    readonly definitions: readonly CollectionDefinition<unknown>[],
  ) {
    this.collections = new Map(
      definitions.map((definition) => [definition.name, new CollectionState(definition)]),
    );
  }

  collection(name: string): CollectionState {
    const collection = this.collections.get(name);
    if (!collection) throw new RangeError(`the cache has no collection "${name}"`);
    return collection;
  }

  all(): IterableIterator<CollectionState> {
    return this.collections.values();
  }

  /** Undefined for keys of no declared collection. */
  locate(etcdKey: string): Place | undefined {
    const path = etcdKey.slice(this.root.length);
    const slash = path.indexOf('/');
    const collection = this.collections.get(slash === -1 ? path : path.slice(0, slash));
    if (!collection || slash === path.length - 1) return undefined;
    return { collection, key: slash === -1 ? '' : path.slice(slash + 1) };
  }

  etcdKey(collection: string, key: string): string {
    return key === '' ? `${this.root}${collection}` : `${this.root}${collection}/${key}`;
  }

  find(etcdKey: string): Stored | undefined {
    const place = this.locate(etcdKey);
    return place?.collection.find(place.key);
  }

  /**
   * Makes sure that `events` continue this world, which is at `revision`, before anything is applied.
   * Errors: DoubtError.
   */
  requireContinuation(events: readonly WatchEvent[], revision: Revision): void {
    const created = new Map<string, Revision>();
    for (const event of events) {
      const key = event.kind === 'put' ? event.entry.key : event.key;
      const { modRevision } = event.kind === 'put' ? event.entry : event;
      if (modRevision <= revision) {
        throw new DoubtError(`${key}: revision ${modRevision} comes after ${revision}`);
      }
      if (!this.locate(key)) continue;
      const known = created.get(key) ?? this.find(key)?.createRevision ?? 0;
      requireSameLife(event, key, known);
      created.set(key, event.kind === 'put' ? event.entry.createRevision : 0);
    }
  }

  /** Applies one event. Undefined when nothing that readers see has changed. */
  apply(event: WatchEvent): Change | undefined {
    const etcdKey = event.kind === 'put' ? event.entry.key : event.key;
    const place = this.locate(etcdKey);
    if (!place) return undefined;
    const { collection, key } = place;
    const previous = collection.find(key);
    if (event.kind === 'delete') {
      collection.delete(key);
      return changeOf(place, event.modRevision, previous, undefined);
    }
    if (collection.definition.marksHistory) this.newest.see(event.entry);
    const current = decodeStored(collection.definition, key, event.entry);
    collection.put(key, current);
    return changeOf(place, event.entry.modRevision, previous, current);
  }

  /** Puts an entry of a list; keeps the object of `previous` when it is the same version. */
  stage(entry: Entry, previous: Stored | undefined): Change | undefined {
    const place = this.locate(entry.key);
    if (!place) return undefined;
    const { collection, key } = place;
    if (collection.definition.marksHistory) this.newest.see(entry);
    if (previous && isSameVersion(previous, entry)) {
      collection.put(key, previous);
      return undefined;
    }
    const current = decodeStored(collection.definition, key, entry);
    collection.put(key, current);
    return changeOf(place, entry.modRevision, previous, current);
  }

  get invalid(): ReadonlyMap<string, InvalidEntry> {
    const found = new Map<string, InvalidEntry>();
    for (const collection of this.collections.values()) {
      for (const [key, invalid] of collection.invalidEntries()) {
        found.set(this.etcdKey(collection.definition.name, key), invalid);
      }
    }
    return found;
  }
}

/** What readers see of a step from `previous` to `current`; undefined when nothing. */
export function changeOf(
  { collection, key }: Place,
  revision: Revision,
  previous: Stored | undefined,
  current: Stored | undefined,
): Change | undefined {
  const before = previous?.object;
  const after = current?.object;
  if (before === undefined && after === undefined) return undefined;
  return {
    revision,
    collection: collection.definition.name,
    key,
    ...(before !== undefined && { previous: before }),
    ...(after !== undefined && { current: after }),
  };
}

function isSameVersion(stored: Stored, entry: Entry): boolean {
  return stored.modRevision === entry.modRevision && stored.createRevision === entry.createRevision;
}

/** `known` is the create revision that we know, 0 when the key does not exist for us. */
function requireSameLife(event: WatchEvent, key: string, known: Revision): void {
  if (event.kind === 'delete') {
    if (known === 0) throw new DoubtError(`${key}: deleted, and we never saw it`);
    return;
  }
  const { createRevision, modRevision } = event.entry;
  const expected = known === 0 ? modRevision : known;
  if (createRevision !== expected) {
    throw new DoubtError(`${key}: created at ${createRevision}, expected ${expected}`);
  }
}
