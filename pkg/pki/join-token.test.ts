import { createHash, X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, it, expect } from 'vitest';
import {
  caDigest,
  createJoinToken,
  formatJoinToken,
  joinTokensEqual,
  parseJoinToken,
  verifyCaAgainstToken,
} from './index.js';
import { testAuthority } from '../../test/fixtures/certificates.js';
import type { TestAuthority } from '../../test/fixtures/certificates.js';

let home: TestAuthority;
let foreign: TestAuthority;
beforeAll(async () => {
  [home, foreign] = await Promise.all([testAuthority(), testAuthority()]);
});

describe('join tokens', () => {
  it('look as Docker Swarm writes them', () => {
    const token = createJoinToken(home.certificate);
    expect(token).toMatch(/^SWMTKN-1-[0-9a-z]{50}-[0-9a-z]{25}$/);
    expect(createJoinToken(home.certificate)).not.toBe(token);
    expect(formatJoinToken(parseJoinToken(` ${token}\n`))).toBe(token);
  });

  it('carry the SHA-256 of the DER in base 36', () => {
    const hex = createHash('sha256')
      .update(new X509Certificate(home.certificate).raw)
      .digest('hex');
    let value = 0n;
    for (const digit of caDigest(home.certificate))
      value = value * 36n + BigInt(parseInt(digit, 36));
    expect(value.toString(16).padStart(64, '0')).toBe(hex);
    const windows = home.certificate.replaceAll('\n', '\r\n');
    expect(caDigest(`# our root\n${windows}`)).toBe(caDigest(home.certificate));
  });

  it.each([
    '',
    'SWMTKN-1-abc-def',
    `SWMTKN-2-1-${'a'.repeat(50)}-${'b'.repeat(25)}`,
    `SWMTKN-1-${'A'.repeat(50)}-${'b'.repeat(25)}`,
    `SWMTKN-1-${'a'.repeat(50)}-${'b'.repeat(26)}`,
  ])('refuse %j without repeating it', (text) => {
    expect(() => parseJoinToken(text)).toThrow(/not a join token/);
    if (text !== '') expect(() => parseJoinToken(text)).not.toThrow(text);
  });

  it('are equal only to themselves', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(joinTokensEqual(a, b)).toBe(a === b);
        expect(joinTokensEqual(a, a)).toBe(true);
      }),
    );
  });
});

describe('verifyCaAgainstToken', () => {
  it('accepts the pinned root and no other', () => {
    const token = parseJoinToken(createJoinToken(home.certificate));
    expect(() => verifyCaAgainstToken(home.certificate, token)).not.toThrow();
    expect(() => verifyCaAgainstToken(foreign.certificate, token)).toThrow(/digest.*differs/);
  });

  it('refuses to trust more than the token vouches for', async () => {
    const token = parseJoinToken(createJoinToken(home.certificate));
    const both = home.certificate + foreign.certificate;
    expect(() => verifyCaAgainstToken(both, token)).toThrow(/sent 2 root certificates/);
    expect(() => verifyCaAgainstToken('', token)).toThrow(/sent 0 root certificates/);
    const { certificate } = await home.issue();
    const tokenOfLeaf = parseJoinToken(createJoinToken(certificate));
    expect(() => verifyCaAgainstToken(certificate, tokenOfLeaf)).toThrow(/not a root/);
  });
});
