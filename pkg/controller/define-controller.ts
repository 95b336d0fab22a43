import type { BackoffOptions } from '../base/index.js';
import type { CollectionDefinition, WorldCache } from '../informer/index.js';
import type { Reconciler, ResourceKey } from './reconciler.js';

/** The part of the world cache that a mapping may read. */
export type WorldReader = Pick<WorldCache, 'collection'>;

/** A class to be resolved by whoever wires. */
export type ReconcilerClass = abstract new (...parameters: never[]) => Reconciler;

/** Which keys to reconcile when an object of another collection changes. Made by `owns` and `mapsTo`. */
export interface ControllerWatch {
  readonly collection: CollectionDefinition<unknown>;
  keysOf(object: unknown, key: string, world: WorldReader): readonly ResourceKey[];
  /** False for changes that cannot matter. Default: all matter. */
  matters?(previous: unknown, current: unknown): boolean;
}

/** Narrows a watch. */
export interface WatchOptions<T> {
  /** False for changes that cannot matter; `undefined` stands for "does not exist". */
  readonly when?: (previous: T | undefined, current: T | undefined) => boolean;
}

/** A controller, as data. */
export interface ControllerDefinition {
  /** Kebab case; label of its metrics. */
  readonly name: string;
  /** Whose keys are reconciled. */
  readonly for: CollectionDefinition<unknown>;
  /** What else can make a key worth a look. */
  readonly watches: readonly ControllerWatch[];
  readonly reconciler: ReconcilerClass;
  /** How many keys run at once. */
  readonly concurrency: number;
  /** Deadline of one run. Default 30 s. */
  readonly timeoutMs?: number;
  /** How often every key is looked at again, give or take a fifth. Default 10 minutes; 0: never. */
  readonly resyncMs?: number;
  /** Delay before a failed key is run again. Default: the queue's (50 ms doubling to 30 s). */
  readonly backoff?: BackoffOptions;
}

/** Declares a controller; the compiler checks that it is complete. */
export function defineController(definition: ControllerDefinition): ControllerDefinition {
  return Object.freeze({ ...definition });
}

/** Reconciles the owner of a changed object: the one before the change and the one after. */
export function owns<T>(
  collection: CollectionDefinition<T>,
  ownerOf: (object: T, key: string) => ResourceKey | undefined,
  options: WatchOptions<T> = {},
): ControllerWatch {
  const keysOf = (object: T, key: string) => {
    const owner = ownerOf(object, key);
    return owner === undefined ? [] : [owner];
  };
  return mapsTo(collection, keysOf, options);
}

/** Reconciles every key that a changed object maps to, before the change and after. */
export function mapsTo<T>(
  collection: CollectionDefinition<T>,
  keysOf: (object: T, key: string, world: WorldReader) => readonly ResourceKey[],
  { when }: WatchOptions<T> = {},
): ControllerWatch {
  return {
    collection,
    // The runner gives each watch the objects of its own collection and no others.
    keysOf: (object, key, world) => keysOf(object as T, key, world),
    ...(when && {
      matters: (previous, current) => when(previous as T | undefined, current as T | undefined),
    }),
  };
}
