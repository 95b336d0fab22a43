import { CompactedError } from '../base/index.js';
import type { Revision } from '../store/index.js';
import type { Change } from './collection.js';

/** What happened between two revisions is not known one by one. */
interface Gap {
  readonly after: Revision;
  readonly upTo: Revision;
}

/** The latest changes of the world in order, at most `capacity` of them. */
export class ChangeRing {
  /** Changes from `head` on are remembered; those before are dropped in bulk. */
  private changes: Change[] = [];
  private head = 0;
  private gaps: Gap[] = [];
  /** Everything after this revision is remembered. Nothing is, before the first list. */
  private floor: Revision = Infinity;

  constructor(private readonly capacity: number) {}

  /** Forgets everything; history starts at `revision`. */
  reset(revision: Revision): void {
    this.changes = [];
    this.head = 0;
    this.gaps = [];
    this.floor = revision;
  }

  /** Adds changes in order of revision. */
  push(changes: readonly Change[]): void {
    for (const change of changes) this.changes.push(change);
    this.trim();
  }

  /**
   * Adds what a list at `upTo` showed to be different from `after`. Changes that undid each other in
   * between are unknown, so nobody can resume from there.
   */
  pushDifference(changes: readonly Change[], after: Revision, upTo: Revision): void {
    if (changes.length > this.capacity) {
      this.reset(upTo);
      return;
    }
    if (upTo > after + 1) this.gaps.push({ after, upTo });
    this.push([...changes].sort((a, b) => a.revision - b.revision));
  }

  /** Changes after `revision`, oldest first. Errors: CompactedError when some are not remembered. */
  since(revision: Revision): readonly Change[] {
    if (revision < this.floor || this.gaps.some((gap) => isInside(revision, gap))) {
      throw new CompactedError(`changes after revision ${revision} are not remembered`);
    }
    return this.changes.slice(this.firstAfter(revision));
  }

  get size(): number {
    return this.changes.length - this.head;
  }

  private trim(): void {
    if (this.size <= this.capacity) return;
    const head = this.changes.length - this.capacity;
    // A revision whose changes are remembered in part only cannot be resumed before.
    this.floor = Math.max(this.floor, this.changes[head - 1]?.revision ?? 0);
    this.head = head;
    this.gaps = this.gaps.filter(({ upTo }) => upTo > this.floor);
    if (this.head < this.capacity) return;
    this.changes = this.changes.slice(this.head);
    this.head = 0;
  }

  private firstAfter(revision: Revision): number {
    let low = this.head;
    let high = this.changes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.changes[middle]?.revision ?? Infinity) <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function isInside(revision: Revision, { after, upTo }: Gap): boolean {
  return revision > after && revision < upTo;
}
