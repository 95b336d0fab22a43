import type { ApiServer } from '../../pkg/apiserver/index.js';
import type { WorldCache } from '../../pkg/informer/index.js';
import type { HealthReport } from '../../pkg/metrics/index.js';
import type { EtcdHealth } from './etcd-health.js';

/** The parts that readiness depends on. */
export interface WatchedParts {
  readonly cache: Pick<WorldCache, 'isSynced' | 'ready' | 'disconnectedMs'>;
  readonly server: Pick<ApiServer, 'port'>;
  /** Whether others can find this manager in etcd. */
  readonly isRegistered: () => boolean;
  readonly etcd: Pick<EtcdHealth, 'troubles'>;
}

/** Says whether the manager should be sent work, and why not. */
export class ManagerHealth {
  private parts: WatchedParts | undefined;

  /** From now on these parts are asked. */
  watch(parts: WatchedParts): void {
    this.parts = parts;
  }

  /** At once, from memory. Nothing is ever wrong that a restart would mend better than waiting. */
  report(): HealthReport {
    const { parts } = this;
    if (!parts) return { unhealthy: [], notReady: ['waiting for etcd'] };
    const troubles = (parts.etcd.troubles ?? []).filter(({ isAdvice }) => !isAdvice);
    const degraded = troubles.map(({ message }) => message);
    return { unhealthy: [], notReady: reasons(parts), degraded };
  }
}

function reasons({ cache, server, isRegistered }: WatchedParts): readonly string[] {
  const found: string[] = [];
  if (!cache.isSynced) found.push('the objects have not been read from etcd yet');
  else if (!cache.ready) {
    const seconds = Math.round(cache.disconnectedMs / 1000);
    found.push(`etcd has been out of reach for ${String(seconds)} s; reads are out of date`);
  }
  if (server.port === undefined) found.push('the API does not listen yet');
  if (!isRegistered()) found.push('this manager is not registered in etcd');
  return found;
}
