import type { Clock } from '../base/index.js';

/** Time that moves only when the forecast lets it. */
export class ForecastClock implements Clock {
  private elapsedMs = 0;

  /** `startMs`: milliseconds since 1970. */
  constructor(private readonly startMs: number) {}

  now(): Date {
    return new Date(this.startMs + this.elapsedMs);
  }

  monotonicMs(): number {
    return this.elapsedMs;
  }

  /** Nobody sleeps in a forecast: reconcilers say when they want to be asked again. */
  sleep(): Promise<void> {
    return Promise.reject(new Error('there is no sleeping in a forecast'));
  }

  /** To an instant of {@link monotonicMs}; never back. */
  advanceTo(ms: number): void {
    this.elapsedMs = Math.max(this.elapsedMs, ms);
  }
}
