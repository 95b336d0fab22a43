import { Type, type Static } from 'typebox';
import { StoreFacts } from './history.js';

/** Every code the API answers with, and its HTTP status. */
export const API_ERRORS = {
  ERR_INVALID_OBJECT: {
    status: 422,
    meaning: 'The object breaks its schema or a rule; details lists each field.',
  },
  ERR_BAD_REQUEST: { status: 400, meaning: 'The request itself cannot be understood.' },
  ERR_UNAUTHENTICATED: { status: 401, meaning: 'No valid client certificate or join token.' },
  ERR_FORBIDDEN: { status: 403, meaning: 'This identity may not do that.' },
  ERR_NODE_REMOVED: { status: 403, meaning: 'The calling node was removed from the cluster.' },
  ERR_NOT_FOUND: { status: 404, meaning: 'No such object or route.' },
  ERR_ALREADY_EXISTS: { status: 409, meaning: 'An object of that name exists.' },
  ERR_CONFLICT: { status: 409, meaning: 'The object changed since it was read; read it again.' },
  ERR_COMPACTED: { status: 410, meaning: 'History that far back is gone; list again.' },
  ERR_TOO_LARGE: { status: 413, meaning: 'The object or request is too large.' },
  ERR_BUSY: { status: 429, meaning: 'Too many requests at once; try again after Retry-After.' },
  ERR_INTERNAL: { status: 500, meaning: 'A bug; the log has more.' },
  ERR_UNAVAILABLE: { status: 503, meaning: 'etcd or a node cannot be reached now; try again.' },
} as const;
export type ApiErrorCode = keyof typeof API_ERRORS;

/** Body of every answer that is not a success. */
export const ApiError = Type.Object({
  code: Type.String(),
  message: Type.String(),
  details: Type.Optional(
    Type.Array(Type.Object({ path: Type.String(), message: Type.String() }), {
      description: 'One entry per field that is wrong.',
    }),
  ),
  store: Type.Optional(StoreFacts),
});
export type ApiError = Static<typeof ApiError>;
