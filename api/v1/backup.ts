import { Type, type Static } from 'typebox';
import { ApiError } from './errors.js';
import { Timestamp } from './common.js';

/** First line of a backup: what it is one of. */
export const BackupHeader = Type.Object({
  format: Type.Literal(1),
  clusterId: Type.String(),
  storeId: Type.String({ description: "etcd's cluster id." }),
  revision: Type.Integer({ minimum: 1, description: 'Everything is as it was at this revision.' }),
  createdAt: Timestamp,
  version: Type.String({ description: 'Of the software that made it.' }),
});
export type BackupHeader = Static<typeof BackupHeader>;

/** One key with what it holds; what is sealed stays sealed. */
export const BackupEntry = Type.Object({
  key: Type.String({ minLength: 1, description: "Below the cluster's own prefix." }),
  value: Type.Record(Type.String(), Type.Unknown()),
});
export type BackupEntry = Static<typeof BackupEntry>;

/** Last line: a backup without it is not complete. */
export const BackupEnd = Type.Object({
  end: Type.Literal(true),
  count: Type.Integer({ description: 'Of keys.' }),
  skipped: Type.Integer({ description: 'Keys that hold nothing of ours, and are not in it.' }),
  sha256: Type.String({ description: 'Of all lines before, each with its line feed.' }),
});
export type BackupEnd = Static<typeof BackupEnd>;

/** Last line of one that failed on the way. */
export const BackupFailure = Type.Object({ error: ApiError });
export type BackupFailure = Static<typeof BackupFailure>;

/** A line of a backup (NDJSON). */
export const BackupLine = Type.Union([BackupHeader, BackupEntry, BackupEnd, BackupFailure]);
export type BackupLine = Static<typeof BackupLine>;
