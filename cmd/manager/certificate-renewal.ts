import type { ApiServer } from '../../pkg/apiserver/index.js';
import { backoffMs, messageOf, type Clock } from '../../pkg/base/index.js';
import type { Runnable } from '../../pkg/controller/index.js';
import type { Logger } from '../../pkg/log/index.js';
import type { ManagerMetrics } from '../../pkg/metrics/index.js';
import { clusterOf, type World } from '../../pkg/objects/index.js';
import { nextRenewalAt, type Sealer } from '../../pkg/pki/index.js';
import { renewCertificate, type OwnCertificate } from './certificates.js';
import type { StateFolder } from './state-folder.js';

/** What the renewal works with. */
export interface CertificateRenewalOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly world: World;
  readonly sealer: Sealer;
  readonly folder: StateFolder;
  readonly own: OwnCertificate;
  readonly server: Pick<ApiServer, 'useCredentials'>;
  readonly metrics: ManagerMetrics;
}

const BACKOFF = { initialMs: 5_000, maxMs: 600_000 };
/** Timers cannot be longer than 24 days; a clock that was set is noticed as well. */
const LOOK_AGAIN_MS = 3_600_000;

/** Renews the manager's own certificate at a random point in 50 to 80 % of its life. */
export class CertificateRenewal implements Runnable {
  readonly name = 'certificate-renewal';
  private own: OwnCertificate;

  constructor(private readonly options: CertificateRenewalOptions) {
    this.own = options.own;
    this.showExpiry();
  }

  /** Until the signal aborts. Never rejects. */
  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { clock } = this.options;
    ready();
    let dueAt = nextRenewalAt(this.own);
    let failures = 0;
    while (!signal.aborted) {
      const waitMs = Math.min(dueAt.getTime() - clock.now().getTime(), LOOK_AGAIN_MS);
      await clock.sleep(Math.max(0, waitMs), signal).catch(() => undefined);
      if (isOver(signal) || clock.now() < dueAt) continue;
      failures = (await this.renew()) ? 0 : failures + 1;
      dueAt =
        failures === 0
          ? nextRenewalAt(this.own)
          : new Date(clock.now().getTime() + backoffMs(BACKOFF, failures));
    }
  }

  private async renew(): Promise<boolean> {
    const { world, server, metrics, log } = this.options;
    const cluster = clusterOf(world);
    try {
      if (!cluster) throw new Error('the cluster object is not there');
      this.own = await renewCertificate({ ...this.options, cluster }, this.own.managerId);
      server.useCredentials(this.own.credentials);
    } catch (error) {
      metrics.of.certificate.renewals.inc({ outcome: 'error' });
      const expiresAt = this.own.notAfter.toISOString();
      log.error({ reason: messageOf(error), expiresAt }, 'renewing the certificate failed');
      return false;
    }
    metrics.of.certificate.renewals.inc({ outcome: 'success' });
    this.showExpiry();
    log.info({ expiresAt: this.own.notAfter.toISOString() }, 'certificate renewed');
    return true;
  }

  private showExpiry(): void {
    this.options.metrics.of.certificate.expiry.set({}, this.own.notAfter.getTime() / 1000);
  }
}

/** A function, because the compiler believes that a signal it has seen once never changes. */
function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}
