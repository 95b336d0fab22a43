/** Exponential back-off with full jitter. Immutable: `next` gives the following step. */
export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
  /** Default 2. */
  readonly factor?: number;
}

/**
 * The delay before try number `attempt` (1 = first retry): a random point between half of the
 * exponential step and the whole of it, so that many clients do not return at once.
 */
export function backoffMs(
  { initialMs, maxMs, factor = 2 }: BackoffOptions,
  attempt: number,
  random: () => number = Math.random,
): number {
  const step = Math.min(maxMs, initialMs * factor ** Math.max(0, attempt - 1));
  return step / 2 + (step / 2) * random();
}
