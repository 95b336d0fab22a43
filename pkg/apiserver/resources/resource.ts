import type { Applied, KindDescription, ObjectMeta } from '../../../api/v1/index.js';
import type { Change, Informer, WorldCache } from '../../informer/index.js';
import type { Reader } from './reader.js';

/** An object as the API shows it. */
export interface ObjectView {
  readonly apiVersion: 'swarm/v1';
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly applied?: Applied;
}

/** Reads one field of an object as text, for selectors; must be cheap. */
export type FieldReader<Stored> = (stored: Stored, reader: Reader) => string | undefined;

/**
 * How a kind is read: which collection decides what exists, and what other collections add to what the
 * API shows. Lists, single reads and watches are the same code for all kinds.
 */
export interface Resource<Stored = unknown> {
  readonly kind: KindDescription;
  /** The cache it lives in: the world's, or that of the events. */
  readonly cache: WorldCache;
  /** The collection that decides which objects exist. */
  readonly primary: Informer<Stored>;
  /** By name of collection: the keys (of `primary`) whose view may differ after a change there. */
  readonly alsoShown: Readonly<Record<string, (change: Change) => readonly string[]>>;
  keyOf(stored: Stored): string;
  labelsOf(stored: Stored): Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, FieldReader<Stored>>>;
  view(stored: Stored, reader: Reader): ObjectView;
  /**
   * The key of what a person calls `name`; undefined when there is no such object.
   * Errors: BadRequestError when it is ambiguous.
   */
  find(name: string): string | undefined;
}

/** What the API shows of an object; with what belongs to its applied document when that was asked for. */
export function viewOf(
  resource: Resource,
  stored: unknown,
  reader: Reader,
  isAppliedShown = false,
): ObjectView {
  const view = resource.view(stored, reader);
  const { applied } = stored as { readonly applied?: Applied };
  return isAppliedShown && applied !== undefined ? { ...view, applied } : view;
}

/** Forgets the stored type: whoever serves all kinds passes objects through unseen. */
export function defineResource<Stored>(resource: Resource<Stored>): Resource {
  return resource as unknown as Resource;
}
