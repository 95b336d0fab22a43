import type { ClusterApi } from '../cluster-api.js';

/** Host names by node id. */
export type NodeNames = (id: string) => string;

/** Reads the host names of all nodes; an id without a node is shown short. */
export async function readNodeNames(api: ClusterApi, signal: AbortSignal): Promise<NodeNames> {
  const { items } = await api.listAll('nodes', { signal });
  const names = new Map(items.map(({ metadata }) => [metadata.uid ?? '', metadata.name]));
  return (id) => names.get(id) ?? id.slice(0, 12);
}
