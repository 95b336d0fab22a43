import {
  effectiveHttp,
  preStopBudgetMs,
  durationMs,
  stopGraceMs,
  type ContainerSpec,
  type Hook,
} from '../../api/v1/index.js';
import { AbortScope, orAbort, type Clock } from '../base/index.js';
import { isRunning } from './container-report.js';
import { attemptOf, type ProberOptions } from './health/prober.js';
import type { ProbeOutcome } from './health/probe-outcome.js';
import { targetOf } from './health/probe-target.js';
import type { TaskContainer } from './task-container.js';
import type { Withdrawal } from './withdrawal.js';

/** What every way out needs. */
export interface WayOutSurroundings extends ProberOptions {
  readonly clock: Clock;
  readonly withdrawal: Withdrawal;
}

/** Whose way out it is. */
export interface WayOutTask {
  readonly taskId: string;
  readonly spec: ContainerSpec;
  readonly container: Pick<TaskContainer, 'find' | 'stop'>;
}

/** How the way out is gone. */
export interface WayOutOptions {
  /** Aborts when it is not wanted in this way any more; a hook that has begun goes on. */
  readonly step: AbortSignal;
  /** Aborts when the agent leaves. */
  readonly life: AbortSignal;
  /** Since when it is under way, in milliseconds before now: the agent may have been restarted meanwhile. */
  readonly sinceMs: number;
  /** Resolves when the container ends by itself: nothing is waited for then. */
  readonly ended: (signal: AbortSignal) => Promise<void>;
  /** The hook did not do well; the way goes on. */
  readonly onTrouble: (text: string) => void;
}

/**
 * Stops a task that is out of service: waits until nobody sends it anything, runs its preStop hook, then
 * stop signal, grace, kill. Hook and signal share the stop grace period. May be taken again at any point
 * of it; the hook runs once in the life of an agent.
 */
export class WayOut {
  private hook: Promise<void> | undefined;
  /** What the hook has taken of the grace. */
  private spentMs = 0;

  constructor(
    private readonly around: WayOutSurroundings,
    private readonly task: WayOutTask,
  ) {}

  /** Goes it to the end. Errors: those of the engine, the reason of either signal. */
  async take(options: WayOutOptions): Promise<void> {
    const { taskId, spec, container } = this.task;
    await this.around.withdrawal.withdrawn(taskId, options.step);
    const preStop = spec.hooks?.preStop;
    if (preStop) {
      this.hook ??= this.runHook(preStop, options).catch((error: unknown) => {
        this.hook = undefined; // it has not begun
        throw error;
      });
      await orAbort(this.hook, options.step);
    }
    await container.stop(options.step, stopGraceMs(spec) - this.spentMs);
  }

  /** Rejects only with the reason of the agent's leave, and with the engine's trouble at the first look. */
  private async runHook(hook: Hook, options: WayOutOptions): Promise<void> {
    const { clock } = this.around;
    const budgetMs = preStopBudgetMs(stopGraceMs(this.task.spec));
    const beganMs = clock.monotonicMs() - options.sinceMs;
    const leftMs = budgetMs - options.sinceMs;
    if (leftMs > 0) await this.performUntilEnd(hook, leftMs, options);
    this.spentMs = Math.min(budgetMs, clock.monotonicMs() - beganMs);
  }

  private async performUntilEnd(
    hook: Hook,
    timeoutMs: number,
    { life, ended, onTrouble }: WayOutOptions,
  ): Promise<void> {
    const scope = new AbortScope(life);
    const over = ended(scope.signal).then(
      () => {
        scope.abort();
      },
      () => undefined, // the hook was done first
    );
    try {
      const outcome = await this.perform(hook, { timeoutMs, signal: scope.signal });
      if (outcome.kind === 'failure') onTrouble(`preStop hook failed: ${outcome.output}`);
      if (outcome.kind === 'unknown') onTrouble(`preStop hook not run: ${outcome.why}`);
    } catch (error) {
      if (life.aborted || !scope.signal.aborted) throw error;
    } finally {
      scope.abort();
      scope[Symbol.dispose]();
      await over;
    }
  }

  private async perform(
    { exec, http, sleep }: Hook,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<ProbeOutcome> {
    const container = await this.task.container.find(options.signal);
    if (!container || !isRunning(container)) return { kind: 'success' };
    if (sleep !== undefined) {
      const ms = Math.min(durationMs(sleep, 0), options.timeoutMs);
      await this.around.clock.sleep(ms, options.signal);
      return { kind: 'success' };
    }
    const action = http
      ? ({ kind: 'http', ...effectiveHttp(http) } as const)
      : ({ kind: 'exec', command: exec?.command ?? [] } as const);
    return attemptOf(this.around, action)(targetOf(container), options);
  }
}
