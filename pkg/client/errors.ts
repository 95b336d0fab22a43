import type { IncomingHttpHeaders } from 'node:http';
import { API_ERRORS, ApiError, codec } from '../../api/v1/index.js';
import {
  AlreadyExistsError,
  BadRequestError,
  BusyError,
  CompactedError,
  ConflictError,
  ForbiddenError,
  InvalidObjectError,
  NodeRemovedError,
  NotFoundError,
  SwarmError,
  TooLargeError,
  UnauthenticatedError,
  UnavailableError,
} from '../base/index.js';

/** The server failed in a way that its author did not foresee; its log has more. */
export class ServerFailureError extends SwarmError {
  readonly code = 'ERR_INTERNAL';
}

const DEFAULT_RETRY_MS = 1_000;
const apiErrorCodec = codec<ApiError>(ApiError);

/** An answer that is not a success. */
export interface FailedAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** The error that an answer tells of, with every problem it lists. */
export function errorOfAnswer({ status, headers, text }: FailedAnswer): SwarmError {
  const body = apiErrorIn(text) ?? {
    code: codeOfStatus(status),
    message: `answered ${String(status)}: ${text.slice(0, 200)}`,
  };
  const retryAfter = Number(headers['retry-after']);
  return errorOf(body, Number.isFinite(retryAfter) ? retryAfter * 1000 : DEFAULT_RETRY_MS);
}

/** The error that a code and message tell of, such as those of a watch's last line. */
export function errorOf(
  { code, message, details, store }: ApiError,
  retryAfterMs = DEFAULT_RETRY_MS,
): SwarmError {
  const make = MAKERS[code];
  if (code === 'ERR_BUSY') return new BusyError(message, retryAfterMs);
  if (code === 'ERR_NODE_REMOVED') return new NodeRemovedError(message, store);
  return make ? make(message, details ?? []) : new ServerFailureError(message);
}

type Problems = NonNullable<ApiError['details']>;
const MAKERS: Readonly<Record<string, (message: string, problems: Problems) => SwarmError>> = {
  ERR_INVALID_OBJECT: (message, problems) => new InvalidObjectError(message, problems),
  ERR_BAD_REQUEST: (message) => new BadRequestError(message),
  ERR_UNAUTHENTICATED: (message) => new UnauthenticatedError(message),
  ERR_FORBIDDEN: (message) => new ForbiddenError(message),
  ERR_NOT_FOUND: (message) => new NotFoundError(message),
  ERR_ALREADY_EXISTS: (message) => new AlreadyExistsError(message),
  ERR_CONFLICT: (message) => new ConflictError(message),
  ERR_COMPACTED: (message) => new CompactedError(message),
  ERR_TOO_LARGE: (message) => new TooLargeError(message),
  ERR_UNAVAILABLE: (message) => new UnavailableError(message),
};

function apiErrorIn(text: string): ApiError | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return apiErrorCodec.check(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

/** Something between us and the manager answered, so only the status is known. */
function codeOfStatus(status: number): string {
  const known = Object.entries(API_ERRORS).find(([, entry]) => entry.status === status);
  return known?.[0] ?? 'ERR_INTERNAL';
}
