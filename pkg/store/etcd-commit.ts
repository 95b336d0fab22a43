import type { IRequestOp, ITxnRequest, ITxnResponse } from 'etcd3';
import { backoffMs, ConflictError, messageOf, UnavailableError } from '../base/index.js';
import type { Clock } from '../base/index.js';
import type { CallScope, EtcdCalls } from './etcd-calls.js';
import { keyRange, revisionOf, toEntry, toWireCompare, toWireOperation } from './etcd-codec.js';
import { isRefusal } from './etcd-errors.js';
import type { Revision } from './store.js';
import { writeIdOf } from './values.js';
import type { StampedTxn } from './values.js';

/** What a commit works with. */
export interface CommitContext {
  readonly calls: EtcdCalls;
  readonly clock: Clock;
}

/** Of a call's time, the part in which the write itself must be answered; the rest is for reading back. */
const WRITE_SHARE = 0.6;
/** A write whose reply was lost may reach etcd a little after we look for it. */
const READ_BACK_LOOKS = 3;
const LOOK_AGAIN = { initialMs: 50, maxMs: 300 };

/**
 * Sends a transaction once, never twice. When no answer comes, reads back and recognises the own write
 * by its id. Errors: as `Store.commit`.
 */
export async function commitTxn(
  context: CommitContext,
  txn: StampedTxn,
  scope: CallScope,
): Promise<Revision> {
  const { calls } = context;
  const request = toRequest(txn);
  if (txn.operations.length === 0) return checkOnly(calls, request, scope);
  let response: ITxnResponse;
  try {
    response = await calls.sendOnce(scope, WRITE_SHARE, (to, deadline) =>
      to.kv.txn(request, { deadline }),
    );
  } catch (error) {
    if (isRefusal(error)) throw error;
    return readBack(context, txn, scope, error);
  }
  if (response.succeeded) return revisionOf(response);
  // the caller may have sent this write id before; then the lost compare is its own success
  const revision = ownRevision(response, txn);
  if (revision !== undefined) return revision;
  throw conflictOf(txn);
}

/** A transaction without effects may be sent as often as we like. */
async function checkOnly(
  calls: EtcdCalls,
  request: ITxnRequest,
  scope: CallScope,
): Promise<Revision> {
  const response = await calls.retrying(scope, (to, deadline) => to.kv.txn(request, { deadline }));
  if (!response.succeeded) throw new ConflictError('a compare was lost');
  return revisionOf(response);
}

async function readBack(
  { calls, clock }: CommitContext,
  txn: StampedTxn,
  scope: CallScope,
  cause: unknown,
): Promise<Revision> {
  for (let look = 1; look <= READ_BACK_LOOKS; look += 1) {
    const response = await calls.retrying(
      scope,
      (to, deadline) => to.kv.txn({ success: probes(txn) }, { deadline }),
      Number.POSITIVE_INFINITY,
    );
    const revision = hasPuts(txn) ? ownRevision(response, txn) : goneRevision(response);
    if (revision !== undefined) return revision;
    await clock.sleep(backoffMs(LOOK_AGAIN, look), scope.signal);
  }
  throw new UnavailableError(
    `commit: no reply, and the write was not found afterwards (${messageOf(cause)})`,
    { cause },
  );
}

function toRequest(txn: StampedTxn): ITxnRequest {
  return {
    compare: txn.compare.map(toWireCompare),
    success: txn.operations.map((operation) => toWireOperation(operation, txn)),
    failure: hasPuts(txn) ? probes(txn) : [],
  };
}

/** Reads of what the transaction writes: its puts, or when it has none the keys that it deletes. */
function probes(txn: StampedTxn): IRequestOp[] {
  const kind = hasPuts(txn) ? 'put' : 'delete';
  return txn.operations
    .filter((operation) => operation.kind === kind)
    .map(({ key }) => ({ request_range: keyRange(key) }));
}

function hasPuts({ operations }: StampedTxn): boolean {
  return operations.some(({ kind }) => kind === 'put');
}

/** The revision at which a key still carries this transaction's write id: all its keys were written there. */
function ownRevision({ responses }: ITxnResponse, { writeId }: StampedTxn): Revision | undefined {
  return responses
    .flatMap(({ response_range }) => response_range.kvs)
    .map(toEntry)
    .find((entry) => writeIdOf(entry) === writeId)?.modRevision;
}

/** Deletes leave no write id. That all keys are gone is what was wanted, whoever did it. */
function goneRevision(response: ITxnResponse): Revision | undefined {
  const gone = response.responses.every(({ response_range }) => response_range.kvs.length === 0);
  return gone ? revisionOf(response) : undefined;
}

function conflictOf({ compare }: StampedTxn): ConflictError {
  return new ConflictError(
    `a compare was lost on one of ${compare.map(({ key }) => key).join(', ')}`,
  );
}
