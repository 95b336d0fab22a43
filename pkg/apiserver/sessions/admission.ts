import { BusyError, type Clock } from '../../base/index.js';

/** What an {@link Admission} is made of. */
export interface AdmissionOptions {
  readonly clock: Clock;
  /** How many may be opening at once. Default 50. */
  readonly limit?: number;
  /** Default Math.random. */
  readonly random?: () => number;
}

const DEFAULT_LIMIT = 50;
/** Whoever would wait longer for a turn is told when to come back: its call has a deadline of its own. */
const LONGEST_WAIT_MS = 2_000;
/** Nobody is sent away for longer: a node that is silent is given up soon after. */
const LONGEST_AWAY_MS = 8_000;
const LEAST_AWAY_MS = 1_000;
const JITTER = 0.1;
/** How long one takes, before any was seen. */
const FIRST_GUESS_MS = 20;
/** Weight of the newest in what is known of how long one takes. */
const NEWEST = 0.1;

/** Takes the turn of one that waits. */
type Waiter = (turn: Disposable) => void;

/**
 * Lets things begin one after the other, a few at once, in the order in which they came. A crowd is neither let in
 * as a whole nor sent away as one: the first wait for their turn, and each of the others is told to come back when
 * it will have one, all at different moments.
 */
export class Admission {
  private entered = 0;
  private readonly waiters: Waiter[] = [];
  private meanMs = FIRST_GUESS_MS;
  /** Until then all turns are given away (monotonic). */
  private givenUntilMs = -Infinity;
  private readonly limit: number;
  private readonly random: () => number;

  constructor(
    private readonly what: string,
    private readonly options: AdmissionOptions,
  ) {
    this.limit = options.limit ?? DEFAULT_LIMIT;
    this.random = options.random ?? Math.random;
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.waiters.length;
  }

  /**
   * Resolves when it is its turn; dispose it when what began has begun.
   * Errors: BusyError, which says when to come back; the signal's reason.
   */
  async enter(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.entered < this.limit) return this.admit();
    const waitMs = (this.waiters.length + 1) * this.turnMs;
    if (waitMs > LONGEST_WAIT_MS) {
      throw new BusyError(`too many ${this.what} at once`, this.appointmentMs(waitMs));
    }
    return this.turn(signal);
  }

  /** How long it is from one's turn to the next one's. */
  private get turnMs(): number {
    return this.meanMs / this.limit;
  }

  private turn(signal: AbortSignal): Promise<Disposable> {
    return new Promise((resolve, reject) => {
      const take: Waiter = (turn) => {
        signal.removeEventListener('abort', leave);
        resolve(turn);
      };
      const leave = () => {
        this.waiters.splice(this.waiters.indexOf(take), 1);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.waiters.push(take);
    });
  }

  /** Counts at once, so that nobody takes the turn of one that was just told. */
  private admit(): Disposable {
    this.entered += 1;
    const sinceMs = this.options.clock.monotonicMs();
    let left = false;
    return {
      [Symbol.dispose]: () => {
        if (left) return;
        left = true;
        this.entered -= 1;
        this.meanMs += NEWEST * (this.options.clock.monotonicMs() - sinceMs - this.meanMs);
        this.waiters.shift()?.(this.admit());
      },
    };
  }

  /** After all that wait, and after all that were told to come back before. */
  private appointmentMs(waitMs: number): number {
    const nowMs = this.options.clock.monotonicMs();
    const latestMs = nowMs + LONGEST_AWAY_MS;
    this.givenUntilMs = Math.min(
      latestMs,
      Math.max(this.givenUntilMs, nowMs + waitMs) + this.turnMs,
    );
    const awayMs = (this.givenUntilMs - nowMs) * (1 + JITTER * (2 * this.random() - 1));
    return Math.max(LEAST_AWAY_MS, awayMs);
  }
}
