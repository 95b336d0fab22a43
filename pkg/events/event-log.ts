import { Event, codec, type StoredMeta } from '../../api/v1/index.js';
import { InvalidObjectError } from '../base/index.js';
import type {
  ChangeListener,
  CollectionDefinition,
  Informer,
  WorldCache,
} from '../informer/index.js';
import { Folder } from '../store/index.js';

/** An event as stored: with the metadata that the server sets. */
export interface StoredEvent extends Omit<Event, 'metadata'> {
  readonly metadata: StoredMeta;
}

const eventCodec = codec<Event>(Event);

/**
 * Events, by id. Indexes: regarding (`Kind/name` and `Kind/uid`), service (name). They have a cache of their
 * own: `new WatchedWorldCache({ root: keys.eventsRoot, collections: [events], … })`.
 */
export const events: CollectionDefinition<StoredEvent> = {
  name: Folder.events,
  decode: (value, meta) => {
    const found = eventCodec.problems(value);
    if (found.length > 0) throw new InvalidObjectError(`event ${meta.key} is not valid`, found);
    const event = value as StoredEvent;
    return { ...event, metadata: { ...event.metadata, labels: {}, version: meta.modRevision } };
  },
  indexes: {
    regarding: ({ regarding: { kind, name, uid } }) => [`${kind}/${name}`, `${kind}/${uid}`],
    service: (event) => event.service,
  },
};

/** The events of about the last hour. */
export interface EventLog {
  /** The cache beneath, for revisions and watches. */
  readonly cache: WorldCache;
  readonly events: Informer<StoredEvent>;
  /** All events, oldest first. */
  list(): readonly StoredEvent[];
  /** Events about one object, by its name or its uid; oldest first. */
  byRegarding(kind: string, nameOrUid: string): readonly StoredEvent[];
  /** Events about a service and its tasks, by the service's name; oldest first. */
  byService(service: string): readonly StoredEvent[];
  onChange(listener: ChangeListener<StoredEvent>): Disposable;
}
export const EventLog = Symbol('EventLog');

/** Reads events from a cache that was made with {@link events}. */
export function eventLogOf(cache: WorldCache): EventLog {
  const informer = cache.collection(events);
  return {
    cache,
    events: informer,
    list: () => inOrder(informer.list()),
    byRegarding: (kind, nameOrUid) =>
      inOrder(informer.byIndex('regarding', `${kind}/${nameOrUid}`)),
    byService: (service) => inOrder(informer.byIndex('service', service)),
    onChange: (listener) => informer.onChange(listener),
  };
}

function inOrder(found: readonly StoredEvent[]): readonly StoredEvent[] {
  return [...found].sort(
    (a, b) =>
      Date.parse(a.lastAt) - Date.parse(b.lastAt) || a.metadata.version - b.metadata.version,
  );
}
