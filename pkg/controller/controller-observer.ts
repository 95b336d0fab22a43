/**
 * How one run ended: `requeue` succeeded and wants another look later; `conflict` lost a compare and
 * runs again at once; `unavailable` and `error` (a bug) are retried with back-off; `terminal` and
 * `invalid` wait for a change.
 */
export type ReconcileOutcome =
  'success' | 'requeue' | 'conflict' | 'unavailable' | 'terminal' | 'invalid' | 'error';

/** What the runtime tells its metrics. Every method is optional. */
export interface ControllerObserver {
  /** A run has ended. Runs that were cut short by the end of the term are not counted. */
  onReconcile?(controller: string, outcome: ReconcileOutcome, durationMs: number): void;
  /** Keys that wait, and for how long the oldest does; told now and then, and 0 at the end of a term. */
  onQueueDepth?(controller: string, depth: number, oldestMs: number): void;
}
