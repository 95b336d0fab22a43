import type { StoredNode, StoredNodeHealth, StoredNodeStatus } from '../../api/v1/index.js';
import type { Plugin, SchedulingNode } from '../scheduler/index.js';

/**
 * What a node means for the tasks on it. `unknown` nodes keep their tasks and count as available here;
 * that nothing new goes there is the scheduler's business.
 */
export type NodeStanding = 'available' | 'paused' | 'draining' | 'lost' | 'gone';

/** Reads the standing of a node; `gone` when there is no such node. */
export function nodeStandingOf(
  node: StoredNode | undefined,
  health: StoredNodeHealth | undefined,
): NodeStanding {
  if (!node) return 'gone';
  if (health?.state === 'lost') return 'lost';
  if (node.spec.availability === 'drain') return 'draining';
  return node.spec.availability === 'pause' ? 'paused' : 'available';
}

/** Nobody answers there: what ran on it cannot be waited for. */
export const isUnreachable = (standing: NodeStanding): boolean =>
  standing === 'lost' || standing === 'gone';

/** The parts of a node that are stored apart. */
export interface NodeParts {
  readonly node: StoredNode;
  readonly status?: StoredNodeStatus | undefined;
  readonly health?: StoredNodeHealth | undefined;
}

/** A node as the scheduler sees it. */
export function schedulingNodeOf({ node, status, health }: NodeParts): SchedulingNode {
  const ready = health?.state === 'ready';
  return {
    id: node.metadata.uid,
    hostname: node.metadata.name,
    address: hostOf(status?.address ?? ''),
    role: node.spec.role,
    availability: node.spec.availability,
    ready,
    reasonNotReady: ready ? undefined : (health?.state ?? 'never connected'),
    nodeLabels: node.metadata.labels,
    ...(status ? describedBy(status.description) : UNDESCRIBED),
  };
}

type Described = Pick<
  SchedulingNode,
  | 'os'
  | 'architecture'
  | 'kernel'
  | 'engineVersion'
  | 'storageDriver'
  | 'engineLabels'
  | 'resources'
  | 'namedResources'
  | 'plugins'
>;

/** A node that joined and never opened a session. */
const UNDESCRIBED: Described = {
  os: '',
  architecture: '',
  engineLabels: {},
  resources: { cpuNano: 0, memoryBytes: 0 },
};

function describedBy(description: StoredNodeStatus['description']): Described {
  const { os, architecture, engineLabels, cpuNano, memoryBytes, genericResources } = description;
  return {
    os,
    architecture,
    kernel: description.kernelVersion,
    engineVersion: description.engineVersion,
    storageDriver: description.storageDriver,
    engineLabels,
    resources: { cpuNano, memoryBytes, generic: genericResources },
    namedResources: description.namedResources,
    plugins: pluginsOf(description.plugins),
  };
}

function pluginsOf(plugins: StoredNodeStatus['description']['plugins']): readonly Plugin[] {
  return [
    ...plugins.volume.map((name) => ({ type: 'Volume', name }) as const),
    ...plugins.network.map((name) => ({ type: 'Network', name }) as const),
    ...plugins.log.map((name) => ({ type: 'Log', name }) as const),
  ];
}

/** `10.0.0.1:2377` and `[fe80::1]:2377` without their port; a bare address stays as it is. */
function hostOf(address: string): string {
  const bracketed = /^\[(.+)\](:\d+)?$/.exec(address);
  if (bracketed?.[1] !== undefined) return bracketed[1];
  return /^[^:]+:\d+$/.test(address) ? address.replace(/:\d+$/, '') : address;
}
