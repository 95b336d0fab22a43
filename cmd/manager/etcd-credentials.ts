import { backoffMs, messageOf, type Clock } from '../../pkg/base/index.js';
import type { Runnable } from '../../pkg/controller/index.js';
import type { Logger } from '../../pkg/log/index.js';
import type { EtcdStore, EtcdTls } from '../../pkg/store/index.js';

/** What the reload works with. */
export interface EtcdCredentialsOptions {
  readonly store: Pick<EtcdStore, 'replaceCredentials'>;
  /** What the files hold now; undefined without TLS. */
  readonly read: () => Promise<EtcdTls | undefined>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Certificates live for weeks at least: looking once a minute is soon. */
const LOOK_EVERY_MS = 60_000;
const BACKOFF = { initialMs: 5_000, maxMs: LOOK_EVERY_MS };

/**
 * Follows the files of the certificate for etcd: who rotates them writes new ones, and the manager goes on
 * with those without a restart. New ones that etcd does not accept are tried again, and the old ones stay.
 */
export class EtcdCredentials implements Runnable {
  readonly name = 'etcd-credentials';
  private used: string | undefined;
  private failures = 0;

  constructor(private readonly options: EtcdCredentialsOptions) {}

  /** Until the signal aborts. Never rejects. */
  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    this.used = JSON.stringify(await this.options.read().catch(() => undefined));
    ready();
    for (;;) {
      const waitMs = this.failures > 0 ? backoffMs(BACKOFF, this.failures) : LOOK_EVERY_MS;
      await this.options.clock.sleep(waitMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      await this.look();
    }
  }

  private async look(): Promise<void> {
    const { store, read, log } = this.options;
    try {
      const found = await read();
      const text = JSON.stringify(found);
      if (found === undefined || text === this.used) return;
      await store.replaceCredentials(found);
      this.used = text;
      this.failures = 0;
      log.info({}, 'etcd credentials replaced');
    } catch (error) {
      this.failures += 1; // half-written files mend themselves
      log.warn({ reason: messageOf(error) }, 'etcd credentials not replaced');
    }
  }
}
