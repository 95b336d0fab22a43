import type { StoredManager, WriteResult } from '../../../api/v1/index.js';
import { ConflictError, NotFoundError } from '../../base/index.js';
import { absent, atVersion, remove, type World } from '../../objects/index.js';
import type { Keys, Store } from '../../store/index.js';
import type { WriteMode } from './object-writer.js';
import { presentReader } from './reader.js';
import type { Resource } from './resource.js';

/** What a removal works with. */
export interface ManagerRemovalOptions {
  readonly world: World;
  readonly store: Store;
  readonly keys: Keys;
  readonly resource: Resource;
}

/** Which manager is to be forgotten. */
export interface ManagerRemovalRequest extends WriteMode {
  readonly managerId: string;
  /** Only at this version. */
  readonly version: number | undefined;
}

/**
 * Forgets a manager that is away for good; one that comes back is known again.
 * Errors: NotFoundError; ConflictError while it is there, or when it comes back meanwhile.
 */
export async function removeManager(
  { world, store, keys, resource }: ManagerRemovalOptions,
  { managerId, version, dryRun, signal }: ManagerRemovalRequest,
): Promise<WriteResult> {
  const manager = world.knownManagers.get(managerId);
  if (!manager) throw new NotFoundError(`there is no manager ${managerId}`);
  requireAway(world, manager, version);
  const object = resource.view(manager, presentReader);
  if (dryRun) return { result: 'deleted', dryRun, revision: world.cache.revision, object };
  const knownKey = keys.knownManager(managerId);
  const compare = [atVersion(knownKey, manager.version), absent(keys.manager(managerId))];
  const revision = await store.commit({ compare, operations: [remove(knownKey)] }, { signal });
  await world.cache.waitForRevision(revision, { signal });
  return { result: 'deleted', dryRun, revision, object };
}

function requireAway(
  world: World,
  { id, hostname, version: present }: StoredManager,
  version: number | undefined,
): void {
  if (version !== undefined && version !== present) {
    throw new ConflictError(`manager ${id} is at version ${present}, not ${version}`);
  }
  if (world.managers.get(id) === undefined) return;
  throw new ConflictError(`manager ${id} runs on ${hostname}: stop it first`);
}
