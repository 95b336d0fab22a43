/**
 * For how long this leader has seen tasks wait for their start, in its own monotonic time: stored stamps are of
 * other machines' clocks. It is no state of the cluster: a new leader begins to wait anew.
 */
export class Waits {
  /** Since when, by slot and task. */
  private readonly bySlot = new Map<string, ReadonlyMap<string, number>>();

  /** Notes which tasks of a slot wait; since when each of them does, in monotonic milliseconds. */
  note(slot: string, waiting: readonly string[], nowMs: number): ReadonlyMap<string, number> {
    const known = this.bySlot.get(slot);
    const since = new Map(waiting.map((id) => [id, known?.get(id) ?? nowMs]));
    if (since.size > 0) this.bySlot.set(slot, since);
    else this.bySlot.delete(slot);
    return since;
  }
}
