/**
 * Marks errors after which the same call may succeed later (peer away, deadline passed).
 * The controller runtime asks this one question instead of listing classes.
 */
export const Recoverable: unique symbol = Symbol.for('swarmkeeper.recoverable');

/** Base of all errors thrown by name; `code` is stable and safe to show to clients. */
export abstract class SwarmError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A compare in a guarded transaction was lost: look again, at once. Not a failure. */
export class ConflictError extends SwarmError {
  readonly code = 'ERR_CONFLICT';
}

/** Something with this name exists already. */
export class AlreadyExistsError extends SwarmError {
  readonly code = 'ERR_ALREADY_EXISTS';
}

/** A peer (etcd, engine, manager) is away or did not answer in time; try again with back-off. */
export class UnavailableError extends SwarmError {
  readonly code = 'ERR_UNAVAILABLE';
  readonly [Recoverable] = true;
}

/** The named object does not exist. */
export class NotFoundError extends SwarmError {
  readonly code = 'ERR_NOT_FOUND';
}

/** One thing wrong with an object. `path` is a dotted field path such as `spec.task.container.image`. */
export interface FieldProblem {
  readonly path: string;
  /** What was found, what is allowed: one sentence. */
  readonly message: string;
}

/** An object breaks its schema or a rule; carries every problem found, not only the first. */
export class InvalidObjectError extends SwarmError {
  readonly code = 'ERR_INVALID_OBJECT';

  constructor(
    message: string,
    readonly problems: readonly FieldProblem[] = [],
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The spec cannot work as it is; no retry until it changes. `reason` is a CamelCase word. */
export class TerminalError extends SwarmError {
  readonly code = 'ERR_TERMINAL';

  constructor(
    readonly reason: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The caller may not do this. */
export class ForbiddenError extends SwarmError {
  readonly code = 'ERR_FORBIDDEN';
}

/** What the store that does not know a node says of itself; `StoreFacts` of api/v1. */
export interface RemovalFacts {
  readonly id: string;
  readonly revision: number;
  readonly acceptedAt: string;
  readonly remembers: 'yes' | 'no' | 'unknown';
}

/**
 * The store does not know the node that calls. It was removed from the cluster and cleans up and leaves; unless
 * the store is not the one that the node knew, for which it has the facts.
 */
export class NodeRemovedError extends SwarmError {
  readonly code = 'ERR_NODE_REMOVED';

  constructor(
    message: string,
    readonly facts?: RemovalFacts,
  ) {
    super(message);
  }
}

/** The caller did not prove who it is. */
export class UnauthenticatedError extends SwarmError {
  readonly code = 'ERR_UNAUTHENTICATED';
}

/** History before the asked revision is gone: list again. */
export class CompactedError extends SwarmError {
  readonly code = 'ERR_COMPACTED';
}

/** The request itself cannot be understood; trying it again does not help. */
export class BadRequestError extends SwarmError {
  readonly code = 'ERR_BAD_REQUEST';
}

/** The object or request is larger than is allowed. */
export class TooLargeError extends SwarmError {
  readonly code = 'ERR_TOO_LARGE';
}

const SECOND_MS = 1_000;

/** The peer has too much to do; nothing was done. Try again after `retryAfterMs`. */
export class BusyError extends SwarmError {
  readonly code = 'ERR_BUSY';
  readonly [Recoverable] = true;

  constructor(
    message: string,
    readonly retryAfterMs: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * When to come back. Retry-After tells whole seconds, rounded up: those who were told the same one come all over it.
 */
export const spreadRetryMs = (
  { retryAfterMs }: BusyError,
  random: () => number = Math.random,
): number => Math.max(0, retryAfterMs - SECOND_MS * random());

/** True for errors marked {@link Recoverable}, also across copies of this library. */
export function isRecoverable(error: unknown): boolean {
  return typeof error === 'object' && error !== null && Recoverable in error;
}

/** True when `error` is the named SwarmError class, by its stable code. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === code;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** For the default arm of a switch over a union: fails to compile when a case is missing. */
export function unreachable(value: never): never {
  throw new Error(`unreachable case: ${JSON.stringify(value)}`);
}
