import { setMaxListeners } from 'node:events';
import { abortReason } from './clock.js';

/** Made once: an abort without a reason would take a stack trace each time, and this is on hot paths. */
const SCOPE_OVER = new Error('no longer needed');

/**
 * An AbortController that also aborts with its parents, until it is disposed. Unlike
 * `AbortSignal.any` it leaves nothing behind on parents that live as long as the process.
 */
export class AbortScope implements Disposable {
  private readonly controller = new AbortController();
  private readonly parents: readonly AbortSignal[];
  private readonly onParentAbort = (event: Event) => {
    this.abort(abortReason(event.target as AbortSignal));
  };

  constructor(...parents: readonly (AbortSignal | undefined)[]) {
    this.parents = parents.filter((parent) => parent !== undefined);
    // Many at once are no leak here, each removes its own; Node warns at the eleventh.
    setMaxListeners(0, this.controller.signal, ...this.parents);
    for (const parent of this.parents) {
      if (parent.aborted) this.abort(abortReason(parent));
      else parent.addEventListener('abort', this.onParentAbort, { once: true });
    }
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Aborts `signal` only; the first reason stays. */
  abort(reason: Error = SCOPE_OVER): void {
    this.controller.abort(reason);
  }

  /** Forgets the parents. The signal itself is left as it is. */
  [Symbol.dispose](): void {
    for (const parent of this.parents) parent.removeEventListener('abort', this.onParentAbort);
  }
}
