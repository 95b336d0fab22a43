import { STORE_TROUBLES } from '../../api/v1/index.js';
import { messageOf, type Clock } from '../../pkg/base/index.js';
import type { Runnable } from '../../pkg/controller/index.js';
import type { EventRecorder } from '../../pkg/events/index.js';
import type { Logger } from '../../pkg/log/index.js';
import type { ManagerMetrics } from '../../pkg/metrics/index.js';
import {
  troublesOf,
  type Store,
  type StoreMember,
  type StoreTrouble,
} from '../../pkg/store/index.js';

/** What looking after etcd takes. */
export interface EtcdHealthOptions {
  readonly store: Pick<Store, 'health'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: EventRecorder;
  readonly clusterId: string;
  /** Tests make it regular. From 0 to 1. */
  readonly random?: () => number;
}

const LOOK_EVERY_MS = 10_000;
/** The share of the time by which looks differ, so that managers do not all ask at once. */
const JITTER = 0.2;

/**
 * Asks etcd every ten seconds how it is, and tells people when it is not well. A full one takes no events: those
 * wait with the recorder until they can be written, and the log has them at once.
 */
export class EtcdHealth implements Runnable {
  readonly name = 'etcd-health';
  private found: readonly StoreTrouble[] | undefined;
  private members: readonly StoreMember[] = [];

  constructor(private readonly options: EtcdHealthOptions) {}

  /** What is wrong, worst first; undefined before the first look. */
  get troubles(): readonly StoreTrouble[] | undefined {
    return this.found;
  }

  /** Shows at every scrape what the latest look found. */
  collect(metrics: ManagerMetrics['of']['etcd']): void {
    metrics.dbSize.onCollect(() =>
      this.members.flatMap(({ endpoint, dbSizeBytes }) =>
        dbSizeBytes === undefined ? [] : [[{ endpoint }, dbSizeBytes] as const],
      ),
    );
    metrics.memberUp.onCollect(() =>
      this.members.map(({ endpoint, failure }) => [{ endpoint }, failure === undefined ? 1 : 0]),
    );
    metrics.trouble.onCollect(() =>
      STORE_TROUBLES.map((reason) => {
        const isFound = this.found?.some((trouble) => trouble.reason === reason) ?? false;
        return [{ reason }, isFound ? 1 : 0];
      }),
    );
  }

  /** Looks until the signal aborts. Never rejects. */
  async run(signal: AbortSignal, ready: () => void = () => undefined): Promise<void> {
    ready();
    const { clock, random = Math.random } = this.options;
    while (!signal.aborted) {
      const troubles = await this.look(signal);
      if (troubles) this.take(troubles);
      const pauseMs = LOOK_EVERY_MS * (1 - JITTER / 2 + JITTER * random());
      await clock.sleep(pauseMs, signal).catch(() => undefined);
    }
  }

  /** Undefined when it was broken off. */
  private async look(signal: AbortSignal): Promise<readonly StoreTrouble[] | undefined> {
    try {
      const health = await this.options.store.health({ signal });
      this.members = health.members;
      return troublesOf(health);
    } catch (error) {
      if (signal.aborted) return undefined;
      this.members = this.members.map(({ endpoint }) => ({ endpoint, failure: messageOf(error) }));
      const message = `etcd does not answer: what runs goes on, and nothing can be changed (${messageOf(error)})`;
      return [{ reason: 'OutOfReach', message }];
    }
  }

  private take(found: readonly StoreTrouble[]): void {
    const before = withoutAdvice(this.found ?? []);
    const troubles = withoutAdvice(found);
    this.found = found;
    for (const { reason, message } of troubles) {
      if (before.some((trouble) => trouble.reason === reason)) continue;
      this.options.log.error({ reason, trouble: message }, 'etcd is not well');
      this.tell('warning', `Etcd${reason}`, message);
    }
    if (before.length === 0 || troubles.length > 0) return;
    const reasons = before.map(({ reason }) => reason).join(', ');
    this.options.log.info({ reasons }, 'etcd is well again');
    this.tell('normal', 'EtcdHealthy', `etcd is well again, after: ${reasons}`);
  }

  private tell(type: 'normal' | 'warning', reason: string, message: string): void {
    const { events, clusterId } = this.options;
    const regarding = { kind: 'Cluster', name: 'default', uid: clusterId };
    events.record({ type, reason, message, regarding, source: 'etcd' });
  }
}

/** Advice is given where people look; nobody is called for it. */
const withoutAdvice = (troubles: readonly StoreTrouble[]): readonly StoreTrouble[] =>
  troubles.filter(({ isAdvice }) => !isAdvice);
