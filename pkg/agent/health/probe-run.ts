import type { EffectiveProbe } from '../../../api/v1/index.js';
import type { Clock } from '../../base/index.js';
import type { ProbeOutcome } from './probe-outcome.js';
import type { ProbeLane, ProbeScheduler } from './probe-scheduler.js';
import type { ProbeTarget } from './probe-target.js';
import { freshTally, tallied, type ProbeTally, type ProbeVerdict } from './probe-tally.js';
import { attemptOf, type Attempt, type ProberOptions } from './prober.js';

/** What a probe is for. */
export type ProbeName = 'startup' | 'readiness' | 'liveness';

/** What all probes of a node share. */
export interface ProbeSurroundings extends ProberOptions {
  readonly scheduler: ProbeScheduler;
  readonly clock: Clock;
  /** From 0 up to 1; spreads the tries of tasks that began together. */
  random(): number;
  /** Told of every try. */
  readonly onTry?: (probe: ProbeName, outcome: ProbeOutcome['kind'], durationMs: number) => void;
}

/** How a probe begins. */
export interface ProbeRunOptions {
  /** What is believed until a try shows otherwise. */
  readonly believed: ProbeVerdict;
  /** A verdict is new, or there is something new to say about it. */
  onChange(): void;
}

/** What is waited for is tried sooner than its period says, less and less so. */
const EAGER_MS: Readonly<Record<ProbeLane, number>> = { network: 100, exec: 500 };
/** A container that was taken over is tried within this. */
const TAKEN_OVER_MS = 1_000;
/** What a failing probe sees may differ with every try: it is told again no more often than this. */
const RETELL_MS = 60_000;

/** One probe of one container. */
export class ProbeRun {
  private readonly attempt: Attempt;
  private readonly lane: ProbeLane;
  private tally: ProbeTally;
  private tries = 0;
  private isInPhase = false;
  private told = { output: '', atMs: -Infinity };
  private current: { readonly target: ProbeTarget; readonly job: Disposable } | undefined;

  constructor(
    private readonly around: ProbeSurroundings,
    private readonly name: ProbeName,
    private readonly probe: EffectiveProbe,
    private readonly options: ProbeRunOptions,
  ) {
    this.attempt = attemptOf(around, probe.action);
    this.lane = probe.action.kind === 'exec' ? 'exec' : 'network';
    this.tally = freshTally(options.believed);
  }

  /** Whether it was tried at all. */
  get hasTried(): boolean {
    return this.tries > 0;
  }

  get verdict(): ProbeVerdict {
    return this.tally.verdict;
  }

  /** What the last failures got to see, empty when there is nothing to say. */
  get output(): string {
    return this.told.output;
  }

  /** What the very last failure got to see. */
  get lastOutput(): string {
    return this.tally.output;
  }

  /** Begins to try, or goes on with it. Nothing happens when it does so already. */
  start(target: ProbeTarget): void {
    const now = this.current?.target;
    if (now?.containerId === target.containerId && now.host === target.host) return;
    this.halt();
    if (this.isOver) return;
    const job = {
      lane: this.lane,
      attempt: (signal: AbortSignal) => this.tryOnce(target, signal),
    };
    this.current = { target, job: this.around.scheduler.schedule(job, this.firstMs) };
  }

  /** Stops trying; what was found so far stays. */
  halt(): void {
    this.current?.job[Symbol.dispose]();
    this.current = undefined;
  }

  /** Its verdict is final: only readiness changes its mind. */
  private get isOver(): boolean {
    const { verdict } = this.tally;
    if (this.name === 'readiness') return false;
    return verdict === 'failing' || (this.name === 'startup' && verdict === 'passing');
  }

  private get firstMs(): number {
    const { around, probe, name, tally } = this;
    const wait = around.random() * probe.periodMs;
    if (this.tries > 0) return wait; // it was halted for a while
    if (tally.isNew) return probe.initialDelayMs;
    if (name === 'liveness') return probe.initialDelayMs + wait;
    return Math.min(wait, TAKEN_OVER_MS);
  }

  private async tryOnce(target: ProbeTarget, signal: AbortSignal): Promise<number | undefined> {
    const { clock, onTry } = this.around;
    const { timeoutMs } = this.probe;
    const beganMs = clock.monotonicMs();
    const outcome = await this.attempt(target, { timeoutMs, signal });
    signal.throwIfAborted();
    const nowMs = clock.monotonicMs();
    onTry?.(this.name, outcome.kind, nowMs - beganMs);
    this.tries += 1;
    this.note(tallied(this.tally, outcome, this.probe, beganMs), nowMs);
    return this.isOver ? undefined : this.nextMs();
  }

  private note(tally: ProbeTally, nowMs: number): void {
    const before = this.tally.verdict;
    this.tally = tally;
    const isNews = tally.output !== this.told.output;
    const mayTell = this.told.output === '' || nowMs - this.told.atMs >= RETELL_MS;
    const isOther = tally.verdict !== before || (tally.verdict !== 'passing' && isNews && mayTell);
    if (!isOther && this.tries > 1) return;
    this.told = { output: tally.output, atMs: nowMs };
    this.options.onChange();
  }

  private nextMs(): number {
    const { periodMs } = this.probe;
    if (this.tally.isNew) return Math.min(periodMs, EAGER_MS[this.lane] * 2 ** (this.tries - 1));
    if (this.isInPhase) return periodMs;
    this.isInPhase = true;
    return periodMs * this.around.random();
  }
}
