import { openEngine } from './engine.js';
import type { LocalState } from './state.js';

/**
 * Removes the containers of our cluster, told by their labels. Not needed in an engine of our own:
 * that goes as a whole.
 */
export async function removeContainers(engine: LocalState['engine']): Promise<void> {
  if (!engine || engine.own) return;
  const docker = openEngine(engine.host);
  try {
    const containers = await docker.listContainers({
      all: true,
      labels: { 'swarmkeeper.cluster': 'to-be-known' },
    });
    await Promise.all(
      containers.map(({ id }) => docker.removeContainer(id, { force: true, volumes: true })),
    );
  } finally {
    docker.close();
  }
}
