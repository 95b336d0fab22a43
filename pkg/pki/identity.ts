import type { PeerCertificate, TLSSocket } from 'node:tls';
import { ForbiddenError, UnauthenticatedError } from '../base/index.js';
import { CERTIFICATE_ROLES, isExpired, subjectOf } from './certificate.js';
import type { CertificateRole } from './certificate.js';

/** Who the other side of a connection proved to be. */
export interface Identity {
  /** Node or user id. */
  readonly id: string;
  readonly role: CertificateRole;
  readonly clusterId: string;
  readonly notAfter: Date;
  /** Upper-case hex. */
  readonly serial: string;
}

/**
 * Reads a peer's certificate; says nothing about who signed it, see {@link peerIdentity}. Throws
 * UnauthenticatedError when the subject is not one of ours.
 */
export function identityOf(certificate: PeerCertificate): Identity {
  const { commonName, organizationalUnit, organization } = subjectOf(certificate);
  const role = CERTIFICATE_ROLES.find((name) => name === organizationalUnit);
  if (commonName === '' || organization === '' || role === undefined) {
    throw new UnauthenticatedError(
      `the certificate is not of a swarm: found CN "${commonName}", OU "${organizationalUnit}", O "${organization}"`,
    );
  }
  return {
    id: commonName,
    role,
    clusterId: organization,
    notAfter: new Date(certificate.valid_to),
    serial: certificate.serialNumber,
  };
}

/**
 * Who is at the other end of a server's connection: undefined when no certificate was presented.
 * Throws UnauthenticatedError when one was presented that our roots did not sign, that is not valid
 * at `now`, or that belongs to another cluster.
 */
export function peerIdentity(
  socket: Pick<TLSSocket, 'authorized' | 'authorizationError' | 'getPeerCertificate'>,
  { clusterId, now }: { readonly clusterId: string; readonly now: Date },
): Identity | undefined {
  // Against its type: a socket that was destroyed meanwhile has no certificate to show any more.
  const certificate = socket.getPeerCertificate() as PeerCertificate | null | undefined;
  if (!certificate) throw new UnauthenticatedError('the connection is closed');
  if (Object.keys(certificate).length === 0) return undefined;
  if (!socket.authorized) {
    throw new UnauthenticatedError(
      `the client certificate was refused: ${String(socket.authorizationError)}`,
    );
  }
  const identity = identityOf(certificate);
  assertOfCluster(identity, clusterId);
  assertStillValid(identity, now);
  return identity;
}

/** Throws UnauthenticatedError when the identity belongs to another cluster. */
export function assertOfCluster(identity: Identity, clusterId: string): void {
  if (identity.clusterId === clusterId) return;
  throw new UnauthenticatedError(
    `the certificate is of cluster "${identity.clusterId}", this is cluster "${clusterId}"`,
  );
}

/**
 * Throws UnauthenticatedError once the certificate's time is over. Ask it for every request: a
 * connection outlives the check that was made when it began.
 */
export function assertStillValid(identity: Pick<Identity, 'id' | 'notAfter'>, now: Date): void {
  if (!isExpired(identity, now)) return;
  throw new UnauthenticatedError(
    `the certificate of ${identity.id} ended on ${identity.notAfter.toISOString()}`,
  );
}

/** Throws ForbiddenError unless the identity has one of the roles. */
export function assertRole(identity: Identity, ...allowed: readonly CertificateRole[]): void {
  if (allowed.includes(identity.role)) return;
  throw new ForbiddenError(`${identity.id} is ${identity.role}, allowed: ${allowed.join(', ')}`);
}
