import { abortReason } from '../base/index.js';

/** Whose turn is next: everything that is `urgent` goes before everything that is not. */
export interface TurnOptions {
  readonly urgent?: boolean;
  /** Gives up waiting for the turn; work that has begun is not cut short by it. */
  readonly signal: AbortSignal;
}

/**
 * Lets a bounded number of engine calls run at once, in the order of asking. An engine that is given
 * every start at once finishes none early; a few per core finish the first and the last sooner.
 */
export class StartPool {
  private free: number;
  private readonly urgent: (() => void)[] = [];
  private readonly patient: (() => void)[] = [];

  /** @param width how many may run at once. */
  constructor(width: number) {
    this.free = width;
  }

  /** How many wait for their turn. */
  get queued(): number {
    return this.urgent.length + this.patient.length;
  }

  /** Runs `work` when it is its turn. Errors: what `work` throws, the signal's reason while waiting. */
  async run<T>(work: () => Promise<T>, options: TurnOptions): Promise<T> {
    await this.acquire(options);
    try {
      return await work();
    } finally {
      this.release();
    }
  }

  private acquire({ urgent = false, signal }: TurnOptions): Promise<void> {
    signal.throwIfAborted();
    if (this.free > 0) {
      this.free -= 1;
      return Promise.resolve();
    }
    const queue = urgent ? this.urgent : this.patient;
    return new Promise((resolve, reject) => {
      const turn = () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = () => {
        queue.splice(queue.indexOf(turn), 1);
        reject(abortReason(signal));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      queue.push(turn);
    });
  }

  private release(): void {
    const next = this.urgent.shift() ?? this.patient.shift();
    if (next) next();
    else this.free += 1;
  }
}
