import { AbortScope, abortReason, type Clock } from '../base/index.js';

/** Lets one loop sleep until something new was said; what was said while it worked is not lost. */
export class Wake {
  private pending = false;
  private waiter: (() => void) | undefined;

  /** Wakes the sleeper, or keeps the next sleep from beginning. */
  notify(): void {
    this.pending = true;
    this.waiter?.();
  }

  /** Resolves when notified since the last wait. Errors: the signal's reason. */
  async wait(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.pending) await this.notified(signal);
    this.pending = false;
  }

  /** As {@link wait}, but for `ms` at most. Errors: the signal's reason. */
  async waitAtMost(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
    const scope = new AbortScope(signal);
    try {
      await Promise.race([this.wait(scope.signal), clock.sleep(ms, scope.signal)]);
    } finally {
      scope.abort(new Error('the wait is over'));
      scope[Symbol.dispose]();
    }
  }

  private notified(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (done: () => void) => () => {
        signal.removeEventListener('abort', onAbort);
        this.waiter = undefined;
        done();
      };
      const onAbort = settle(() => {
        reject(abortReason(signal));
      });
      this.waiter = settle(resolve);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}
