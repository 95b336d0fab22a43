import { NOT_SUPPORTED_YET, type Report } from './report.js';
import type { ServiceMode } from './service-mode.js';

/** What a service's mode must keep beyond its schema. */
export function modeRules(mode: ServiceMode | undefined, report: Report): void {
  if (mode === undefined) return;
  if (mode.replicatedJob) report('spec.mode.replicatedJob', NOT_SUPPORTED_YET);
  if (mode.globalJob) report('spec.mode.globalJob', NOT_SUPPORTED_YET);
  const given = Object.keys(mode);
  if (given.length !== 1) {
    report(
      'spec.mode',
      `found ${given.length === 0 ? 'none' : given.join(' and ')}, expected exactly one of replicated, global`,
    );
  }
}
