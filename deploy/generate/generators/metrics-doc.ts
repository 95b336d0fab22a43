import {
  createAgentMetrics,
  createManagerMetrics,
  renderMetricsDoc,
} from '../../../pkg/metrics/index.js';

/** Where the result goes, from the top of the repository. */
export const target = 'docs/metrics.md';

/** The reference of all metrics, from the registries that the programs really use. */
export function generate(): Promise<string> {
  return Promise.resolve(
    renderMetricsDoc([
      { program: 'swarm-manager', subsystems: createManagerMetrics().subsystems },
      { program: 'swarm-agent', subsystems: createAgentMetrics().subsystems },
    ]),
  );
}
