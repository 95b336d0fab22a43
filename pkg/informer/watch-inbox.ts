import { TimeSlice } from '../base/index.js';
import type { Revision, WatchBatch, WatchEvent } from '../store/index.js';
import { DoubtError } from './world-state.js';

/** Applies whole revisions. Errors: DoubtError. */
export type ApplyBatch = (events: readonly WatchEvent[], revision: Revision) => void;

/** Batches of this size are applied in the turn they arrive in; larger ones in pieces. */
const PIECE_EVENTS = 200;

/** A backlog of more events than this is cheaper to list than to apply. */
const MAX_BACKLOG_EVENTS = 100_000;

/**
 * Takes batches as they come and applies them in order, without ever holding up the event loop: large
 * batches are cut between revisions (never within one), with a turn of the loop in between.
 */
export class WatchInbox {
  private readonly backlog: WatchBatch[] = [];
  private backlogEvents = 0;
  /** A flag beside the promise: work may end before its promise is known here. */
  private isWorking = false;
  private working: Promise<void> = Promise.resolve();
  private failedWith: Error | undefined;
  private closed = false;

  constructor(
    private readonly apply: ApplyBatch,
    private readonly onFailure: (error: Error) => void,
  ) {}

  /** What `apply` threw. Nothing was applied since. */
  get failure(): Error | undefined {
    return this.failedWith;
  }

  push(batch: WatchBatch): void {
    if (this.failedWith || this.closed) return;
    if (!this.isWorking && batch.events.length <= PIECE_EVENTS) {
      this.applyNow(batch);
      return;
    }
    this.backlog.push(batch);
    this.backlogEvents += batch.events.length;
    if (this.backlogEvents > MAX_BACKLOG_EVENTS) this.fail(new DoubtError('too far behind'));
    else if (!this.isWorking) this.working = this.work();
  }

  /**
   * Takes nothing more. Resolves when everything that was pushed is applied, or applying has failed.
   * Never rejects.
   */
  async close(): Promise<void> {
    this.closed = true;
    await this.working;
  }

  private async work(): Promise<void> {
    this.isWorking = true;
    const slice = new TimeSlice();
    for (let batch = this.backlog.shift(); batch; batch = this.backlog.shift()) {
      this.backlogEvents -= batch.events.length;
      for (const piece of piecesOf(batch)) {
        if (slice.isSpent) await slice.yield();
        this.applyNow(piece);
      }
    }
    this.isWorking = false;
  }

  private applyNow({ events, revision }: WatchBatch): void {
    if (this.failedWith) return;
    try {
      this.apply(events, revision);
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  private fail(error: Error): void {
    this.failedWith = error;
    this.backlog.length = 0;
    this.backlogEvents = 0;
    this.onFailure(error);
  }
}

/** Cuts a batch between revisions, into pieces that are as small as revisions allow. */
export function* piecesOf({ events, revision }: WatchBatch): Generator<WatchBatch> {
  let start = 0;
  for (let end = 1; end < events.length; end += 1) {
    const before = revisionOf(events[end - 1]);
    if (end - start < PIECE_EVENTS || revisionOf(events[end]) === before) continue;
    yield { events: events.slice(start, end), revision: before };
    start = end;
  }
  yield { events: events.slice(start), revision };
}

function revisionOf(event: WatchEvent | undefined): Revision {
  if (!event) return 0;
  return event.kind === 'put' ? event.entry.modRevision : event.modRevision;
}
