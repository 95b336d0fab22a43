import { BusyError } from '../../base/index.js';

/** How much one caller may have under way at once. */
export interface CallerLimitOptions {
  /** Calls; default 64. */
  readonly calls?: number;
  /** Streams (watches, logs); default 256. */
  readonly streams?: number;
}

const DEFAULT_CALLS = 64;
const DEFAULT_STREAMS = 256;
const RETRY_AFTER_MS = 1_000;

/** Keeps one caller from taking everything. */
export class CallerLimits {
  private readonly counts = new Map<string, number>();
  private readonly limits: Readonly<Record<'call' | 'stream', number>>;

  constructor({ calls = DEFAULT_CALLS, streams = DEFAULT_STREAMS }: CallerLimitOptions = {}) {
    this.limits = { call: calls, stream: streams };
  }

  /** Counts one more; dispose it when it is over. Errors: BusyError. */
  enter(caller: string, kind: 'call' | 'stream'): Disposable {
    const key = `${kind} ${caller}`;
    const count = this.counts.get(key) ?? 0;
    if (count >= this.limits[kind]) {
      throw new BusyError(
        `${caller} has ${String(count)} ${kind}s under way, which is the limit`,
        RETRY_AFTER_MS,
      );
    }
    this.counts.set(key, count + 1);
    let left = false;
    return {
      [Symbol.dispose]: () => {
        if (left) return;
        left = true;
        this.leave(key);
      },
    };
  }

  private leave(key: string): void {
    const count = (this.counts.get(key) ?? 1) - 1;
    if (count === 0) this.counts.delete(key);
    else this.counts.set(key, count);
  }
}
