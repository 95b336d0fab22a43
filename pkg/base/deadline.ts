import { UnavailableError } from './errors.js';

/**
 * Runs `work` with a deadline of `timeoutMs`: the signal it gets aborts at the deadline or when
 * `signal` does, and the returned promise settles then even if `work` never does.
 * Errors: UnavailableError at the deadline, the signal's reason when it aborted first.
 */
export async function withDeadline<T>(
  what: string,
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const cut = new Promise<never>((_resolve, reject) => {
    const fail = (error: Error) => {
      controller.abort(error);
      reject(error);
    };
    timer = setTimeout(() => {
      fail(
        new UnavailableError(`${what} did not answer within ${String(Math.round(timeoutMs))} ms`),
      );
    }, timeoutMs);
    onAbort = () => {
      const reason: unknown = signal?.reason;
      fail(reason instanceof Error ? reason : new Error('aborted'));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work(controller.signal), cut]);
  } finally {
    clearTimeout(timer);
    if (onAbort) signal?.removeEventListener('abort', onAbort);
  }
}
