import { InvalidObjectError, backoffMs, type Clock } from '../base/index.js';
import type { SwarmClient } from '../client/index.js';
import type { Logger } from '../log/index.js';
import {
  createCsr,
  generateKey,
  isExpired,
  keyMatchesCertificate,
  nextRenewalAt,
  parseCertificate,
} from '../pki/index.js';
import { REJOIN, type NodeCredentials, type NodeState } from './node-state.js';

/** What renews a certificate, and whom it tells. */
export interface CertificateKeeperOptions {
  readonly client: Pick<SwarmClient, 'renew' | 'useCredentials'>;
  readonly state: Pick<NodeState, 'saveNextKey' | 'saveCertificate'>;
  readonly clock: Clock;
  readonly log: Logger;
  onRenewal?(outcome: 'success' | 'error'): void;
}

/** Timers do not reach further than 24 days, and a machine may sleep. */
const LOOK_MS = 60 * 60 * 1000;
const RETRY = { initialMs: 10_000, maxMs: 30 * 60 * 1000 };

/** Keeps this node's certificate valid: renews it at a random point in 50 to 80 % of its life. */
export class CertificateKeeper {
  private credentials: NodeCredentials;

  constructor(
    credentials: NodeCredentials,
    private readonly options: CertificateKeeperOptions,
  ) {
    this.credentials = credentials;
  }

  /** When the certificate in use ends. */
  get expiresAt(): Date {
    return parseCertificate(this.credentials.cert).notAfter;
  }

  /** Renews when it is time, until the signal aborts; rejects with its reason. */
  async run(signal: AbortSignal): Promise<never> {
    const { clock, log } = this.options;
    for (let failures = 0; ;) {
      if (failures === 0) await this.untilDue(signal);
      try {
        await this.renew(signal);
        failures = 0;
      } catch (error) {
        signal.throwIfAborted();
        failures += 1;
        this.options.onRenewal?.('error');
        log.warn({ error, expiresAt: this.expiresAt }, 'certificate not renewed');
        await clock.sleep(backoffMs(RETRY, failures), signal);
      }
    }
  }

  /** Gets a certificate for a new key, keeps both, and uses them from the next connection on. */
  async renew(signal: AbortSignal): Promise<void> {
    const { client, state, log } = this.options;
    const key = await generateKey();
    await state.saveNextKey(key);
    const answer = await client.renew(await createCsr(key), { signal });
    const next = { key, cert: answer.certificate, ca: answer.caCertificate };
    if (!keyMatchesCertificate(key, next.cert)) {
      throw new InvalidObjectError('the new certificate is not for the key that was sent');
    }
    await state.saveCertificate(next);
    client.useCredentials(next);
    this.credentials = next;
    this.options.onRenewal?.('success');
    log.info({ expiresAt: this.expiresAt }, 'certificate renewed');
  }

  private async untilDue(signal: AbortSignal): Promise<void> {
    const { clock } = this.options;
    const dueAt = nextRenewalAt(parseCertificate(this.credentials.cert)).getTime();
    for (;;) {
      const restMs = dueAt - clock.now().getTime();
      if (restMs <= 0) return;
      await clock.sleep(Math.min(restMs, LOOK_MS), signal);
    }
  }
}

/** Errors: InvalidObjectError, which says what to do, when the certificate's time is over. */
export function assertCertificateValid({ cert }: Pick<NodeCredentials, 'cert'>, now: Date): void {
  const certificate = parseCertificate(cert);
  if (!isExpired(certificate, now)) return;
  const end = certificate.notAfter.toISOString();
  throw new InvalidObjectError(
    `the certificate of this node ended on ${end}, so no manager lets it in: ${REJOIN}`,
  );
}
