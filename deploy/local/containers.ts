import { openEngine } from './engine.js';
import type { LocalState } from './state.js';

/** What agents write on every container; the value is the cluster's id. */
const CLUSTER_LABEL = 'io.swarmkeeper.cluster';

/**
 * Removes the containers of our cluster, told by their labels. Not needed in an engine of our own:
 * that goes as a whole.
 */
export async function removeContainers({ engine, cluster }: LocalState): Promise<void> {
  if (!engine || engine.own || !cluster) return;
  const docker = openEngine(engine.host);
  try {
    const labels = { [CLUSTER_LABEL]: cluster.id };
    const containers = await docker.listContainers({ all: true, labels });
    await Promise.all(
      containers.map(({ id }) => docker.removeContainer(id, { force: true, volumes: true })),
    );
  } finally {
    docker.close();
  }
}
