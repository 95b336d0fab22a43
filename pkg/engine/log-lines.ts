import type { LogFrame } from './log-frames.js';
import type { LogLine } from './logs.js';

/** As the engine writes it before each message: fixed width, always UTC. */
const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) /;
const STAMP_BYTES = 31;
const NEWLINE = 0x0a;

/** How lines are made. */
export interface LogLineOptions {
  readonly timestamps: boolean;
  /** Longer lines come in parts of this size. */
  readonly maxLineBytes: number;
}

/** What came of one stream's line so far. */
interface OpenLine {
  readonly chunks: Buffer[];
  bytes: number;
  at: string | undefined;
  /** The next byte is the first of a line, and no part of it was given out. */
  fresh: boolean;
}

/**
 * Makes lines of frames, for each stream by itself. The engine splits a line of more than 16 KiB
 * into several messages, each with a time stamp of its own: those inside a line are dropped.
 */
export class LogLineAssembler {
  private readonly open: Record<LogLine['stream'], OpenLine> = {
    stdout: emptyLine(),
    stderr: emptyLine(),
  };

  constructor(private readonly options: LogLineOptions) {}

  push(frame: LogFrame): readonly LogLine[] {
    const line = this.open[frame.stream];
    const lines: LogLine[] = [];
    let rest = this.withoutInnerStamp(line, frame);
    while (rest.length > 0) {
      const newline = rest.indexOf(NEWLINE);
      const end = newline === -1 ? rest.length : newline;
      this.append(frame.stream, rest.subarray(0, end), lines);
      if (newline !== -1) lines.push(this.close(frame.stream, false));
      rest = rest.subarray(end + (newline === -1 ? 0 : 1));
    }
    return lines;
  }

  /** What is left when the log ends in the middle of a line. */
  end(): readonly LogLine[] {
    return (['stdout', 'stderr'] as const)
      .filter((stream) => this.open[stream].bytes > 0)
      .map((stream) => this.close(stream, true));
  }

  private append(stream: LogLine['stream'], data: Buffer, lines: LogLine[]): void {
    let rest = data;
    while (rest.length > 0) {
      const line = this.open[stream];
      const part = rest.subarray(0, this.limitOf(line) - line.bytes);
      if (part.length === 0) {
        // Full, and it goes on after all.
        lines.push(this.close(stream, true));
        continue;
      }
      line.chunks.push(part);
      line.bytes += part.length;
      rest = rest.subarray(part.length);
    }
  }

  private limitOf(line: OpenLine): number {
    return Math.max(1, this.options.maxLineBytes) + (this.expectsStamp(line) ? STAMP_BYTES : 0);
  }

  /** Gives out what is gathered, and starts again: a new line, or the next part of this one. */
  private close(stream: LogLine['stream'], partial: boolean): LogLine {
    const line = this.open[stream];
    const bytes = Buffer.concat(line.chunks);
    const stamp = this.expectsStamp(line)
      ? STAMP.exec(bytes.toString('latin1', 0, STAMP_BYTES))
      : undefined;
    const at = stamp?.[1] ?? line.at;
    this.open[stream] = { chunks: [], bytes: 0, at: partial ? at : undefined, fresh: !partial };
    const data = stamp ? bytes.subarray(STAMP_BYTES) : bytes;
    return { stream, data, partial, ...(at !== undefined && { at }) };
  }

  private expectsStamp(line: OpenLine): boolean {
    return this.options.timestamps && line.fresh;
  }

  private withoutInnerStamp(line: OpenLine, { data, starts }: LogFrame): Buffer {
    const inside = line.bytes > 0 || !line.fresh;
    if (!this.options.timestamps || !starts || !inside) return data;
    return STAMP.test(data.toString('latin1', 0, STAMP_BYTES)) ? data.subarray(STAMP_BYTES) : data;
  }
}

function emptyLine(): OpenLine {
  return { chunks: [], bytes: 0, at: undefined, fresh: true };
}
