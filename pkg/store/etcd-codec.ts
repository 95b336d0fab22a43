import type { ICompare, IEvent, IKeyValue, IRangeRequest, IRequestOp, IRangeResponse } from 'etcd3';
import { InvalidObjectError } from '../base/index.js';
import type { Compare, Entry, Operation, Revision, WatchEvent } from './store.js';
import { encodeValue } from './values.js';
import type { StampedTxn } from './values.js';

/** etcd's "from here to the last key". */
const LAST = Buffer.from([0]);

/** The half-open key range of everything that starts with `prefix`; empty: every key. */
export function prefixRange(prefix: string): { readonly key: Buffer; readonly range_end: Buffer } {
  if (prefix === '') return { key: LAST, range_end: LAST };
  const key = Buffer.from(prefix);
  return { key, range_end: endOf(key) };
}

/** The first key after `key`. */
export function keyAfter(key: string): Buffer {
  return Buffer.concat([Buffer.from(key), LAST]);
}

/** A range of exactly one key. */
export function keyRange(key: string): IRangeRequest {
  return { key: Buffer.from(key) };
}

/** A key as the port shows it. */
export function toEntry(kv: IKeyValue): Entry {
  const entry = {
    key: kv.key.toString(),
    value: kv.value.toString(),
    createRevision: toRevision(kv.create_revision),
    modRevision: toRevision(kv.mod_revision),
  };
  return kv.lease === '0' ? entry : { ...entry, leaseId: toLeaseId(kv.lease) };
}

/** An event as the port shows it. */
export function toWatchEvent({ type, kv }: IEvent): WatchEvent {
  return type === 'Delete'
    ? { kind: 'delete', key: kv.key.toString(), modRevision: toRevision(kv.mod_revision) }
    : { kind: 'put', entry: toEntry(kv) };
}

/**
 * etcd's 64-bit integer as the number that revisions are here. Errors: InvalidObjectError above 2^53,
 * where it would be rounded.
 */
export function toRevision(wire: string): Revision {
  const revision = Number(wire);
  if (Number.isSafeInteger(revision)) return revision;
  throw new InvalidObjectError(`etcd's revision ${wire} is too large to be exact`);
}

/** The store's revision when it gave this answer. */
export function revisionOf({ header }: Pick<IRangeResponse, 'header'>): Revision {
  return toRevision(header.revision);
}

/** etcd's cluster id as `etcdctl` prints it. */
export function clusterIdOf({ header }: Pick<IRangeResponse, 'header'>): string {
  return BigInt.asUintN(64, BigInt(header.cluster_id)).toString(16);
}

/** Lease ids are hexadecimal for people and decimal on the wire. */
export function toLeaseId(wire: string): string {
  return BigInt(wire).toString(16);
}

/** The opposite of {@link toLeaseId}. */
export function toWireLease(leaseId: string): string {
  return BigInt(`0x${leaseId}`).toString();
}

/** A compare as etcd takes it. */
export function toWireCompare(compare: Compare): ICompare {
  const key = Buffer.from(compare.key);
  return 'modRevision' in compare
    ? { key, target: 'Mod', result: 'Equal', mod_revision: String(compare.modRevision) }
    : { key, target: 'Create', result: 'Equal', create_revision: String(compare.createRevision) };
}

/** An operation as etcd takes it; a put's value carries the transaction's write id. */
export function toWireOperation(operation: Operation, { writeId }: StampedTxn): IRequestOp {
  const key = Buffer.from(operation.key);
  if (operation.kind === 'delete') return { request_delete_range: { key } };
  const { leaseId } = operation;
  return {
    request_put: {
      key,
      value: Buffer.from(encodeValue(operation.value, writeId)),
      ...(leaseId !== undefined && { lease: toWireLease(leaseId) }),
    },
  };
}

function endOf(prefix: Buffer): Buffer {
  const end = Buffer.from(prefix);
  for (let i = end.length - 1; i >= 0; i -= 1) {
    const byte = end[i] ?? 0;
    if (byte < 0xff) {
      end[i] = byte + 1;
      return end.subarray(0, i + 1);
    }
  }
  return LAST;
}
