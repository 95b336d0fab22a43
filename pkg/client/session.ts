import {
  paths,
  type LogLine,
  type SessionMessage,
  type SessionRequest,
  type StatusReport,
  type StatusResponse,
} from '../../api/v1/index.js';
import { UnavailableError, withDeadline } from '../base/index.js';
import { readJsonLines } from './json-lines.js';
import type { HttpsTransport } from './transport.js';

/** A line that an agent pushes; the manager knows which task and node it is of. */
export type PushedLogLine = Pick<LogLine, 'stream' | 'at' | 'line'>;

/** The first message of a session. */
export type SessionOpened = Extract<SessionMessage, { type: 'open' }>;

/** What a call within a session takes. */
export interface SessionCallOptions {
  readonly signal?: AbortSignal;
  /** Default 10,000 ms. */
  readonly timeoutMs?: number;
}

const CALL_TIMEOUT_MS = 10_000;

/**
 * An open session of a node with one manager. Everything of it goes to that manager: another one does
 * not know the session.
 */
export class SessionConnection {
  /**
   * @param manager address of the manager that holds the session.
   * @param opened its first message.
   * @param messages what follows. Errors: UnavailableError when the connection breaks or is silent
   *   for too long; ends when the manager ends it. To leave the session, end the iteration.
   */
  constructor(
    private readonly transport: HttpsTransport,
    readonly manager: string,
    readonly opened: SessionOpened,
    readonly messages: AsyncIterable<SessionMessage>,
  ) {}

  /**
   * Heartbeat and reports; the answer comes when they are stored. Safe to repeat.
   * Errors: NotFoundError when the manager does not know the session (any more): open another one;
   * NodeRemovedError when the node was removed from the cluster; UnavailableError, BusyError.
   */
  async report(
    report: Omit<StatusReport, 'sessionId'>,
    options: SessionCallOptions = {},
  ): Promise<StatusResponse> {
    const body = JSON.stringify({ sessionId: this.opened.sessionId, ...report });
    const { timeoutMs = CALL_TIMEOUT_MS, signal } = options;
    const answer = await withDeadline(
      `the report to ${this.manager}`,
      timeoutMs,
      (deadline) =>
        this.transport.call(this.manager, {
          method: 'POST',
          path: paths.sessionStatus,
          body,
          signal: deadline,
        }),
      signal,
    );
    return JSON.parse(answer.text) as StatusResponse;
  }

  /**
   * Answers a `logs` message: pushes lines as they come, no faster than they are read. Resolves when
   * all were taken. `lines` is ended early when nobody reads any more.
   * Errors: NotFoundError when nobody waits for the stream (any more); UnavailableError.
   */
  async pushStream(
    streamId: string,
    lines: AsyncIterable<PushedLogLine>,
    signal?: AbortSignal,
  ): Promise<void> {
    await this.transport.call(this.manager, {
      method: 'POST',
      path: paths.sessionStream(streamId),
      body: lines,
      signal,
    });
  }
}

/** Silence after which a session's stream counts as broken; managers ping several times in this time. */
const SESSION_IDLE_MS = 30_000;

/** How to open a session with one manager. */
export interface OpenSessionCall {
  readonly request: SessionRequest;
  /** Ends the session. */
  readonly signal?: AbortSignal | undefined;
  /** The deadline of opening it. */
  readonly openSignal: AbortSignal;
}

/** Opens a session with this manager and waits for its first message. */
export async function openSessionWith(
  transport: HttpsTransport,
  manager: string,
  { request, signal, openSignal }: OpenSessionCall,
): Promise<SessionConnection> {
  const response = await transport.open(manager, {
    method: 'POST',
    path: paths.session,
    body: JSON.stringify(request),
    signal,
    openSignal,
  });
  const cut = () => response.destroy(openSignal.reason as Error);
  openSignal.addEventListener('abort', cut, { once: true });
  try {
    const messages = readJsonLines<SessionMessage>(response, { idleMs: SESSION_IDLE_MS });
    return new SessionConnection(transport, manager, await firstMessage(messages), messages);
  } finally {
    openSignal.removeEventListener('abort', cut);
  }
}

async function firstMessage(messages: AsyncGenerator<SessionMessage>): Promise<SessionOpened> {
  const first = await messages.next();
  if (!first.done && first.value.type === 'open') return first.value;
  await messages.return(undefined);
  throw new UnavailableError('the manager ended the session before it began');
}
