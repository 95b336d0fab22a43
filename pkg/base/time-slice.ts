import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Long enough to get something done, short enough for leases and other requests. */
const SLICE_MS = 10;

/**
 * Divides long work so that the event loop turns in between. Measures the machine's own time: this is
 * about the event loop, not about the time of the domain.
 */
export class TimeSlice {
  private startedMs = performance.now();

  get isSpent(): boolean {
    return performance.now() - this.startedMs >= SLICE_MS;
  }

  /** Lets everybody else run; then a new slice begins. */
  async yield(): Promise<void> {
    await nextTurn();
    this.startedMs = performance.now();
  }
}
