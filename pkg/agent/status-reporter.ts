import type { HistoryLost, NodeDescription, TaskReport } from '../../api/v1/index.js';
import {
  BusyError,
  UnavailableError,
  backoffMs,
  hasCode,
  isRecoverable,
  messageOf,
  type Clock,
} from '../base/index.js';
import type { SessionConnection } from '../client/index.js';
import type { Logger } from '../log/index.js';
import { Wake } from './wake.js';

/** What a report goes through. */
export type ReportChannel = Pick<SessionConnection, 'opened' | 'report'>;

/** What the agent vouches for with every report. */
export interface Vouched {
  readonly engineHealthy: boolean;
  readonly engineMessage?: string;
  /** Set while the node is frozen. */
  readonly historyLost?: HistoryLost;
  readonly description: NodeDescription;
}

/** What a reporter needs. */
export interface ReporterOptions {
  readonly clock: Clock;
  readonly log: Logger;
  vouch(): Vouched;
  /** True while more tasks are to be started than the engine is given at once. */
  isStarting(): boolean;
  /** Told of every batch. */
  onFlush?(outcome: 'success' | 'error'): void;
}

/**
 * Requests are so far apart: what comes meanwhile goes together. As long as a manager answers quickly, each
 * step of an update need not wait for the next; one that takes its time is asked less.
 */
const GATHER_MS = { least: 10, most: 50 } as const;
/**
 * How long a report may wait for others to travel with. Managers, etcd and everybody who watches pay for
 * every request and every report, and share the machine with the engine more often than not.
 */
const PATIENCE_MS = {
  /** A task ended, changed while it ran, or runs and no other waits for the engine: somebody waits for this. */
  none: 0,
  /** People like to see it. */
  some: 250,
  /** A task runs that nothing can wait for but the last of those that still wait for the engine. */
  much: 500,
  /** The task will most likely be further by then, and this be nobody's news. */
  most: 1_000,
} as const;
/** As many reports as one request may hold. */
const BATCH = 1_000;
const RETRY = { initialMs: 100, maxMs: 2_000 };
/** A manager that takes no report for so many heartbeats is given up. */
const PATIENCE_HEARTBEATS = 2;

/** A report that is to be sent. */
interface Due {
  readonly report: TaskReport;
  /** When, on the monotonic clock. */
  readonly byMs: number;
}

/**
 * Sends the newest report of each task, and a heartbeat when there is nothing to say. One request is
 * under way at a time; what could not be delivered is sent again, also in the next session.
 */
export class StatusReporter {
  private readonly latest = new Map<string, TaskReport>();
  private readonly due = new Map<string, Due>();
  private readonly wake = new Wake();
  /** The loop wakes by itself then. */
  private wakesAtMs = -Infinity;
  private sentVouch = '';
  private sentDescription = '';

  constructor(private readonly options: ReporterOptions) {}

  /** Newest report of each task. */
  get reports(): ReadonlyMap<string, TaskReport> {
    return this.latest;
  }

  /** Takes a task's newest report; never waits. */
  report(taskId: string, report: TaskReport): void {
    const patienceMs = this.patienceMs(report, this.latest.get(taskId));
    this.latest.set(taskId, report);
    const byMs = Math.min(
      this.options.clock.monotonicMs() + patienceMs,
      this.due.get(taskId)?.byMs ?? Infinity,
    );
    this.due.set(taskId, { report, byMs });
    if (byMs < this.wakesAtMs) this.wake.notify();
  }

  /** The task is gone from this node. */
  forget(taskId: string): void {
    this.latest.delete(taskId);
    this.due.delete(taskId);
  }

  /** What is vouched for may have changed. */
  nudge(): void {
    this.wake.notify();
  }

  /**
   * Serves one session until it ends. `described` is what the session was opened with.
   * Errors: the signal's reason; NotFoundError, NodeRemovedError and UnavailableError end the session.
   */
  async serve(channel: ReportChannel, described: Vouched, signal: AbortSignal): Promise<never> {
    const { clock } = this.options;
    this.sentDescription = JSON.stringify(described.description);
    this.sentVouch = vouchKey(described);
    let beatAtMs = clock.monotonicMs();
    for (const [taskId, report] of this.latest) this.due.set(taskId, { report, byMs: beatAtMs });
    let { heartbeatMs } = channel.opened;
    let limit = BATCH;
    for (;;) {
      this.wakesAtMs = Math.min(this.dueAtMs(), beatAtMs + heartbeatMs);
      const restMs = this.wakesAtMs - clock.monotonicMs();
      if (restMs > 0) {
        await this.wake.waitAtMost(restMs, clock, signal);
        continue;
      }
      const beganAtMs = clock.monotonicMs();
      const sent = await this.flush(channel, { limit, heartbeatMs, signal });
      beatAtMs = clock.monotonicMs();
      limit = sent.limit;
      heartbeatMs = sent.heartbeatMs;
      await clock.sleep(gatherMs(beatAtMs - beganAtMs), signal);
    }
  }

  private patienceMs({ state, error, health }: TaskReport, before: TaskReport | undefined): number {
    switch (state) {
      case 'accepted':
      case 'preparing':
        return PATIENCE_MS.some;
      case 'ready':
      case 'starting':
        return error === undefined && health === undefined ? PATIENCE_MS.most : PATIENCE_MS.some;
      case 'running':
        // What comes after the first such report is about its service: nobody should be sent to it, say.
        return before?.state !== 'running' && this.options.isStarting()
          ? PATIENCE_MS.much
          : PATIENCE_MS.none;
      default:
        return PATIENCE_MS.none;
    }
  }

  /** When the next request has to be sent, heartbeats aside. */
  private dueAtMs(): number {
    if (vouchKey(this.options.vouch()) !== this.sentVouch) return -Infinity;
    let atMs = Infinity;
    for (const { byMs } of this.due.values()) atMs = Math.min(atMs, byMs);
    return atMs;
  }

  /** What has to be sent, and what would have to be soon. */
  private batch(limit: number): readonly (readonly [string, TaskReport])[] {
    const untilMs = this.options.clock.monotonicMs() + PATIENCE_MS.much;
    return [...this.due]
      .filter(([, { byMs }]) => byMs <= untilMs)
      .slice(0, limit)
      .map(([taskId, { report }]) => [taskId, report]);
  }

  private async flush(
    channel: ReportChannel,
    { limit, heartbeatMs, signal }: FlushOptions,
  ): Promise<{ readonly limit: number; readonly heartbeatMs: number }> {
    const batch = this.batch(limit);
    try {
      const answer = await this.deliver(channel, batch, { limit, heartbeatMs, signal });
      this.options.onFlush?.('success');
      this.settle(batch);
      for (const { taskId, reason } of answer.refused) {
        this.options.log.info({ taskId, reason }, 'a report was refused');
      }
      return { limit: BATCH, heartbeatMs: answer.heartbeatMs };
    } catch (error) {
      signal.throwIfAborted();
      this.options.onFlush?.('error');
      if (!isIndigestible(error)) throw error;
      return { limit: this.isolate(batch, error), heartbeatMs };
    }
  }

  /** One report of a batch is not understood: finds it, one at a time, and drops it. */
  private isolate(batch: readonly (readonly [string, TaskReport])[], error: unknown): number {
    if (batch.length > 1) return 1;
    this.options.log.error({ taskId: batch[0]?.[0], error }, 'a report was not understood');
    this.settle(batch);
    return BATCH;
  }

  /** Until it is accepted, or the manager seems to be gone. */
  private async deliver(
    channel: ReportChannel,
    batch: readonly (readonly [string, TaskReport])[],
    { heartbeatMs, signal }: FlushOptions,
  ) {
    const { clock, log } = this.options;
    const untilMs = clock.monotonicMs() + heartbeatMs * PATIENCE_HEARTBEATS;
    for (let attempt = 1; ; attempt += 1) {
      const vouched = this.options.vouch();
      try {
        const answer = await channel.report(this.bodyOf(vouched, batch), {
          signal,
          timeoutMs: heartbeatMs,
        });
        this.sentVouch = vouchKey(vouched);
        this.sentDescription = JSON.stringify(vouched.description);
        return answer;
      } catch (error) {
        if (!isRecoverable(error)) throw error;
        if (clock.monotonicMs() >= untilMs) throw lost(error);
        log.debug({ error }, 'a report could not be delivered, trying again');
        await clock.sleep(pauseMs(error, attempt), signal);
      }
    }
  }

  private bodyOf(vouched: Vouched, batch: readonly (readonly [string, TaskReport])[]) {
    const { description, ...others } = vouched;
    const isNew = JSON.stringify(description) !== this.sentDescription;
    const tasks = batch.map(([taskId, report]) => ({ taskId, report }));
    return { ...others, ...(isNew && { description }), tasks };
  }

  /** Delivered, unless something newer came meanwhile. */
  private settle(batch: readonly (readonly [string, TaskReport])[]): void {
    for (const [taskId, report] of batch) {
      if (this.due.get(taskId)?.report === report) this.due.delete(taskId);
    }
  }
}

interface FlushOptions {
  readonly limit: number;
  readonly heartbeatMs: number;
  readonly signal: AbortSignal;
}

/** As long as the last request took. */
const gatherMs = (requestMs: number): number =>
  Math.min(GATHER_MS.most, Math.max(GATHER_MS.least, requestMs));

const vouchKey = (vouched: Vouched): string => JSON.stringify(vouched);

const lost = (cause: unknown) =>
  new UnavailableError(`the manager takes no reports: ${messageOf(cause)}`, { cause });

const pauseMs = (error: unknown, attempt: number): number =>
  Math.max(backoffMs(RETRY, attempt), error instanceof BusyError ? error.retryAfterMs : 0);

/** The request itself was refused: sending the same again will not help. */
const isIndigestible = (error: unknown): boolean =>
  ['ERR_INVALID_OBJECT', 'ERR_BAD_REQUEST', 'ERR_TOO_LARGE', 'ERR_INTERNAL'].some((code) =>
    hasCode(error, code),
  );
