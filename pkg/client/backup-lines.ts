import { createHash } from 'node:crypto';
import {
  BackupLine,
  codec,
  type BackupEnd,
  type BackupEntry,
  type BackupHeader,
} from '../../api/v1/index.js';
import { InvalidObjectError } from '../base/index.js';
import { errorOf } from './errors.js';

/** A backup, or a part of it as it comes. */
export type CheckedLine =
  | { readonly kind: 'header'; readonly header: BackupHeader }
  | { readonly kind: 'entry'; readonly entry: BackupEntry }
  | { readonly kind: 'end'; readonly end: BackupEnd };

const lineCodec = codec<BackupLine>(BackupLine);

/** The checksum of a backup, line by line; for those who write one and those who read it. */
export class BackupSum {
  private readonly hash = createHash('sha256');
  private entries = 0;

  /** Takes a header or an entry, and gives its text without the line feed. */
  add(line: BackupHeader | BackupEntry): string {
    const text = JSON.stringify(line);
    this.hash.update(`${text}\n`);
    if ('key' in line) this.entries += 1;
    return text;
  }

  get count(): number {
    return this.entries;
  }

  /** Once, after the last entry. */
  end(skipped: number): BackupEnd {
    return { end: true, count: this.entries, skipped, sha256: this.hash.digest('hex') };
  }
}

/**
 * The lines of a backup, checked as they come: whoever reads to the end has all of it. Errors: InvalidObjectError
 * when it is none, or was changed or cut short; what the manager failed with while it made it.
 */
export async function* checkedBackup(
  lines: AsyncIterable<unknown>,
): AsyncGenerator<CheckedLine, void, undefined> {
  const sum = new BackupSum();
  let isBegun = false;
  let isEnded = false;
  for await (const line of lines) {
    if (!lineCodec.check(line)) throw new InvalidObjectError('this is no backup of a cluster');
    if ('error' in line) throw errorOf(line.error);
    if (isEnded || isBegun === 'format' in line) {
      throw new InvalidObjectError('the lines of the backup are not in their order');
    }
    if ('format' in line) {
      isBegun = true;
      sum.add(line);
      yield { kind: 'header', header: line };
    } else if ('key' in line) {
      sum.add(line);
      yield { kind: 'entry', entry: line };
    } else {
      isEnded = true;
      if (sum.end(line.skipped).sha256 !== line.sha256) {
        throw new InvalidObjectError('the backup was changed: its checksum is another one');
      }
      yield { kind: 'end', end: line };
    }
  }
  if (!isEnded)
    throw new InvalidObjectError('the backup is not complete: its last line is missing');
}
