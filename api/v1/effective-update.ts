import { durationMs } from './quantities.js';
import type { Amount, UpdatePolicy } from './update-policy.js';

/** An update policy with every default filled in. */
export interface EffectiveUpdatePolicy {
  /** How many may be replaced at once: counted as work under way, or as tasks too many and too few. */
  readonly pace:
    | {
        readonly kind: 'parallelism';
        readonly parallelism: Amount;
        readonly order: 'stop-first' | 'start-first';
      }
    | { readonly kind: 'surge'; readonly maxSurge: Amount; readonly maxUnavailable: Amount };
  readonly delayMs: number;
  /** Longer than the delay, as in Swarm mode, so that a task is watched until after its successor's turn. */
  readonly monitorMs: number;
  readonly failureAction: 'pause' | 'continue' | 'rollback';
  readonly maxFailureRatio: number;
  /** 0: none. */
  readonly progressDeadlineMs: number;
  /** Undefined: no task goes ahead of the others. */
  readonly canary: Amount | undefined;
}

/** Reads an update or rollback policy, defaults included. */
export function effectiveUpdatePolicy(policy: UpdatePolicy = {}): EffectiveUpdatePolicy {
  const delayMs = durationMs(policy.delay, 0);
  const monitorMs = durationMs(policy.monitor, 5_000);
  const isNone = policy.canary === undefined || amountOf(policy.canary, 100, 'up') === 0;
  return {
    pace: paceOf(policy),
    delayMs,
    monitorMs: delayMs >= monitorMs ? delayMs + 1_000 : monitorMs,
    failureAction: policy.failureAction ?? 'pause',
    maxFailureRatio: policy.maxFailureRatio ?? 0,
    progressDeadlineMs: durationMs(policy.progressDeadline, 600_000),
    canary: isNone ? undefined : policy.canary,
  };
}

function paceOf(policy: UpdatePolicy): EffectiveUpdatePolicy['pace'] {
  const { maxSurge, maxUnavailable, parallelism = 1, order = 'stop-first' } = policy;
  return maxSurge === undefined && maxUnavailable === undefined
    ? { kind: 'parallelism', parallelism, order }
    : { kind: 'surge', maxSurge: maxSurge ?? 0, maxUnavailable: maxUnavailable ?? 0 };
}

/** The number that an amount means of `total`. */
export function amountOf(amount: Amount, total: number, round: 'up' | 'down'): number {
  if (typeof amount === 'number') return amount;
  const share = (total * Number(amount.slice(0, -1))) / 100;
  return round === 'up' ? Math.ceil(share) : Math.floor(share);
}
