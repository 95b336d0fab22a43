import { portKey } from './cluster-state.js';
import type { Resources, TaskGroup } from './types.js';

/** What one task of a group takes from a node, in the form the planner counts in. */
export interface Demand {
  readonly cpuNano: number;
  readonly memoryBytes: number;
  /** Kinds with an amount above 0. */
  readonly generic: readonly GenericDemand[];
  readonly ports: readonly PortDemand[];
}

/** An amount of one generic resource. */
export interface GenericDemand {
  readonly kind: string;
  readonly amount: number;
}

/** One host port. */
export interface PortDemand {
  /** As {@link portKey} makes it. */
  readonly key: number;
  /** E.g. `8080/tcp`. */
  readonly text: string;
}

/** Reads a group's demand. */
export function demandOf({ reservations, hostPorts = [] }: TaskGroup): Demand {
  return {
    cpuNano: reservations?.cpuNano ?? 0,
    memoryBytes: reservations?.memoryBytes ?? 0,
    generic: Object.entries(reservations?.generic ?? {})
      .map(([kind, amount]) => ({ kind, amount }))
      .filter(({ amount }) => amount > 0),
    ports: hostPorts.map((port) => ({ key: portKey(port), text: `${port.port}/${port.protocol}` })),
  };
}

/** The amount of a generic resource; own keys only, since kinds are names that users choose. */
export function genericAmount({ generic = {} }: Resources, kind: string): number {
  return Object.hasOwn(generic, kind) ? (generic[kind] ?? 0) : 0;
}
