import { setMaxListeners } from 'node:events';
import type { Clock } from '../../base/index.js';

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
}

/** Made once: an abort without a reason would take a stack trace each time. */
const OVER = new Error('no longer needed');

interface Entry {
  readonly job: ProbeJob;
  readonly life: AbortController;
  dueMs: number;
}

class Lane {
  /** Those that wait, the earliest first: a few hundred, so that inserting is cheap. */
  private readonly waiting: Entry[] = [];
  private underWay = 0;
  private armedForMs = Infinity;
  private sleeper = new AbortController();

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
    const life = new AbortController();
    // Commands of the engine add listeners of their own for each of their parts.
    setMaxListeners(0, life.signal);
    const entry = { job, life, dueMs: this.clock.monotonicMs() + firstMs };
    this.insert(entry);
    return {
      [Symbol.dispose]: () => {
        life.abort(OVER);
        const index = this.waiting.indexOf(entry);
        if (index !== -1) this.waiting.splice(index, 1);
        if (this.waiting.length === 0) this.disarm();
      },
    };
  }

  /** Sees to it that the timer goes off when the earliest is due; with no turn free the end of a try will. */
  private arm(): void {
    const [next] = this.waiting;
    if (!next || this.underWay >= this.width || this.armedForMs <= next.dueMs) return;
    this.disarm();
    this.armedForMs = next.dueMs;
    const ms = Math.max(0, next.dueMs - this.clock.monotonicMs());
    this.clock.sleep(ms, this.sleeper.signal).then(
      () => {
        this.armedForMs = Infinity;
        this.beginDue();
      },
      () => undefined, // disarmed
    );
  }

  private disarm(): void {
    if (this.armedForMs === Infinity) return;
    this.armedForMs = Infinity;
    this.sleeper.abort(OVER);
    this.sleeper = new AbortController();
  }

  private beginDue(): void {
    const nowMs = this.clock.monotonicMs();
    const free = this.width - this.underWay;
    const due = this.waiting.splice(0, Math.min(free, this.indexAfter(nowMs)));
    for (const entry of due) void this.attempt(entry);
    this.arm();
  }

  /** Never rejects. */
  private async attempt(entry: Entry): Promise<void> {
    const beganMs = this.clock.monotonicMs();
    this.underWay += 1;
    const nextMs = await entry.job.attempt(entry.life.signal).catch(() => undefined);
    this.underWay -= 1;
    if (nextMs !== undefined && !entry.life.signal.aborted) {
      entry.dueMs = Math.max(beganMs + nextMs, this.clock.monotonicMs());
      this.insert(entry);
    } else {
      this.arm(); // there is a turn to give
    }
  }

  private insert(entry: Entry): void {
    this.waiting.splice(this.indexAfter(entry.dueMs), 0, entry);
    this.arm();
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
