import type { StoredNode, WriteResult } from '../../../api/v1/index.js';
import { ConflictError, NotFoundError } from '../../base/index.js';
import { absent, atVersion, remove, type World } from '../../objects/index.js';
import type { Keys, Store } from '../../store/index.js';
import type { WriteMode } from './object-writer.js';
import { presentReader } from './reader.js';
import type { Resource } from './resource.js';

/** What a removal works with. */
export interface NodeRemovalOptions {
  readonly world: World;
  readonly store: Store;
  readonly keys: Keys;
  readonly resource: Resource;
}

/** How a node is to be removed. */
export interface NodeRemovalRequest extends WriteMode {
  readonly nodeId: string;
  /** Also when it is ready. */
  readonly force: boolean;
  /** Only at this version. */
  readonly version: number | undefined;
}

/**
 * Removes a node and what is known of it: its certificate is worth nothing from then on, and its tasks
 * are replaced. Errors: NotFoundError; ConflictError when it is ready, or changes meanwhile.
 */
export async function removeNode(
  { world, store, keys, resource }: NodeRemovalOptions,
  { nodeId, force, version, dryRun, signal }: NodeRemovalRequest,
): Promise<WriteResult> {
  const node = world.nodes.get(nodeId);
  if (!node) throw new NotFoundError(`there is no node ${nodeId}`);
  requireRemovable(world, node, { force, version });
  const object = resource.view(node, presentReader);
  if (dryRun) return { result: 'deleted', dryRun, revision: world.cache.revision, object };
  const status = world.nodeStatuses.get(nodeId);
  const statusKey = keys.nodeStatus(nodeId);
  const revision = await store.commit(
    {
      compare: [
        atVersion(keys.node(nodeId), node.metadata.version),
        // A session that opens at the same time must lose, or it would outlive its node.
        status ? atVersion(statusKey, status.version) : absent(statusKey),
      ],
      operations: [remove(keys.node(nodeId)), remove(statusKey), remove(keys.nodeHealth(nodeId))],
    },
    { signal },
  );
  await world.cache.waitForRevision(revision, { signal });
  return { result: 'deleted', dryRun, revision, object };
}

function requireRemovable(
  world: World,
  { metadata }: StoredNode,
  { force, version }: Pick<NodeRemovalRequest, 'force' | 'version'>,
): void {
  if (version !== undefined && version !== metadata.version) {
    throw new ConflictError(
      `node ${metadata.name} is at version ${metadata.version}, not ${version}: it changed since it was read`,
    );
  }
  const isReady =
    world.nodeHealths.get(metadata.uid)?.state === 'ready' ||
    world.nodeStatuses.get(metadata.uid)?.session.open === true;
  if (isReady && !force) {
    throw new ConflictError(
      `node ${metadata.name} is ready: drain it (swarmctl drain) and stop its agent first, or force the removal (--force)`,
    );
  }
}
