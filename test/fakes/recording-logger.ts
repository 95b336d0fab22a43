import type { Logger, LogLevel } from '../../pkg/log/index.js';

/** One line as it was logged; `fields` holds those of the child loggers too, not redacted. */
export interface LogLine {
  readonly level: Exclude<LogLevel, 'silent'>;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** A logger that keeps its lines in `lines`, which its children share. */
export interface RecordingLogger extends Logger {
  readonly lines: readonly LogLine[];
  /** The lines with exactly this message. */
  linesOf(message: string): readonly LogLine[];
  child(fields: object): RecordingLogger;
}

/** Remembers everything that is logged, for assertions. */
export function recordingLogger(): RecordingLogger {
  return recorder([], {});
}

function recorder(lines: LogLine[], bound: object): RecordingLogger {
  const write = (level: LogLine['level']) => (fields: object, message: string) => {
    lines.push({ level, fields: { ...bound, ...fields }, message });
  };
  return {
    lines,
    linesOf: (message) => lines.filter((line) => line.message === message),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => recorder(lines, { ...bound, ...fields }),
  };
}
