/** What one try of a probe came to. */
export type ProbeOutcome =
  | { readonly kind: 'success' }
  /** The container did not answer well; `output` says what was seen. */
  | { readonly kind: 'failure'; readonly output: string }
  /** Nobody could ask, through no fault of the container: it counts as nothing. */
  | { readonly kind: 'unknown'; readonly why: string };

/** How one try is made. */
export interface TryOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** The container answered well. */
export const SUCCESS: ProbeOutcome = { kind: 'success' };

/** A failure with what was seen. */
export const failure = (output: string): ProbeOutcome => ({ kind: 'failure', output });

/** In words, when the time was over. */
export const noAnswer = (timeoutMs: number): string => `no answer within ${String(timeoutMs)}ms`;
