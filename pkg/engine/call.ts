/** What every call takes: who may cut it short, and its own deadline. */
export interface CallOptions {
  /** Aborting makes the call reject with the signal's reason. What the engine did then is unknown. */
  readonly signal?: AbortSignal;
  /** Deadline of the whole call; the default depends on the call and is always finite. */
  readonly timeoutMs?: number;
}

/** How a call ended, for metrics. */
export type CallOutcome = 'ok' | 'refused' | 'unavailable' | 'aborted';

/** Told of every call to the engine; streams count until they end. Must not throw. */
export interface EngineObserver {
  onCall(operation: string, durationMs: number, outcome: CallOutcome): void;
}
