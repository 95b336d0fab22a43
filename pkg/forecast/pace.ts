import {
  amountOf,
  effectiveUpdatePolicy,
  isWanted,
  type StoredService,
  type UpdatePolicy,
} from '../../api/v1/index.js';
import type { World } from '../objects/index.js';

/** Looks at tasks that one forecast may cost: a step of a service costs as many as it has tasks. */
const MAX_LOOKS = 20_000;
const MIN_STEPS = 5;

/** An update policy that comes to its end in fewer steps. */
export interface QuickerPace {
  readonly policy: UpdatePolicy;
  /** Slots at a time. */
  readonly atOnce: number;
}

/** A policy like the service's own, where that takes more steps than can be tried; undefined where it does not. */
export function quickerPace(
  world: World,
  { metadata, spec }: StoredService,
): QuickerPace | undefined {
  const tasks = world.tasks.byIndex('service', metadata.uid);
  const slots = tasks.filter((task) => isWanted(task.spec.desiredState)).length;
  const { pace } = effectiveUpdatePolicy(spec.update);
  const steps = Math.max(MIN_STEPS, Math.floor(MAX_LOOKS / Math.max(1, slots)));
  const atOnce = Math.ceil(slots / steps);
  if (pace.kind === 'parallelism') {
    const own = amountOf(pace.parallelism, slots, 'up');
    if (own === 0 || own >= atOnce) return undefined;
    return { policy: { ...spec.update, parallelism: atOnce }, atOnce };
  }
  const surge = amountOf(pace.maxSurge, slots, 'up');
  const unavailable = amountOf(pace.maxUnavailable, slots, 'down');
  const own = Math.max(1, surge + unavailable);
  if (own >= atOnce) return undefined;
  const factor = Math.ceil(atOnce / own);
  const maxUnavailable = unavailable === 0 && surge === 0 ? factor : unavailable * factor;
  const policy = { ...spec.update, maxSurge: surge * factor, maxUnavailable };
  return { policy, atOnce: own * factor };
}
