/** How a {@link Pacer} spaces runs. */
export interface PacerOptions {
  /** Least time from the start of a run to the start of the next. */
  readonly minIntervalMs: number;
  /** A run that took `c` is followed by a pause of at least this many times `c`. */
  readonly costFactor: number;
  /** No pause is longer. */
  readonly maxIntervalMs: number;
}

interface LastRun {
  readonly startedMs: number;
  readonly costMs: number;
}

/**
 * Spaces the runs of one job, so that a burst of reasons to run is answered by few runs, and expensive
 * ones take a bounded share of the time. The first run after a quiet time is never held up.
 */
export class Pacer {
  private last: LastRun | undefined;

  constructor(private readonly options: PacerOptions) {}

  /** How long to wait before the next run; 0 when it may start. Monotonic milliseconds. */
  waitMs(nowMs: number): number {
    if (!this.last) return 0;
    const { minIntervalMs, costFactor, maxIntervalMs } = this.options;
    const { startedMs, costMs } = this.last;
    const intervalMs = Math.min(maxIntervalMs, Math.max(minIntervalMs, costMs * costFactor));
    return Math.max(0, startedMs + intervalMs - nowMs);
  }

  /** Notes a run. */
  ran(startedMs: number, endedMs: number): void {
    this.last = { startedMs, costMs: endedMs - startedMs };
  }
}
