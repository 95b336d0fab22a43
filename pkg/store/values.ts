import { InvalidObjectError, messageOf, newWriteId } from '../base/index.js';
import type { WriteId } from '../base/index.js';
import { InvalidTransactionError } from './errors.js';
import { MAX_TXN_COMPARES, MAX_TXN_OPERATIONS } from './store.js';
import type { Entry, Txn } from './store.js';

/** What an entry holds: the object as it was written, and the id of the write that put it there. */
export interface DecodedValue {
  /** The stored JSON object without its `writeId`. */
  readonly value: unknown;
  /** Empty when the value was not written through this store. */
  readonly writeId: WriteId | '';
}

/** The JSON text that is stored for `value`: stamped, so that a lost reply can be told from a lost race. */
export function encodeValue(value: object, writeId: WriteId): string {
  return JSON.stringify({ ...value, writeId });
}

/**
 * Reads an entry's JSON. Anyone may have written to etcd, so the shape of `value` is not known yet.
 * Errors: InvalidObjectError when the text is not a JSON object.
 */
export function decodeEntry(entry: Entry): DecodedValue {
  const parsed = parseJson(entry);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new InvalidObjectError(`the value of ${entry.key} is not a JSON object`);
  }
  const { writeId, ...value } = parsed as Record<string, unknown>;
  return { value, writeId: typeof writeId === 'string' ? (writeId as WriteId) : '' };
}

/** The id of the write that made this entry; undefined when it was not written through this store. */
export function writeIdOf(entry: Entry): WriteId | undefined {
  try {
    return decodeEntry(entry).writeId || undefined;
  } catch {
    return undefined;
  }
}

function parseJson(entry: Entry): unknown {
  try {
    return JSON.parse(entry.value);
  } catch (error) {
    throw new InvalidObjectError(`the value of ${entry.key} is not JSON: ${messageOf(error)}`, [], {
      cause: error,
    });
  }
}

/** A transaction that passed {@link requireValidTxn}: its write id is settled. */
export type StampedTxn = Txn & { readonly writeId: WriteId };

/**
 * The transaction with its write id settled. Refused here, before anything is sent, because etcd
 * answers these as it answers a broken connection's leftovers: late and as text.
 * Errors: InvalidTransactionError on too many operations or compares, a key written twice or an empty key.
 */
export function requireValidTxn(txn: Txn): StampedTxn {
  const { operations, compare } = txn;
  requireAtMost(MAX_TXN_OPERATIONS, 'operations', operations.length);
  requireAtMost(MAX_TXN_COMPARES, 'compares', compare.length);
  if (compare.length > MAX_TXN_COMPARES) {
    throw new InvalidTransactionError(
      `${String(compare.length)} compares in one transaction; at most ${String(MAX_TXN_COMPARES)} are allowed`,
    );
  }
  const keys = new Set<string>();
  for (const { key } of operations) {
    if (keys.has(key)) throw new InvalidTransactionError(`key written twice: ${key}`);
    keys.add(key);
  }
  if (keys.has('') || compare.some(({ key }) => key === '')) {
    throw new InvalidTransactionError('a transaction names an empty key');
  }
  return { ...txn, writeId: txn.writeId ?? newWriteId() };
}

function requireAtMost(limit: number, what: string, found: number): void {
  if (found <= limit) return;
  throw new InvalidTransactionError(
    `${String(found)} ${what} in one transaction; at most ${String(limit)} are allowed`,
  );
}
