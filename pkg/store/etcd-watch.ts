import { castGrpcError } from 'etcd3';
import type { IWatchResponse } from 'etcd3';
import { CompactedError, UnavailableError } from '../base/index.js';
import { prefixRange, revisionOf, toWatchEvent } from './etcd-codec.js';
import type { EtcdConnection, WatchStream } from './etcd-connection.js';
import { toStoreError } from './etcd-errors.js';
import type { Revision, WatchEvent, WatchOptions } from './store.js';

/** A member that does not confirm the watch in this time is taken for dead. */
const OPEN_TIMEOUT_MS = 10_000;
/**
 * After this much silence the server is asked for a sign of life, and this long it has for it. gRPC's pings,
 * which etcd allows no oftener than every 5 s, find a wire that is cut much later, and a dead server never.
 */
const SILENCE_MS = 2_500;
const ANSWER_TIMEOUT_MS = 2_500;

/**
 * One watch on one raw gRPC stream. It ends once, for one reason, and never resumes: only who
 * processed the events knows where to go on.
 */
export class EtcdWatch {
  private stream: WatchStream | undefined;
  private timer: NodeJS.Timeout | undefined;
  private ended = false;
  /** Events of the last revision of a fragmented answer, whose rest is still to come. */
  private held: WatchEvent[] = [];
  private next: Revision;
  private readonly done: Promise<void>;
  private resolve: () => void = () => undefined;
  private reject: (error: Error) => void = () => undefined;

  constructor(
    private readonly connection: EtcdConnection,
    private readonly prefix: string,
    private readonly from: Revision,
    private readonly options: WatchOptions,
  ) {
    this.next = from;
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // it can fail before anybody waits for it
    this.done.catch(() => undefined);
  }

  /**
   * Until the signal aborts (resolves) or the watch breaks. Errors: as `Store.watch`, and whatever a
   * listener threw.
   */
  async run(): Promise<void> {
    const { signal } = this.options;
    const onAbort = () => {
      this.end();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      this.expect('confirm the watch', OPEN_TIMEOUT_MS);
      await this.open();
      if (signal.aborted) this.end();
      await this.done;
    } finally {
      this.end();
      this.connection.close();
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Ends the watch with `error`; without effect when it has ended. */
  fail(error: Error): void {
    this.finish(() => {
      this.reject(error);
    });
  }

  private async open(): Promise<void> {
    try {
      this.attach(await this.connection.watchStream());
    } catch (error) {
      throw toStoreError('watch', error);
    }
  }

  private attach(stream: WatchStream): void {
    this.stream = stream;
    // stays for the stream's whole life: a late error without a listener would end the process
    stream.on('error', (error) => {
      this.fail(toStoreError('watch', castGrpcError(error)));
    });
    stream.on('end', () => {
      this.fail(new UnavailableError('watch: etcd ended the stream'));
    });
    stream.on('data', (response: IWatchResponse) => {
      if (this.ended) return;
      try {
        this.receive(response);
      } catch (error) {
        this.fail(error instanceof Error ? error : new Error(String(error)));
      }
    });
    if (this.ended) stream.cancel();
    else stream.write({ create_request: this.createRequest() });
  }

  private createRequest() {
    return {
      ...prefixRange(this.prefix),
      start_revision: String(this.from),
      progress_notify: true,
      prev_kv: false,
      // catching up on a thousand big revisions must fit the receive limit, piece by piece
      fragment: true,
    };
  }

  private receive(response: IWatchResponse): void {
    this.expectNothing();
    if (response.canceled) {
      this.fail(cancellation(response));
      return;
    }
    if (response.created) {
      this.options.onOpen?.();
      return;
    }
    if (response.events.length > 0) this.deliver(response);
    else if (isOwnProgress(response)) this.progress(revisionOf(response));
  }

  /** Whole revisions only: of a fragment that is not the last one, the last revision waits. */
  private deliver(response: IWatchResponse): void {
    const fresh = response.events.map(toWatchEvent);
    const all = [...this.held, ...fresh].filter((event) => modRevisionOf(event) >= this.next);
    const last = all.at(-1);
    if (!last) return;
    const complete = response.fragment
      ? all.filter((event) => modRevisionOf(event) < modRevisionOf(last))
      : all;
    this.held = all.slice(complete.length);
    const lastComplete = complete.at(-1);
    if (!lastComplete) return;
    const revision = modRevisionOf(lastComplete);
    this.next = revision + 1;
    this.options.onBatch({ events: complete, revision });
  }

  private progress(revision: Revision): void {
    // a header's revision says nothing about a fragment's missing rest
    if (this.held.length > 0 || revision < this.next - 1) return;
    this.options.onProgress?.(revision);
  }

  /** Any answer is a sign of life; the next one is due after a silence, on demand. */
  private expectNothing(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.stream?.write({ progress_request: {} });
      this.expect('give a sign of life', ANSWER_TIMEOUT_MS);
    }, SILENCE_MS);
  }

  private expect(what: string, withinMs: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.fail(new UnavailableError(`watch: etcd did not ${what} within ${String(withinMs)} ms`));
    }, withinMs);
  }

  private end(): void {
    this.finish(this.resolve);
  }

  private finish(settle: () => void): void {
    if (this.ended) return;
    this.ended = true;
    clearTimeout(this.timer);
    settle();
    this.stream?.cancel(); // `end` would leave the server's half open
  }
}

/**
 * Answers to a progress request carry no watch's id, and before etcd 3.4.25 and 3.5.8 they can overtake
 * events: they are a sign of life only. The periodic notification comes in order.
 */
function isOwnProgress({ watch_id }: IWatchResponse): boolean {
  return !watch_id.startsWith('-');
}

function cancellation(response: IWatchResponse): Error {
  const { compact_revision, cancel_reason } = response;
  if (compact_revision !== '0') {
    return new CompactedError(`watch: history before revision ${compact_revision} is gone`);
  }
  return new UnavailableError(`watch: etcd cancelled it: ${cancel_reason || 'without a reason'}`);
}

function modRevisionOf(event: WatchEvent): Revision {
  return event.kind === 'put' ? event.entry.modRevision : event.modRevision;
}
