import { Type, type Static } from 'typebox';
import { HistoryMark, type HistoryLost, type StoreFacts } from '../../api/v1/index.js';
import type { Logger } from '../log/index.js';

/** What a node has seen of the store; kept beside its assignments. */
export const SeenHistory = Type.Object({
  /** etcd's cluster id. */
  storeId: Type.String(),
  /** The newest revision that the node acted on. */
  revision: Type.Integer(),
  /** The newest write at that revision. */
  mark: Type.Optional(HistoryMark),
  /** The latest acceptance of a person that the node knows of. */
  acceptedAt: Type.String(),
});
export type SeenHistory = Static<typeof SeenHistory>;

/** Whether the store that a manager speaks for is the one that this node knows. */
export type HistoryVerdict =
  | { readonly kind: 'continues' }
  /** A person said so since. */
  | { readonly kind: 'accepted' }
  | { readonly kind: 'lost'; readonly reason: string };

/** Judges what a manager says of the store by what this node has seen of it. */
export function judgeHistory(seen: SeenHistory | undefined, told: StoreFacts): HistoryVerdict {
  if (seen === undefined) return { kind: 'continues' };
  if (Date.parse(told.acceptedAt) > Date.parse(seen.acceptedAt)) return { kind: 'accepted' };
  const reason = lossOf(seen, told);
  return reason === undefined ? { kind: 'continues' } : { kind: 'lost', reason };
}

function lossOf(seen: SeenHistory, told: StoreFacts): string | undefined {
  if (told.id !== seen.storeId) {
    return `the store is etcd cluster ${told.id}, and this node knows cluster ${seen.storeId}`;
  }
  if (told.revision < seen.revision) {
    return `the store is at revision ${told.revision}, and this node has seen revision ${seen.revision}`;
  }
  if (told.remembers === 'no') {
    const at = seen.mark?.revision ?? seen.revision;
    return `the store does not know a write that this node has seen, of revision ${at}`;
  }
  return undefined;
}

/**
 * Keeps what this node has seen of the store. While the store has lost some of it, the node is **frozen**: it
 * goes on with the assignments it knows, and believes nothing that it is told about others, nor that it was
 * removed, until a person accepts what the store holds, or the store is back.
 */
export class KnownHistory {
  private current: SeenHistory | undefined;
  private loss: HistoryLost | undefined;

  constructor(private readonly log: Logger) {}

  /** Undefined before the first session. */
  get seen(): SeenHistory | undefined {
    return this.current;
  }

  /** Set while the node is frozen. */
  get lost(): HistoryLost | undefined {
    return this.loss;
  }

  /** Begins with what was known before a restart. */
  restore(seen: SeenHistory): void {
    this.current = seen;
  }

  /** A manager tells of the store anew: freezes, goes on, or begins to know this store instead. */
  judge(told: StoreFacts): HistoryVerdict['kind'] {
    const verdict = judgeHistory(this.current, told);
    if (verdict.kind === 'lost') {
      this.freeze(verdict.reason);
      return verdict.kind;
    }
    if (this.loss) this.log.warn({ verdict: verdict.kind }, 'going on with the store as it is');
    this.loss = undefined;
    const { id: storeId, revision, acceptedAt } = told;
    if (!this.current || verdict.kind === 'accepted') {
      this.current = { storeId, revision, acceptedAt };
    }
    return verdict.kind;
  }

  /** True when a set that was read at this revision is older than one that the node acted on. */
  isPast(revision: number): boolean {
    return revision < (this.current?.revision ?? 0);
  }

  /** The node acts on a set that was read at this revision. */
  reached(revision: number, mark: HistoryMark | undefined): void {
    if (!this.current) return;
    const { mark: before, ...seen } = this.current;
    const newest = mark ?? before;
    this.current = { ...seen, revision, ...(newest && { mark: newest }) };
  }

  private freeze(reason: string): void {
    if (this.loss?.reason !== reason) {
      this.log.error({ reason }, 'the store lost history: nothing is started, stopped or removed');
    }
    this.loss = { reason, acceptedAt: this.current?.acceptedAt ?? new Date(0).toISOString() };
  }
}
