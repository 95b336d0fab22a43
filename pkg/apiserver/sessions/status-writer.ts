import type { StatusReport } from '../../../api/v1/index.js';
import { UnavailableError, hasCode, messageOf, type Clock } from '../../base/index.js';
import type { EventRecorder } from '../../events/index.js';
import type { Logger } from '../../log/index.js';
import { absent, atVersion, puts, type World } from '../../objects/index.js';
import type { Compare, Keys, Operation, Store } from '../../store/index.js';
import type { LiveSession } from './live-session.js';
import { eventOfReport } from './report-events.js';
import { judgeReport, statusOf, type TaskFacts } from './report-rules.js';
import { SessionFence, type SessionFenceOptions } from './session-fence.js';

/** What the writer works with. */
export interface StatusWriterOptions {
  readonly world: World;
  readonly store: Store;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: EventRecorder;
  /** See {@link SessionFenceOptions.onFenced}. */
  readonly onFenced: SessionFenceOptions['onFenced'];
}

type Report = StatusReport['tasks'][number];

interface Pending {
  readonly session: LiveSession;
  readonly report: Report;
}

/** One report that goes into a transaction. */
interface Write extends Pending {
  readonly facts: TaskFacts;
  readonly operation: Operation;
  readonly compare: readonly Compare[];
}

/** What came of one cycle. */
interface CycleResult {
  readonly refused: Map<string, string>;
  readonly failed: Map<LiveSession, unknown>;
  revision: number;
}

/**
 * etcd bounds the compares of a transaction as well (128): up to two per report and one per session, so
 * that this many reports always fit, whosesoever they are.
 */
const MAX_REPORTS = 40;
const PARALLEL_TXNS = 4;
const MAX_ATTEMPTS = 4;

/**
 * Stores what nodes say. Reports that come while a cycle runs wait for the next one and replace older ones
 * about the same task; a cycle writes few and large transactions, each compared with the session's epoch,
 * so that a session that is over cannot write any more.
 */
export class StatusWriter {
  private pending = new Map<string, Pending>();
  private dirty = new Set<LiveSession>();
  private running: Promise<CycleResult> | undefined;
  private upcoming: Promise<CycleResult> | undefined;

  private readonly fence: SessionFence;

  constructor(private readonly options: StatusWriterOptions) {
    this.fence = new SessionFence(options);
  }

  /**
   * Stores reports, and the session's node status when `statusChanged` or when that failed before; resolves
   * when that is done, to the reports refused for good. Errors: NotFoundError (the session is over), NodeRemovedError,
   * UnavailableError.
   */
  async submit(
    session: LiveSession,
    reports: readonly Report[],
    statusChanged: boolean,
  ): Promise<{ taskId: string; reason: string }[]> {
    for (const report of reports) this.pending.set(report.taskId, { session, report });
    const isStatusDue = statusChanged || session.status !== session.storedStatus;
    if (isStatusDue) this.dirty.add(session);
    if (reports.length === 0 && !isStatusDue) return [];
    const { refused, failed } = await this.nextCycle();
    if (failed.has(session)) throw failed.get(session);
    return reports.flatMap(({ taskId }) => {
      const reason = refused.get(taskId);
      return reason === undefined ? [] : [{ taskId, reason }];
    });
  }

  private nextCycle(): Promise<CycleResult> {
    this.upcoming ??= this.startAfter(this.running);
    return this.upcoming;
  }

  private async startAfter(previous: Promise<CycleResult> | undefined): Promise<CycleResult> {
    await previous;
    await new Promise(setImmediate); // whatever comes in the same tick goes along
    const cycle = this.cycle();
    this.running = cycle;
    this.upcoming = undefined;
    return cycle;
  }

  /** Never rejects: what fails, fails for the sessions concerned. */
  private async cycle(): Promise<CycleResult> {
    const pending = [...this.pending.values()];
    const dirty = [...this.dirty];
    this.pending = new Map();
    this.dirty = new Set();
    const result: CycleResult = { refused: new Map(), failed: new Map(), revision: 0 };
    for (const part of chunked(dirty, MAX_REPORTS)) await this.storeStatuses(part, result);
    const writes = pending.flatMap((item) => this.decide(item, this.cachedFacts(item), result));
    for (const parts of chunked(chunked(writes, MAX_REPORTS), PARALLEL_TXNS)) {
      await Promise.all(parts.map((part) => this.storeReports(part, result)));
    }
    await this.caughtUp(result);
    return result;
  }

  /** The next cycle judges by the cache, so it has to know what this one wrote. */
  private async caughtUp({ revision, failed }: CycleResult): Promise<void> {
    const { cache } = this.options.world;
    try {
      await cache.waitForRevision(revision);
    } catch (error) {
      this.options.log.warn({ reason: messageOf(error), failed: failed.size }, 'cache is behind');
    }
  }

  private async storeStatuses(
    sessions: readonly LiveSession[],
    result: CycleResult,
  ): Promise<void> {
    if (await this.commitStatuses(sessions, result)) return;
    for (const session of sessions) await this.storeStatusAlone(session, result);
  }

  private async storeStatusAlone(session: LiveSession, result: CycleResult): Promise<void> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      if (!(await this.fence.holds(session, result.failed))) return;
      if (await this.commitStatuses([session], result)) return;
    }
    result.failed.set(session, lostRaces());
  }

  /** False when a compare was lost. */
  private commitStatuses(sessions: readonly LiveSession[], result: CycleResult): Promise<boolean> {
    const { keys } = this.options;
    const statuses = sessions.map((session) => ({ session, status: session.status }));
    return this.tryCommit(
      {
        sessions,
        compare: sessions.map((session) => this.fence.compare(session)),
        operations: statuses.map(({ status }) => puts.nodeStatus(keys, status)),
      },
      result,
      (revision) => {
        for (const { session, status } of statuses) {
          session.version = revision;
          session.storedStatus = status;
        }
      },
    );
  }

  private async storeReports(writes: readonly Write[], result: CycleResult): Promise<void> {
    const alive = writes.filter(({ session }) => !result.failed.has(session));
    if (alive.length === 0 || (await this.commitReports(alive, result))) return;
    for (const [session, own] of bySession(alive)) {
      await this.storeAfresh(session, own, result).catch((error: unknown) => {
        result.failed.set(session, error);
      });
    }
  }

  /** After a lost compare: look at what is really stored, for each session apart, and decide again. */
  private async storeAfresh(
    session: LiveSession,
    items: readonly Pending[],
    result: CycleResult,
  ): Promise<void> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      if (!(await this.fence.holds(session, result.failed))) return;
      const decided = await Promise.all(
        items.map(async (item) =>
          this.decide(item, await this.fence.storedFacts(item.report.taskId), result),
        ),
      );
      const writes = decided.flat();
      if (writes.length === 0 || (await this.commitReports(writes, result))) return;
    }
    result.failed.set(session, lostRaces());
  }

  private commitReports(writes: readonly Write[], result: CycleResult): Promise<boolean> {
    const sessions = [...new Set(writes.map(({ session }) => session))];
    return this.tryCommit(
      {
        sessions,
        compare: [
          ...sessions.map((session) => this.fence.compare(session)),
          ...writes.flatMap(({ compare }) => compare),
        ],
        operations: writes.map(({ operation }) => operation),
      },
      result,
      () => {
        for (const write of writes) this.tell(write);
      },
    );
  }

  private async tryCommit(
    { sessions, ...txn }: SessionTxn,
    result: CycleResult,
    done: (revision: number) => void,
  ): Promise<boolean> {
    try {
      const revision = await this.options.store.commit(txn);
      result.revision = Math.max(result.revision, revision);
      done(revision);
    } catch (error) {
      if (hasCode(error, 'ERR_CONFLICT')) return false;
      for (const session of sessions) result.failed.set(session, error);
    }
    return true;
  }

  private decide(item: Pending, facts: TaskFacts, { refused }: CycleResult): readonly Write[] {
    const { session, report } = item;
    const verdict = judgeReport(report.report, facts, session.nodeId);
    if (verdict.kind === 'refuse') refused.set(report.taskId, verdict.reason);
    if (verdict.kind !== 'store' || !facts.task) return [];
    const { keys, clock } = this.options;
    const { taskId } = report;
    const { nodeId, epoch } = session;
    const stamp = { taskId, nodeId, epoch, now: clock.now().toISOString() };
    const value = statusOf(stamp, report.report, facts.status);
    const statusKey = keys.taskStatus(taskId);
    const compare = facts.status
      ? [atVersion(statusKey, facts.status.version)]
      : // The status goes with its task: without this one could be left of a task just deleted.
        [absent(statusKey), atVersion(keys.task(taskId), facts.task.metadata.version)];
    return [{ ...item, facts, compare, operation: puts.taskStatus(keys, value) }];
  }

  private cachedFacts({ report }: Pending): TaskFacts {
    const { world } = this.options;
    return {
      task: world.tasks.get(report.taskId),
      status: world.taskStatuses.get(report.taskId),
    };
  }

  private tell({ report, facts }: Write): void {
    const event = facts.task && eventOfReport(facts.task, report.report, facts.status);
    if (event) this.options.events.record(event);
  }
}

interface SessionTxn {
  readonly sessions: readonly LiveSession[];
  readonly compare: readonly Compare[];
  readonly operations: readonly Operation[];
}

const lostRaces = () => new UnavailableError('others keep changing the same objects; report again');

function bySession<T extends Pending>(items: readonly T[]): ReadonlyMap<LiveSession, readonly T[]> {
  const groups = new Map<LiveSession, T[]>();
  for (const item of items) {
    const group = groups.get(item.session) ?? [];
    groups.set(item.session, group);
    group.push(item);
  }
  return groups;
}

function chunked<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const parts: T[][] = [];
  for (let start = 0; start < items.length; start += size) {
    parts.push(items.slice(start, start + size));
  }
  return parts;
}
