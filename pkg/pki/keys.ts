import { createPrivateKey, createPublicKey, generateKeyPair, webcrypto } from 'node:crypto';
import { promisify } from 'node:util';
import { InvalidObjectError, messageOf } from '../base/index.js';
import { KEY_ALGORITHM } from './x509.js';

type CryptoKey = webcrypto.CryptoKey;

/** A new P-256 private key as PKCS#8 PEM. */
export async function generateKey(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** A key pair for the X.509 library from PEM. Throws InvalidObjectError unless it is a P-256 key. */
export async function importKeyPair(
  keyPem: string,
): Promise<{ readonly privateKey: CryptoKey; readonly publicKey: CryptoKey }> {
  const { pkcs8, spki } = derOf(keyPem);
  const [privateKey, publicKey] = await Promise.all([
    webcrypto.subtle.importKey('pkcs8', pkcs8, KEY_ALGORITHM, true, ['sign']),
    webcrypto.subtle.importKey('spki', spki, KEY_ALGORITHM, true, ['verify']),
  ]);
  return { privateKey, publicKey };
}

function derOf(keyPem: string): { readonly pkcs8: Buffer; readonly spki: Buffer } {
  try {
    const key = createPrivateKey(keyPem);
    const curve = key.asymmetricKeyDetails?.namedCurve;
    if (curve !== 'prime256v1') {
      throw new Error(`found ${key.asymmetricKeyType ?? 'unknown'}, curve ${curve ?? 'none'}`);
    }
    return {
      pkcs8: key.export({ type: 'pkcs8', format: 'der' }),
      spki: createPublicKey(key).export({ type: 'spki', format: 'der' }),
    };
  } catch (error) {
    // The message of the cause never holds key material; the PEM itself is not repeated.
    throw new InvalidObjectError(`the private key must be a P-256 key in PEM: ${messageOf(error)}`);
  }
}

/** Whether the private key belongs to the certificate. Throws when either is not PEM. */
export function keyMatchesCertificate(keyPem: string, certificatePem: string): boolean {
  const own = createPublicKey(createPrivateKey(keyPem)).export({ type: 'spki', format: 'der' });
  const certified = createPublicKey(certificatePem).export({ type: 'spki', format: 'der' });
  return own.equals(certified);
}
