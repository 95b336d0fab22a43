import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { AbortScope, UnavailableError } from '../../base/index.js';

/** How a stream of lines begins and what it says last. */
export interface StreamOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** The last line when the server stops: tells the client to come back, and from where. */
  readonly goodbye?: () => object | undefined;
}

/** Bytes that may wait for a slow client before it has to be waited for. */
const HIGH_WATER_BYTES = 1024 * 1024;
/** A client that takes nothing for so long is given up. */
const DRAIN_TIMEOUT_MS = 10_000;

/**
 * An answer of many lines (NDJSON). Nothing is kept for a client that does not read: whoever writes asks
 * `isFull` and awaits `drained`, or `write`s one line after the other.
 */
export class NdjsonStream {
  private readonly closing = new AbortController();

  constructor(
    private readonly response: ServerResponse,
    private readonly options: StreamOptions,
  ) {
    response.writeHead(200, {
      'content-type': 'application/x-ndjson; charset=utf-8',
      'cache-control': 'no-store',
      ...options.headers,
    });
    response.flushHeaders();
    response.once('close', () => {
      this.closing.abort(new UnavailableError('the client went away'));
    });
    response.on('error', () => undefined); // told by `close`
  }

  /** Aborts when the stream has ended, whoever ended it. */
  get signal(): AbortSignal {
    return this.closing.signal;
  }

  /** True once nothing can be written any more. */
  get isClosed(): boolean {
    return this.closing.signal.aborted || this.response.writableEnded;
  }

  /** True when the client has to catch up before more is written. */
  get isFull(): boolean {
    return this.response.writableLength > HIGH_WATER_BYTES;
  }

  /** Writes a line at once; a string is a line that is JSON already. Nothing happens when closed. */
  send(line: object | string): void {
    if (this.isClosed) return;
    this.response.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`);
  }

  /** Writes a line, then waits for a client that is behind. Errors: UnavailableError when it is gone. */
  async write(line: object | string): Promise<void> {
    this.signal.throwIfAborted();
    this.send(line);
    if (this.isFull) await this.drained();
  }

  /** Until the client has caught up. Errors: UnavailableError when it is gone or too slow; it is then cut. */
  async drained(): Promise<void> {
    if (!this.response.writableNeedDrain) return;
    const scope = new AbortScope(this.signal);
    const timer = setTimeout(() => {
      scope.abort(new UnavailableError('the client does not read what it asked for'));
    }, DRAIN_TIMEOUT_MS);
    try {
      await once(this.response, 'drain', { signal: scope.signal });
    } catch (error) {
      this.destroy();
      throw scope.signal.aborted ? (scope.signal.reason as Error) : error;
    } finally {
      clearTimeout(timer);
      scope[Symbol.dispose]();
    }
  }

  /** Ends the answer in good order, after an optional last line. */
  end(line?: object): void {
    if (line !== undefined) this.send(line);
    if (!this.isClosed) this.response.end();
  }

  /** Ends it because the server stops. */
  sayGoodbye(): void {
    this.end(this.options.goodbye?.());
  }

  /** Cuts the connection. */
  destroy(): void {
    this.response.destroy();
  }
}

const GOODBYE_GRACE_MS = 1_000;

/** All open streams: a server cannot close while one is open, and nobody else would end them. */
export class StreamRegistry {
  private readonly streams = new Set<NdjsonStream>();

  get size(): number {
    return this.streams.size;
  }

  add(stream: NdjsonStream): void {
    this.streams.add(stream);
    stream.signal.addEventListener('abort', () => this.streams.delete(stream), { once: true });
  }

  /** Says goodbye on every stream; those that do not end within a second are cut. */
  async closeAll(): Promise<void> {
    const ended = [...this.streams].map((stream) => closed(stream));
    for (const stream of this.streams) stream.sayGoodbye();
    const timer = setTimeout(() => {
      for (const stream of this.streams) stream.destroy();
    }, GOODBYE_GRACE_MS);
    await Promise.all(ended);
    clearTimeout(timer);
  }
}

function closed({ signal }: NdjsonStream): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
