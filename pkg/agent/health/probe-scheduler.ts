import { AbortScope, type Clock } from '../../base/index.js';
import { Wake } from '../wake.js';

/**
 * What a probe costs: `network` tries wait for answers and little else, `exec` tries start a process each,
 * which keeps the engine busy.
 */
export type ProbeLane = 'network' | 'exec';

/** Something to be tried now and then. */
export interface ProbeJob {
  readonly lane: ProbeLane;
  /**
   * Makes one try. Resolves to how long after its begin the next one is due, in milliseconds; undefined:
   * never. Must not reject but for the signal's reason.
   */
  attempt(signal: AbortSignal): Promise<number | undefined>;
}

/** How many tries of a lane may be under way at once; more wait for their turn. */
export type LaneWidths = Readonly<Record<ProbeLane, number>>;

const DEFAULT_WIDTHS: LaneWidths = { network: 64, exec: 4 };

/**
 * Runs the probes of all tasks of a node: one timer for each lane, however many there are. A try's
 * deadline begins with the try, so that a crowded lane makes probes late and never makes them fail.
 */
export class ProbeScheduler {
  private readonly lanes: Readonly<Record<ProbeLane, Lane>>;

  constructor(clock: Clock, widths: LaneWidths = DEFAULT_WIDTHS) {
    this.lanes = {
      network: new Lane(clock, widths.network),
      exec: new Lane(clock, widths.exec),
    };
  }

  /** Begins to try a job in `firstMs`; disposing of the result ends that, and a try that is under way. */
  schedule(job: ProbeJob, firstMs: number): Disposable {
    return this.lanes[job.lane].add(job, firstMs);
  }

  /** How many probes there are, and how many of them wait for their turn. */
  counts(): { readonly scheduled: number; readonly late: number } {
    const lanes = Object.values(this.lanes);
    return {
      scheduled: lanes.reduce((sum, { size }) => sum + size, 0),
      late: lanes.reduce((sum, { late }) => sum + late, 0),
    };
  }

  /** Works until the signal aborts; rejects with its reason. */
  run(signal: AbortSignal): Promise<never> {
    return Promise.race([this.lanes.network.run(signal), this.lanes.exec.run(signal)]);
  }
}

interface Entry {
  readonly job: ProbeJob;
  readonly scope: AbortScope;
  dueMs: number;
}

class Lane {
  /** Those that wait, the earliest first: a few hundred, so that inserting is cheap. */
  private readonly waiting: Entry[] = [];
  private underWay = 0;
  private readonly wake = new Wake();

  constructor(
    private readonly clock: Clock,
    private readonly width: number,
  ) {}

  get size(): number {
    return this.waiting.length + this.underWay;
  }

  get late(): number {
    return this.underWay < this.width ? 0 : this.indexAfter(this.clock.monotonicMs());
  }

  add(job: ProbeJob, firstMs: number): Disposable {
    const scope = new AbortScope();
    const entry = { job, scope, dueMs: this.clock.monotonicMs() + firstMs };
    this.insert(entry);
    return {
      [Symbol.dispose]: () => {
        scope.abort();
        const index = this.waiting.indexOf(entry);
        if (index !== -1) this.waiting.splice(index, 1);
      },
    };
  }

  async run(signal: AbortSignal): Promise<never> {
    for (;;) {
      this.beginDue();
      const [next] = this.waiting;
      // With no turn free, the end of a try wakes it.
      if (!next || this.underWay >= this.width) await this.wake.wait(signal);
      else await this.wake.waitAtMost(next.dueMs - this.clock.monotonicMs(), this.clock, signal);
    }
  }

  private beginDue(): void {
    const nowMs = this.clock.monotonicMs();
    const free = this.width - this.underWay;
    const due = this.waiting.splice(0, Math.min(free, this.indexAfter(nowMs)));
    for (const entry of due) void this.attempt(entry);
  }

  /** Never rejects. */
  private async attempt(entry: Entry): Promise<void> {
    const beganMs = this.clock.monotonicMs();
    this.underWay += 1;
    const nextMs = await entry.job.attempt(entry.scope.signal).catch(() => undefined);
    this.underWay -= 1;
    if (nextMs === undefined || entry.scope.signal.aborted) {
      this.wake.notify();
      return;
    }
    entry.dueMs = Math.max(beganMs + nextMs, this.clock.monotonicMs());
    this.insert(entry);
  }

  private insert(entry: Entry): void {
    const index = this.indexAfter(entry.dueMs);
    this.waiting.splice(index, 0, entry);
    // Only the head decides when to look next; a lane that was full has a turn to give.
    if (index === 0 || this.underWay === this.width - 1) this.wake.notify();
  }

  /** How many are due at an instant. */
  private indexAfter(ms: number): number {
    let [low, high] = [0, this.waiting.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.waiting[middle]?.dueMs ?? Infinity) <= ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
