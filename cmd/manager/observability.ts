import type { HostPort } from '../../pkg/config/index.js';
import type { Runnable } from '../../pkg/controller/index.js';
import {
  observeProcess,
  serveObservability,
  type ManagerMetrics,
} from '../../pkg/metrics/index.js';
import type { ManagerHealth } from './manager-health.js';

/** What can be seen of a manager from outside. */
export interface ObservabilityOptions {
  readonly listen: HostPort;
  readonly metrics: ManagerMetrics;
  readonly health: ManagerHealth;
  readonly version: string;
}

/** Serves `/metrics`, `/healthz` and `/readyz`, from before everything else until after it. */
export function observability({
  listen,
  metrics,
  health,
  version,
}: ObservabilityOptions): Runnable {
  return {
    name: 'observability',
    run: async (signal, ready) => {
      const probe = observeProcess(metrics.of.process, { version });
      const server = await serveObservability({
        listen,
        registry: metrics,
        health: () => health.report(),
      });
      ready();
      await aborted(signal);
      await server.stop();
      probe[Symbol.dispose]();
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
