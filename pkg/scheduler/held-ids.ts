const NONE: ReadonlyMap<string, number> = new Map();

/** Which ids of named generic resources are held on which node, and by how many: more than one is a fault. */
export class HeldIds {
  private readonly holders = new Map<string, Map<number, Map<string, number>>>();

  /** Adds `sign` to the holders of an id, and forgets what nobody holds. */
  add(
    kind: string,
    slot: number,
    { id, sign }: { readonly id: string; readonly sign: number },
  ): void {
    const bySlot = this.holders.get(kind) ?? new Map<number, Map<string, number>>();
    const byId = bySlot.get(slot) ?? new Map<string, number>();
    const count = (byId.get(id) ?? 0) + sign;
    if (count > 0) byId.set(id, count);
    else byId.delete(id);
    keep(bySlot, slot, byId);
    keep(this.holders, kind, bySlot);
  }

  /** Holders by id. */
  of(kind: string, slot: number): ReadonlyMap<string, number> {
    return this.holders.get(kind)?.get(slot) ?? NONE;
  }

  get kinds(): readonly string[] {
    return [...this.holders.keys()];
  }
}

function keep<K, V extends { readonly size: number }>(map: Map<K, V>, key: K, value: V): void {
  if (value.size > 0) map.set(key, value);
  else map.delete(key);
}
