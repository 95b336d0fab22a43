import type { Clock } from '../base/index.js';
import type { Remembrance, Revision } from '../store/index.js';
import type { HistoryBreak } from './world-cache.js';

/** What an answer's header says of the store. */
export interface StoreHeader {
  readonly clusterId: string;
  readonly revision: Revision;
}

/** Notices when the store is not the one we knew: another cluster, or an older state of it. */
export class HistoryGuard {
  private known: StoreHeader | undefined;
  private found: HistoryBreak | undefined;

  constructor(private readonly clock: Clock) {}

  get clusterId(): string | undefined {
    return this.known?.clusterId;
  }

  /** The latest break, until it is acknowledged. */
  get historyBreak(): HistoryBreak | undefined {
    return this.found;
  }

  acknowledge(): void {
    this.found = undefined;
  }

  /**
   * Compares a header with the world, which is at `worldRevision`; `remembers` is whether the store remembers
   * the newest write of that world. Returns a break when there is one; the header is what is known from then
   * on, so one break is found once.
   */
  check(
    { clusterId, revision }: StoreHeader,
    worldRevision: Revision,
    remembers: Remembrance = 'unknown',
  ): HistoryBreak | undefined {
    const previous = this.known && {
      clusterId: this.known.clusterId,
      revision: Math.max(this.known.revision, worldRevision),
    };
    const current = { clusterId, revision };
    this.known = current;
    const reason = previous && reasonOf(previous, current, remembers);
    if (!reason) return undefined;
    this.found = { reason, previous, current, at: this.clock.now() };
    return this.found;
  }
}

function reasonOf(
  previous: StoreHeader,
  current: StoreHeader,
  remembers: Remembrance,
): HistoryBreak['reason'] | undefined {
  if (previous.clusterId !== current.clusterId) return 'cluster-changed';
  if (current.revision < previous.revision) return 'revision-went-backwards';
  return remembers === 'no' ? 'write-missing' : undefined;
}
