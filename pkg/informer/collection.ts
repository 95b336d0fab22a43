import type { FieldProblem, WriteId } from '../base/index.js';
import type { Revision } from '../store/index.js';

/** What etcd knows about an object beside its value. */
export interface EntryMeta {
  /** Key within the collection; {@link SINGLETON_KEY} for a collection of one. */
  readonly key: string;
  /** Revision of the last write: the object's version. */
  readonly modRevision: Revision;
  readonly createRevision: Revision;
  /** Undefined when the value was not written through our store. */
  readonly writeId?: WriteId;
}

/** The key of the only object of a collection whose etcd key is exactly root + name. */
export const SINGLETON_KEY = '';

/** Gives the values under which an object is found; must be pure. Undefined means "under none". */
export type IndexFunction<T> = IndexMethod<T>['of'];

/** A method, because only these let a list hold definitions of different kinds. */
interface IndexMethod<T> {
  of(object: T, key: string): string | readonly string[] | undefined;
}

/** Declares one kind of object in the world, as data. */
export interface CollectionDefinition<T> {
  /**
   * Folder under the cache's root: objects are `<root><name>/<key>`, where the key may contain slashes,
   * or exactly `<root><name>` for a singleton.
   */
  readonly name: string;
  /**
   * Makes an object of a stored value, which is JSON without its write id and may have any shape. The
   * result is frozen deeply. Errors: InvalidObjectError; the object is then skipped, see
   * {@link Lister.isInvalid}.
   */
  decode(value: unknown, meta: EntryMeta): T;
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>>;
  /**
   * True when its keys are ids and name nothing: nodes may hear of its writes, as signs of how far the store
   * had come (see {@link WorldCache.historyMark}). Default false.
   */
  readonly marksHistory?: boolean;
}

/** Read side of a collection: frozen objects, never etcd. */
export interface Lister<T> {
  get(key: string): T | undefined;
  /** All objects, in no particular order. The array is shared and frozen until the next change. */
  list(): readonly T[];
  /**
   * Objects whose index function yields `value`; costs what it returns.
   * Errors: RangeError when no such index is declared.
   */
  byIndex(index: string, value: string): readonly T[];
  /** All objects with their keys, in no particular order. */
  entries(): Iterable<readonly [key: string, object: T]>;
  /** Number of objects, invalid ones not counted. */
  readonly size: number;
  /**
   * True when the key exists in etcd with a value that could not be decoded. `get` then gives undefined,
   * which must not be taken for a deletion.
   */
  isInvalid(key: string): boolean;
}

/** Which object changed, and when. */
export interface ChangeMeta {
  readonly key: string;
  readonly revision: Revision;
}

/** `previous` is undefined for a new object, `current` for a deleted (or no longer valid) one. */
export type ChangeListener<T> = (
  previous: T | undefined,
  current: T | undefined,
  meta: ChangeMeta,
) => void;

/** A collection that also tells about its changes. */
export interface Informer<T> extends Lister<T> {
  readonly definition: CollectionDefinition<T>;
  /**
   * Calls `listener` for every change, after everything of the same revision was applied: whatever it
   * reads is consistent. What it throws is logged and harms nobody else. Dispose to stop.
   */
  onChange(listener: ChangeListener<T>): Disposable;
}

/** One change in the world, as API watches need it. */
export interface Change {
  readonly revision: Revision;
  /** Name of the collection. */
  readonly collection: string;
  readonly key: string;
  readonly previous?: unknown;
  readonly current?: unknown;
}

/** An object that exists in etcd and was skipped. */
export interface InvalidEntry {
  readonly message: string;
  readonly problems: readonly FieldProblem[];
  readonly modRevision: Revision;
}
