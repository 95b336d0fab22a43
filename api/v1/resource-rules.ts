import { fieldPath } from './problems.js';
import { parseBytes, parseCpuNano } from './quantities.js';
import type { Report } from './report.js';
import type { Resources } from './resources.js';

/** Smallest memory the engine can run a container with (Swarm's bound). */
const MIN_MEMORY_BYTES = 4 * 1024 * 1024;
/** A thousandth of a CPU (Swarm's bound). */
const MIN_CPU_NANO = 1_000_000;

/** Both kinds of a quantity, as plain numbers. */
interface Bounds {
  readonly limit: number | undefined;
  readonly reserved: number | undefined;
}

/** What resources must keep beyond their schema. */
export function resourceRules(resources: Resources | undefined, report: Report): void {
  if (resources === undefined) return;
  const { limits, reservations, memorySwap } = resources;
  const memory: Bounds = {
    limit: parseOptional(limits?.memory, parseBytes),
    reserved: parseOptional(reservations?.memory, parseBytes),
  };
  const cpus: Bounds = {
    limit: parseOptional(limits?.cpus, parseCpuNano),
    reserved: parseOptional(reservations?.cpus, parseCpuNano),
  };
  checkKinds(reservations?.genericResources ?? [], report);
  checkBounds('memory', memory, { minimum: MIN_MEMORY_BYTES, words: '4Mi' }, report);
  checkBounds('cpus', cpus, { minimum: MIN_CPU_NANO, words: '0.001' }, report);
  if (memorySwap !== undefined && memory.limit === undefined) {
    report('spec.task.resources.memorySwap', 'needs spec.task.resources.limits.memory');
  }
}

/** Kinds that differ by case alone would share the variable in which the container finds them. */
function checkKinds(resources: readonly { readonly kind: string }[], report: Report): void {
  const seen = new Set<string>();
  for (const [index, { kind }] of resources.entries()) {
    const path = fieldPath('spec.task.resources.reservations.genericResources', index);
    if (seen.has(kind.toUpperCase())) report(`${path}.kind`, `${kind} is reserved twice`);
    seen.add(kind.toUpperCase());
  }
}

function parseOptional(
  value: string | number | undefined,
  parse: (value: string | number) => number | undefined,
): number | undefined {
  return value === undefined ? undefined : parse(value);
}

function checkBounds(
  name: 'memory' | 'cpus',
  { limit, reserved }: Bounds,
  { minimum, words }: { readonly minimum: number; readonly words: string },
  report: Report,
): void {
  const path = 'spec.task.resources';
  for (const [kind, value] of Object.entries({ limits: limit, reservations: reserved })) {
    if (value !== undefined && value < minimum) {
      report(`${path}.${kind}.${name}`, `is too little, expected at least ${words}`);
    }
  }
  if (limit !== undefined && reserved !== undefined && reserved > limit) {
    report(`${path}.reservations.${name}`, 'is more than the limit');
  }
}
