import {
  ClusterSpec,
  clusterProblems,
  effectiveClusterSpec,
  type Cluster,
  type Problem,
  type StoredCluster,
} from '../../../api/v1/index.js';
import { cluster, puts } from '../../objects/index.js';
import type { MutableKind } from './mutable-kind.js';
import { presentReader } from './reader.js';
import type { Resource } from './resource.js';

/** How the cluster's settings are changed. Its keys and tokens stay as they are. */
export function clusterWrites(resource: Resource): MutableKind<StoredCluster> {
  return {
    kind: 'Cluster',
    definition: cluster,
    etcdKey: (keys) => keys.cluster,
    specSchema: ClusterSpec,
    problems: (input) => {
      const problems = clusterProblems(input);
      return problems.length > 0 ? problems : orderProblems((input as Cluster).spec);
    },
    normalise: (spec) => spec,
    changeProblems: () => [],
    put: (keys, stored) => puts.cluster(keys, stored),
    view: (stored) => resource.view(stored, presentReader),
  };
}

/** The three periods only make sense in this order, defaults included. */
function orderProblems(spec: ClusterSpec): readonly Problem[] {
  const { nodeHeartbeatMs, nodeUnknownAfterMs, nodeLostAfterMs } = effectiveClusterSpec(spec);
  const problems: Problem[] = [];
  if (nodeUnknownAfterMs < 2 * nodeHeartbeatMs) {
    const message =
      'must be at least twice spec.nodeHeartbeat, or one lost packet makes a node unknown';
    problems.push({ path: 'spec.nodeUnknownAfter', message });
  }
  if (nodeLostAfterMs < nodeUnknownAfterMs) {
    problems.push({
      path: 'spec.nodeLostAfter',
      message: 'must not be less than spec.nodeUnknownAfter',
    });
  }
  return problems;
}
