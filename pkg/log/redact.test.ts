import fc from 'fast-check';
import { describe, it, expect } from 'vitest';
import { REDACTED, redacted } from './redact.js';

const PRIVATE_KEY = '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG\n-----END PRIVATE KEY-----\n';

describe('redacted', () => {
  it.each([
    'authorization',
    'Authorization',
    'Proxy-Authorization',
    'token',
    'joinToken',
    'worker_token',
    'X-Registry-Auth',
    'registryAuth',
    'auth',
    'password',
    'secret',
    'secretData',
    'privateKey',
    'caKey',
    'private-key',
    'encryptionKey',
    'set-cookie',
    'env',
  ])('replaces the value of a field called %s at any depth', (name) => {
    expect(redacted({ [name]: 'hunter2' })).toEqual({ [name]: REDACTED });
    expect(redacted({ request: { headers: [{ [name]: { a: 'hunter2' } }] } })).toEqual({
      request: { headers: [{ [name]: REDACTED }] },
    });
  });

  it('keeps the keys of objects readable and hides key material', () => {
    const material = 'mTq0W4Qh1Yb3nq0p6XrT0iH9r1yqkM5v8c7s2u4w6zA=';
    expect(redacted({ key: 'services/web', queueKey: 'x' })).toEqual({
      key: 'services/web',
      queueKey: 'x',
    });
    expect(redacted({ key: material })).toEqual({ key: REDACTED });
    expect(redacted({ key: Buffer.from(material) })).toEqual({ key: REDACTED });
    expect(redacted({ tls: { key: PRIVATE_KEY } })).toEqual({ tls: { key: `${REDACTED}\n` } });
  });

  it('finds secrets by their look inside any text', () => {
    const line = `join --token SWMTKN-1-abc-def with Bearer abcdefgh12345 and ${PRIVATE_KEY}`;
    const shown = JSON.stringify(redacted({ command: line, error: new Error(line) }));
    expect(shown).not.toContain('SWMTKN-1-abc');
    expect(shown).not.toContain('abcdefgh12345');
    expect(shown).not.toContain('MIGH');
    expect(shown).toContain('join --token [redacted] with');
  });

  it('writes errors with code, stack, own fields and causes', () => {
    const cause = Object.assign(new Error('connect refused'), { code: 'ECONNREFUSED' });
    const error = Object.assign(new TypeError('etcd is away', { cause }), {
      code: 'ERR_UNAVAILABLE',
      problems: [{ path: 'spec', message: 'bad' }],
    });
    expect(redacted({ error })).toMatchObject({
      error: {
        type: 'TypeError',
        code: 'ERR_UNAVAILABLE',
        message: 'etcd is away',
        stack: expect.stringContaining('redact.test') as string,
        problems: [{ path: 'spec', message: 'bad' }],
        cause: { type: 'Error', code: 'ECONNREFUSED', message: 'connect refused' },
      },
    });
  });

  it('takes an error in place of fields', () => {
    expect(redacted(new Error('lost'))).toMatchObject({ error: { message: 'lost' } });
  });

  it('survives circles, throwing getters, big integers, bytes and long values', () => {
    const circle: Record<string, unknown> = { revision: 12n, bytes: new Uint8Array(3) };
    circle['self'] = circle;
    Object.defineProperty(circle, 'broken', {
      enumerable: true,
      get: () => {
        throw new Error('no');
      },
    });
    const out = redacted({
      circle,
      list: Array.from({ length: 200 }, () => 1),
      text: 'x'.repeat(9000),
    });
    expect(out['circle']).toMatchObject({
      revision: '12',
      bytes: '[3 bytes]',
      broken: '[unreadable]',
    });
    expect(out['list']).toHaveLength(101);
    expect((out['text'] as string).endsWith('[808 more]')).toBe(true);
    expect(() => JSON.stringify(out)).not.toThrow();
  });

  it('never throws, never changes its input and always gives JSON', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.anything()), (fields) => {
        const names = Object.keys(fields);
        JSON.stringify(redacted(fields));
        expect(Object.keys(fields)).toEqual(names);
      }),
    );
  });
});
