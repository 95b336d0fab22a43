import { abortReason, type Clock } from '../../../pkg/base/index.js';
import type { SimHost } from './sim-host.js';
import type { Happening, Owner, Timeline } from './timeline.js';

/** As Node's: no timer is due sooner. */
const LEAST_SLEEP_MS = 1;

/**
 * A process of a machine. Its code runs only in happenings of its own, so that it can be stopped and killed
 * between any two of them, as a signal does: nothing of it is told, nothing of it cleans up.
 */
export class SimProcess implements Owner {
  readonly clock: Clock;
  private standing: 'running' | 'frozen' | 'dead' = 'running';
  private held: Happening[] = [];
  private readonly deathListeners = new Set<() => void>();

  constructor(
    readonly name: string,
    readonly host: SimHost,
    private readonly timeline: Timeline,
  ) {
    this.clock = new ProcessClock(this, timeline);
  }

  get isDead(): boolean {
    return this.standing === 'dead';
  }

  get isFrozen(): boolean {
    return this.standing === 'frozen';
  }

  /** Runs `work` in this process, `ms` of true time from now. */
  after(ms: number, work: () => void): Happening {
    return this.timeline.after(ms, work, this);
  }

  mayRun(happening: Happening): boolean {
    if (this.standing === 'frozen') this.held.push(happening);
    return this.standing === 'running';
  }

  /** SIGSTOP: what would happen in it happens at {@link thaw}, in order. */
  freeze(): void {
    if (this.standing === 'running') this.standing = 'frozen';
  }

  thaw(): void {
    if (this.standing !== 'frozen') return;
    this.standing = 'running';
    const held = this.held;
    this.held = [];
    for (const happening of held) {
      this.after(0, () => {
        if (!happening.isOver) happening.work(); // or what came before it has cancelled it
      });
    }
  }

  /** SIGKILL. */
  kill(): void {
    if (this.standing === 'dead') return;
    this.standing = 'dead';
    this.held = [];
    for (const listener of this.deathListeners) listener();
    this.deathListeners.clear();
  }

  /** Tells the machine's kernel, not the process, that it died: its connections are closed. */
  onDeath(listener: () => void): () => void {
    this.deathListeners.add(listener);
    return () => this.deathListeners.delete(listener);
  }
}

/** The clocks of a machine, as a process of it reads them. */
class ProcessClock implements Clock {
  constructor(
    private readonly process: SimProcess,
    private readonly timeline: Timeline,
  ) {}

  now(): Date {
    return new Date(this.process.host.wallMs(this.timeline.nowMs));
  }

  monotonicMs(): number {
    return this.process.host.monotonicMs(this.timeline.nowMs);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const { process } = this;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(abortReason(signal));
        return;
      }
      const onAbort = () => {
        timer.cancel();
        reject(abortReason(signal));
      };
      const timer = process.after(Math.max(LEAST_SLEEP_MS, ms) / process.host.rate, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}
