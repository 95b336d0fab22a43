import { Type, type Static } from 'typebox';
import { Timestamp } from './common.js';

/** Why: nodes must notice when the store is not the one they knew, or an older state of it (ADR 0017). */

/** A write to the store that somebody saw. A store that does not remember it lost history. */
export const HistoryMark = Type.Object({
  key: Type.String({ minLength: 1, maxLength: 1_024 }),
  revision: Type.Integer({ minimum: 1, description: 'The revision that the write made.' }),
  writeId: Type.String({ maxLength: 128 }),
});
export type HistoryMark = Static<typeof HistoryMark>;

/** What a manager says of the store, from a read or write that no older state of it could have answered. */
export const StoreFacts = Type.Object({
  id: Type.String({
    description: "etcd's cluster id, and which backup was restored into it last, if one was.",
  }),
  revision: Type.Integer(),
  acceptedAt: Type.String({
    ...Timestamp,
    description:
      'When a person accepted the history that there is; when the cluster was made, if nobody ever had to.',
  }),
  remembers: Type.Enum(['yes', 'no', 'unknown'], {
    description: 'Whether the history holds the mark that the caller sent.',
  }),
});
export type StoreFacts = Static<typeof StoreFacts>;

/** A node found that the store lost history that the node had seen: it keeps what it runs, and nothing else. */
export const HistoryLost = Type.Object({
  reason: Type.String({ maxLength: 500, description: 'A sentence for people.' }),
  acceptedAt: Type.String({
    ...Timestamp,
    description: 'The latest acceptance that the node knows of: only a later one is news to it.',
  }),
});
export type HistoryLost = Static<typeof HistoryLost>;

/** A node that waits for a person to accept what the store holds. */
export const FrozenNode = Type.Object({
  nodeId: Type.String(),
  hostname: Type.String(),
  reason: Type.String(),
  known: Type.Boolean({
    description: 'Whether the store knows it. A node that it does not know leaves the cluster.',
  }),
});
export type FrozenNode = Static<typeof FrozenNode>;

/** What came of accepting the history that the store has. */
export const HistoryAcceptance = Type.Object({
  acceptedAt: Timestamp,
  dryRun: Type.Boolean(),
  revision: Type.Integer(),
  frozen: Type.Array(FrozenNode, {
    description: 'Nodes that waited for it, as far as the manager that answers knows.',
  }),
});
export type HistoryAcceptance = Static<typeof HistoryAcceptance>;
