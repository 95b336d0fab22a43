import { describe, expect, it } from 'vitest';
import { InvalidObjectError, newWriteId } from '../base/index.js';
import { InvalidTransactionError } from './errors.js';
import { MAX_TXN_COMPARES, MAX_TXN_OPERATIONS } from './store.js';
import type { Entry, Operation } from './store.js';
import { decodeEntry, encodeValue, requireValidTxn, writeIdOf } from './values.js';

const entryOf = (value: string): Entry => ({
  key: '/swarm/x',
  value,
  createRevision: 2,
  modRevision: 2,
});

describe('stored values', () => {
  it('come back as they were written, without the stamp', () => {
    const writeId = newWriteId();
    const entry = entryOf(encodeValue({ a: 1, list: [1, 2] }, writeId));
    expect(decodeEntry(entry)).toEqual({ value: { a: 1, list: [1, 2] }, writeId });
    expect(writeIdOf(entry)).toBe(writeId);
  });

  it('carry the id of the last write, not one that a read object brought along', () => {
    const writeId = newWriteId();
    expect(writeIdOf(entryOf(encodeValue({ writeId: 'old' }, writeId)))).toBe(writeId);
  });

  it('of other origin have no write id', () => {
    expect(decodeEntry(entryOf('{"a":1}'))).toEqual({ value: { a: 1 }, writeId: '' });
    expect(decodeEntry(entryOf('{"writeId":7}')).writeId).toBe('');
    expect(writeIdOf(entryOf('{"a":1}'))).toBeUndefined();
    expect(writeIdOf(entryOf('not json'))).toBeUndefined();
  });

  it.each(['', '{', '[]', 'null', '7', '"text"'])(
    'that are no JSON object are refused: %j',
    (text) => {
      expect(() => decodeEntry(entryOf(text))).toThrow(InvalidObjectError);
      expect(() => decodeEntry(entryOf(text))).toThrow(/\/swarm\/x/u);
    },
  );
});

describe('requireValidTxn', () => {
  const remove = (key: string): Operation => ({ kind: 'delete', key });
  const many = (n: number) => Array.from({ length: n }, (_, i) => String(i));

  it('settles the write id and keeps a given one', () => {
    const writeId = newWriteId();
    expect(requireValidTxn({ compare: [], operations: [], writeId }).writeId).toBe(writeId);
    expect(requireValidTxn({ compare: [], operations: [] }).writeId).not.toBe('');
  });

  it.each([
    ['too many operations', { compare: [], operations: many(MAX_TXN_OPERATIONS + 1).map(remove) }],
    [
      'too many compares',
      {
        compare: many(MAX_TXN_COMPARES + 1).map((key) => ({ key, modRevision: 0 })),
        operations: [],
      },
    ],
    ['a key written twice', { compare: [], operations: [remove('a'), remove('a')] }],
    ['an empty key written', { compare: [], operations: [remove('')] }],
    ['an empty key compared', { compare: [{ key: '', modRevision: 0 }], operations: [] }],
  ])('refuses %s', (_what, txn) => {
    expect(() => requireValidTxn(txn)).toThrow(InvalidTransactionError);
  });
});
