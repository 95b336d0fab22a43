/** Bounds of a {@link TokenBucket}. */
export interface TokenBucketOptions {
  readonly ratePerSecond: number;
  readonly burst: number;
  /** Monotonic milliseconds at the start. */
  readonly nowMs: number;
}

/** Allows `burst` at once and `ratePerSecond` over a long time. */
export class TokenBucket {
  private tokens: number;
  private filledMs: number;

  constructor(private readonly options: TokenBucketOptions) {
    this.tokens = options.burst;
    this.filledMs = options.nowMs;
  }

  /** Takes one, if there is one. */
  take(nowMs: number): boolean {
    const { ratePerSecond, burst } = this.options;
    const gained = ((nowMs - this.filledMs) / 1000) * ratePerSecond;
    this.tokens = Math.min(burst, this.tokens + gained);
    this.filledMs = nowMs;
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }
}
