import { effectiveClusterSpec, type StoredCluster } from '../../api/v1/index.js';
import { newManagerId, type Clock } from '../../pkg/base/index.js';
import { ClusterSecrets } from '../../pkg/apiserver/index.js';
import {
  createCsr,
  generateKey,
  issueCertificate,
  parseCertificate,
  renewalWindow,
  type CertificateRole,
  type KeyedCertificate,
  type Sealer,
} from '../../pkg/pki/index.js';
import type { ManagerCredentials, StateFolder } from './state-folder.js';

/** A certificate and who it is for. */
export interface OwnCertificate {
  readonly managerId: string;
  readonly credentials: ManagerCredentials;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Whom to make a certificate for. */
export interface NewCertificate {
  readonly clusterId: string;
  readonly id: string;
  readonly role: CertificateRole;
  readonly validityMs: number;
  readonly now: Date;
}

/** A new key with a certificate of the root, both PEM. */
export async function makeCertificate(
  ca: KeyedCertificate,
  { clusterId, id, role, validityMs, now }: NewCertificate,
): Promise<KeyedCertificate> {
  const key = await generateKey();
  const certificate = await issueCertificate(ca, {
    csr: await createCsr(key),
    commonName: id,
    organizationalUnit: role,
    organization: clusterId,
    validityMs,
    now,
  });
  return { certificate, key };
}

/** What a manager needs to be certified by the cluster it belongs to. */
export interface ManagerCertificateOptions {
  readonly cluster: StoredCluster;
  readonly sealer: Sealer;
  readonly folder: StateFolder;
  readonly clock: Clock;
}

/**
 * The certificate of this manager: the one in its folder while that is good for a while, else a new one,
 * which it can make itself because it holds the key to the root's. Its id stays the same.
 * Errors: TerminalError when the encryption key is that of another cluster.
 */
export async function ensureCertificate(
  options: ManagerCertificateOptions,
): Promise<OwnCertificate> {
  const { cluster, folder, clock } = options;
  const kept = await folder.loadCredentials();
  const own = kept && ownCertificate(kept);
  const isOfCluster =
    own !== undefined &&
    parseCertificate(own.credentials.cert).organization === cluster.metadata.uid;
  const isTrusted = own?.credentials.ca === cluster.security.caCertificate;
  if (isOfCluster && isTrusted && !isDue(own, clock.now())) return own;
  return renewCertificate(options, isOfCluster ? own.managerId : newManagerId());
}

/** Makes and keeps a new certificate for this manager. */
export async function renewCertificate(
  { cluster, sealer, folder, clock }: ManagerCertificateOptions,
  managerId: string,
): Promise<OwnCertificate> {
  const { ca } = new ClusterSecrets(sealer, cluster.security);
  const made = await makeCertificate(ca, {
    clusterId: cluster.metadata.uid,
    id: managerId,
    role: 'swarm-manager',
    validityMs: effectiveClusterSpec(cluster.spec).certificateExpiryMs,
    now: clock.now(),
  });
  const credentials = { cert: made.certificate, key: made.key, ca: ca.certificate };
  await folder.saveCredentials(credentials);
  return ownCertificate(credentials);
}

function ownCertificate(credentials: ManagerCredentials): OwnCertificate {
  const { commonName, notBefore, notAfter } = parseCertificate(credentials.cert);
  return { managerId: commonName, credentials, notBefore, notAfter };
}

function isDue({ notBefore, notAfter }: OwnCertificate, now: Date): boolean {
  return now >= renewalWindow(notBefore, notAfter).to;
}
