import { floatAt } from '../column.js';
import type { Demand } from '../demand.js';
import type { Ledger } from '../ledger.js';
import type { Check, FilterContext } from './filter.js';

/** Something a node can run out of. */
interface Shortage {
  readonly name: string;
  readonly wanted: number;
  readonly free: Float64Array;
  readonly format: (amount: number) => string;
}

/**
 * Passes nodes where the reservations fit into what is left. A resource that is not reserved is not
 * looked at, so a node short of CPU still takes a task that reserves memory only.
 */
export function resourcesFilter({ demand, ledger }: FilterContext): Check | undefined {
  const wanted = resourcesOf(demand, ledger);
  if (wanted.length === 0) return undefined;
  const short = (slot: number) => wanted.filter((resource) => !fits(resource, slot));
  return {
    name: 'resources',
    passes: (slot) => {
      for (const resource of wanted) {
        if (!fits(resource, slot)) return false;
      }
      return true;
    },
    reason: (slot) => `insufficient ${listed(short(slot).map(({ name }) => name))}`,
    detail: (slot) =>
      `insufficient ${listed(short(slot).map((resource) => describeShortage(resource, slot)))}`,
  };
}

function resourcesOf(demand: Demand, ledger: Ledger): readonly Shortage[] {
  const all: readonly Shortage[] = [
    { name: 'cpu', wanted: demand.cpuNano, free: ledger.cpuFree, format: formatCpus },
    { name: 'memory', wanted: demand.memoryBytes, free: ledger.memoryFree, format: formatBytes },
    ...demand.generic.map(({ kind, amount }) => ({
      name: kind,
      wanted: amount,
      free: ledger.generic.freeOf(kind),
      format: String,
    })),
  ];
  return all.filter(({ wanted }) => wanted > 0);
}

function fits({ wanted, free }: Shortage, slot: number): boolean {
  return wanted <= floatAt(free, slot);
}

function describeShortage({ name, wanted, free, format }: Shortage, slot: number): string {
  const left = Math.max(0, floatAt(free, slot));
  return `${name} (wants ${format(wanted)}, ${format(left)} free)`;
}

function listed(names: readonly string[]): string {
  return names.join(' and ');
}

function formatCpus(nano: number): string {
  return `${Math.round(nano / 1e6) / 1000} CPUs`;
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(4, Math.floor(Math.log2(bytes) / 10));
  return `${Math.round((bytes / 1024 ** power) * 10) / 10} ${BYTE_UNITS[power] ?? 'B'}`;
}
