import type { Manager, Node, NodeDescription, NodeState } from '../../../../api/v1/index.js';
import { compact } from '../compact.js';

/** Our states in Docker's words. */
const STATES: Readonly<Record<NodeState, string>> = {
  ready: 'ready',
  unknown: 'unknown',
  lost: 'down',
};

/** Docker's word for what a node is. */
export const dockerState = ({ status }: Node): string => STATES[status?.state ?? 'unknown'];

/** A node in the form of Docker's API; `manager` is the one on its host. */
export function dockerNode(node: Node, manager: Manager | undefined): object {
  const { metadata, spec, status } = node;
  return compact({
    ID: metadata.uid ?? '',
    Version: { Index: metadata.version ?? 0 },
    CreatedAt: metadata.createdAt ?? '',
    UpdatedAt: metadata.updatedAt ?? '',
    Spec: {
      Labels: metadata.labels ?? {},
      Role: spec.role,
      Availability: spec.availability,
    },
    Description: status?.description && dockerDescription(status.description),
    Status: dockerStatus(node),
    ManagerStatus: manager && dockerManager(manager),
  });
}

function dockerStatus(node: Node): object {
  const { reason = '', address = '' } = node.status ?? {};
  return { State: dockerState(node), ...(reason !== '' && { Message: reason }), Addr: address };
}

function dockerManager({ status }: Manager): object {
  const { leader, address, reachability } = status;
  return { ...(leader && { Leader: true }), Reachability: reachability, Addr: address };
}

function dockerDescription(found: NodeDescription): object {
  const { volume, network, log } = found.plugins;
  const plugins = [
    ...log.map((name) => ({ Type: 'Log', Name: name })),
    ...network.map((name) => ({ Type: 'Network', Name: name })),
    ...volume.map((name) => ({ Type: 'Volume', Name: name })),
  ];
  const generic = Object.entries(found.genericResources).map(([kind, value]) => ({
    DiscreteResourceSpec: { Kind: kind, Value: value },
  }));
  return {
    Hostname: found.hostname,
    Platform: { Architecture: found.architecture, OS: found.os },
    Resources: compact({
      NanoCPUs: found.cpuNano,
      MemoryBytes: found.memoryBytes,
      GenericResources: generic,
    }),
    Engine: compact({
      EngineVersion: found.engineVersion,
      Labels: found.engineLabels,
      Plugins: plugins,
    }),
  };
}
