import type { Pkcs10CertificateRequest } from '@peculiar/x509';
import { InvalidObjectError, messageOf } from '../base/index.js';
import { importKeyPair } from './keys.js';
import { KEY_ALGORITHM, x509Library } from './x509.js';

/** A request of ours has about 400 bytes; nobody needs more. */
const MAX_CSR_BYTES = 8 * 1024;
const PEM_CSR =
  /^\s*-----BEGIN CERTIFICATE REQUEST-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE REQUEST-----\s*$/;

/**
 * A certificate request (PEM) for the private key. It states nothing but the public key: the server
 * decides about subject, names and validity. Throws InvalidObjectError for a key that is not ours.
 */
export async function createCsr(keyPem: string): Promise<string> {
  const [{ Pkcs10CertificateRequestGenerator }, keys] = await Promise.all([
    x509Library(),
    importKeyPair(keyPem),
  ]);
  const csr = await Pkcs10CertificateRequestGenerator.create({
    name: 'CN=swarm',
    keys,
    signingAlgorithm: KEY_ALGORITHM,
  });
  return `${csr.toString('pem')}\n`;
}

/**
 * The request, once its signature proved that the sender holds the private key. Throws
 * InvalidObjectError for anything else than one well-formed request for a P-256 key.
 */
export async function verifiedCsr(csrPem: string): Promise<Pkcs10CertificateRequest> {
  if (csrPem.length > MAX_CSR_BYTES || !PEM_CSR.test(csrPem)) {
    throw new InvalidObjectError(
      `expected one certificate request in PEM of at most ${String(MAX_CSR_BYTES)} bytes`,
    );
  }
  const { csr, genuine } = await readCsr(csrPem);
  if (!isP256(csr.publicKey.algorithm)) {
    throw new InvalidObjectError('the certificate request must be for a P-256 key');
  }
  if (!genuine) {
    throw new InvalidObjectError('the signature of the certificate request is wrong');
  }
  return csr;
}

async function readCsr(
  csrPem: string,
): Promise<{ readonly csr: Pkcs10CertificateRequest; readonly genuine: boolean }> {
  const { Pkcs10CertificateRequest: Csr } = await x509Library();
  try {
    const csr = new Csr(csrPem);
    return { csr, genuine: await csr.verify() };
  } catch (error) {
    throw new InvalidObjectError(`the certificate request cannot be read: ${messageOf(error)}`);
  }
}

function isP256(algorithm: unknown): boolean {
  const { name, namedCurve } = algorithm as { readonly name: string; readonly namedCurve?: string };
  return name.startsWith('EC') && namedCurve === KEY_ALGORITHM.namedCurve;
}
