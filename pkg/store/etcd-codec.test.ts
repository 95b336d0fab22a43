import { describe, expect, it } from 'vitest';
import { keyAfter, prefixRange, toLeaseId, toRevision, toWireLease } from './etcd-codec.js';

describe('prefixRange', () => {
  it.each([
    ['/swarm/', '/swarm0'],
    ['a', 'b'],
    ['ü', Buffer.from([0xc3, 0xbd])],
  ])('ends %s at %s', (prefix, end) => {
    expect(prefixRange(prefix)).toEqual({ key: Buffer.from(prefix), range_end: Buffer.from(end) });
  });

  it('covers every key when the prefix is empty', () => {
    expect(prefixRange('')).toEqual({ key: Buffer.from([0]), range_end: Buffer.from([0]) });
  });
});

describe('keyAfter', () => {
  it('is the smallest key that is greater', () => {
    expect(keyAfter('a').compare(Buffer.from('a'))).toBe(1);
    expect(keyAfter('a')).toEqual(Buffer.from([0x61, 0]));
  });
});

describe('toRevision', () => {
  it('takes what is exact and refuses the rest by name', () => {
    expect(toRevision('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => toRevision('9007199254740992')).toThrow(/9007199254740992/u);
  });
});

describe('lease ids', () => {
  it('are hexadecimal here and decimal on the wire, exactly', () => {
    expect(toWireLease(toLeaseId('7587894563421789123'))).toBe('7587894563421789123');
    expect(toLeaseId('255')).toBe('ff');
  });
});
