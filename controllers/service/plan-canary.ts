import {
  amountOf,
  type EffectiveUpdatePolicy,
  type ServiceRollout,
  type UpdateStatus,
} from '../../api/v1/index.js';
import { isRollback } from './plan-attempt.js';
import { isOutdated, type Move } from './plan-moves.js';

/** What a canary depends on. */
export interface CanaryInput {
  readonly attempt: UpdateStatus;
  readonly moves: readonly Move[];
  readonly desired: number;
  readonly policy: Pick<EffectiveUpdatePolicy, 'canary'>;
  readonly rollout: ServiceRollout | undefined;
}

/**
 * How many slots may still be moved before somebody promotes the revision; undefined when there is no such
 * limit: no canary, promoted already, or on the way back.
 */
export function canariesLeft(input: CanaryInput): number | undefined {
  const { attempt, moves, desired, policy, rollout } = input;
  const isPromoted = rollout?.promoted === attempt.wanted;
  if (policy.canary === undefined || isPromoted || isRollback(attempt)) return undefined;
  const wanted = Math.max(1, amountOf(policy.canary, desired, 'up'));
  const moved = moves.filter((move) => !isOutdated(move)).length;
  return Math.max(0, wanted - moved);
}
