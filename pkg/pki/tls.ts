import { constants } from 'node:crypto';
import type {
  ConnectionOptions,
  PeerCertificate,
  SecureContextOptions,
  TlsOptions,
} from 'node:tls';
import { messageOf } from '../base/index.js';
import { parseCertificate } from './certificate.js';
import type { CertificateRole } from './certificate.js';
import { assertOfCluster, assertRole, identityOf } from './identity.js';

/** Both ends are ours, so there is no older peer to be kind to. */
const TLS_VERSION = 'TLSv1.3';

/** PEM of who we are and whom we trust. */
export interface ServerTlsParts {
  readonly cert: string;
  readonly key: string;
  /** The trusted roots; several during a rotation. */
  readonly ca: string;
  /**
   * `required` refuses connections without a certificate of ours in the handshake. `optional` lets
   * machines in that want to join; then {@link peerIdentity} must be asked for every request.
   */
  readonly clientCertificate?: 'required' | 'optional';
}

/**
 * Options for a TLS server. Sessions are never resumed: resumption skips the checks of the client's
 * certificate, so that an expired one would be let in (measured).
 */
export function serverTlsOptions(parts: ServerTlsParts): TlsOptions {
  return {
    ...secureContextOptions(parts),
    requestCert: true,
    rejectUnauthorized: parts.clientCertificate !== 'optional',
  };
}

/** The part of {@link serverTlsOptions} that `server.setSecureContext()` exchanges on renewal. */
export function secureContextOptions(
  parts: Pick<ServerTlsParts, 'cert' | 'key' | 'ca'>,
): SecureContextOptions {
  return {
    cert: parts.cert,
    key: parts.key,
    ca: parts.ca,
    minVersion: TLS_VERSION,
    secureOptions: constants.SSL_OP_NO_TICKET,
    // Without tickets a session could only come from a cache, and Node keeps none unless somebody
    // listens to `newSession` and `resumeSession`: never do. The second is a second lock.
    sessionTimeout: 1,
  };
}

/** PEM of who we are and whom we trust, and whom we expect to meet. */
export interface ClientTlsParts {
  /** Absent while a machine has no certificate yet: it joins. */
  readonly cert?: string;
  readonly key?: string;
  /** The trusted roots; nothing else is trusted. */
  readonly ca: string;
  /** The cluster that the server must belong to. Default: the one of `ca`. */
  readonly clusterId?: string;
  /** What the server must be. Default `swarm-manager`. */
  readonly serverRole?: CertificateRole;
  /** Which node the server must be. Default: any with the role. */
  readonly serverId?: string;
  /** Name to send to the server (SNI). Default: the server's role. */
  readonly servername?: string;
}

/**
 * Options for a TLS client that trusts our roots alone and checks who the server is by its subject:
 * role, cluster and, if asked, id. Names and addresses do not count, because these change.
 */
export function clientTlsOptions(parts: ClientTlsParts): ConnectionOptions {
  const { cert, key, ca, serverRole = 'swarm-manager', serverId } = parts;
  const clusterId = parts.clusterId ?? parseCertificate(ca).organization;
  return {
    ca,
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    minVersion: TLS_VERSION,
    rejectUnauthorized: true,
    servername: parts.servername ?? serverRole,
    checkServerIdentity: (_host, certificate) =>
      serverProblem(certificate, { clusterId, serverRole, serverId }),
  };
}

interface ExpectedServer {
  readonly clusterId: string;
  readonly serverRole: CertificateRole;
  readonly serverId: string | undefined;
}

/** Node wants the error returned, not thrown. */
function serverProblem(certificate: PeerCertificate, expected: ExpectedServer): Error | undefined {
  try {
    const identity = identityOf(certificate);
    assertOfCluster(identity, expected.clusterId);
    assertRole(identity, expected.serverRole);
    if (expected.serverId === undefined || identity.id === expected.serverId) return undefined;
    return new Error(`the server is ${identity.id}, expected ${expected.serverId}`);
  } catch (error) {
    return error instanceof Error ? error : new Error(messageOf(error));
  }
}

/**
 * Options that trust any server, for one purpose: to fetch the root certificate, which is then
 * checked with `verifyCaAgainstToken`. Send nothing secret over such a connection.
 */
export function bootstrapTlsOptions(): ConnectionOptions {
  return { minVersion: TLS_VERSION, rejectUnauthorized: false, servername: 'swarm-manager' };
}
