import type { JoinTokens, StoredCluster } from '../../../api/v1/index.js';
import type { KeyedCertificate, Sealer } from '../../pki/index.js';

/** The part of the cluster object that no API shows. */
export type ClusterSecurity = StoredCluster['security'];

/** What each sealed value is, so that one cannot pass for another. */
const CONTEXT = {
  caKey: 'cluster#ca-key',
  workerToken: 'cluster#worker-token',
  managerToken: 'cluster#manager-token',
} as const;
type SecretName = keyof typeof CONTEXT;

/** Seals what a new cluster keeps secret. */
export function sealSecurity(
  sealer: Sealer,
  ca: KeyedCertificate,
  tokens: JoinTokens,
): ClusterSecurity {
  const seal = (name: SecretName, text: string) => sealer.seal(text, CONTEXT[name]);
  return {
    caCertificate: ca.certificate,
    caKey: seal('caKey', ca.key),
    workerToken: seal('workerToken', tokens.worker),
    managerToken: seal('managerToken', tokens.manager),
  };
}

/** Opens them again. Errors: TerminalError when this manager has another encryption key. */
export class ClusterSecrets {
  constructor(
    private readonly sealer: Sealer,
    private readonly security: ClusterSecurity,
  ) {}

  /** The root with its key. */
  get ca(): KeyedCertificate {
    return { certificate: this.security.caCertificate, key: this.open('caKey') };
  }

  /** Both join tokens. */
  get tokens(): JoinTokens {
    return { worker: this.open('workerToken'), manager: this.open('managerToken') };
  }

  private open(name: SecretName): string {
    return this.sealer.open(this.security[name], CONTEXT[name]).toString('utf8');
  }
}
