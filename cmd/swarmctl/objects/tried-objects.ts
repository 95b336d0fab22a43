import type { WriteResult } from '../../../api/v1/index.js';
import { hasCode } from '../../../pkg/base/index.js';
import type { Session } from '../cli.js';
import { checkedObjects } from './checked-objects.js';
import type { Declared } from './declared.js';
import { fieldChanges, writtenParts, type FieldChange } from './field-changes.js';
import type { ReadFiles } from './read-files.js';
import { pluralOf, type AnyObject } from './target.js';

/** What an apply would do to one object. */
export interface TriedObject extends Declared {
  /** Undefined when it would be created. */
  readonly before: AnyObject | undefined;
  readonly result: WriteResult['result'];
  /** The object as it would be. */
  readonly after: AnyObject;
}

/**
 * What an apply of files would do, as the server says. Nothing is written.
 * Errors: as {@link checkedObjects}, after telling every problem of every file.
 */
export async function triedObjects(
  session: Session,
  files: ReadFiles,
  cause?: string,
): Promise<readonly TriedObject[]> {
  const { api, streams } = session;
  const signal = streams.interrupted;
  const checked = await checkedObjects(streams, files, async ({ kind, value }) => ({
    written: await api.apply(pluralOf(kind), value, { dryRun: true, cause, signal }),
    before: await api.get(pluralOf(kind), value.metadata.name, { signal }).catch(absent),
  }));
  return checked.map(({ attempted, ...declared }) => ({
    ...declared,
    before: attempted.before,
    result: attempted.written.result,
    after: attempted.written.object,
  }));
}

/** The fields that an apply would change; none of an object that is new. */
export function changesOf({
  before,
  after,
  result,
}: Pick<TriedObject, 'before' | 'after' | 'result'>): readonly FieldChange[] {
  if (before === undefined || result === 'unchanged') return [];
  return fieldChanges(writtenParts(before), writtenParts(after));
}

function absent(error: unknown): undefined {
  if (!hasCode(error, 'ERR_NOT_FOUND')) throw error;
}
