import { BusyError } from '../../base/index.js';

/** How many sessions may be opening at once. */
const DEFAULT_LIMIT = 50;
const MIN_RETRY_MS = 1_000;
const JITTER_MS = 4_000;

/** Bounds how many things begin at once; the others are told to come back at different moments. */
export class Admission {
  private entered = 0;

  constructor(
    private readonly what: string,
    private readonly limit = DEFAULT_LIMIT,
    private readonly random: () => number = Math.random,
  ) {}

  /** Dispose it when what began has begun. Errors: BusyError. */
  enter(): Disposable {
    if (this.entered >= this.limit) {
      const retryAfterMs = MIN_RETRY_MS + this.random() * JITTER_MS;
      throw new BusyError(`too many ${this.what} at once`, retryAfterMs);
    }
    this.entered += 1;
    let left = false;
    return {
      [Symbol.dispose]: () => {
        if (!left) this.entered -= 1;
        left = true;
      },
    };
  }
}
