import { createReadStream } from 'node:fs';
import {
  KINDS,
  type BackupEntry,
  type BackupHeader,
  type KindDescription,
} from '../../../api/v1/index.js';
import { InvalidObjectError, UnavailableError, messageOf } from '../../../pkg/base/index.js';
import { checkedBackup, readJsonLines } from '../../../pkg/client/index.js';
import { isMap } from './field-changes.js';

/** What people had declared of an object when a backup was made. */
export interface BackupObject {
  readonly kind: KindDescription;
  readonly name: string;
  /** To find it by: nodes have names of their hosts, which may change. */
  readonly reference: string;
  readonly value: object;
}

/** A backup, as far as it is about what people declare. */
export interface BackupObjects {
  readonly header: BackupHeader;
  readonly objects: readonly BackupObject[];
}

/** Reads all of a backup's file. Errors: InvalidObjectError when it is none, or not complete and unchanged. */
export async function readBackupObjects(file: string): Promise<BackupObjects> {
  const objects: BackupObject[] = [];
  let header: BackupHeader | undefined;
  try {
    for await (const line of checkedBackup(readJsonLines(createReadStream(file)))) {
      if (line.kind === 'header') header = line.header;
      if (line.kind === 'entry') objects.push(...declaredIn(line.entry));
    }
  } catch (error) {
    const cause = error instanceof UnavailableError ? (error.cause ?? error) : error;
    throw new InvalidObjectError(`cannot read ${file}: ${messageOf(cause)}`, [], { cause: error });
  }
  if (!header) throw new InvalidObjectError(`cannot read ${file}: it has no header`);
  return { header, objects };
}

/** One or none: what controllers made, or what was on its way out, nobody declares. */
function declaredIn({ value }: BackupEntry): readonly BackupObject[] {
  const { apiVersion, metadata, spec } = value;
  const kind = KINDS.find((known) => known.kind === value['kind']);
  if (!kind?.verbs.includes('replace') || !isMap(metadata)) return [];
  const { name, uid, labels, annotations, deletingAt, ownedBy } = metadata;
  if (typeof name !== 'string' || deletingAt !== undefined || ownedBy !== undefined) return [];
  const reference = kind.kind === 'Node' && typeof uid === 'string' ? uid : name;
  const shown = { name, labels, ...(annotations !== undefined && { annotations }) };
  const object = { apiVersion, kind: kind.kind, metadata: shown, spec };
  return [{ kind, name, reference, value: object }];
}
