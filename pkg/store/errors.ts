import { SwarmError } from '../base/index.js';

/**
 * A transaction that can never be committed as it is: too many operations, a key written twice, a
 * request over etcd's size limit. A mistake of the caller's, not of the moment.
 */
export class InvalidTransactionError extends SwarmError {
  readonly code = 'ERR_INVALID_TRANSACTION';
}
