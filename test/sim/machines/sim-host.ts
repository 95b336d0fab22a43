/** How a machine's clocks differ from true time. */
export interface HostClock {
  /** Wall time minus true time, in milliseconds. */
  readonly offsetMs: number;
  /** How fast its time passes; 1 is right. */
  readonly rate: number;
}

/** Wall time at which every world begins. */
export const BEGINNING_MS = Date.UTC(2026, 0, 1);

/** A machine: what runs on it shares its clocks and its network. */
export class SimHost {
  private offsetMs: number;
  readonly rate: number;

  constructor(
    readonly name: string,
    clock: HostClock = { offsetMs: 0, rate: 1 },
  ) {
    this.offsetMs = clock.offsetMs;
    this.rate = clock.rate;
  }

  wallMs(trueMs: number): number {
    return BEGINNING_MS + this.offsetMs + trueMs * this.rate;
  }

  monotonicMs(trueMs: number): number {
    return trueMs * this.rate;
  }

  /** Somebody sets its wall clock; monotonic time goes on as before. */
  setOffset(offsetMs: number): void {
    this.offsetMs = offsetMs;
  }
}
