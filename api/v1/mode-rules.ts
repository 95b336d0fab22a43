import { isJob } from './job.js';
import type { Report } from './report.js';
import { ServiceMode } from './service-mode.js';
import type { ServiceSpec } from './service.js';

/** What a service's mode must keep beyond its schema, and what it rules out elsewhere. */
export function modeRules(spec: ServiceSpec, report: Report): void {
  const given = Object.keys(spec.mode ?? {});
  if (spec.mode !== undefined && given.length !== 1) {
    report(
      'spec.mode',
      `found ${given.length === 0 ? 'none' : given.join(' and ')}, expected exactly one of ${Object.keys(ServiceMode.properties).join(', ')}`,
    );
    return;
  }
  if (isJob(spec)) jobRules(spec, report);
}

/** A job's tasks are never replaced by others: a changed template is another run. */
function jobRules({ update, rollback }: ServiceSpec, report: Report): void {
  const why = 'not for jobs: a changed template starts another run';
  if (update !== undefined) report('spec.update', why);
  if (rollback !== undefined) report('spec.rollback', why);
}
