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
import { LogPosition } from './log-position.js';
import type { LogLine, LogOptions } from './logs.js';
import { readLines } from './read-lines.js';
import type { EngineTimeouts } from './timeouts.js';
import { engineTimestamp } from './timestamp.js';
import type { EngineTransport } from './transport.js';

const DEFAULT_MAX_LINE_BYTES = 64 * 1024;

/** Lines read again at the end of a followed log; ten times more while that is not enough. */
const FIRST_LOOK_BACK = 1_000;
const LONGEST_LOOK_BACK = 1_000_000;

interface LogSource {
  readonly id: string;
  readonly tty: boolean;
}

/** Events and logs of one engine; `Engine` says what each method promises. */
export class EngineStreams {
  constructor(
    private readonly transport: EngineTransport,
    private readonly containers: EngineContainers,
    private readonly timeouts: EngineTimeouts,
  ) {}

  async watchEvents(options: EventsOptions): Promise<never> {
    const { labels, actions = CONTAINER_EVENT_ACTIONS, since, signal, onOpen, onEvent } = options;
    const response = await this.transport.stream({
      operation: 'watch events',
      method: 'GET',
      path: '/events',
      query: {
        ...labelFilter(labels, { type: ['container'], event: actions }),
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
    const { signal, follow = false, timestamps = false } = options;
    const container = await this.containers.inspect(id, signal && { signal });
    if (!container) throw new NotFoundError(`stream logs: no such container: ${id}`);
    const source = { id, tty: container.tty };
    // The log of a terminal has no frames: time stamps nobody asked for could not be told from it.
    if (!follow || container.tty) {
      yield* this.read(source, options);
      return;
    }
    const position = new LogPosition();
    for await (const line of this.read(source, { ...options, timestamps: true })) {
      position.advance(line);
      yield shown(line, timestamps);
    }
    for (const line of await this.missing(source, options, position)) yield shown(line, timestamps);
  }

  /**
   * What the engine left out of a followed log: when the container ends it stops following without
   * reading the rest (seen with 20.10: up to half of a burst of 10,000 lines, and always a last
   * line without newline). Read again from the end, as far back as needed.
   */
  private async missing(
    source: LogSource,
    options: LogOptions,
    position: LogPosition,
  ): Promise<readonly LogLine[]> {
    // Nothing was there to begin with and nothing came: what is there now cannot be told from old.
    if (options.until !== undefined || (position.isStart && options.tail === 0)) return [];
    const again = { ...options, follow: false, timestamps: true };
    for (let tail = FIRST_LOOK_BACK; tail <= LONGEST_LOOK_BACK; tail *= 10) {
      const lines = await this.collect(source, position.isStart ? again : { ...again, tail });
      const found = position.after(lines);
      if (found) return found;
      if (lines.length < tail) return [];
    }
    return [];
  }

  private async collect(source: LogSource, options: LogOptions): Promise<readonly LogLine[]> {
    const lines: LogLine[] = [];
    try {
      for await (const line of this.read(source, options)) lines.push(line);
    } catch (error) {
      // Removed meanwhile: what was followed is all there will ever be.
      if (!(error instanceof NotFoundError)) throw error;
    }
    return lines;
  }

  /** One reading. One that will be completed does not give out a line that has not ended. */
  private async *read({ id, tty }: LogSource, options: LogOptions): AsyncGenerator<LogLine> {
    const { signal, timestamps = false, maxLineBytes = DEFAULT_MAX_LINE_BYTES } = options;
    const response = await this.transport.stream({
      operation: 'stream logs',
      method: 'GET',
      path: `/containers/${encodeURIComponent(id)}/logs`,
      query: logQuery(options),
      timeoutMs: this.timeouts.streamOpenMs,
      ...(signal && { signal }),
    });
    const lines = new LogLineAssembler({ timestamps, maxLineBytes });
    const framesOf = tty ? rawFrames : muxedFrames();
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        for (const frame of framesOf(chunk)) yield* lines.push(frame);
      }
      if (!options.follow || tty) yield* lines.end();
    } catch (error) {
      throw errorOfConnection('stream logs', error, signal);
    } finally {
      response.destroy();
    }
  }
}

/** With a terminal the engine sends bytes as they are, cut anywhere. */
function rawFrames(data: Buffer): readonly LogFrame[] {
  return [{ stream: 'stdout', data, starts: false }];
}

function muxedFrames(): (chunk: Buffer) => readonly LogFrame[] {
  const decoder = new LogFrameDecoder();
  return (chunk) => decoder.push(chunk);
}

function shown(line: LogLine, timestamps: boolean): LogLine {
  if (timestamps) return line;
  const { at: _at, ...rest } = line;
  return rest;
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
