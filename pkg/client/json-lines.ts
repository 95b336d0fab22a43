import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { SwarmError, UnavailableError } from '../base/index.js';

/** How to read lines. */
export interface LineOptions {
  /** Silence that counts as a broken connection. Default: none does. */
  readonly idleMs?: number;
  /** Default 8 MiB: a complete set of assignments of one node fits many times. */
  readonly maxLineBytes?: number;
}

/** A source of bytes that can be given up. */
export type ByteSource = AsyncIterable<Buffer> & { destroy(error?: Error): unknown };

const MAX_LINE_BYTES = 8 * 1024 * 1024;

/**
 * The values of an NDJSON stream, as they come. The stream is destroyed when the reader stops early.
 * Errors: UnavailableError when it breaks, is silent for too long or sends something else than JSON.
 */
export async function* readJsonLines<T>(
  source: ByteSource,
  { idleMs, maxLineBytes = MAX_LINE_BYTES }: LineOptions = {},
): AsyncGenerator<T, void, undefined> {
  const silence = new SilenceTimer(source, idleMs);
  const lines = new LineSplitter(maxLineBytes);
  try {
    for await (const chunk of source) {
      silence.pause(); // the reader's own time is not the sender's silence
      for (const line of lines.push(chunk)) yield parseLine(line) as T;
      silence.resume();
    }
    for (const line of lines.end()) yield parseLine(line) as T;
  } catch (error) {
    throw isSystemError(error) ? new UnavailableError('the stream broke', { cause: error }) : error;
  } finally {
    silence.pause();
    source.destroy();
  }
}

/** Node's own errors of connections (`ECONNRESET`); whoever aborted gets his own reason back. */
function isSystemError(error: unknown): boolean {
  return !(error instanceof SwarmError) && typeof (error as { code?: unknown }).code === 'string';
}

/** Destroys a source that says nothing for too long. Runs from the beginning. */
class SilenceTimer {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly source: ByteSource,
    private readonly idleMs: number | undefined,
  ) {
    this.resume();
  }

  pause(): void {
    clearTimeout(this.timer);
  }

  resume(): void {
    const { source, idleMs } = this;
    if (idleMs === undefined) return;
    this.timer = setTimeout(() => {
      source.destroy(new UnavailableError(`the stream was silent for ${String(idleMs)} ms`));
    }, idleMs);
  }
}

/** Cuts bytes into lines; empty ones do not count. */
class LineSplitter {
  private readonly decoder = new StringDecoder('utf8');
  private rest = '';

  constructor(private readonly maxBytes: number) {}

  push(chunk: Buffer): readonly string[] {
    const lines = (this.rest + this.decoder.write(chunk)).split('\n');
    this.rest = lines.pop() ?? '';
    if (this.rest.length > this.maxBytes) {
      throw new UnavailableError('a line of the stream is too long');
    }
    return lines.filter((line) => line !== '');
  }

  end(): readonly string[] {
    return this.rest.trim() === '' ? [] : [this.rest];
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new UnavailableError('the stream broke within a line', { cause: error });
  }
}

/**
 * Writes values as NDJSON, no faster than the other side takes them. Ends the source early when the other
 * side goes; then it throws what `target` failed with.
 */
export async function writeLines(target: Writable, lines: AsyncIterable<object>): Promise<void> {
  for await (const line of lines) {
    if (target.destroyed) throw target.errored ?? new UnavailableError('the other side went away');
    if (!target.write(`${JSON.stringify(line)}\n`)) await drained(target);
  }
}

async function drained(target: Writable): Promise<void> {
  const gone = new AbortController();
  const onClose = () => {
    gone.abort(target.errored ?? new UnavailableError('the other side went away'));
  };
  target.once('close', onClose);
  try {
    await once(target, 'drain', { signal: gone.signal });
  } finally {
    target.off('close', onClose);
  }
}
