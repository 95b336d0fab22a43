import { destination as pinoDestination, pino, stdTimeFunctions } from 'pino';
import type { DestinationStream, Logger as Pino } from 'pino';
import type { Logger, LogLevel } from './logger.js';
import { redacted } from './redact.js';

/** What a logger of a process needs to know. */
export interface LoggerOptions {
  readonly level: LogLevel;
  /** The process or part that speaks: `swarm-manager`. */
  readonly name: string;
  /** Where lines go, one JSON object each. Default: standard error, written synchronously. */
  readonly destination?: LogDestination;
}

/** Takes one finished line with its line feed. */
export interface LogDestination {
  write(line: string): void;
}

/**
 * A logger that writes one JSON object per line: `level` (a word), `time` (ISO 8601), `pid`, `name`,
 * the fields and `msg`. Lines are written synchronously, so that the last ones before a crash are
 * not lost; a closed standard error is ignored.
 */
export function createLogger({ level, name, destination }: LoggerOptions): Logger {
  const stream: DestinationStream = destination ?? pinoDestination({ fd: 2, sync: true });
  return new PinoLogger(
    pino(
      {
        level,
        base: { pid: process.pid, name },
        timestamp: stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        serializers: {},
      },
      stream,
    ),
  );
}

class PinoLogger implements Logger {
  constructor(private readonly pino: Pino) {}

  debug(fields: object, message: string): void {
    if (this.pino.isLevelEnabled('debug')) this.pino.debug(redacted(fields), message);
  }

  info(fields: object, message: string): void {
    if (this.pino.isLevelEnabled('info')) this.pino.info(redacted(fields), message);
  }

  warn(fields: object, message: string): void {
    if (this.pino.isLevelEnabled('warn')) this.pino.warn(redacted(fields), message);
  }

  error(fields: object, message: string): void {
    if (this.pino.isLevelEnabled('error')) this.pino.error(redacted(fields), message);
  }

  child(fields: object): Logger {
    return new PinoLogger(this.pino.child(redacted(fields)));
  }
}
