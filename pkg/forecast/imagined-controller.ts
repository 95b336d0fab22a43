import { hasCode, TimeSlice } from '../base/index.js';
import type { ControllerDefinition, ReconcileContext, Reconciler } from '../controller/index.js';
import type { ForkedWorld } from '../informer/index.js';
import type { ForecastClock } from './forecast-clock.js';

/** A controller of the real manager, made for a fork. */
export interface ForecastController {
  readonly definition: ControllerDefinition;
  readonly reconciler: Reconciler;
}

/** A key that loses this often in a row is a bug, not a race: nobody else writes to a fork. */
const MAX_CONFLICTS = 5;

/** Runs a controller on a fork: the same reconciler for the same keys, but without queue and time. */
export class ImaginedController implements Disposable {
  private readonly keys = new Set<string>();
  private readonly wakes = new Map<string, number>();
  private readonly conflicts = new Map<string, number>();
  private readonly subscriptions: readonly Disposable[];

  constructor(
    private readonly controller: ForecastController,
    private readonly world: ForkedWorld,
    private readonly clock: ForecastClock,
  ) {
    const { definition } = controller;
    const own = world.collection(definition.for).onChange((_before, _after, { key }) => {
      this.add(key);
    });
    const others = definition.watches.map((watch) =>
      world.collection(watch.collection).onChange((before, after, { key }) => {
        if (watch.matters?.(before, after) === false) return;
        for (const object of [before, after]) {
          if (object !== undefined)
            watch.keysOf(object, key, world).forEach((each) => this.add(each));
        }
      }),
    );
    this.subscriptions = [own, ...others];
  }

  add(key: string): void {
    this.keys.add(key);
  }

  /** When it wants to be asked next, in the clock's monotonic milliseconds. */
  get nextWakeMs(): number {
    let next = Infinity;
    for (const at of this.wakes.values()) next = Math.min(next, at);
    return next;
  }

  /** Asks again for every key whose time has come. */
  wake(): void {
    const nowMs = this.clock.monotonicMs();
    for (const [key, at] of this.wakes) if (at <= nowMs) this.add(key);
  }

  /** Runs every key that something happened to; false when there was none. */
  async run(context: ReconcileContext): Promise<boolean> {
    const keys = [...this.keys];
    this.keys.clear();
    const { concurrency } = this.controller.definition;
    const slice = new TimeSlice();
    for (let start = 0; start < keys.length; start += concurrency) {
      const some = keys.slice(start, start + concurrency);
      await Promise.all(some.map((key) => this.runKey(key, context)));
      if (slice.isSpent) await slice.yield();
    }
    return keys.length > 0;
  }

  [Symbol.dispose](): void {
    for (const subscription of this.subscriptions) subscription[Symbol.dispose]();
    const { reconciler } = this.controller;
    if (Symbol.dispose in reconciler) (reconciler as Reconciler & Disposable)[Symbol.dispose]();
  }

  private async runKey(key: string, context: ReconcileContext): Promise<void> {
    this.wakes.delete(key);
    try {
      const { requeueAfterMs } = await this.controller.reconciler.reconcile(key, context);
      this.conflicts.delete(key);
      if (requeueAfterMs === undefined) return;
      this.wakes.set(key, this.clock.monotonicMs() + Math.max(1, requeueAfterMs));
    } catch (error) {
      const conflicts = (this.conflicts.get(key) ?? 0) + 1;
      if (!hasCode(error, 'ERR_CONFLICT') || conflicts > MAX_CONFLICTS) throw error;
      this.conflicts.set(key, conflicts);
      this.add(key);
    }
  }
}
