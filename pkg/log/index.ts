/** Structured logging: the Logger port, its pino implementation and the redaction of secrets. */
export * from './logger.js';
export * from './create-logger.js';
export * from './redact.js';
