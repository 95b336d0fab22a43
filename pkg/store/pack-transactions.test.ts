import { describe, expect, it } from 'vitest';
import { packTransactions, type TxnPart } from './pack-transactions.js';
import { MAX_TXN_COMPARES, MAX_TXN_OPERATIONS } from './store.js';

const put = (key: string) => ({ kind: 'put', key, value: {} }) as const;
const part = (key: string, ...shared: string[]): TxnPart => ({
  compare: [key, ...shared].map((each) => ({ key: each, modRevision: 1 })),
  operations: [put(key)],
});

describe('packTransactions', () => {
  it('fills transactions up to the limit of operations, in order', () => {
    const parts = Array.from({ length: 250 }, (_, index) => ({
      compare: [],
      operations: [put(`k${String(index)}`)],
    }));
    const packed = packTransactions(parts);
    expect(packed.map(({ operations }) => operations.length)).toEqual([100, 100, 50]);
    expect(packed.flatMap(({ operations }) => operations)).toEqual(
      parts.flatMap(({ operations }) => operations),
    );
  });

  it('counts a compare that many parts share once, and leaves room for a fence', () => {
    const shared = Array.from({ length: 100 }, (_, index) => part(`k${String(index)}`, 'node'));
    expect(packTransactions(shared)).toHaveLength(1);
    const own = Array.from({ length: 100 }, (_, index) =>
      part(`k${String(index)}`, `node${String(index)}`),
    );
    const packed = packTransactions(own);
    expect(packed).toHaveLength(2);
    for (const { compare } of packed) expect(compare.length).toBeLessThan(MAX_TXN_COMPARES);
  });

  it('never splits a part and never writes a key twice in one transaction', () => {
    const pair = { compare: [], operations: [put('a'), put('b')] };
    const many = Array.from({ length: MAX_TXN_OPERATIONS - 1 }, (_, index) =>
      part(`k${String(index)}`),
    );
    expect(packTransactions([...many, pair])).toHaveLength(2);
    expect(packTransactions([part('a'), part('a')])).toHaveLength(2);
    expect(packTransactions([])).toEqual([]);
  });
});
