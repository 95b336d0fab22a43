import {
  desiredRank,
  isTerminal,
  stateRank,
  type Assignment,
  type DesiredState,
  type RevisionTemplate,
  type TaskReport,
  type TaskState,
} from '../../api/v1/index.js';
import {
  AbortScope,
  SwarmError,
  UnavailableError,
  backoffMs,
  isRecoverable,
  messageOf,
  type BackoffOptions,
  type Clock,
} from '../base/index.js';
import { ImagePullError, type ContainerInspection } from '../engine/index.js';
import { endOf, factsOf, isRunning, type TaskEnd } from './container-report.js';
import { reasonOf } from './failure.js';
import type { ProbeSurroundings } from './health/probe-run.js';
import { TaskHealth, type LeaveReason } from './health/task-health.js';
import { TaskContainer, type ContainerSurroundings } from './task-container.js';
import { nextStep, type TaskStep } from './task-step.js';
import { Wake } from './wake.js';
import { WayOut } from './way-out.js';
import type { Withdrawal } from './withdrawal.js';

/** What every task of a node shares. */
export interface TaskSurroundings extends ContainerSurroundings {
  readonly clock: Clock;
  readonly probes: ProbeSurroundings;
  readonly withdrawal: Withdrawal;
  /** Takes the newest report of a task; must not block. */
  report(taskId: string, report: TaskReport): void;
}

/** A task as it is assigned. */
export interface TaskOrder {
  readonly assignment: Assignment;
  readonly template: RevisionTemplate;
}

/** What is known of a task from before: its container as it stands, what was last reported. */
export interface TaskPast {
  readonly container?: ContainerInspection | undefined;
  readonly report?: TaskReport | undefined;
}

/** A step that fails for now is tried again after this, doubling. */
const RETRY = { initialMs: 200, maxMs: 10_000 };
/** A registry out of reach is asked so often before the task is rejected and its restart policy decides. */
const PULL_ATTEMPTS = 3;
const PULL_RETRY = { initialMs: 1_000, maxMs: 10_000 };
/** Progress of one task is told no more often than this. */
const PROGRESS_MS = 1_000;

/**
 * Brings one task from assignment to its end, one step at a time (swarm-semantics 2.2). It never restarts
 * a container: a task is one run.
 */
export class TaskRunner {
  readonly assignment: Assignment;
  private readonly container: TaskContainer;
  private readonly health: TaskHealth;
  private readonly wayOut: WayOut;
  private desired: DesiredState;
  private latest: TaskReport;
  private attempts = 0;
  private progressAtMs = -Infinity;
  /** What the last inspect showed is still true as far as is known. */
  private isUpToDate = false;
  /** Nothing was reported yet. */
  private isSilent = false;
  private current: TaskStep = 'rest';
  private readonly wake = new Wake();
  private readonly life = new AbortScope();
  private step = new AbortScope(this.life.signal);
  private loop: Promise<void> = Promise.resolve();

  constructor(
    private readonly around: TaskSurroundings,
    { assignment, template }: TaskOrder,
    past: TaskPast = {},
  ) {
    this.assignment = assignment;
    this.desired = assignment.desiredState;
    this.container = new TaskContainer(around, assignment, template, past.container?.id);
    const spec = template.task.container;
    const isTakenOver = past.container?.startedAt !== undefined;
    this.health = new TaskHealth(around.probes, spec, { ...past, isTakenOver }, () => {
      this.wake.notify();
    });
    const { withdrawal, clock, probes } = around;
    this.wayOut = new WayOut(
      { ...probes, withdrawal, clock },
      { taskId: assignment.taskId, spec, container: this.container },
    );
    this.latest =
      past.report ?? this.stamped({ state: 'accepted', message: 'accepted by the node' });
    if (past.container) this.adopt(past.container);
  }

  /** The newest report. */
  get report(): TaskReport {
    return this.latest;
  }

  /** The container of this task, as far as is known. */
  get containerId(): string | undefined {
    return this.container.knownId ?? this.latest.containerId;
  }

  /** Begins to work; reports as soon as it is sure, so that the manager knows where the task stands. */
  start(): void {
    // What has ended is sure, and maybe was told to nobody yet.
    this.isSilent = this.health.isUnsure && !isTerminal(this.latest.state);
    if (!this.isSilent) this.around.report(this.assignment.taskId, this.latest);
    this.loop = this.run();
  }

  /** The manager wants something else. Cuts short what is no longer wanted; it only goes forward. */
  setDesired(desired: DesiredState): void {
    if (desiredRank(desired) <= desiredRank(this.desired)) return;
    this.desired = desired;
    if (desiredRank(desired) >= desiredRank('shutdown') && this.current !== 'stop') {
      this.step.abort(new Error('the task is to be stopped'));
    }
    this.wake.notify();
  }

  /** Something may have happened to the container: look. */
  lookAgain(): void {
    this.isUpToDate = false;
    this.wake.notify();
  }

  /** Stops working without touching the container: the agent goes away, the task goes on. */
  async release(): Promise<void> {
    this.health.halt();
    this.life.abort(new Error('the agent lets go of the task'));
    await this.loop;
  }

  /** Stops working and removes the container, running or not. Errors: those of the engine. */
  async remove(signal: AbortSignal): Promise<void> {
    await this.release();
    await this.container.remove(signal);
  }

  private async run(): Promise<void> {
    while (!this.life.signal.aborted) {
      this.step[Symbol.dispose]();
      this.step = new AbortScope(this.life.signal);
      // Nothing is awaited between this look and the step's begin, so that no change is missed.
      this.current = nextStep(this.latest.state, this.desired);
      try {
        await this.perform(this.current);
        this.attempts = 0;
      } catch (error) {
        if (!this.step.signal.aborted) await this.failed(error);
      }
    }
    this.step[Symbol.dispose]();
  }

  private perform(step: TaskStep): Promise<void> {
    switch (step) {
      case 'prepare':
        return this.prepare();
      case 'start':
        return this.begin();
      case 'watch':
        return this.watch();
      case 'stop':
        return this.stop();
      case 'rest':
        return this.wake.wait(this.life.signal);
    }
  }

  private get signals() {
    return { step: this.step.signal, life: this.life.signal };
  }

  private async prepare(): Promise<void> {
    if (this.latest.state !== 'preparing') this.tell({ state: 'preparing', message: 'preparing' });
    const found = await this.createContainer();
    if (!found) this.tell({ state: 'ready', message: 'ready to start' });
  }

  private async createContainer(): Promise<ContainerInspection | undefined> {
    const found = await this.container.create(this.signals, (message) => {
      this.tellProgress(message);
    });
    if (found) {
      this.adopt(found);
      this.tell({});
    }
    return found;
  }

  /** Takes over a container as it is; the next step looks whether it still runs and is healthy. */
  private adopt(found: ContainerInspection): void {
    if (isTerminal(this.latest.state)) return;
    const [state, message] =
      found.startedAt === undefined
        ? (['ready', 'ready to start'] as const)
        : (['starting', 'found as it was'] as const);
    const later = stateRank(this.latest.state) > stateRank(state);
    const stands = later ? {} : { state, message };
    this.latest = this.stamped({ ...withoutError(this.latest), ...stands, ...factsOf(found) });
  }

  private async begin(): Promise<void> {
    const resumed = this.latest.state === 'starting';
    if (!resumed && this.container.knownId === undefined) {
      // It was ready before the agent restarted, and never ran: somebody removed it meanwhile.
      if (await this.createContainer()) return;
    }
    const before = resumed ? await this.container.inspect(this.step.signal) : undefined;
    if (!resumed) this.tell({ state: 'starting', message: 'starting' });
    if (before?.startedAt === undefined) await this.container.start(this.signals);
    await this.becomeRunning();
  }

  /** A task runs once its health check and its startup probe, where it has them, have passed. */
  private async becomeRunning(): Promise<void> {
    for (;;) {
      const container = await this.look();
      if (!container) return;
      const isHealthy = container.health === undefined || container.health.state === 'healthy';
      const wait = isHealthy ? this.health.startupWait : 'waiting for the health check';
      if (wait === undefined) {
        this.health.follow(container, 'running');
        this.isSilent = this.health.isUnsure;
        this.note({ state: 'running', message: this.runningWords, ...factsOf(container) });
        if (!this.isSilent) this.around.report(this.assignment.taskId, this.latest);
        return;
      }
      if (wait !== this.latest.message) this.tell({ message: wait, ...factsOf(container) });
      await this.wake.wait(this.step.signal);
    }
  }

  private async watch(): Promise<void> {
    if (!this.isUpToDate || this.health.failure !== undefined) {
      const container = await this.look();
      if (!container) return;
      if (container.health?.state !== this.latest.health || this.latest.error !== undefined) {
        this.tell({ message: this.runningWords, ...factsOf(container) });
      }
    }
    if (this.isSilent ? !this.health.isUnsure : !this.health.isTold(this.latest)) {
      this.tell({ message: this.runningWords });
    }
    await this.wake.wait(this.step.signal);
  }

  private get runningWords(): string {
    const { unready } = this.health.standing;
    return unready === undefined ? 'running' : `not ready: ${unready.message}`;
  }

  /** The container while it runs and may be healthy; otherwise the task's end was told. */
  private async look(): Promise<ContainerInspection | undefined> {
    this.isUpToDate = true;
    const container = await this.inspected();
    if (container.state === 'created') {
      throw new UnavailableError('the engine has not started the container');
    }
    if (!isRunning(container)) {
      this.finish(container, endOf(container));
      return undefined;
    }
    const { state } = this.latest;
    this.health.follow(container, state === 'running' ? state : 'starting');
    const trouble = unhealthyWords(container) ?? this.health.failure;
    if (trouble === undefined) return container;
    await this.stopUnhealthy(trouble, container);
    return undefined;
  }

  private async inspected(): Promise<ContainerInspection> {
    try {
      return await this.container.inspect(this.step.signal);
    } catch (error) {
      this.isUpToDate = false;
      throw error;
    }
  }

  private async stopUnhealthy(text: string, container: ContainerInspection): Promise<void> {
    this.isUpToDate = false;
    this.tellLeaving('Unhealthy', text, container);
    await this.leave();
    const after = await this.container.inspect(this.step.signal);
    this.finish(after, { state: 'failed', reason: 'Unhealthy', message: text, error: text });
  }

  private async stop(): Promise<void> {
    const { signal } = this.step;
    if (this.container.knownId === undefined && !(await this.container.find(signal))) {
      this.tell({ state: 'shutdown', message: 'stopped; it has no container' });
      return;
    }
    this.tellLeaving('Stopping', 'it is being stopped');
    await this.leave();
    const after = await this.container.find(signal);
    this.tell({ state: 'shutdown', message: 'stopped', ...(after && factsOf(after)) });
  }

  /** Out of service first, so that nobody sends it anything any more. */
  private tellLeaving(reason: LeaveReason, why: string, container?: ContainerInspection): void {
    this.health.leave(reason, why);
    const message = reason === 'Stopping' ? 'stopping' : `stopping: ${why}`;
    this.tell({ message, ...(container && factsOf(container)) });
  }

  /** The container's way out, from wherever it is. */
  private leave(): Promise<void> {
    const { clock } = this.around;
    const leftAt = this.health.leftAt ?? clock.now().toISOString();
    return this.wayOut.take({
      ...this.signals,
      sinceMs: Math.max(0, clock.now().getTime() - Date.parse(leftAt)),
      ended: (signal) => this.containerEnded(signal),
      onTrouble: (text) => {
        this.around.log.warn({ taskId: this.assignment.taskId, reason: text }, 'preStop hook');
        this.tell({ message: 'stopping', reason: 'PreStopFailed', error: text });
      },
    });
  }

  /** Resolves when the container is seen to have ended while it is left alone. Errors: the signal's reason. */
  private async containerEnded(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.wake.wait(signal);
      const found = await this.container.find(signal).catch(() => 'unknown' as const);
      if (found === undefined || (found !== 'unknown' && !isRunning(found))) return;
    }
  }

  private finish(container: ContainerInspection, end: TaskEnd): void {
    this.tell({ ...factsOf(container), ...end });
  }

  private async failed(error: unknown): Promise<void> {
    this.attempts += 1;
    const text = messageOf(error);
    if (this.mayRetry(error)) {
      this.tell({ message: `trying again: ${text}`, error: text });
      await this.pause(error instanceof ImagePullError ? PULL_RETRY : RETRY);
      return;
    }
    const began = stateRank(this.latest.state) >= stateRank('starting');
    const [reason, state]: [string, TaskState] = [reasonOf(error), began ? 'failed' : 'rejected'];
    const { taskId } = this.assignment;
    // The stack of what the engine or a registry refused tells nobody anything.
    const trouble = error instanceof SwarmError ? { error: text } : { error };
    this.around.log.warn({ taskId, reason, ...trouble }, 'task failed');
    this.tell({ state, reason, message: text, error: text });
  }

  /** Stopping is never given up: whoever wants the task stopped cannot do without. */
  private mayRetry(error: unknown): boolean {
    if (this.current === 'stop') return true;
    if (!isRecoverable(error)) return false;
    return !(error instanceof ImagePullError) || this.attempts < PULL_ATTEMPTS;
  }

  /** Until it is time to try again, or the task is wanted otherwise. */
  private async pause(backoff: BackoffOptions): Promise<void> {
    try {
      await this.around.clock.sleep(backoffMs(backoff, this.attempts), this.step.signal);
    } catch {
      // The loop sees what changed.
    }
  }

  private tellProgress(message: string): void {
    const nowMs = this.around.clock.monotonicMs();
    if (nowMs - this.progressAtMs < PROGRESS_MS) return;
    this.progressAtMs = nowMs;
    this.tell({ message });
  }

  private tell(change: Partial<TaskReport>): void {
    this.isSilent = false;
    this.note(change);
    this.around.report(this.assignment.taskId, this.latest);
  }

  private note(change: Partial<TaskReport>): void {
    const containerId = this.container.knownId;
    this.latest = this.stamped({
      ...withoutError(this.latest),
      ...(containerId !== undefined && { containerId }),
      ...change,
    });
    if (isTerminal(this.latest.state)) this.health.halt();
  }

  private stamped(report: Omit<TaskReport, 'at'>): TaskReport {
    const { pid, ready: _ready, readySince: _since, unready: _unready, ...rest } = report;
    const at = this.around.clock.now().toISOString();
    return {
      ...rest,
      // What has ended has no process any more.
      ...(pid !== undefined && !isTerminal(report.state) && { pid }),
      ...(report.state === 'running' && this.health.standing),
      at,
    };
  }
}

/** What the engine's own health check has against a container. */
function unhealthyWords({ health }: ContainerInspection): string | undefined {
  if (health?.state !== 'unhealthy') return undefined;
  const output = health.lastOutput?.trim() ?? '';
  return `unhealthy container${output === '' ? '' : `: ${output}`}`;
}

/** Progress ends an earlier trouble. */
function withoutError({ error: _error, reason: _reason, ...rest }: TaskReport) {
  return rest;
}
