import { X509Certificate } from 'node:crypto';
// Node 20's toLegacyObject() loads an inner part of node:tls; when node:tls itself comes after that, it
// has no createSecureContext for the rest of the process. So it comes first.
import 'node:tls';
import type { PeerCertificate } from 'node:tls';
import { InvalidObjectError, messageOf } from '../base/index.js';

/** Who a certificate speaks for; the organizational unit of its subject. */
export const CERTIFICATE_ROLES = ['swarm-manager', 'swarm-worker', 'swarm-admin'] as const;
/** One of {@link CERTIFICATE_ROLES}. */
export type CertificateRole = (typeof CERTIFICATE_ROLES)[number];

/** What a certificate says. Parts of the subject that it lacks are empty. */
export interface Certificate {
  /** Node or user id; `swarm-ca` for a root. */
  readonly commonName: string;
  /** The role of who presents it. */
  readonly organizationalUnit: string;
  /** The cluster id. */
  readonly organization: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Upper-case hex, as Node and OpenSSL write it. */
  readonly serial: string;
  /** SHA-256 of the DER, upper-case hex with colons. */
  readonly fingerprint: string;
  readonly issuer: { readonly commonName: string; readonly organization: string };
  /** DNS names and addresses it is valid for. */
  readonly sans: readonly string[];
  readonly isCa: boolean;
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** The certificates of a PEM bundle, one PEM each, in order. */
export function splitPem(bundle: string): readonly string[] {
  return (bundle.match(PEM_CERTIFICATE) ?? []).map((pem) => `${pem}\n`);
}

/** Reads one certificate (the first, of a bundle). Throws InvalidObjectError when it is not PEM. */
export function parseCertificate(pem: string): Certificate {
  return certificateOf(readX509(pem));
}

/** Node's own certificate object. Throws InvalidObjectError when `pem` is not a certificate. */
export function readX509(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new InvalidObjectError(`not a certificate in PEM: ${messageOf(error)}`);
  }
}

function certificateOf(x509: X509Certificate): Certificate {
  const legacy = x509.toLegacyObject();
  return {
    ...subjectOf(legacy),
    notBefore: new Date(x509.validFrom),
    notAfter: new Date(x509.validTo),
    serial: x509.serialNumber,
    fingerprint: x509.fingerprint256,
    issuer: { commonName: only(legacy.issuer.CN), organization: only(legacy.issuer.O) },
    sans: sansOf(x509.subjectAltName),
    isCa: x509.ca,
  };
}

/** The three parts of a subject that we use, of a parsed certificate or of a TLS peer. */
export function subjectOf(
  certificate: Pick<PeerCertificate, 'subject'>,
): Pick<Certificate, 'commonName' | 'organizationalUnit' | 'organization'> {
  // Node gives no subject at all for a certificate whose subject is empty.
  const subject = certificate.subject as Partial<PeerCertificate['subject']> | undefined;
  return {
    commonName: only(subject?.CN),
    organizationalUnit: only(subject?.OU),
    organization: only(subject?.O),
  };
}

/** A part that occurs twice is ambiguous and counts as absent: nobody may be two nodes. */
function only(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : '';
}

function sansOf(subjectAltName: string | undefined): readonly string[] {
  if (subjectAltName === undefined) return [];
  return subjectAltName.split(', ').map((name) => name.replace(/^(DNS|IP Address):/, ''));
}

/** Whether the certificate's time is over at `now`. */
export function isExpired(certificate: Pick<Certificate, 'notAfter'>, now: Date): boolean {
  return now.getTime() >= certificate.notAfter.getTime();
}

/**
 * How long before its issue a certificate begins to be valid, in milliseconds: clocks of new
 * machines are often behind. Not part of the validity that is asked for.
 */
export const BACKDATE_MS = 3_600_000;

const RENEW_FROM = 0.5;
const RENEW_TO = 0.8;

/** When a certificate should be renewed. */
export interface RenewalWindow {
  readonly from: Date;
  readonly to: Date;
}

/**
 * 50 to 80 % of the validity, counted from the issue, which is {@link BACKDATE_MS} after
 * `notBefore`. A certificate shorter than that is counted from `notBefore`.
 */
export function renewalWindow(notBefore: Date, notAfter: Date): RenewalWindow {
  const end = notAfter.getTime();
  const backdated = notBefore.getTime() + BACKDATE_MS;
  const issued = backdated < end ? backdated : notBefore.getTime();
  const at = (part: number) => new Date(issued + Math.max(0, end - issued) * part);
  return { from: at(RENEW_FROM), to: at(RENEW_TO) };
}

/** A random moment in the {@link renewalWindow}, so that nodes that joined together do not renew together. */
export function nextRenewalAt(
  { notBefore, notAfter }: Pick<Certificate, 'notBefore' | 'notAfter'>,
  random: () => number = Math.random,
): Date {
  const { from, to } = renewalWindow(notBefore, notAfter);
  return new Date(from.getTime() + (to.getTime() - from.getTime()) * random());
}
