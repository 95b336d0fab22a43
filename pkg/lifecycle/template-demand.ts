import { parseBytes, parseCpuNano, type RevisionTemplate } from '../../api/v1/index.js';
import type { HostPort, Platform, Plugin, Resources, TaskGroup } from '../scheduler/index.js';

/** What a template asks of a node: the part of a {@link TaskGroup} that all its tasks share. */
export type TemplateDemand = Pick<
  TaskGroup,
  | 'reservations'
  | 'constraints'
  | 'preferences'
  | 'platforms'
  | 'hostPorts'
  | 'soft'
  | 'strategy'
  | 'maxReplicasPerNode'
  | 'maxPer'
  | 'affinity'
  | 'antiAffinity'
  | 'plugins'
>;

/** Reads what a template asks of a node. Services that it names are not looked up: that changes with time. */
export function templateDemandOf({ task, endpoint }: RevisionTemplate): TemplateDemand {
  const { soft, ...placement } = task.placement ?? {};
  return {
    reservations: reservationsOf(task.resources?.reservations),
    ...placement,
    soft: soft?.map(({ constraint, weight = 1 }) => ({ constraint, weight })),
    platforms: platformsOf(task.container.platform),
    hostPorts: endpoint?.ports?.flatMap(hostPortOf),
    plugins: [...logPlugins(task.logDriver?.name), ...volumePlugins(task.container.mounts)],
  };
}

type TaskTemplate = RevisionTemplate['task'];
type Reservations = NonNullable<TaskTemplate['resources']>['reservations'];
type Port = NonNullable<NonNullable<RevisionTemplate['endpoint']>['ports']>[number];

function reservationsOf(reservations: Reservations): Resources | undefined {
  if (!reservations) return undefined;
  const { cpus = 0, memory = 0, genericResources = [] } = reservations;
  return {
    cpuNano: parseCpuNano(cpus) ?? 0,
    memoryBytes: parseBytes(memory) ?? 0,
    generic: Object.fromEntries(genericResources.map(({ kind, value }) => [kind, value])),
  };
}

/** `linux/arm64`; a variant behind it is the engine's to match. */
function platformsOf(platform: string | undefined): readonly Platform[] | undefined {
  const [os, architecture] = platform?.split('/') ?? [];
  return os === undefined ? undefined : [{ os, architecture }];
}

/** A port that the engine chooses conflicts with nothing. */
function hostPortOf({ mode, published, protocol }: Port): readonly HostPort[] {
  if (mode !== 'host' || published === undefined) return [];
  return [{ protocol: protocol ?? 'tcp', port: published }];
}

function logPlugins(name: string | undefined): readonly Plugin[] {
  return name === undefined || name === 'none' ? [] : [{ type: 'Log', name }];
}

/** The engine brings the driver `local` itself. */
function volumePlugins(mounts: TaskTemplate['container']['mounts'] = []): readonly Plugin[] {
  const drivers = mounts.flatMap((mount) => mount.volume?.driver ?? []);
  return [...new Set(drivers)]
    .filter((name) => name !== 'local')
    .map((name) => ({ type: 'Volume', name }));
}
