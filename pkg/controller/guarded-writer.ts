import { ConflictError, newWriteId } from '../base/index.js';
import type { WriteId } from '../base/index.js';
import type { LeaderTerm } from '../election/index.js';
import { writeIdOf } from '../store/index.js';
import type { Compare, Operation, Revision, Store } from '../store/index.js';
import type { ReconcileContext } from './reconciler.js';

/** A transaction without the fence, which is not the controllers' business. */
export interface GuardedTxn {
  /** The version of every object that the decision rests on. */
  readonly compare: readonly Compare[];
  /** At most MAX_TXN_OPERATIONS; nothing is split here, because halves would not be atomic. */
  readonly operations: readonly Operation[];
}

/** The controllers' only way to write. */
export interface GuardedWriter {
  /**
   * Commits, if we still lead and every compare holds. The key that runs is not run again before the cache
   * shows the write.
   * Errors: ConflictError - the world has moved on, look again; LeadershipLostError - another leads, the
   * term is over; UnavailableError - the write may or may not have happened.
   */
  commit(txn: GuardedTxn, context: GuardedContext): Promise<Revision>;
}
export const GuardedWriter = Symbol('GuardedWriter');

/** What a write needs of its run. */
export type GuardedContext = Pick<ReconcileContext, 'term' | 'signal' | 'writes'>;

/** {@link GuardedWriter} that adds the term's fence to every transaction. */
export class FencedWriter implements GuardedWriter {
  constructor(private readonly store: Store) {}

  async commit({ compare, operations }: GuardedTxn, context: GuardedContext): Promise<Revision> {
    const { term, signal, writes } = context;
    const writeId = newWriteId();
    const guards = [term.fence, ...compare];
    try {
      const txn = { compare: guards, operations, writeId };
      const revision = await this.store.commit(txn, { signal });
      writes.committed(revision);
      return revision;
    } catch (error) {
      if (error instanceof ConflictError) await this.endTermIfDeposed(term, signal);
      else writes.unresolved((until) => this.findWrite(operations, writeId, until));
      throw error;
    }
  }

  /** Errors: LeadershipLostError when the fence was what the compare was lost on. */
  private async endTermIfDeposed(term: LeaderTerm, signal: AbortSignal): Promise<void> {
    try {
      const entry = await this.store.get(term.fence.key, { signal });
      if (entry?.createRevision !== term.epoch) {
        term.end('a write was refused: the leader key is not ours any more');
      }
    } catch {
      // Without an answer the term goes on: its own deadline ends it soon enough.
    }
    term.assertValid();
  }

  /** The revision of a write whose outcome was not learned; undefined when nothing shows it. */
  private async findWrite(
    operations: readonly Operation[],
    writeId: WriteId,
    signal: AbortSignal,
  ): Promise<Revision | undefined> {
    for (const operation of operations) {
      if (operation.kind !== 'put') continue;
      const entry = await this.store.get(operation.key, { signal });
      if (entry && writeIdOf(entry) === writeId) return entry.modRevision;
    }
    return undefined;
  }
}
