import { API_ERRORS, type ApiError, type ApiErrorCode } from '../../../api/v1/index.js';
import {
  BusyError,
  InvalidObjectError,
  NodeRemovedError,
  SwarmError,
  messageOf,
  type FieldProblem,
} from '../../base/index.js';

/** How a failure is answered. */
export interface FailureAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ApiError;
  /** True for what nobody foresaw: it is logged with its stack, and its message is kept from clients. */
  readonly isBug: boolean;
}

/** Errors of pkg/store that mean the same to a client as one of the API's codes. */
const SAME_AS: Readonly<Record<string, ApiErrorCode>> = {
  ERR_INVALID_TRANSACTION: 'ERR_INTERNAL',
  ERR_TERMINAL: 'ERR_UNAVAILABLE',
  FST_ERR_CTP_BODY_TOO_LARGE: 'ERR_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'ERR_BAD_REQUEST',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'ERR_BAD_REQUEST',
  FST_ERR_CTP_INVALID_JSON_BODY: 'ERR_BAD_REQUEST',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'ERR_BAD_REQUEST',
  FST_ERR_MAX_PARAM_LENGTH: 'ERR_BAD_REQUEST',
  FST_ERR_BAD_URL: 'ERR_BAD_REQUEST',
};

/** The one place where errors become answers. */
export function failureAnswer(error: unknown): FailureAnswer {
  const code = apiCodeOf(error);
  if (code === undefined || code === 'ERR_INTERNAL') return bugAnswer();
  const { status } = API_ERRORS[code];
  return {
    status,
    headers: retryHeaders(error, status),
    body: { code, message: messageOf(error), ...detailsOf(error), ...factsOf(error) },
    isBug: false,
  };
}

function apiCodeOf(error: unknown): ApiErrorCode | undefined {
  const { code } = error as { readonly code?: unknown };
  if (typeof code !== 'string') return undefined;
  if (error instanceof SwarmError && code in API_ERRORS) return code as ApiErrorCode;
  return SAME_AS[code];
}

function bugAnswer(): FailureAnswer {
  const message = 'something went wrong that we did not foresee; the log of the manager has more';
  return { status: 500, headers: {}, body: { code: 'ERR_INTERNAL', message }, isBug: true };
}

const DEFAULT_RETRY_SECONDS = 1;

function retryHeaders(error: unknown, status: number): Readonly<Record<string, string>> {
  if (error instanceof BusyError) {
    return { 'retry-after': String(Math.max(1, Math.ceil(error.retryAfterMs / 1000))) };
  }
  return status === 503 ? { 'retry-after': String(DEFAULT_RETRY_SECONDS) } : {};
}

function detailsOf(error: unknown): { readonly details?: FieldProblem[] } {
  if (!(error instanceof InvalidObjectError) || error.problems.length === 0) return {};
  return { details: error.problems.map(({ path, message }) => ({ path, message })) };
}

function factsOf(error: unknown): Pick<ApiError, 'store'> {
  return error instanceof NodeRemovedError && error.facts ? { store: error.facts } : {};
}
