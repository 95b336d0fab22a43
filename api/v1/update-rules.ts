import { describeValue } from './problems.js';
import { NOT_SUPPORTED_YET, type Report } from './report.js';
import type { UpdatePolicy } from './update-policy.js';

/** What an update policy at `path` must keep beyond its schema. */
export function updateRules(path: string, policy: UpdatePolicy | undefined, report: Report): void {
  const supported: Readonly<Record<string, readonly (string | number)[]>> = {
    parallelism: [1],
    delay: ['0', '0s'],
    order: ['stop-first'],
  };
  for (const [key, value] of Object.entries(policy ?? {})) {
    const allowed = supported[key];
    if (allowed?.includes(value)) continue;
    report(
      `${path}.${key}`,
      allowed
        ? `${describeValue(value)} is ${NOT_SUPPORTED_YET}; only ${String(allowed[0])} is`
        : NOT_SUPPORTED_YET,
    );
  }
}
