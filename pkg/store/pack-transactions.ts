import { MAX_TXN_COMPARES, MAX_TXN_OPERATIONS } from './store.js';
import type { Compare, Operation } from './store.js';

/** Writes that belong together, and what must hold for them. */
export interface TxnPart {
  readonly compare: readonly Compare[];
  readonly operations: readonly Operation[];
}

/** Compares that whoever commits may add, such as a leader's fence. */
const RESERVED_COMPARES = 8;

/**
 * Packs parts, each whole and in order, into as few transactions as fit one after the other. Compares that
 * several parts share count once. A part that is too big by itself stays alone, and will be refused.
 */
export function packTransactions(parts: readonly TxnPart[]): readonly TxnPart[] {
  const packed: TxnPart[] = [];
  let open = new OpenTxn();
  for (const part of parts) {
    if (!open.hasRoomFor(part)) {
      packed.push(open.close());
      open = new OpenTxn();
    }
    open.add(part);
  }
  if (!open.isEmpty) packed.push(open.close());
  return packed;
}

class OpenTxn {
  private readonly compares = new Map<string, Compare>();
  private readonly operations = new Map<string, Operation>();

  get isEmpty(): boolean {
    return this.compares.size === 0 && this.operations.size === 0;
  }

  hasRoomFor({ compare, operations }: TxnPart): boolean {
    if (this.isEmpty) return true;
    if (this.operations.size + operations.length > MAX_TXN_OPERATIONS) return false;
    if (operations.some(({ key }) => this.operations.has(key))) return false;
    const fresh = compare.filter((each) => !this.compares.has(textOf(each))).length;
    return this.compares.size + fresh <= MAX_TXN_COMPARES - RESERVED_COMPARES;
  }

  add({ compare, operations }: TxnPart): void {
    for (const each of compare) this.compares.set(textOf(each), each);
    for (const operation of operations) this.operations.set(operation.key, operation);
  }

  close(): TxnPart {
    return { compare: [...this.compares.values()], operations: [...this.operations.values()] };
  }
}

function textOf(compare: Compare): string {
  return 'modRevision' in compare
    ? `${compare.key} m${compare.modRevision}`
    : `${compare.key} c${compare.createRevision}`;
}
