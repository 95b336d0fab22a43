import type { WorldCache } from '../informer/index.js';
import type { Revision } from '../store/index.js';
import type { ResourceKey, WriteLog } from './reconciler.js';

type FindWrite = (signal: AbortSignal) => Promise<Revision | undefined>;

interface Pending {
  revision: Revision;
  readonly unresolved: FindWrite[];
}

/** Beyond this many keys it is worth a look which of them the cache has caught up with. */
const PRUNE_AT = 1024;

/** A write that was made with one key's plan, yet is not in the cache, must not be planned twice. */
export class WriteMemory {
  private readonly pendingByKey = new Map<ResourceKey, Pending>();

  constructor(private readonly world: Pick<WorldCache, 'revision' | 'waitForRevision'>) {}

  /** Notes the writes of one run of `key`. */
  logOf(key: ResourceKey): WriteLog {
    return {
      committed: (revision) => {
        const pending = this.pendingOf(key);
        pending.revision = Math.max(pending.revision, revision);
      },
      unresolved: (find) => {
        this.pendingOf(key).unresolved.push(find);
      },
    };
  }

  /**
   * Resolves when the cache shows every write of earlier runs of `key`.
   * Errors: UnavailableError, the signal's reason; then it must be asked again before the key may run.
   */
  async settle(key: ResourceKey, signal: AbortSignal): Promise<void> {
    const pending = this.pendingByKey.get(key);
    if (!pending) return;
    for (let find = pending.unresolved[0]; find; find = pending.unresolved[0]) {
      pending.revision = Math.max(pending.revision, (await find(signal)) ?? 0);
      pending.unresolved.shift();
    }
    await this.world.waitForRevision(pending.revision, { signal });
    this.pendingByKey.delete(key);
  }

  private pendingOf(key: ResourceKey): Pending {
    const known = this.pendingByKey.get(key);
    if (known) return known;
    if (this.pendingByKey.size >= PRUNE_AT) this.prune();
    const pending: Pending = { revision: 0, unresolved: [] };
    this.pendingByKey.set(key, pending);
    return pending;
  }

  private prune(): void {
    for (const [key, { revision, unresolved }] of this.pendingByKey) {
      if (unresolved.length === 0 && revision <= this.world.revision) this.pendingByKey.delete(key);
    }
  }
}
