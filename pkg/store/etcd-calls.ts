import { ClientClosedError, GRPCDeadlineExceededError } from 'etcd3';
import {
  abortReason,
  AbortScope,
  backoffMs,
  SwarmError,
  UnavailableError,
  withDeadline,
} from '../base/index.js';
import type { Clock } from '../base/index.js';
import type { EtcdConnection } from './etcd-connection.js';
import type { ConnectionOutcome, EtcdEndpoints } from './etcd-endpoints.js';
import { isRefusal, isReplyTooLarge, toStoreError } from './etcd-errors.js';
import type { CallOptions } from './store.js';

/** How a call ended; `error` is a bug or an answer we have no name for. */
export type CallOutcome =
  'ok' | 'conflict' | 'unavailable' | 'compacted' | 'invalid' | 'not-found' | 'aborted' | 'error';

/** Hears of every finished call of the store, for metrics. */
export interface StoreObserver {
  /** `operation` is a short constant word such as `commit`; a list reports each page. */
  onCall(operation: string, durationMs: number, outcome: CallOutcome): void;
}

/** What a call sees of its time. */
export interface CallScope {
  /** Aborts at the deadline, when the caller's signal does and when the store is closed. */
  readonly signal: AbortSignal;
  /** Milliseconds until the deadline, at least 1. */
  leftMs(): number;
}

/** One try on one connection. `deadline` is for gRPC: milliseconds since the epoch. */
export type Attempt<T> = (connection: EtcdConnection, deadline: number) => Promise<T>;

/** What one of all members answered. */
export interface MemberAnswer<T> {
  readonly endpoint: string;
  readonly result?: T;
  readonly error?: unknown;
}

/** Deadline of a call unless its options say otherwise. */
export const DEFAULT_TIMEOUT_MS = 5_000;

const READ_ATTEMPTS = 3;
const RETRY = { initialMs: 20, maxMs: 500 };
/** gRPC gets a little longer than we wait, so that it is always our error that callers see. */
const GRPC_SLACK_MS = 250;

const OUTCOME_BY_CODE: Readonly<Record<string, CallOutcome>> = {
  ERR_CONFLICT: 'conflict',
  ERR_UNAVAILABLE: 'unavailable',
  ERR_COMPACTED: 'compacted',
  ERR_INVALID_TRANSACTION: 'invalid',
  ERR_NOT_FOUND: 'not-found',
};

/** How calls are made: deadline, choice of the member, retries of reads, the observer. */
export class EtcdCalls {
  private readonly running = new Set<AbortScope>();
  private closed = false;

  constructor(
    private readonly endpoints: EtcdEndpoints,
    private readonly clock: Clock,
    private readonly observer: StoreObserver | undefined,
  ) {}

  /** Runs `work` under the call's deadline. Errors: the port's, whatever `work` threw. */
  async run<T>(
    operation: string,
    options: CallOptions | undefined,
    work: (scope: CallScope) => Promise<T>,
  ): Promise<T> {
    const startedMs = this.clock.monotonicMs();
    try {
      const result = await this.runWithin(operation, options ?? {}, work);
      this.observe(operation, startedMs, 'ok');
      return result;
    } catch (error) {
      const aborted = options?.signal?.aborted === true;
      const failure = aborted ? abortReason(options.signal) : toStoreError(operation, error);
      this.observe(operation, startedMs, aborted ? 'aborted' : outcomeOf(failure));
      throw failure;
    }
  }

  /** {@link run} for something that may be done more than once: tried again on the next member. */
  read<T>(operation: string, options: CallOptions | undefined, attempt: Attempt<T>): Promise<T> {
    return this.run(operation, options, (scope) => this.retrying(scope, attempt));
  }

  /** Tries up to `attempts` times (default 3) within the scope, each time on the preferred member. */
  async retrying<T>(scope: CallScope, attempt: Attempt<T>, attempts = READ_ATTEMPTS): Promise<T> {
    for (let tried = 1; ; tried += 1) {
      // with somewhere else to go, a member that is silent does not get all the time there is
      const { size } = this.endpoints;
      const share = size === 1 ? 1 : Math.min(size + 1, attempts - tried + 1);
      try {
        return await this.once(this.endpoints.current(), scope.leftMs() / share, attempt);
      } catch (error) {
        if (tried >= attempts || scope.signal.aborted) throw error;
        if (isRefusal(error) || isReplyTooLarge(error)) throw error;
      }
      await this.clock.sleep(backoffMs(RETRY, tried), scope.signal);
    }
  }

  /**
   * For what must not be sent twice: one try, on a connection that stands, with `share` (0 to 1) of the
   * time that is left. Errors: UnavailableError when no member could be reached, else etcd3's own.
   */
  async sendOnce<T>(scope: CallScope, share: number, attempt: Attempt<T>): Promise<T> {
    for (;;) {
      try {
        const connection = await this.endpoints.connected(scope.leftMs());
        return await this.once(connection, scope.leftMs() * share, attempt);
      } catch (error) {
        // thrown before anything is sent, when the connection was replaced under our hands
        if (!(error instanceof ClientClosedError) || scope.signal.aborted) throw error;
      }
    }
  }

  /** One try on every member at once, whatever the others say: what came of it, in their order. */
  onEach<T>(
    scope: CallScope,
    timeoutMs: number,
    attempt: Attempt<T>,
  ): Promise<readonly MemberAnswer<T>[]> {
    const limitMs = Math.min(timeoutMs, scope.leftMs());
    return Promise.all(
      this.endpoints.all.map(async (connection) => {
        const { endpoint } = connection;
        try {
          return { endpoint, result: await this.once(connection, limitMs, attempt) };
        } catch (error) {
          return { endpoint, error };
        }
      }),
    );
  }

  /** One try on this connection; tells the endpoints how it went. Errors: etcd3's own. */
  private async once<T>(
    connection: EtcdConnection,
    timeoutMs: number,
    attempt: Attempt<T>,
  ): Promise<T> {
    try {
      const result = await attempt(connection, Date.now() + timeoutMs + GRPC_SLACK_MS);
      this.endpoints.report(connection, 'answered');
      return result;
    } catch (error) {
      this.endpoints.report(connection, connectionOutcome(error));
      throw error;
    }
  }

  /** Running calls end with UnavailableError, and so does every later one. */
  close(): void {
    this.closed = true;
    for (const call of this.running) call.abort(closedError('the call'));
  }

  private async runWithin<T>(
    operation: string,
    { timeoutMs = DEFAULT_TIMEOUT_MS, signal }: CallOptions,
    work: (scope: CallScope) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    if (this.closed) throw closedError(operation);
    const untilMs = this.clock.monotonicMs() + timeoutMs;
    const leftMs = () => Math.max(1, untilMs - this.clock.monotonicMs());
    const call = new AbortScope(signal);
    this.running.add(call);
    try {
      const scoped = (within: AbortSignal) => work({ signal: within, leftMs });
      return await withDeadline(`etcd (${operation})`, timeoutMs, scoped, call.signal);
    } finally {
      this.running.delete(call);
      call[Symbol.dispose]();
    }
  }

  private observe(operation: string, startedMs: number, outcome: CallOutcome): void {
    this.observer?.onCall(operation, this.clock.monotonicMs() - startedMs, outcome);
  }
}

function connectionOutcome(error: unknown): ConnectionOutcome {
  if (isRefusal(error) || isReplyTooLarge(error)) return 'answered';
  return error instanceof GRPCDeadlineExceededError ? 'timed-out' : 'failed';
}

function closedError(what: string): UnavailableError {
  return new UnavailableError(`${what}: the store is closed`);
}

function outcomeOf(error: Error): CallOutcome {
  return error instanceof SwarmError ? (OUTCOME_BY_CODE[error.code] ?? 'error') : 'error';
}
