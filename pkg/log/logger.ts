/**
 * Writes structured log lines. The message is a constant in lower case ("applying service plan");
 * everything that varies goes into `fields`, so that lines can be counted by message.
 * An Error may be any field's value (by habit `error`): its code, stack and causes are written.
 * Fields that name a secret are replaced before anything is written, see {@link redacted}.
 */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A logger that adds `fields` to every line. */
  child(fields: object): Logger;
}
export const Logger = Symbol('Logger');

/** From chatty to quiet; `silent` writes nothing. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The level that `text` names, in any case and with "warning" and "off" understood; else undefined. */
export function parseLogLevel(text: string): LogLevel | undefined {
  const name = text.trim().toLowerCase();
  if (name === 'warning') return 'warn';
  if (name === 'off') return 'silent';
  return LOG_LEVELS.find((level) => level === name);
}

/** Says nothing. */
export const nullLogger: Logger = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  child: () => nullLogger,
};

function ignore(): void {
  // nothing is written, by intent
}
