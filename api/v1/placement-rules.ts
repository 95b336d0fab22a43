import type { Placement } from './placement.js';
import { fieldPath } from './problems.js';
import type { Report } from './report.js';
import type { ServiceMode } from './service-mode.js';

const PATH = 'spec.task.placement';

/** Fields that choose between nodes: a task of a global service has one node and no choice. */
const CHOICES = [
  'soft',
  'strategy',
  'maxReplicasPerNode',
  'maxPer',
  'affinity',
  'antiAffinity',
] as const satisfies readonly (keyof Placement)[];

/** What placement must keep beyond its schema. Whether attributes and constraints can be read is asked elsewhere. */
export function placementRules(
  placement: Placement | undefined,
  mode: ServiceMode | undefined,
  report: Report,
): void {
  if (placement === undefined) return;
  if (mode?.global ?? mode?.globalJob) globalRules(placement, report);
  contradictionRules(placement, report);
  repetitionRules(placement, report);
}

function globalRules(placement: Placement, report: Report): void {
  for (const field of CHOICES) {
    const value = placement[field];
    const isGiven = Array.isArray(value) ? value.length > 0 : value !== undefined && value !== 0;
    if (isGiven) report(`${PATH}.${field}`, 'only for replicated services and jobs');
  }
}

type Neighbours = NonNullable<Placement['affinity']>;

/** Near and far from the same thing: no node could ever do. */
function contradictionRules({ affinity, antiAffinity }: Placement, report: Report): void {
  const wanted = new Set(requiredKeys(affinity));
  for (const [index, term] of (antiAffinity ?? []).entries()) {
    if (term.weight !== undefined || !wanted.has(keyOf(term))) continue;
    const path = fieldPath(`${PATH}.antiAffinity`, index);
    report(path, `contradicts the affinity to service ${term.service}: both are required`);
  }
}

function repetitionRules({ maxPer = [] }: Placement, report: Report): void {
  const seen = new Set<string>();
  for (const [index, { key }] of maxPer.entries()) {
    if (seen.has(key)) report(`${fieldPath(`${PATH}.maxPer`, index)}.key`, `${key} is given twice`);
    seen.add(key);
  }
}

function requiredKeys(terms: Neighbours = []): readonly string[] {
  return terms.filter((term) => term.weight === undefined).map(keyOf);
}

function keyOf({ service, topology = 'node.id' }: Neighbours[number]): string {
  return `${service} ${topology}`;
}
