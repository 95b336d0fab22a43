import type { Logger } from '../log/index.js';

/** Listeners that cannot harm each other: what one throws is logged, and the next is called. */
export class Listeners<Arguments extends readonly unknown[]> {
  private readonly listeners = new Set<(...values: Arguments) => void>();

  constructor(private readonly log: Logger) {}

  /** The same function added twice is called twice; each Disposable removes its own. */
  add(listener: (...values: Arguments) => void): Disposable {
    const own = (...values: Arguments) => {
      listener(...values);
    };
    this.listeners.add(own);
    return {
      [Symbol.dispose]: () => {
        this.listeners.delete(own);
      },
    };
  }

  call(...values: Arguments): void {
    for (const listener of this.listeners) {
      try {
        listener(...values);
      } catch (error) {
        this.log.error({ error }, 'listener failed');
      }
    }
  }
}
