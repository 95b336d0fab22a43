import { arch, cpus, hostname as hostName, platform, release, totalmem } from 'node:os';
import type { NodeDescription } from '../../api/v1/index.js';
import type { EngineDescription, EngineGenericResource } from '../engine/index.js';

/** What the node says of itself beside its engine. */
export interface AgentFacts {
  /** The name it joined with. */
  readonly hostname: string;
  readonly agentVersion: string;
}

/** The node as managers see it; what only the engine knows is empty until it answers. */
export function describeNode(
  { hostname, agentVersion }: AgentFacts,
  engine: EngineDescription | undefined,
): NodeDescription {
  if (!engine) return { ...withoutEngine(), hostname, agentVersion };
  return {
    hostname,
    os: engine.os,
    architecture: engine.architecture,
    cpuNano: engine.cpuNano,
    memoryBytes: engine.memoryBytes,
    engineVersion: engine.engineVersion,
    engineApiVersion: engine.apiVersion,
    engineId: engine.engineId,
    engineLabels: engine.labels,
    plugins: {
      volume: [...engine.plugins.volume],
      network: [...engine.plugins.network],
      log: [...engine.plugins.log],
    },
    ...genericResourcesOf(engine.genericResources),
    kernelVersion: engine.kernelVersion,
    ...(engine.storageDriver !== '' && { storageDriver: engine.storageDriver }),
    operatingSystem: engine.operatingSystem,
    agentVersion,
  };
}

/** The name of this machine. */
export const machineName = (): string => hostName();

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };
const NANOS = 1_000_000_000;

function withoutEngine() {
  return {
    os: platform() === 'win32' ? 'windows' : platform(),
    architecture: ARCHITECTURES[arch()] ?? arch(),
    cpuNano: cpus().length * NANOS,
    memoryBytes: totalmem(),
    engineVersion: '',
    engineApiVersion: '',
    engineId: '',
    engineLabels: {},
    plugins: { volume: [], network: [], log: [] },
    genericResources: {},
    kernelVersion: release(),
    operatingSystem: '',
  };
}

type GenericResources = Pick<NodeDescription, 'genericResources' | 'namedResources'>;

/** Named resources are told by id, and count by their number. An id that is given twice is there once. */
function genericResourcesOf(resources: readonly EngineGenericResource[]): GenericResources {
  const ids = new Map<string, Set<string>>();
  const counts = new Map<string, number>();
  for (const resource of resources) {
    if (resource.type === 'named') {
      ids.set(resource.kind, (ids.get(resource.kind) ?? new Set()).add(resource.name));
    } else counts.set(resource.kind, (counts.get(resource.kind) ?? 0) + resource.amount);
  }
  for (const [kind, names] of ids) counts.set(kind, names.size);
  return {
    genericResources: Object.fromEntries(counts),
    ...(ids.size > 0 && {
      namedResources: Object.fromEntries([...ids].map(([kind, names]) => [kind, [...names]])),
    }),
  };
}
