/** The node-health controller: who is ready, who has not been heard of, and who is lost. */
import { defineController, mapsTo, owns } from '../../pkg/controller/index.js';
import { cluster, managers, nodeHealths, nodeStatuses, nodes } from '../../pkg/objects/index.js';
import { NodeHealthReconciler } from './reconciler.js';

export { NodeHealthReconciler, type NodeHealthReconcilerOptions } from './reconciler.js';

/** Declares the node-health controller. Keys are nodes' ids. */
export const nodeHealthController = defineController({
  name: 'node-health',
  for: nodes,
  watches: [
    owns(nodeStatuses, ({ nodeId }) => nodeId),
    owns(nodeHealths, ({ nodeId }) => nodeId),
    mapsTo(
      managers,
      (_manager, id, world) =>
        world
          .collection(nodeStatuses)
          .byIndex('manager', id)
          .map(({ nodeId }) => nodeId),
      { when: (before, after) => before?.startedAt !== after?.startedAt },
    ),
    mapsTo(cluster, (_cluster, _key, world) =>
      world
        .collection(nodes)
        .list()
        .map(({ metadata }) => metadata.uid),
    ),
  ],
  reconciler: NodeHealthReconciler,
  concurrency: 32,
});
