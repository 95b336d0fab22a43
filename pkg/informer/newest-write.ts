import { writeIdOf } from '../store/index.js';
import type { Entry, HistoryMark } from '../store/index.js';

/** The newest write that a world was made of: a store that does not remember it is not where the world came from. */
export class NewestWrite {
  private entry: Entry | undefined;
  private found: HistoryMark | undefined;

  /** Takes note of an entry, in any order. */
  see(entry: Entry): void {
    if (this.entry && this.entry.modRevision >= entry.modRevision) return;
    this.entry = entry;
    this.found = undefined;
  }

  /** Undefined when there is none, or it was not written through our store. Read when it is asked for. */
  get mark(): HistoryMark | undefined {
    if (!this.entry) return undefined;
    this.found ??= markOf(this.entry);
    return this.found;
  }
}

function markOf(entry: Entry): HistoryMark | undefined {
  const writeId = writeIdOf(entry);
  return writeId === undefined
    ? undefined
    : { key: entry.key, revision: entry.modRevision, writeId };
}
