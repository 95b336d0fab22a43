import { effectiveDisruption } from './effective-disruption.js';
import { isJob, modeNameOf } from './job.js';
import type { Report } from './report.js';
import type { ServiceSpec } from './service.js';

/** What `disruption` and `onNodeLoss` of a service must keep beyond their schemas. */
export function disruptionRules(spec: ServiceSpec, report: Report): void {
  const mode = modeNameOf(spec);
  const elsewhere = 'there is no other node for its tasks';
  if (spec.disruption !== undefined && mode !== 'replicated') {
    const why = isJob(spec) ? 'tasks of jobs are tried again elsewhere' : elsewhere;
    report('spec.disruption', `only for replicated services: ${why}`);
  }
  if (neverLeaves(spec)) {
    report(
      'spec.disruption.maxUnavailable',
      'is 0 with stop-first: no task could ever leave its node',
    );
  }
  if (spec.onNodeLoss !== undefined && mode.startsWith('global')) {
    report('spec.onNodeLoss', `not for global services and jobs: ${elsewhere}`);
  }
}

function neverLeaves(spec: ServiceSpec): boolean {
  const { maxUnavailable } = spec.disruption ?? {};
  const isNothing = maxUnavailable === 0 || maxUnavailable === '0%';
  return isNothing && effectiveDisruption(spec).order === 'stop-first';
}
