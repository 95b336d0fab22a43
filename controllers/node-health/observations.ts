/**
 * What this leader has seen of nodes with its own eyes, in its own monotonic time: stored stamps are of
 * other machines' clocks and say nothing about how long ago something was. It is no state of the cluster:
 * a new leader begins with none, and gives every node a fresh grace.
 */
export class NodeObservations {
  private epoch = 0;
  private listeningSinceMs = 0;
  private isDeaf = false;
  private readonly silentSinceMs = new Map<string, number>();

  /** Forgets everything when the term is another one, and notes whether the store can be heard. */
  begin(epoch: number, isHearing: boolean, nowMs: number): void {
    if (epoch !== this.epoch) {
      this.epoch = epoch;
      this.silentSinceMs.clear();
      this.listeningSinceMs = nowMs;
    }
    if (isHearing && this.isDeaf) this.listeningSinceMs = nowMs;
    this.isDeaf = !isHearing;
  }

  /** For how long the store has been heard without a break; 0 while it is not. */
  listeningForMs(nowMs: number): number {
    return this.isDeaf ? 0 : nowMs - this.listeningSinceMs;
  }

  /** Notes that a node is out of order; for how long it has been. */
  silent(nodeId: string, nowMs: number): number {
    const since = this.silentSinceMs.get(nodeId) ?? nowMs;
    this.silentSinceMs.set(nodeId, since);
    return nowMs - since;
  }

  /** Notes that a node is well, or gone. */
  forget(nodeId: string): void {
    this.silentSinceMs.delete(nodeId);
  }
}
