import fc from 'fast-check';
import { describe, it, expect } from 'vitest';
import {
  BACKDATE_MS,
  isExpired,
  nextRenewalAt,
  parseCertificate,
  renewalWindow,
  splitPem,
} from './index.js';
import { testAuthority } from '../../test/fixtures/certificates.js';

const HOUR = 3_600_000;
const AT = new Date('2026-01-01T00:00:00Z');
const after = (ms: number) => new Date(AT.getTime() + ms);

describe('renewalWindow', () => {
  it('is 50 to 80 % of the validity, counted from the issue', () => {
    const issued = BACKDATE_MS;
    expect(renewalWindow(AT, after(issued + 100 * HOUR))).toEqual({
      from: after(issued + 50 * HOUR),
      to: after(issued + 80 * HOUR),
    });
    expect(renewalWindow(AT, after(issued + HOUR)).from).toEqual(after(issued + HOUR / 2));
    expect(renewalWindow(AT, after(HOUR / 2)).from).toEqual(after(HOUR / 4));
  });

  it('holds the chosen moment, before the end and never before the issue', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: HOUR, max: 30 * 365 * 24 * HOUR }),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        (validity, chance) => {
          const certificate = { notBefore: AT, notAfter: after(BACKDATE_MS + validity) };
          const { from, to } = renewalWindow(certificate.notBefore, certificate.notAfter);
          const at = nextRenewalAt(certificate, () => chance).getTime();
          expect(at).toBeGreaterThanOrEqual(from.getTime());
          expect(at).toBeLessThanOrEqual(to.getTime());
          expect(at).toBeGreaterThan(AT.getTime() + BACKDATE_MS);
          expect(at).toBeLessThan(certificate.notAfter.getTime());
        },
      ),
    );
  });
});

describe('isExpired', () => {
  it('begins with the last moment', () => {
    expect(isExpired({ notAfter: AT }, after(-1))).toBe(false);
    expect(isExpired({ notAfter: AT }, AT)).toBe(true);
  });
});

describe('parseCertificate', () => {
  it.each(['', 'hello', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'])(
    'refuses %j by name',
    (text) => {
      expect(() => parseCertificate(text)).toThrow(/not a certificate in PEM/);
    },
  );
});

describe('splitPem', () => {
  it('takes a bundle apart', async () => {
    const [one, two] = await Promise.all([testAuthority('a1'), testAuthority('b1')]);
    const parts = splitPem(`# first\n${one.certificate}# second\r\n${two.certificate}`);
    expect(parts.map((pem) => parseCertificate(pem).organization)).toEqual(['a1', 'b1']);
    expect(splitPem('nothing')).toEqual([]);
  });
});
