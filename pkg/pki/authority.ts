import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import type { Extension, JsonGeneralName, JsonName } from '@peculiar/x509';
import { InvalidObjectError } from '../base/index.js';
import type { FieldProblem } from '../base/index.js';
import { BACKDATE_MS, CERTIFICATE_ROLES, isExpired, parseCertificate } from './certificate.js';
import type { CertificateRole } from './certificate.js';
import { verifiedCsr } from './csr.js';
import { generateKey, importKeyPair, keyMatchesCertificate } from './keys.js';
import { KEY_ALGORITHM, x509Library } from './x509.js';

/** A certificate and its private key, both PEM. */
export interface KeyedCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** How long a root lives: 20 years, in milliseconds. */
export const ROOT_VALIDITY_MS = 20 * 365 * 24 * 3_600_000;
/** How long certificates live unless the cluster says otherwise: 90 days, in milliseconds. */
export const DEFAULT_VALIDITY_MS = 90 * 24 * 3_600_000;
/** The shortest validity that may be asked for: 1 hour, in milliseconds. */
export const MIN_VALIDITY_MS = 3_600_000;

/** Common name of every root. */
export const ROOT_COMMON_NAME = 'swarm-ca';
const NAME_LIMIT = 64;
const SERIAL_BYTES = 16;
const COMMON_NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]*$/;
const DNS_NAME =
  /^(?=.{1,253}$)([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$/;

/** Whose root to make, and when. */
export interface RootRequest {
  readonly clusterId: string;
  readonly now: Date;
  /** Default {@link ROOT_VALIDITY_MS}. */
  readonly validityMs?: number;
}

/** A new self-signed root for a cluster: P-256, `CN=swarm-ca`, `O=<cluster id>`, back-dated an hour. */
export async function createRootCa(request: RootRequest): Promise<KeyedCertificate> {
  const { clusterId, now, validityMs = ROOT_VALIDITY_MS } = request;
  refuse(nameProblems('clusterId', clusterId));
  const library = await x509Library();
  const key = await generateKey();
  const keys = await importKeyPair(key);
  const certificate = await library.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: [{ O: [clusterId] }, { CN: [ROOT_COMMON_NAME] }],
    notBefore: new Date(now.getTime() - BACKDATE_MS),
    notAfter: new Date(now.getTime() + validityMs),
    signingAlgorithm: KEY_ALGORITHM,
    keys,
    extensions: [
      // One more level, so that a rotation can sign the next root with this one.
      new library.BasicConstraintsExtension(true, 1, true),
      new library.KeyUsagesExtension(
        library.KeyUsageFlags.keyCertSign | library.KeyUsageFlags.cRLSign,
        true,
      ),
      await library.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pemOf(certificate), key };
}

/** What the server decides about a certificate. Nothing of it is taken from the request of the client. */
export interface IssueRequest {
  /** Proves the key; its subject and its extensions are ignored. */
  readonly csr: string;
  /** Node or user id. */
  readonly commonName: string;
  readonly organizationalUnit: CertificateRole;
  /** The cluster id. */
  readonly organization: string;
  /** DNS names and IP addresses beside the common name and the role. */
  readonly sans?: readonly string[];
  /** At least {@link MIN_VALIDITY_MS}, counted from `now`; cut at the end of the root. */
  readonly validityMs: number;
  readonly now: Date;
}

/**
 * Signs a certificate (PEM) for the key of a request. Nodes may serve and call, admins only call.
 * Throws InvalidObjectError for a bad request, with all problems found, and for a root that has
 * expired or whose key is not its own.
 */
export async function issueCertificate(
  ca: KeyedCertificate,
  request: IssueRequest,
): Promise<string> {
  refuse(issueProblems(request));
  const notAfter = endOf(ca, request);
  const [library, csr] = await Promise.all([x509Library(), verifiedCsr(request.csr)]);
  const root = new library.X509Certificate(ca.certificate);
  const { privateKey } = await importKeyPair(ca.key);
  const certificate = await library.X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: subjectName(request),
    issuer: root.subjectName.toJSON(),
    notBefore: new Date(request.now.getTime() - BACKDATE_MS),
    notAfter,
    signingAlgorithm: KEY_ALGORITHM,
    publicKey: csr.publicKey,
    signingKey: privateKey,
    extensions: [
      ...(await leafExtensions(request)),
      await library.SubjectKeyIdentifierExtension.create(csr.publicKey),
      await library.AuthorityKeyIdentifierExtension.create(root.publicKey),
    ],
  });
  return pemOf(certificate);
}

function endOf(ca: KeyedCertificate, { now, validityMs }: IssueRequest): Date {
  const root = parseCertificate(ca.certificate);
  if (isExpired(root, now)) {
    throw new InvalidObjectError(`the root certificate ended on ${root.notAfter.toISOString()}`);
  }
  if (!keyMatchesCertificate(ca.key, ca.certificate)) {
    throw new InvalidObjectError('the key of the root does not belong to its certificate');
  }
  return new Date(Math.min(now.getTime() + validityMs, root.notAfter.getTime()));
}

function subjectName(request: IssueRequest): JsonName {
  return [
    { O: [request.organization] },
    { OU: [request.organizationalUnit] },
    { CN: [request.commonName] },
  ];
}

async function leafExtensions(request: IssueRequest): Promise<readonly Extension[]> {
  const library = await x509Library();
  const { serverAuth, clientAuth } = library.ExtendedKeyUsage;
  const isNode = request.organizationalUnit !== 'swarm-admin';
  const names = [
    ...(isNode ? [request.commonName, request.organizationalUnit] : []),
    ...(request.sans ?? []),
  ];
  return [
    new library.BasicConstraintsExtension(false, undefined, true),
    new library.KeyUsagesExtension(library.KeyUsageFlags.digitalSignature, true),
    new library.ExtendedKeyUsageExtension(isNode ? [serverAuth, clientAuth] : [clientAuth]),
    ...(names.length > 0
      ? [new library.SubjectAlternativeNameExtension([...new Set(names)].map(generalName))]
      : []),
  ];
}

function generalName(value: string): JsonGeneralName {
  return { type: isIP(value) ? 'ip' : 'dns', value };
}

function issueProblems(request: IssueRequest): readonly FieldProblem[] {
  const { commonName, organizationalUnit, organization, sans = [], validityMs } = request;
  const problems = [
    ...nameProblems('commonName', commonName),
    ...nameProblems('organization', organization),
    ...sans.filter((san) => !isIP(san) && !DNS_NAME.test(san)).map(sanProblem),
  ];
  if (!CERTIFICATE_ROLES.includes(organizationalUnit)) {
    const message = `found "${organizationalUnit}", allowed: ${CERTIFICATE_ROLES.join(', ')}`;
    problems.push({ path: 'organizationalUnit', message });
  }
  if (!(validityMs >= MIN_VALIDITY_MS)) {
    const message = `found ${String(validityMs)} ms, must be at least an hour`;
    problems.push({ path: 'validityMs', message });
  }
  return problems;
}

function sanProblem(san: string): FieldProblem {
  return { path: 'sans', message: `"${san}" is neither an IP address nor a DNS name` };
}

function nameProblems(path: string, value: string): readonly FieldProblem[] {
  if (value.length <= NAME_LIMIT && COMMON_NAME.test(value)) return [];
  const message = `"${value}" must be 1 to ${String(NAME_LIMIT)} letters, digits and . _ @ -, beginning with a letter or digit`;
  return [{ path, message }];
}

function refuse(problems: readonly FieldProblem[]): void {
  if (problems.length === 0) return;
  const list = problems.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new InvalidObjectError(`cannot issue the certificate: ${list}`, problems);
}

/** Random and positive: the top bit is clear and the first byte is not 0, so its length is fixed. */
function newSerial(): string {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

function pemOf(certificate: { toString(format: 'pem'): string }): string {
  return `${certificate.toString('pem')}\n`;
}
