/** Which part of a log, and how. */
export interface LogOptions {
  /** Go on with new lines until the container ends. Default false. */
  readonly follow?: boolean;
  /** Only so many of the last lines; default all. */
  readonly tail?: number;
  /** RFC 3339 or seconds since the epoch with a fraction. */
  readonly since?: string;
  readonly until?: string;
  /** Fill in {@link LogLine.at}. Default false. */
  readonly timestamps?: boolean;
  /** Default true. */
  readonly stdout?: boolean;
  /** Default true. */
  readonly stderr?: boolean;
  /** Longer lines come in parts. Default 64 KiB. */
  readonly maxLineBytes?: number;
  readonly signal?: AbortSignal;
}

/** One line, or a part of a long one, of a container's output. */
export interface LogLine {
  /** With a terminal everything is stdout. */
  readonly stream: 'stdout' | 'stderr';
  /** RFC 3339 with nanoseconds, by the engine's clock. */
  readonly at?: string;
  /** Without the newline. */
  readonly data: Buffer;
  /** The line goes on in the next entry of the same stream, or the log ended without newline. */
  readonly partial: boolean;
}
