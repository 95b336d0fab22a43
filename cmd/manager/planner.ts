import type { Planner, PlanWish } from '../../pkg/apiserver/index.js';
import { UnavailableError, type Clock } from '../../pkg/base/index.js';
import { forecast } from '../../pkg/forecast/index.js';
import type { World } from '../../pkg/objects/index.js';
import type { Keys } from '../../pkg/store/index.js';
import { controllersForForecast } from './controllers.js';

/** What a {@link ForecastPlanner} is made of. */
export interface ForecastPlannerOptions {
  readonly world: World;
  readonly keys: Keys;
  readonly clock: Clock;
}

/** A forecast holds a copy of the world: one at a time, and few that wait. */
const MAX_WAITING = 4;

/** {@link Planner} by forecasts with the controllers of this manager, whether it leads or not. */
export class ForecastPlanner implements Planner {
  private last: Promise<unknown> = Promise.resolve();
  private waiting = 0;

  constructor(private readonly options: ForecastPlannerOptions) {}

  async plan(wish: PlanWish): ReturnType<Planner['plan']> {
    if (this.waiting > MAX_WAITING) {
      throw new UnavailableError('too many plans are being made; try again in a moment');
    }
    this.waiting += 1;
    const mine = this.last.then(() => this.make(wish));
    this.last = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      this.waiting -= 1;
    }
  }

  private async make(wish: PlanWish): ReturnType<Planner['plan']> {
    wish.signal.throwIfAborted();
    const { world, keys, clock } = this.options;
    const fork = await world.cache.fork();
    const { revision } = fork;
    const found = await forecast({
      ...wish,
      fork,
      keys,
      clock,
      now: clock.now(),
      controllersFor: controllersForForecast,
    });
    return { revision, ...found };
  }
}
