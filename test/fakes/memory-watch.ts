import type { Revision, WatchEvent, WatchOptions } from '../../pkg/store/index.js';
import type { Change, MemoryEtcd } from './memory-etcd.js';

/** One watch on a {@link MemoryEtcd}: delivers in order, in turns of its own, never in a writer's. */
export class MemoryWatch {
  private readonly waiting: Change[] = [];
  private paused = new AbortController();
  private isPaused = false;
  private scheduled = false;
  private opened = false;
  private ended = false;
  private readonly done: Promise<void>;
  private resolve: () => void = () => undefined;
  private reject: (error: Error) => void = () => undefined;

  constructor(
    private readonly etcd: MemoryEtcd,
    private readonly prefix: string,
    private readonly options: WatchOptions,
  ) {
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /** Until the signal aborts (resolves) or {@link fail}. Errors: CompactedError. */
  async run(from: Revision): Promise<void> {
    await Promise.resolve(); // the server's confirmation never comes in the caller's own turn
    if (this.ended) return this.done;
    const unsubscribe = this.etcd.onChange((change) => {
      if (change.revision >= from) this.enqueue(change);
    });
    const onAbort = () => {
      this.end(this.resolve);
    };
    this.options.signal.addEventListener('abort', onAbort, { once: true });
    if (this.options.signal.aborted) onAbort();
    try {
      for (const change of this.etcd.changesSince(from)) this.enqueue(change);
      this.schedule();
      await this.done;
    } finally {
      this.end(this.resolve);
      unsubscribe();
      this.options.signal.removeEventListener('abort', onAbort);
    }
  }

  fail(error: Error): void {
    this.end(() => {
      this.reject(error);
    });
  }

  /** Delivers nothing until {@link resume}. The signal aborts when the pause or the watch ends. */
  pause(): AbortSignal {
    this.isPaused = true;
    this.paused = new AbortController();
    return this.paused.signal;
  }

  resume(): void {
    this.isPaused = false;
    this.paused.abort();
    this.schedule();
  }

  notifyProgress(): void {
    if (this.ended || this.isPaused || this.waiting.length > 0) return;
    this.options.onProgress?.(this.etcd.revision);
  }

  private enqueue(change: Change): void {
    const events = change.events.filter((event) => keyOf(event).startsWith(this.prefix));
    if (events.length === 0) return;
    this.waiting.push({ ...change, events });
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled || this.isPaused || this.ended) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      this.deliver();
    });
  }

  private deliver(): void {
    if (this.ended || this.isPaused) return;
    try {
      if (!this.opened) {
        this.opened = true;
        this.options.onOpen?.();
      }
      const changes = this.waiting.splice(0);
      const last = changes.at(-1);
      if (!last) return;
      const events = changes.flatMap((change) => change.events);
      this.options.onBatch({ events, revision: last.revision });
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  private end(settle: () => void): void {
    if (this.ended) return;
    this.ended = true;
    this.paused.abort();
    settle();
  }
}

function keyOf(event: WatchEvent): string {
  return event.kind === 'put' ? event.entry.key : event.key;
}
