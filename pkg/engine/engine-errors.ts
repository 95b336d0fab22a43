/** The one place that turns the engine's answers and socket errors into ours. */
import {
  AlreadyExistsError,
  InvalidObjectError,
  NotFoundError,
  SwarmError,
  UnavailableError,
  hasCode,
  messageOf,
} from '../base/index.js';
import { EngineRefusedError } from './errors.js';

/** An answer with an error status. */
export interface EngineFailure {
  /** Such as `create container`. */
  readonly operation: string;
  readonly status: number;
  /** The engine's words. */
  readonly message: string;
}

/**
 * A 500 of these operations is a verdict about this one container (port taken, device missing),
 * which will be the same next time. Everywhere else it is the engine's own trouble.
 */
const VERDICT_OPERATIONS: ReadonlySet<string> = new Set(['create container', 'start container']);

/** Words in a 500 that speak of the engine and not of the container; there is no code for it. */
const ENGINE_TROUBLE =
  /context canceled|context deadline exceeded|containerd\.sock|transport is closing|shutting down|connection (refused|reset)|ttrpc: closed|code = Unavailable/i;

/** Words in a 400 that speak of the API version and not of the request. */
const VERSION_TROUBLE = /client version .* is too (old|new)/i;

/** True when the engine no longer agrees to the negotiated version: ask it again. */
export function isVersionTrouble({ status, message }: EngineFailure): boolean {
  return status === 400 && VERSION_TROUBLE.test(message);
}

/** The error that an answer means. */
export function errorOfFailure(failure: EngineFailure): SwarmError {
  const { operation, status, message } = failure;
  const text = `${operation}: ${message}`;
  if (isVersionTrouble(failure)) return versionError(text, message);
  switch (status) {
    case 400:
      return new InvalidObjectError(text, [{ path: '', message }]);
    case 404:
      return new NotFoundError(text);
    case 409:
      return /is already in use|already exists/i.test(message)
        ? new AlreadyExistsError(text)
        : new EngineRefusedError(text);
    default:
      return isUnavailable(failure) ? new UnavailableError(text) : new EngineRefusedError(text);
  }
}

/** Too new: the engine was replaced by an older one, the next call finds out. Too old: for good. */
function versionError(text: string, message: string): SwarmError {
  return /too new/i.test(message) ? new UnavailableError(text) : new EngineRefusedError(text);
}

function isUnavailable({ operation, status, message }: EngineFailure): boolean {
  if (status === 429 || status > 501) return true;
  if (status !== 500) return false;
  return !VERDICT_OPERATIONS.has(operation) || ENGINE_TROUBLE.test(message);
}

/**
 * The error that a broken or refused connection means: UnavailableError. Our own errors, and an
 * abort by the caller, pass unchanged.
 */
export function errorOfConnection(operation: string, error: unknown, signal?: AbortSignal): Error {
  if (signal?.aborted && signal.reason instanceof Error) return signal.reason;
  if (error instanceof SwarmError) return error;
  // Node's word for a connection that ended within an answer
  const words = hasCode(error, 'ECONNRESET') ? 'the connection was cut' : messageOf(error);
  return new UnavailableError(`${operation}: no answer from the engine: ${words}`, {
    cause: error,
  });
}

/** True when a keep-alive connection may have been dead before the request was written. */
export function isStaleConnection(error: unknown): boolean {
  return hasCode(error, 'ECONNRESET') || hasCode(error, 'EPIPE');
}
