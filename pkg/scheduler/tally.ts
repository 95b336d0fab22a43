/** Amounts per key and node slot, kept sparse: only what is above 0 takes room. */
export class Tally<K> {
  private readonly byKey = new Map<K, Map<number, number>>();

  /** Adds `amount`, which may be negative, and forgets what becomes 0. */
  add(key: K, slot: number, amount: number): void {
    const slots = this.byKey.get(key) ?? new Map<number, number>();
    const sum = (slots.get(slot) ?? 0) + amount;
    if (sum !== 0) slots.set(slot, sum);
    else slots.delete(slot);
    if (slots.size > 0) this.byKey.set(key, slots);
    else this.byKey.delete(key);
  }

  /** Amounts of one key by slot. */
  of(key: K): ReadonlyMap<number, number> {
    return this.byKey.get(key) ?? NOTHING;
  }

  get keys(): readonly K[] {
    return [...this.byKey.keys()];
  }
}

const NOTHING: ReadonlyMap<number, number> = new Map();
