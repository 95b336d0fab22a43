import {
  InvalidObjectError,
  SwarmError,
  UnavailableError,
  hasCode,
  messageOf,
} from '../../pkg/base/index.js';

/** What scripts can rely on; documented in docs/swarmctl.md. */
export const EXIT = {
  ok: 0,
  /** Refused, not found, invalid. */
  failed: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** What was waited for did not happen in time. */
  timeout: 3,
  /** No manager answers. */
  unreachable: 4,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command line is wrong; `hint` says how to write it. */
export class UsageError extends SwarmError {
  readonly code = 'ERR_USAGE';

  constructor(
    message: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}

/** A wait ran out of time. */
export class WaitTimeoutError extends SwarmError {
  readonly code = 'ERR_WAIT_TIMEOUT';
}

/** Something failed and was told already; only the exit code is left to say. */
export class AlreadyToldError extends SwarmError {
  readonly code = 'ERR_ALREADY_TOLD';
}

/** Differences were found: no failure, but not nothing either. */
export class DifferentError extends AlreadyToldError {}

/** What was asked for is still under way, and was told so. */
export class NotYetError extends AlreadyToldError {}

/** A failure of a command whose 1 is an answer, such as that of `diff`: it exits with 2. */
export class NoAnswerError extends SwarmError {
  readonly code = 'ERR_NO_ANSWER';

  constructor(readonly failure: unknown) {
    super(messageOf(failure), { cause: failure });
  }
}

/** The exit code of a command that ended with `error`. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof NoAnswerError) return EXIT.usage;
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof WaitTimeoutError || error instanceof NotYetError) return EXIT.timeout;
  if (hasCode(error, 'ERR_UNAVAILABLE')) return EXIT.unreachable;
  return EXIT.failed;
}

/** What the user reads about `error`: one line and, where it helps, what to do. */
export function wordsOf(error: unknown): string {
  if (error instanceof NoAnswerError) return wordsOf(error.failure);
  const lines = [`error: ${messageOf(error)}`];
  if (error instanceof InvalidObjectError) {
    lines.push(...error.problems.map(({ path, message }) => `  ${path && `${path}: `}${message}`));
  }
  const hint = hintFor(error);
  if (hint !== undefined) lines.push(hint);
  return lines.map((line) => `${line}\n`).join('');
}

/**
 * A manager that answers and has trouble itself says what it is; looking for managers would mislead. Told by
 * what the client's ConnectionError has, because most commands never load the client.
 */
const isOutOfReach = (error: UnavailableError): boolean =>
  [error, error.cause].some(
    (fault) => typeof fault === 'object' && fault !== null && 'manager' in fault,
  );

function hintFor(error: unknown): string | undefined {
  if (error instanceof UsageError) return error.hint;
  if (hasCode(error, 'ERR_NOT_CONVERGING') || error instanceof WaitTimeoutError) {
    return 'See `swarmctl describe KIND NAME` for its conditions, tasks and events.';
  }
  if (error instanceof UnavailableError && isOutOfReach(error)) {
    return 'Is a manager running? `swarmctl config view` shows the addresses that are tried; `make up` starts a local cluster.';
  }
  return undefined;
}
