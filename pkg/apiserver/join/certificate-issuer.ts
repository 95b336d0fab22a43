import {
  effectiveClusterSpec,
  type JoinTokens,
  type StoredCluster,
} from '../../../api/v1/index.js';
import { UnauthenticatedError, UnavailableError, type Clock } from '../../base/index.js';
import { clusterOf, type World } from '../../objects/index.js';
import {
  caDigest,
  issueCertificate,
  joinTokensEqual,
  parseJoinToken,
  type CertificateRole,
  type Sealer,
} from '../../pki/index.js';
import { ClusterSecrets } from './cluster-secrets.js';

/** Whom a certificate is for. */
export interface CertificateSubject {
  readonly id: string;
  readonly role: CertificateRole;
}

/** What the issuer works with. */
export interface CertificateIssuerOptions {
  readonly world: World;
  readonly sealer: Sealer;
  readonly clock: Clock;
}

/** A certificate with the root that signed it, both PEM. */
export interface IssuedCertificate {
  readonly certificate: string;
  readonly caCertificate: string;
}

/** The certificate authority of the cluster, as far as a manager can be one. */
export class CertificateIssuer {
  constructor(private readonly options: CertificateIssuerOptions) {}

  /** PEM of the root. Public. */
  get caCertificate(): string {
    return this.cluster().security.caCertificate;
  }

  /** Both join tokens. */
  get tokens(): JoinTokens {
    return this.secrets().tokens;
  }

  /**
   * The role that a join token stands for. Takes as long for a wrong token as for a right one.
   * Errors: UnauthenticatedError, which says whether the token is of another cluster or not valid.
   */
  roleOf(token: string): 'worker' | 'manager' {
    const { worker, manager } = this.tokens;
    const [isWorker, isManager] = [joinTokensEqual(token, worker), joinTokensEqual(token, manager)];
    if (isWorker) return 'worker';
    if (isManager) return 'manager';
    if (digestOf(token) !== caDigest(this.caCertificate)) {
      throw new UnauthenticatedError(
        'the join token is of another cluster, or older than the root of this one',
      );
    }
    throw new UnauthenticatedError(
      'the join token is not valid (any more): see swarmctl swarm join-token',
    );
  }

  /** Signs a certificate for the key of a request. Errors: InvalidObjectError for a bad request. */
  async issue(csr: string, { id, role }: CertificateSubject): Promise<IssuedCertificate> {
    const cluster = this.cluster();
    const certificate = await issueCertificate(this.secrets().ca, {
      csr,
      commonName: id,
      organizationalUnit: role,
      organization: cluster.metadata.uid,
      validityMs: effectiveClusterSpec(cluster.spec).certificateExpiryMs,
      now: this.options.clock.now(),
    });
    return { certificate, caCertificate: cluster.security.caCertificate };
  }

  private secrets(): ClusterSecrets {
    return new ClusterSecrets(this.options.sealer, this.cluster().security);
  }

  private cluster(): StoredCluster {
    const cluster = clusterOf(this.options.world);
    if (cluster) return cluster;
    throw new UnavailableError('the cluster object is not there (yet)');
  }
}

/** The root that a token pins. Errors: UnauthenticatedError for a text that is no token at all. */
function digestOf(token: string): string {
  try {
    return parseJoinToken(token).caDigest;
  } catch {
    throw new UnauthenticatedError('that is not a join token: expected SWMTKN-1-…');
  }
}
