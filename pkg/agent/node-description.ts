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
    genericResources: countResources(engine.genericResources),
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

/** Named resources count by their number. */
function countResources(
  resources: readonly EngineGenericResource[],
): Readonly<Record<string, number>> & Record<string, number> {
  const counts: Record<string, number> = {};
  for (const resource of resources) {
    const amount = resource.type === 'discrete' ? resource.amount : 1;
    counts[resource.kind] = (counts[resource.kind] ?? 0) + amount;
  }
  return counts;
}
