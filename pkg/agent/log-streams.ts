import type { SessionMessage } from '../../api/v1/index.js';
import { AbortScope, messageOf, type Clock } from '../base/index.js';
import type { PushedLogLine, SessionConnection } from '../client/index.js';
import type { Engine } from '../engine/index.js';
import type { Logger } from '../log/index.js';
import { defined } from './defined.js';

/** What a manager asks for. */
export type LogsMessage = Extract<SessionMessage, { type: 'logs' }>;

/** How far a task's container is. */
export interface LogSource {
  /** Undefined while there is none. */
  readonly containerId?: string | undefined;
  /** True while there may be one that runs, sooner or later. */
  readonly isAwaited: boolean;
}

/** What log streams need. */
export interface LogStreamsOptions {
  readonly engine: Pick<Engine, 'streamLogs'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Undefined when the task is not of this node. */
  sourceOf(taskId: string): LogSource | undefined;
}

/** Each holds a connection to the engine and one to the manager. */
const MAX_STREAMS = 64;
/** Between looks for a container that is yet to come. */
const POLL_MS = 250;

/** Sends the output of containers to a manager for as long as it wants it. Every stream ends with its session. */
export class LogStreams {
  private readonly streams = new Map<string, { scope: AbortScope; done: Promise<void> }>();

  constructor(private readonly options: LogStreamsOptions) {}

  /** Streams that are open now. */
  get active(): number {
    return this.streams.size;
  }

  /** Begins to answer; returns at once. */
  open(
    order: LogsMessage,
    channel: Pick<SessionConnection, 'pushStream'>,
    signal: AbortSignal,
  ): void {
    if (this.streams.has(order.streamId)) return;
    const scope = new AbortScope(signal);
    const isFull = this.streams.size >= MAX_STREAMS;
    const lines = isFull ? refusal() : this.linesOf(order, scope.signal);
    const done = this.push(order.streamId, { lines, channel, scope });
    this.streams.set(order.streamId, { scope, done });
  }

  /** Nobody reads the stream any more. */
  cancel(streamId: string): void {
    this.streams.get(streamId)?.scope.abort(new Error('nobody reads the log any more'));
  }

  /** Ends all streams and waits until they have let go. */
  async closeAll(): Promise<void> {
    for (const streamId of this.streams.keys()) this.cancel(streamId);
    await Promise.all([...this.streams.values()].map(({ done }) => done));
  }

  private async push(
    streamId: string,
    {
      lines,
      channel,
      scope,
    }: {
      readonly lines: AsyncIterable<PushedLogLine>;
      readonly channel: Pick<SessionConnection, 'pushStream'>;
      readonly scope: AbortScope;
    },
  ): Promise<void> {
    try {
      await channel.pushStream(streamId, lines, scope.signal);
    } catch (error) {
      if (!scope.signal.aborted) {
        this.options.log.debug({ streamId, reason: messageOf(error) }, 'log stream ended early');
      }
    } finally {
      scope.abort(new Error('the log stream is over')); // also ends a source that waits for output
      scope[Symbol.dispose]();
      this.streams.delete(streamId);
    }
  }

  private async *linesOf(order: LogsMessage, signal: AbortSignal): AsyncGenerator<PushedLogLine> {
    try {
      const containerId = await this.containerOf(order, signal);
      if (containerId === undefined) return;
      const { follow, tail, since } = order;
      const options = defined({
        follow,
        timestamps: true,
        tail: tail < 0 ? undefined : tail,
        since: since === '' ? undefined : since,
        signal,
      });
      for await (const line of this.options.engine.streamLogs(containerId, options)) {
        yield defined({ stream: line.stream, at: line.at, line: line.data.toString('utf8') });
      }
    } catch (error) {
      if (signal.aborted) return;
      yield { stream: 'system', line: `the log broke off: ${messageOf(error)}` };
    }
  }

  /** Who follows a task that has not started yet sees it from its first line. */
  private async containerOf(
    { taskId, follow }: LogsMessage,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    for (;;) {
      const source = this.options.sourceOf(taskId);
      if (!follow || !source?.isAwaited) return source?.containerId;
      await this.options.clock.sleep(POLL_MS, signal);
    }
  }
}

async function* refusal(): AsyncGenerator<PushedLogLine> {
  const line = `this node serves ${String(MAX_STREAMS)} log streams already, try again later`;
  yield await Promise.resolve({ stream: 'system' as const, line });
}
