import type { SessionMessage } from '../../api/v1/index.js';
import {
  AbortScope,
  BusyError,
  NodeRemovedError,
  UnavailableError,
  abortReason,
  backoffMs,
  messageOf,
  spreadRetryMs,
  unreachable,
  type Clock,
} from '../base/index.js';
import type { SessionChoice, SessionConnection, SwarmClient } from '../client/index.js';
import type { Logger } from '../log/index.js';
import type { AssignmentBook } from './assignment-book.js';
import type { KnownHistory } from './known-history.js';
import type { LogStreams } from './log-streams.js';
import type { NodeIdentity } from './node-state.js';
import type { ReportChannel, StatusReporter, Vouched } from './status-reporter.js';
import { Wake } from './wake.js';

/** A session, as far as an agent uses it. */
export type Session = Pick<
  SessionConnection,
  'manager' | 'opened' | 'messages' | 'report' | 'pushStream'
>;

/** The managers, as far as an agent calls them. */
export interface Managers extends Pick<SwarmClient, 'useManagers'> {
  openSession(...args: Parameters<SwarmClient['openSession']>): Promise<Session>;
}

/** What a session feeds and is fed from. */
export interface SessionKeeperOptions {
  readonly identity: NodeIdentity;
  readonly managers: Managers;
  readonly book: AssignmentBook;
  readonly history: KnownHistory;
  readonly reporter: StatusReporter;
  readonly logs: LogStreams;
  readonly clock: Clock;
  readonly log: Logger;
  vouch(): Vouched;
  /** A manager told the addresses of all managers. */
  onManagers(managers: readonly string[]): void;
}

/** A session with what it was opened with; aborting `scope` ends it. */
interface HeldSession {
  readonly session: Session;
  readonly vouched: Vouched;
  readonly scope: AbortScope;
}

const RETRY = { initialMs: 200, maxMs: 10_000 };
/** All nodes of a manager are advised to leave it at once, and nobody is in a hurry. */
const LEAVING = { initialMs: 1_000, maxMs: 10_000 };
/** A session that lasted so long was a good one: the next begins without delay but for the jitter. */
const GOOD_MS = 10_000;

/** How long until the next try, and why there is no session, for people. */
export interface SessionStanding {
  readonly connected: boolean;
  readonly message: string;
}

/** Holds a session with any manager, and opens the next one when it ends. */
export class SessionKeeper {
  private standing: SessionStanding = { connected: false, message: 'no session yet' };
  private failures = 0;
  private openings = 0;
  /** Of the latest session. It is asked last for the next one: it may hang, or be cut off. */
  private manager: string | undefined;

  constructor(private readonly options: SessionKeeperOptions) {}

  /** Whether a manager holds our session. */
  get state(): SessionStanding {
    return this.standing;
  }

  /** Sessions that were opened after the first one. */
  get reconnects(): number {
    return Math.max(0, this.openings - 1);
  }

  /** Errors: NodeRemovedError when the node was removed from the cluster; the signal's reason. */
  async run(signal: AbortSignal): Promise<never> {
    const { clock, log } = this.options;
    let next: HeldSession | undefined;
    for (;;) {
      const beganMs = clock.monotonicMs();
      let restMs = 0;
      try {
        next = await this.hold(
          next ?? (await this.open(signal, signal, { last: this.manager })),
          signal,
        );
        if (next) continue;
        this.ended('the manager ended the session');
      } catch (error) {
        next = undefined;
        this.ended(messageOf(error));
        signal.throwIfAborted();
        if (this.isRemoval(error)) throw error;
        // A manager with many nodes at its door has said when it will have time.
        if (error instanceof BusyError) restMs = spreadRetryMs(error);
        log.warn({ reason: messageOf(error) }, 'no session with a manager');
      }
      this.failures = clock.monotonicMs() - beganMs > GOOD_MS ? 1 : this.failures + 1;
      await clock.sleep(Math.max(restMs, backoffMs(RETRY, this.failures)), signal);
    }
  }

  /**
   * Only the answer to an opening says with what to judge it by that the node was removed; and a store that
   * lost history may just not know the node yet.
   */
  private isRemoval(error: unknown): boolean {
    if (!(error instanceof NodeRemovedError) || !error.facts) return false;
    return this.options.history.judge(error.facts) !== 'lost';
  }

  private ended(message: string): void {
    this.standing = { connected: false, message };
  }

  /** A session that lives until `life` aborts or it is given up; `opening` aborts only its beginning. */
  private async open(
    life: AbortSignal,
    opening: AbortSignal,
    choice: SessionChoice,
  ): Promise<HeldSession> {
    const vouched = this.options.vouch();
    const scope = new AbortScope(life);
    const giveUp = () => {
      scope.abort(abortReason(opening));
    };
    opening.addEventListener('abort', giveUp, { once: true });
    try {
      const { managers, history } = this.options;
      const mark = history.seen?.mark;
      const request = { ...vouched, ...(mark && { historyMark: mark }) };
      const session = await managers.openSession(request, scope.signal, choice);
      this.opened(session);
      return { session, vouched, scope };
    } catch (error) {
      release(scope);
      throw error;
    } finally {
      opening.removeEventListener('abort', giveUp);
    }
  }

  /** Resolves when the session is over; to the one that takes its place, when it was left for that. */
  private async hold(held: HeldSession, life: AbortSignal): Promise<HeldSession | undefined> {
    const { session, vouched, scope } = held;
    const { book, logs, reporter } = this.options;
    const advice = new Wake();
    const leaving = this.leaveWhenAdvised(held, advice, life);
    const work = [
      this.read(session, scope.signal),
      reporter.serve(listeningFor(advice, session), vouched, scope.signal),
      leaving,
    ];
    let successor: HeldSession | undefined;
    try {
      successor = (await Promise.race(work)) ?? undefined;
      return successor;
    } finally {
      release(scope);
      book.close();
      await Promise.allSettled(work);
      const found = await leaving.catch(() => undefined);
      if (found !== successor) found?.scope.abort(); // it came when all was over
      await logs.closeAll();
    }
  }

  /**
   * The next session stands before this one is left: when no other manager takes us, a manager that does not
   * hear the store is better than none, for when the store is away all of them are like it.
   */
  private async leaveWhenAdvised(
    { session: { manager }, scope: { signal } }: HeldSession,
    advice: Wake,
    life: AbortSignal,
  ): Promise<HeldSession> {
    const { clock, log } = this.options;
    for (let attempt = 1; ; attempt += 1) {
      await advice.wait(signal);
      await clock.sleep(backoffMs(LEAVING, attempt), signal);
      try {
        return await this.open(life, signal, { except: manager });
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof NodeRemovedError) throw error;
        log.debug({ manager, reason: messageOf(error) }, 'no other manager takes us');
      }
    }
  }

  private opened({ opened, manager }: Session): void {
    const { identity, log } = this.options;
    if (opened.clusterId !== identity.clusterId || opened.nodeId !== identity.nodeId) {
      throw new UnavailableError(`${manager} opened a session for another node or cluster`);
    }
    this.options.history.judge(opened.store);
    this.openings += 1;
    this.manager = manager;
    this.standing = { connected: true, message: `session with ${manager}` };
    log.info({ manager, epoch: opened.epoch }, 'session opened');
    this.learn(opened.managers);
  }

  /** Those that the node knew when it started are kept: the next manager may be at an old address. */
  private learn(addresses: readonly string[]): void {
    const { identity, managers } = this.options;
    managers.useManagers([...new Set([...addresses, ...identity.managers])]);
    this.options.onManagers(addresses);
  }

  private async read(session: Session, signal: AbortSignal): Promise<void> {
    for await (const message of session.messages) {
      signal.throwIfAborted();
      if (this.take(message, session, signal) === 'closed') return;
    }
  }

  private take(message: SessionMessage, session: Session, signal: AbortSignal): 'open' | 'closed' {
    const { book, logs, log } = this.options;
    switch (message.type) {
      case 'open':
        break;
      case 'assignments':
        book.take(message);
        break;
      case 'ping':
        book.reached(message.revision, message.mark);
        break;
      case 'managers':
        this.learn(message.managers);
        break;
      case 'logs':
        logs.open(message, session, signal);
        break;
      case 'cancel':
        logs.cancel(message.streamId);
        break;
      case 'close':
        log.info({ reason: message.reason }, 'the manager closed the session');
        return 'closed';
      default:
        unreachable(message);
    }
    return 'open';
  }
}

/** The answers to reports say whether the manager would rather have us elsewhere. */
function listeningFor(advice: Wake, session: Session): ReportChannel {
  return {
    opened: session.opened,
    report: async (report, options) => {
      const answer = await session.report(report, options);
      if (answer.leave) advice.notify();
      return answer;
    },
  };
}

function release(scope: AbortScope): void {
  scope.abort(new Error('the session is over'));
  scope[Symbol.dispose]();
}
