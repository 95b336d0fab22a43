import { amountOf } from './effective-update.js';
import type { Report } from './report.js';
import type { ServiceSpec } from './service.js';
import type { RollbackPolicy, UpdatePolicy } from './update-policy.js';

type Policy = UpdatePolicy | RollbackPolicy;

/** What a service's update and rollback policies must keep beyond their schemas. */
export function updateRules(spec: ServiceSpec, report: Report): void {
  for (const name of ['update', 'rollback'] as const) {
    const policy = spec[name] ?? {};
    spellingRules(`spec.${name}`, policy, report);
    portRules(`spec.${name}`, policy, { spec, report });
  }
}

function spellingRules(path: string, policy: Policy, report: Report): void {
  const { maxSurge, maxUnavailable } = policy;
  if (maxSurge === undefined && maxUnavailable === undefined) return;
  for (const field of ['parallelism', 'order'] as const) {
    if (policy[field] === undefined) continue;
    report(`${path}.${field}`, 'cannot be given together with maxSurge or maxUnavailable');
  }
  if (isNothing(maxSurge) && isNothing(maxUnavailable)) {
    report(path, 'maxSurge and maxUnavailable are both 0: nothing could ever be replaced');
  }
}

/** Two tasks of a slot share a node in a global service, and there a port has one owner. */
function portRules(
  path: string,
  policy: Policy,
  { spec, report }: { readonly spec: ServiceSpec; readonly report: Report },
): void {
  const field = overlapOf(policy);
  const port = fixedHostPort(spec);
  if (field === undefined || port === undefined || !spec.mode?.global) return;
  report(
    `${path}.${field}`,
    `needs two tasks on each node for a while, but only one can have port ${String(port)} of the node; stop the old one first`,
  );
}

/** The field that makes a new task run beside the old one. */
function overlapOf({ order, maxSurge }: Policy): 'order' | 'maxSurge' | undefined {
  if (order === 'start-first') return 'order';
  return isNothing(maxSurge) ? undefined : 'maxSurge';
}

const isNothing = (amount: number | string | undefined): boolean =>
  amount === undefined || amountOf(amount, 100, 'up') === 0;

function fixedHostPort({ endpoint }: ServiceSpec): number | undefined {
  return endpoint?.ports?.find(({ mode, published }) => mode === 'host' && published !== undefined)
    ?.published;
}
