import { portKey } from './port-key.js';
import { NODE_ID } from './attribute.js';
import type {
  AffinityTerm,
  Avoidance,
  HostPort,
  PlacedTask,
  Resources,
  SchedulingNode,
  TaskGroup,
} from './types.js';

/** What one task of a group takes from a node, in the form the planner counts in. */
export interface Demand {
  readonly cpuNano: number;
  readonly memoryBytes: number;
  /** Kinds with an amount above 0. */
  readonly generic: readonly GenericDemand[];
  readonly ports: readonly PortDemand[];
  /** Services that must stay away from where the task is. */
  readonly avoids: readonly Avoidance[];
  /** Nothing but CPU and memory: the usual case, and the fast one. */
  readonly isPlain: boolean;
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
export function demandOf(group: TaskGroup): Demand {
  const { reservations, hostPorts = [] } = group;
  const generic = genericDemands(reservations?.generic);
  const ports = hostPorts.map(portDemand);
  const avoids = avoidancesOf(group.serviceName, group.antiAffinity);
  return {
    cpuNano: reservations?.cpuNano ?? 0,
    memoryBytes: reservations?.memoryBytes ?? 0,
    generic,
    ports,
    avoids,
    isPlain: generic.length + ports.length + avoids.length === 0,
  };
}

function portDemand(port: HostPort): PortDemand {
  return { key: portKey(port), text: `${port.port}/${port.protocol}` };
}

const NONE: readonly GenericDemand[] = [];

function genericDemands(generic: Resources['generic']): readonly GenericDemand[] {
  if (generic === undefined) return NONE;
  return Object.entries(generic)
    .map(([kind, amount]) => ({ kind, amount }))
    .filter(({ amount }) => amount > 0);
}

const NOBODY: readonly Avoidance[] = [];

/**
 * The required anti-affinities of the service called `by`, as others have to heed them. What it wants of its
 * own tasks binds only those that are placed from now on.
 */
export function avoidancesOf(
  by: string | undefined,
  terms: readonly AffinityTerm[] = [],
): readonly Avoidance[] {
  if (by === undefined || terms.length === 0) return NOBODY;
  return terms
    .filter(({ service, weight }) => weight === undefined && service !== by)
    .map(({ service, topology = NODE_ID.key }) => ({ service, by, topology }));
}

/** Generic amounts that a task holds: what it was given, else what it reserves. */
export function genericHoldings({
  reservations,
  assigned = {},
}: PlacedTask): readonly GenericDemand[] {
  const given = Object.entries(assigned).map(([kind, what]) => ({
    kind,
    amount: typeof what === 'number' ? what : what.length,
  }));
  const others = Object.entries(reservations?.generic ?? {})
    .filter(([kind]) => !Object.hasOwn(assigned, kind))
    .map(([kind, amount]) => ({ kind, amount }));
  return [...given, ...others];
}

/** The ids of a kind that a node names; undefined when it only counts them. */
export function namedIds(
  node: SchedulingNode | undefined,
  kind: string,
): readonly string[] | undefined {
  const named = node?.namedResources ?? {};
  return Object.hasOwn(named, kind) ? named[kind] : undefined;
}

/** The amount of a generic resource; own keys only, since kinds are names that users choose. */
export function genericAmount({ generic = {} }: Resources, kind: string): number {
  return Object.hasOwn(generic, kind) ? (generic[kind] ?? 0) : 0;
}
