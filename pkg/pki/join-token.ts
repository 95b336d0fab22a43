import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { InvalidObjectError, UnauthenticatedError } from '../base/index.js';
import { readX509, splitPem } from './certificate.js';

/**
 * What lets a machine join: `SWMTKN-1-<digest of the root>-<secret>`, as Docker Swarm writes it. The
 * digest lets the machine know the cluster before it trusts anything, the secret lets the cluster
 * know the machine.
 */
export interface JoinToken {
  /** 50 characters of base 36: SHA-256 of the root certificate's DER. */
  readonly caDigest: string;
  /** 25 characters of base 36: 16 random bytes. */
  readonly secret: string;
}

const PREFIX = 'SWMTKN-1';
const DIGEST_LENGTH = 50;
const SECRET_LENGTH = 25;
const SECRET_BYTES = 16;
const SHAPE = new RegExp(`^${PREFIX}-([0-9a-z]{${DIGEST_LENGTH}})-([0-9a-z]{${SECRET_LENGTH}})$`);

/** A new token for the cluster with this root. Its text is a secret: store it sealed. */
export function createJoinToken(caPem: string): string {
  return formatJoinToken({
    caDigest: caDigest(caPem),
    secret: base36(randomBytes(SECRET_BYTES), SECRET_LENGTH),
  });
}

/** The token's text. */
export function formatJoinToken({ caDigest: digest, secret }: JoinToken): string {
  return `${PREFIX}-${digest}-${secret}`;
}

/** Takes a token apart. Throws InvalidObjectError, which does not repeat the text. */
export function parseJoinToken(text: string): JoinToken {
  const [, digest, secret] = SHAPE.exec(text.trim()) ?? [];
  if (digest === undefined || secret === undefined) {
    throw new InvalidObjectError(
      `not a join token: expected ${PREFIX}-<${String(DIGEST_LENGTH)} characters>-<${String(SECRET_LENGTH)} characters> of 0-9 and a-z`,
    );
  }
  return { caDigest: digest, secret };
}

/**
 * The digest of a root certificate as join tokens carry it. It is taken over the DER, not over the
 * PEM text as Docker does, so that line ends and comments in a file do not matter.
 */
export function caDigest(caPem: string): string {
  return base36(createHash('sha256').update(readX509(caPem).raw).digest(), DIGEST_LENGTH);
}

/** Whether two tokens are the same, in a time that does not tell how far they agree. */
export function joinTokensEqual(given: string, expected: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(expected));
}

/**
 * Checks that a root fetched from an unproven server is the one that the token pins. Throws
 * UnauthenticatedError when it is another one, when it is not a CA, or when there are several: the
 * token vouches for one only.
 */
export function verifyCaAgainstToken(caPem: string, token: JoinToken): void {
  const certificates = splitPem(caPem);
  const [only] = certificates;
  if (only === undefined || certificates.length !== 1) {
    throw new UnauthenticatedError(
      `the server sent ${String(certificates.length)} root certificates, expected exactly one`,
    );
  }
  if (!joinTokensEqual(caDigest(only), token.caDigest)) {
    throw new UnauthenticatedError(
      'the server is not of the cluster that made the join token: the digest of its root certificate differs. ' +
        'Check the address, and that the token was not made before a rotation of the root',
    );
  }
  if (!readX509(only).ca) {
    throw new UnauthenticatedError('the certificate that the join token pins is not a root');
  }
}

function base36(bytes: Uint8Array, length: number): string {
  const value = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  return value.toString(36).padStart(length, '0');
}
