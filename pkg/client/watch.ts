import type { ObjectMeta, WatchLine } from '../../api/v1/index.js';
import {
  BusyError,
  CompactedError,
  SystemClock,
  abortReason,
  backoffMs,
  hasCode,
  isRecoverable,
  type Clock,
} from '../base/index.js';
import { errorOf } from './errors.js';

/** Opens one watch from a revision; undefined means "first all that exist". */
export type OpenWatch<T> = (
  since: number | undefined,
  signal: AbortSignal | undefined,
) => Promise<AsyncIterable<WatchLine<T>>>;

interface Watched {
  readonly metadata: ObjectMeta;
}

const BACKOFF = { initialMs: 100, maxMs: 5_000 };

/**
 * A watch that never ends by itself: it resumes from the last revision it passed on, and when history
 * is gone it reads everything again and tells the difference, deletions included.
 */
export class ResumingWatch<T extends Watched> {
  /** The objects told of, to tell later which of them vanished unseen. */
  private readonly known = new Map<string, T>();
  private revision: number | undefined;
  /** `known` is everything that there is: a server that cannot know that takes leave of too much. */
  private knowsAll = false;
  private failures = 0;

  constructor(
    private readonly open: OpenWatch<T>,
    since: number | undefined,
    private readonly clock: Clock = new SystemClock(),
  ) {
    this.revision = since;
  }

  /** The lines. Ends when the signal aborts. Errors: refusals of the server, such as ForbiddenError. */
  async *lines(signal?: AbortSignal): AsyncGenerator<WatchLine<T>, void, undefined> {
    while (!signal?.aborted) {
      try {
        yield* this.once(signal);
      } catch (error) {
        if (signal?.aborted) return;
        if (!this.mayGoOn(error)) throw error;
        this.failures += 1;
        await this.pause(error, signal);
      }
    }
  }

  private async *once(signal: AbortSignal | undefined): AsyncGenerator<WatchLine<T>> {
    const listing = this.revision === undefined && this.known.size > 0;
    const unseen = new Map(listing ? this.known : []);
    let complete = this.revision !== undefined;
    for await (const line of await this.open(this.revision, signal)) {
      this.failures = 0;
      if (line.type === 'error') throw errorOf(line);
      if (line.type === 'bookmark') {
        if (!complete) yield* this.vanished(unseen, line.revision);
        this.knowsAll ||= !complete;
        complete = true;
        this.revision = line.revision;
        yield line;
      } else if (this.isNews(line, unseen)) {
        // One revision may change several objects: it is complete only when a later line comes.
        if (complete) this.revision = line.revision - 1;
        yield line;
      }
    }
  }

  /** Whether the reader does not know it yet. A relist tells everything again. */
  private isNews(
    line: Extract<WatchLine<T>, { readonly object: T }>,
    unseen: Map<string, T>,
  ): boolean {
    const key = keyOf(line.object);
    const before = this.known.get(key);
    unseen.delete(key);
    if (line.type === 'deleted') return this.known.delete(key) || !this.knowsAll;
    this.known.set(key, line.object);
    return before?.metadata.version === undefined || !isSame(before, line.object);
  }

  private *vanished(unseen: Map<string, T>, revision: number): Generator<WatchLine<T>> {
    for (const [key, object] of unseen) {
      this.known.delete(key);
      yield { type: 'deleted', revision, object };
    }
  }

  private mayGoOn(error: unknown): boolean {
    if (!(error instanceof CompactedError)) return isRecoverable(error);
    this.revision = undefined;
    return true;
  }

  private async pause(error: unknown, signal: AbortSignal | undefined): Promise<void> {
    if (hasCode(error, 'ERR_COMPACTED') && this.failures === 1) return;
    const asked = error instanceof BusyError ? error.retryAfterMs : 0;
    const ms = Math.max(asked, backoffMs(BACKOFF, this.failures));
    await this.clock.sleep(ms, signal).catch((reason: unknown) => {
      if (!signal?.aborted) throw reason instanceof Error ? reason : abortReason(signal);
    });
  }
}

function keyOf({ metadata }: Watched): string {
  return metadata.uid ?? metadata.name;
}

/** Objects are views of several keys, so their version alone does not tell. */
function isSame(a: Watched, b: Watched): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
