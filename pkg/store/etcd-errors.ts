import {
  EtcdLeaseInvalidError,
  EtcdPermissionDeniedError,
  GRPCFailedPreconditionError,
  GRPCInvalidArgumentError,
  GRPCNotImplementedError,
  GRPCOutOfRangeError,
  GRPCResourceExhastedError,
  GRPCUnauthenticatedError,
} from 'etcd3';
import {
  CompactedError,
  messageOf,
  NotFoundError,
  SwarmError,
  UnavailableError,
} from '../base/index.js';
import { InvalidTransactionError } from './errors.js';
import { NO_SPACE_ADVICE } from './store-trouble.js';

/** etcd's and gRPC's only sign of these is their text. */
const COMPACTED = 'required revision has been compacted';
const OF_THE_FUTURE = 'required revision is a future revision';
const NO_SPACE = 'database space exceeded';
const TOO_LARGE = /received message larger than max|request is too large/iu;

/**
 * True when the answer proves that the request was looked at and turned down: it was not applied and
 * the same request gets the same answer. Everything else leaves open whether it was applied.
 */
export function isRefusal(error: unknown): boolean {
  if (error instanceof GRPCResourceExhastedError) return isFromServer(error);
  return (
    error instanceof SwarmError ||
    error instanceof EtcdLeaseInvalidError ||
    error instanceof EtcdPermissionDeniedError ||
    error instanceof GRPCInvalidArgumentError ||
    error instanceof GRPCFailedPreconditionError ||
    error instanceof GRPCOutOfRangeError ||
    error instanceof GRPCNotImplementedError ||
    error instanceof GRPCUnauthenticatedError
  );
}

/** True when a reply did not fit our receive limit: ask for less. */
export function isReplyTooLarge(error: unknown): boolean {
  return (
    error instanceof GRPCResourceExhastedError &&
    !isFromServer(error) &&
    TOO_LARGE.test(error.message)
  );
}

/** Why a revision cannot be read: it is not there any more, or not yet; undefined for any other failure. */
export function unreadableRevision(error: unknown): 'compacted' | 'future' | undefined {
  if (!(error instanceof GRPCOutOfRangeError)) return undefined;
  if (error.message.includes(COMPACTED)) return 'compacted';
  return error.message.includes(OF_THE_FUTURE) ? 'future' : undefined;
}

/** The port's error for what etcd3 threw at `what`. */
export function toStoreError(what: string, error: unknown): Error {
  if (error instanceof SwarmError) return error;
  const message = `${what}: ${reasonOf(error)}`;
  if (error instanceof EtcdLeaseInvalidError) {
    return new NotFoundError(`${what}: the lease is gone`, { cause: error });
  }
  if (unreadableRevision(error) === 'compacted') {
    return new CompactedError(message, { cause: error });
  }
  if (error instanceof GRPCInvalidArgumentError || isRequestTooLarge(error)) {
    return new InvalidTransactionError(message, { cause: error });
  }
  return new UnavailableError(message, { cause: error });
}

/** Why a call failed, for people: without what gRPC puts around its errors. */
export function reasonOf(error: unknown): string {
  const text = messageOf(error);
  if (text.includes(NO_SPACE)) return `etcd is full; ${NO_SPACE_ADVICE}`;
  return text
    .replace(/^\d+ [A-Z_]+: /u, '')
    .replace('Last error: Error: ', '')
    .replace(/ Resolution note: $/u, '');
}

function isRequestTooLarge(error: unknown): boolean {
  return (
    error instanceof GRPCResourceExhastedError &&
    isFromServer(error) &&
    TOO_LARGE.test(error.message)
  );
}

/** grpc-js complains of our own limits with a capital letter; the server's texts start as Go's do. */
function isFromServer({ message }: Error): boolean {
  return /etcdserver:|grpc: /u.test(message);
}
