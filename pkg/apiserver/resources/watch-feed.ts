import type { WatchLine } from '../../../api/v1/index.js';
import type { Change } from '../../informer/index.js';
import { presentReader, readerBefore } from './reader.js';
import type { ObjectView, Resource } from './resource.js';

/** One change of a view, ready to be sent to any number of watchers. */
export interface FeedEvent {
  readonly type: 'added' | 'modified' | 'deleted';
  readonly revision: number;
  readonly key: string;
  /** The stored object, for selectors. */
  readonly stored: unknown;
  readonly line: () => string;
}

/**
 * Turns changes of collections into changes of what the API shows. Watchers pull: they ask for what
 * happened since they last asked, and those that ask the same share the answer.
 */
export class WatchFeed {
  private readonly answers = new Map<string, { at: number; events: readonly FeedEvent[] }>();

  /**
   * What changed after `revision` up to now, oldest first, each object once in its newest state.
   * Errors: CompactedError when that is not remembered any more.
   */
  eventsSince(resource: Resource, revision: number): readonly FeedEvent[] {
    const now = resource.cache.revision;
    if (revision >= now) return [];
    const key = `${resource.kind.plural} ${String(revision)}`;
    const known = this.answers.get(key);
    if (known?.at === now) return known.events;
    this.forgetOld(resource, now);
    const events = feedEvents(resource, resource.cache.changesSince(revision));
    this.answers.set(key, { at: now, events });
    return events;
  }

  private forgetOld({ kind }: Resource, now: number): void {
    for (const [key, { at }] of this.answers) {
      if (at !== now && key.startsWith(`${kind.plural} `)) this.answers.delete(key);
    }
  }
}

/** The revision of the last change of each key. */
type Touched = Map<string, number>;

function feedEvents(resource: Resource, changes: readonly Change[]): readonly FeedEvent[] {
  const touched: Touched = new Map();
  const before = readerBefore(changes);
  const replaced: FeedEvent[] = [];
  for (const change of changes) {
    for (const key of affectedKeys(resource, change)) touched.set(key, change.revision);
    const gone = replacedObject(resource, change);
    if (gone !== undefined)
      replaced.push(
        deletion(resource, { key: change.key, stored: gone, revision: change.revision }),
      );
  }
  const again = new Set(replaced.map(({ key }) => key));
  const events: FeedEvent[] = [...replaced];
  for (const [key, revision] of touched) {
    const previous = again.has(key) ? undefined : before.get(resource.primary, key);
    const event = eventOf(resource, { key, revision, previous });
    if (event) events.push(event);
  }
  return events.sort((a, b) => a.revision - b.revision);
}

function affectedKeys({ primary, alsoShown }: Resource, change: Change): readonly string[] {
  if (change.collection === primary.definition.name) return [change.key];
  return alsoShown[change.collection]?.(change) ?? [];
}

/** An object that was deleted and made again in between: a watcher must hear that it is another one. */
function replacedObject({ primary }: Resource, change: Change): unknown {
  const isDeletion =
    change.collection === primary.definition.name &&
    change.current === undefined &&
    change.previous !== undefined;
  return isDeletion && primary.get(change.key) !== undefined ? change.previous : undefined;
}

interface Touch {
  readonly key: string;
  readonly revision: number;
  readonly previous: unknown;
}

function eventOf(resource: Resource, { key, revision, previous }: Touch): FeedEvent | undefined {
  const stored = resource.primary.get(key);
  if (stored === undefined) {
    // Unreadable is not deleted; what was never seen needs no farewell.
    if (previous === undefined || resource.primary.isInvalid(key)) return undefined;
    return deletion(resource, { key, stored: previous, revision });
  }
  const type = previous === undefined ? 'added' : 'modified';
  const view = once(() => resource.view(stored, presentReader));
  return {
    type,
    revision,
    key,
    stored,
    line: once(() => lineOf({ type, revision, object: view() })),
  };
}

function deletion(
  resource: Resource,
  { key, stored, revision }: { key: string; stored: unknown; revision: number },
): FeedEvent {
  const line = () =>
    lineOf({ type: 'deleted', revision, object: resource.view(stored, presentReader) });
  return { type: 'deleted', revision, key, stored, line: once(line) };
}

/** A line of a watch as it is sent. */
export function lineOf(line: WatchLine<ObjectView>): string {
  return JSON.stringify(line);
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
