import { UnavailableError, NotFoundError } from '../base/index.js';
import type { EngineContainers } from './containers.js';
import { decodeEvent } from './decode.js';
import { errorOfConnection } from './engine-errors.js';
import { CONTAINER_EVENT_ACTIONS } from './events.js';
import type { EventsOptions } from './events.js';
import { labelFilter } from './filters.js';
import { LogFrameDecoder } from './log-frames.js';
import type { LogFrame } from './log-frames.js';
import { LogLineAssembler } from './log-lines.js';
import type { LogLine, LogOptions } from './logs.js';
import { readLines } from './read-lines.js';
import type { EngineTimeouts } from './timeouts.js';
import { engineTimestamp } from './timestamp.js';
import type { EngineTransport } from './transport.js';

const DEFAULT_MAX_LINE_BYTES = 64 * 1024;

/** Events and logs of one engine; `Engine` says what each method promises. */
export class EngineStreams {
  constructor(
    private readonly transport: EngineTransport,
    private readonly containers: EngineContainers,
    private readonly timeouts: EngineTimeouts,
  ) {}

  async watchEvents(options: EventsOptions): Promise<never> {
    const { labels, since, signal, onOpen, onEvent } = options;
    const response = await this.transport.stream({
      operation: 'watch events',
      method: 'GET',
      path: '/events',
      query: {
        ...labelFilter(labels, { type: ['container'], event: CONTAINER_EVENT_ACTIONS }),
        ...(since !== undefined && { since: engineTimestamp(since) }),
      },
      timeoutMs: this.timeouts.streamOpenMs,
      ...(signal && { signal }),
    });
    try {
      onOpen?.();
      for await (const line of readLines(response)) {
        const event = decodeEvent(line);
        if (event) onEvent(event);
      }
      throw new UnavailableError('watch events: the engine ended the stream');
    } catch (error) {
      throw errorOfConnection('watch events', error, signal);
    } finally {
      response.destroy();
    }
  }

  async *streamLogs(id: string, options: LogOptions = {}): AsyncGenerator<LogLine> {
    const { signal, timestamps = false, maxLineBytes = DEFAULT_MAX_LINE_BYTES } = options;
    const framesOf = await this.framing(id, signal);
    const response = await this.transport.stream({
      operation: 'stream logs',
      method: 'GET',
      path: `/containers/${encodeURIComponent(id)}/logs`,
      query: logQuery(options),
      timeoutMs: this.timeouts.streamOpenMs,
      ...(signal && { signal }),
    });
    const lines = new LogLineAssembler({ timestamps, maxLineBytes });
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        for (const frame of framesOf(chunk)) yield* lines.push(frame);
      }
      yield* lines.end();
    } catch (error) {
      throw errorOfConnection('stream logs', error, signal);
    } finally {
      response.destroy();
    }
  }

  /** With a terminal the engine sends bytes as they are, cut anywhere; otherwise in frames. */
  private async framing(
    id: string,
    signal: AbortSignal | undefined,
  ): Promise<(chunk: Buffer) => readonly LogFrame[]> {
    const container = await this.containers.inspect(id, signal && { signal });
    if (!container) throw new NotFoundError(`stream logs: no such container: ${id}`);
    if (container.tty) return (data) => [{ stream: 'stdout', data, starts: false }];
    const decoder = new LogFrameDecoder();
    return (chunk) => decoder.push(chunk);
  }
}

function logQuery(options: LogOptions): Readonly<Record<string, string>> {
  const { follow = false, tail, since, until, timestamps = false } = options;
  const { stdout = true, stderr = true } = options;
  return {
    follow: String(follow),
    stdout: String(stdout),
    stderr: String(stderr),
    timestamps: String(timestamps),
    tail: tail === undefined ? 'all' : String(tail),
    ...(since !== undefined && { since: engineTimestamp(since) }),
    ...(until !== undefined && { until: engineTimestamp(until) }),
  };
}
