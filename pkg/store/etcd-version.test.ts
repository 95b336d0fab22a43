import { describe, expect, it } from 'vitest';
import { judgeEtcdVersion } from './etcd-version.js';

describe('judgeEtcdVersion', () => {
  it.each([
    ['3.3.27', 'refuse'],
    ['2.3.8', 'refuse'],
    ['3.4.23', 'warn'],
    ['3.4.31', 'warn'],
    ['3.4.32', 'ok'],
    ['3.5.0', 'refuse'],
    ['3.5.2', 'refuse'],
    ['3.5.3', 'warn'],
    ['3.5.13', 'warn'],
    ['3.5.14', 'ok'],
    ['v3.5.21', 'ok'],
    ['3.6.0', 'ok'],
    ['3.6.0-rc.1', 'ok'],
    ['3.7.0', 'warn'],
    ['4.0.0', 'warn'],
    ['unknown', 'warn'],
  ])('judges %s: %s', (version, verdict) => {
    expect(judgeEtcdVersion(version).verdict).toBe(verdict);
  });

  it('says what to use instead', () => {
    expect(judgeEtcdVersion('3.5.1')).toEqual({
      verdict: 'refuse',
      reason: 'etcd 3.5.1 can corrupt data; use 3.5.14 or newer',
    });
  });
});
