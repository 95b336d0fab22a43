import { ConflictError } from '../../pkg/base/index.js';
import type { GuardedContext, GuardedTxn, GuardedWriter } from '../../pkg/controller/index.js';
import { MAX_TXN_OPERATIONS, packTransactions, type Revision } from '../../pkg/store/index.js';

interface Waiting {
  readonly txn: GuardedTxn;
  readonly context: GuardedContext;
  readonly resolve: (revision: Revision) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Puts small transactions of many keys that come at the same time into few big ones: a node that is lost
 * brings hundreds of restarts, and a transaction of 100 writes costs little more than one of 2. While one is
 * under way the next ones gather. When a compare is lost, each is tried alone, so that one key's conflict is
 * no other key's.
 */
export class GroupCommit implements GuardedWriter {
  private waiting: Waiting[] = [];
  private busy = false;

  constructor(private readonly writer: GuardedWriter) {}

  commit(txn: GuardedTxn, context: GuardedContext): Promise<Revision> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ txn, context, resolve, reject });
      if (this.busy) return;
      this.busy = true;
      // Whatever else was decided in this turn of the event loop comes along.
      setImmediate(() => void this.flush()); // flush never rejects
    });
  }

  private async flush(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      for (const group of groupsOf(batch)) await this.commitGroup(group);
    }
    this.busy = false;
  }

  private async commitGroup(group: readonly Waiting[]): Promise<void> {
    const [first] = group;
    const [txn, more] = packTransactions(group.map((waiting) => waiting.txn));
    if (!first || !txn) return;
    if (group.length === 1 || more) {
      for (const each of group) await this.commitAlone(each);
      return;
    }
    try {
      const revision = await this.writer.commit(txn, sharedContext(group, first.context));
      for (const { resolve } of group) resolve(revision);
    } catch (error) {
      if (error instanceof ConflictError) {
        await Promise.all(group.map((each) => this.commitAlone(each)));
        return;
      }
      for (const { reject } of group) reject(error);
    }
  }

  private async commitAlone({ txn, context, resolve, reject }: Waiting): Promise<void> {
    try {
      resolve(await this.writer.commit(txn, context));
    } catch (error) {
      reject(error);
    }
  }
}

/** Those that fit into one transaction together, term by term. */
function groupsOf(batch: readonly Waiting[]): readonly (readonly Waiting[])[] {
  const groups: Waiting[][] = [];
  let open: Waiting[] = [];
  let size = new Size();
  for (const waiting of batch) {
    const isSameTerm = open[0]?.context.term === waiting.context.term;
    if (isSameTerm && size.with(waiting.txn) <= MAX_TXN_OPERATIONS) {
      open.push(waiting);
    } else {
      open = [waiting];
      size = new Size();
      groups.push(open);
    }
    size.add(waiting.txn);
  }
  return groups;
}

/** How much of a transaction is full. What several compare counts once, such as a node that all of them left. */
class Size {
  private readonly compared = new Set<string>();
  private operations = 0;

  /** How full it would be with one more. */
  with({ compare, operations }: GuardedTxn): number {
    const fresh = compare.filter(({ key }) => !this.compared.has(key)).length;
    return Math.max(this.compared.size + fresh, this.operations + operations.length);
  }

  add({ compare, operations }: GuardedTxn): void {
    for (const { key } of compare) this.compared.add(key);
    this.operations += operations.length;
  }
}

/** One write for several runs: each of them has to see it before its key runs again. */
function sharedContext(group: readonly Waiting[], { term }: GuardedContext): GuardedContext {
  return {
    term,
    signal: term.signal,
    writes: {
      committed: (revision) => {
        for (const { context } of group) context.writes.committed(revision);
      },
      unresolved: (find) => {
        for (const { context } of group) context.writes.unresolved(find);
      },
    },
  };
}
