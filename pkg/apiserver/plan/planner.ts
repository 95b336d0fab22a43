import type { PlanAnswer } from '../../../api/v1/index.js';
import type { Operation } from '../../store/index.js';

/** Writes that somebody thinks of. */
export interface PlanWish {
  readonly operations: readonly Operation[];
  /** Names of the services among what they write. */
  readonly services: readonly string[];
  readonly signal: AbortSignal;
}

/** Says what would become of the cluster by writes that are not made. */
export interface Planner {
  /** Errors: UnavailableError when too many ask at once. */
  plan(wish: PlanWish): Promise<Omit<PlanAnswer, 'objects'>>;
}
