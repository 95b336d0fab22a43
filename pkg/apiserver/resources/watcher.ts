import { hasCode, messageOf } from '../../base/index.js';
import type { NdjsonStream } from '../http/ndjson-stream.js';
import { presentReader } from './reader.js';
import type { Resource } from './resource.js';
import type { Selector } from './selectors.js';
import { lineOf, type FeedEvent, type WatchFeed } from './watch-feed.js';

/** What one client watches. */
export interface WatcherOptions {
  readonly resource: Resource;
  readonly feed: WatchFeed;
  readonly selector: Selector | undefined;
  /** Undefined: tell of everything that exists first. */
  readonly since: number | undefined;
  readonly stream: NdjsonStream;
}

const BOOKMARK_MS = 5_000;

/**
 * One watch. It pulls changes whenever there are some and the client has taken what was sent before, so
 * a slow client costs nothing: it is told the newest state of what changed meanwhile, or that it is too late.
 */
export class Watcher {
  private revision: number;
  /** Keys that the client knows to match, when it selects; undefined for those we cannot know about. */
  private readonly matching = new Map<string, boolean>();
  private wake: () => void = () => undefined;
  private bookmarkDue = false;

  constructor(private readonly options: WatcherOptions) {
    this.revision = options.since ?? options.resource.cache.revision;
  }

  /** The revision up to which everything was sent. */
  get bookmark(): object {
    return { type: 'bookmark', revision: this.revision };
  }

  /** Runs until the stream has ended. Never rejects. */
  async run(): Promise<void> {
    const { resource, stream, since } = this.options;
    const listening = resource.cache.onRevision(() => {
      this.wake();
    });
    const timer = setInterval(() => {
      this.bookmarkDue = true;
      this.wake();
    }, BOOKMARK_MS);
    const onEnd = () => {
      this.wake();
    };
    stream.signal.addEventListener('abort', onEnd, { once: true });
    try {
      if (since === undefined) await this.sendExisting();
      await this.follow();
    } catch (error) {
      this.fail(error);
    } finally {
      clearInterval(timer);
      listening[Symbol.dispose]();
    }
  }

  private async sendExisting(): Promise<void> {
    const { resource, selector, stream } = this.options;
    const { revision } = this;
    for (const stored of resource.primary.list()) {
      const matches = selector?.(stored, presentReader) ?? true;
      if (selector) this.matching.set(resource.keyOf(stored), matches);
      if (!matches) continue;
      const object = resource.view(stored, presentReader);
      await stream.write(lineOf({ type: 'added', revision, object }));
    }
    await stream.write(this.bookmark);
  }

  private async follow(): Promise<void> {
    const { resource, feed, stream } = this.options;
    while (!stream.isClosed) {
      const now = resource.cache.revision;
      for (const event of feed.eventsSince(resource, this.revision)) this.send(event);
      this.revision = Math.max(now, this.revision);
      if (this.bookmarkDue) this.sendBookmark();
      if (stream.isFull) await stream.drained();
      else await this.news(now);
    }
  }

  private sendBookmark(): void {
    this.bookmarkDue = false;
    this.options.stream.send(this.bookmark);
  }

  /** Until something may have happened after `seen`. */
  private news(seen: number): Promise<void> {
    const { resource, stream } = this.options;
    if (resource.cache.revision > seen || stream.isClosed || this.bookmarkDue) {
      return Promise.resolve();
    }
    return new Promise((resolve) => (this.wake = resolve));
  }

  private send(event: FeedEvent): void {
    const { resource, selector, stream } = this.options;
    if (!selector) {
      stream.send(event.line());
      return;
    }
    const known = this.matching.get(event.key) ?? this.guess(event);
    const matches = event.type !== 'deleted' && selector(event.stored, presentReader);
    if (event.type === 'deleted') this.matching.delete(event.key);
    else this.matching.set(event.key, matches);
    if (!matches && known === false) return;
    const type = matches ? (known === false ? 'added' : event.type) : 'deleted';
    if (type === event.type) stream.send(event.line());
    else {
      const object = resource.view(event.stored, presentReader);
      stream.send(lineOf({ type, revision: event.revision, object }));
    }
  }

  /** What came into being since the client was told of everything never matched; else nobody knows. */
  private guess(event: FeedEvent): boolean | undefined {
    return this.options.since === undefined || event.type === 'added' ? false : undefined;
  }

  /** The last line says why; a client that reads too slowly is not there to hear it. */
  private fail(error: unknown): void {
    const { stream } = this.options;
    const code = hasCode(error, 'ERR_COMPACTED') ? 'ERR_COMPACTED' : 'ERR_UNAVAILABLE';
    stream.end({ type: 'error', code, message: messageOf(error) });
  }
}
