import { X509Certificate, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { cryptoProvider, Pkcs10CertificateRequestGenerator } from '@peculiar/x509';
import { webcrypto } from 'node:crypto';
import { beforeAll, describe, it, expect } from 'vitest';
import {
  BACKDATE_MS,
  MIN_VALIDITY_MS,
  ROOT_VALIDITY_MS,
  createCsr,
  createRootCa,
  generateKey,
  issueCertificate,
  keyMatchesCertificate,
  parseCertificate,
} from './index.js';
import type { IssueRequest, KeyedCertificate } from './index.js';

const NOW = new Date('2026-11-20T10:00:00.000Z');
const DAY = 24 * 3_600_000;
let ca: KeyedCertificate;
let key: string;
let wish: IssueRequest;

beforeAll(async () => {
  cryptoProvider.set(webcrypto);
  ca = await createRootCa({ clusterId: 'cluster1', now: NOW });
  key = await generateKey();
  wish = {
    csr: await createCsr(key),
    commonName: 'node1',
    organizationalUnit: 'swarm-worker',
    organization: 'cluster1',
    validityMs: 90 * DAY,
    now: NOW,
  };
});

describe('createRootCa', () => {
  it('makes a root for 20 years that names the cluster and signed itself', () => {
    const root = parseCertificate(ca.certificate);
    expect(root).toMatchObject({
      commonName: 'swarm-ca',
      organization: 'cluster1',
      organizationalUnit: '',
      isCa: true,
      issuer: { commonName: 'swarm-ca', organization: 'cluster1' },
      notBefore: new Date(NOW.getTime() - BACKDATE_MS),
      notAfter: new Date(NOW.getTime() + ROOT_VALIDITY_MS),
    });
    const x509 = new X509Certificate(ca.certificate);
    expect(x509.verify(x509.publicKey)).toBe(true);
    expect(x509.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    expect(keyMatchesCertificate(ca.key, ca.certificate)).toBe(true);
    expect(ca.key).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  });

  it('refuses a cluster id that does not fit a subject', async () => {
    await expect(createRootCa({ clusterId: '', now: NOW })).rejects.toMatchObject({
      code: 'ERR_INVALID_OBJECT',
    });
  });
});

describe('issueCertificate', () => {
  it('gives the key of the request a subject, names and a validity that the server chose', async () => {
    const pem = await issueCertificate(ca, { ...wish, sans: ['10.0.0.7', 'host-7.lan', '::1'] });
    const certificate = parseCertificate(pem);
    expect(certificate).toMatchObject({
      commonName: 'node1',
      organizationalUnit: 'swarm-worker',
      organization: 'cluster1',
      issuer: { commonName: 'swarm-ca', organization: 'cluster1' },
      isCa: false,
      notBefore: new Date(NOW.getTime() - BACKDATE_MS),
      notAfter: new Date(NOW.getTime() + 90 * DAY),
    });
    expect(certificate.sans).toEqual([
      'node1',
      'swarm-worker',
      '10.0.0.7',
      'host-7.lan',
      '0:0:0:0:0:0:0:1',
    ]);
    const x509 = new X509Certificate(pem);
    expect(x509.checkIssued(new X509Certificate(ca.certificate))).toBe(true);
    expect(x509.verify(createPublicKey(ca.certificate))).toBe(true);
    expect(keyMatchesCertificate(key, pem)).toBe(true);
  });

  it.each([
    ['swarm-worker', ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']],
    ['swarm-manager', ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']],
    ['swarm-admin', ['1.3.6.1.5.5.7.3.2']],
  ] as const)('lets a %s use it for %j', async (organizationalUnit, usages) => {
    const pem = await issueCertificate(ca, { ...wish, organizationalUnit });
    expect(new X509Certificate(pem).keyUsage).toEqual(usages);
  });

  it('takes nothing from a malicious request but its key', async () => {
    const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
      'sign',
      'verify',
    ]);
    const { SubjectAlternativeNameExtension, BasicConstraintsExtension } =
      await import('@peculiar/x509');
    const csr = await Pkcs10CertificateRequestGenerator.create({
      name: 'CN=manager1, OU=swarm-manager, O=other',
      keys,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions: [
        new SubjectAlternativeNameExtension([{ type: 'dns', value: 'manager1' }]),
        new BasicConstraintsExtension(true, 2, true),
      ],
    });
    const certificate = parseCertificate(
      await issueCertificate(ca, { ...wish, csr: csr.toString('pem') }),
    );
    expect(certificate).toMatchObject({
      commonName: 'node1',
      organizationalUnit: 'swarm-worker',
      organization: 'cluster1',
      isCa: false,
      sans: ['node1', 'swarm-worker'],
    });
  });

  it('refuses a request whose signature is not by its key', async () => {
    const lines = wish.csr.trim().split('\n');
    const der = Buffer.from(lines.slice(1, -1).join(''), 'base64');
    der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
    const body = der.toString('base64').replace(/(.{64})/g, '$1\n');
    const csr = [lines[0], body.trim(), lines.at(-1)].join('\n');
    await expect(issueCertificate(ca, { ...wish, csr })).rejects.toThrow(/signature/);
  });

  it.each([
    ['no PEM', 'hello'],
    [
      'an empty request',
      '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----',
    ],
    [
      'a huge one',
      `-----BEGIN CERTIFICATE REQUEST-----\n${'A'.repeat(9000)}\n-----END CERTIFICATE REQUEST-----`,
    ],
  ])('refuses %s by name', async (_what, csr) => {
    await expect(issueCertificate(ca, { ...wish, csr })).rejects.toMatchObject({
      code: 'ERR_INVALID_OBJECT',
    });
  });

  it('refuses a request for another kind of key', async () => {
    const keys = await webcrypto.subtle.generateKey(
      {
        name: 'RSASSA-PKCS1-v1_5',
        hash: 'SHA-256',
        modulusLength: 2048,
        publicExponent: new Uint8Array([1, 0, 1]),
      },
      true,
      ['sign', 'verify'],
    );
    const csr = await Pkcs10CertificateRequestGenerator.create({
      name: 'CN=x',
      keys,
      signingAlgorithm: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
    });
    await expect(issueCertificate(ca, { ...wish, csr: csr.toString('pem') })).rejects.toThrow(
      /must be for a P-256 key/,
    );
  });

  it('names everything that is wrong with a wish at once', async () => {
    const bad = {
      ...wish,
      commonName: 'no spaces',
      organization: '',
      organizationalUnit: 'root' as never,
      sans: ['bad name', '10.0.0.1'],
      validityMs: MIN_VALIDITY_MS - 1,
    };
    const error: unknown = await issueCertificate(ca, bad).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'ERR_INVALID_OBJECT' });
    const { problems } = error as { problems: readonly { path: string }[] };
    expect(problems.map(({ path }) => path).sort()).toEqual([
      'commonName',
      'organization',
      'organizationalUnit',
      'sans',
      'validityMs',
    ]);
    await expect(issueCertificate(ca, { ...wish, validityMs: NaN })).rejects.toThrow(/validityMs/);
  });

  it('never outlives the root, and refuses to sign with an expired or foreign one', async () => {
    const short = await createRootCa({ clusterId: 'cluster1', now: NOW, validityMs: 10 * DAY });
    const certificate = parseCertificate(await issueCertificate(short, wish));
    expect(certificate.notAfter).toEqual(new Date(NOW.getTime() + 10 * DAY));
    const later = new Date(NOW.getTime() + 11 * DAY);
    await expect(issueCertificate(short, { ...wish, now: later })).rejects.toThrow(
      /root.*ended on/,
    );
    await expect(issueCertificate({ ...short, key: ca.key }, wish)).rejects.toThrow(
      /does not belong/,
    );
  });

  it('gives every certificate a random positive serial', async () => {
    const pems = await Promise.all([1, 2, 3].map(() => issueCertificate(ca, wish)));
    const serials = pems.map((pem) => parseCertificate(pem).serial);
    expect(new Set(serials).size).toBe(3);
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/);
  });
});

describe('createCsr', () => {
  it('refuses keys that are not ours, without repeating them', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const error = await createCsr(pem).catch((thrown: unknown) => thrown as Error);
    expect((error as Error).message).toMatch(/must be a P-256 key/);
    expect((error as Error).message).not.toContain(pem.split('\n')[1]);
    await expect(createCsr('nonsense')).rejects.toMatchObject({ code: 'ERR_INVALID_OBJECT' });
  });
});
