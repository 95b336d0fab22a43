import { amountOf } from './effective-update.js';
import type { EffectiveClusterSpec } from './normalise.js';
import { durationMs } from './quantities.js';
import type { ServiceSpec } from './service.js';
import type { UpdatePolicy } from './update-policy.js';

/** A disruption policy with every default filled in. */
export interface EffectiveDisruption {
  readonly order: 'start-first' | 'stop-first';
  /** Of the wanted number; Infinity: any number. */
  readonly maxUnavailable: (desired: number) => number;
}

/** Reads how tasks of a service leave their nodes, defaults included. */
export function effectiveDisruption({
  disruption = {},
  update = {},
}: Pick<ServiceSpec, 'disruption' | 'update'>): EffectiveDisruption {
  const { maxUnavailable } = disruption;
  const order = disruption.order ?? (mustNeverMeet(update) ? 'stop-first' : 'start-first');
  const standard = order === 'stop-first' ? Infinity : 0;
  // A share of few tasks may come to nothing, and then nothing could ever be moved.
  const least = order === 'stop-first' ? 1 : 0;
  return {
    order,
    maxUnavailable: (desired) =>
      maxUnavailable === undefined
        ? standard
        : Math.max(least, amountOf(maxUnavailable, desired, 'down')),
  };
}

/** Only what somebody said counts: that Docker stops first is a default. */
function mustNeverMeet({ order, maxSurge, maxUnavailable }: UpdatePolicy): boolean {
  if (order === 'stop-first') return true;
  if (maxSurge === undefined && maxUnavailable === undefined) return false;
  return amountOf(maxSurge ?? 0, 100, 'up') === 0;
}

/** What becomes of a service's tasks on a lost node, with every default filled in. */
export interface EffectiveNodeLoss {
  readonly action: 'reschedule' | 'wait';
  /** Silence after which the action is taken. */
  readonly afterMs: number;
}

/** Reads what becomes of a service's tasks on lost nodes, defaults included. */
export function effectiveNodeLoss(
  { onNodeLoss = {} }: Pick<ServiceSpec, 'onNodeLoss'>,
  { nodeLostAfterMs }: Pick<EffectiveClusterSpec, 'nodeLostAfterMs'>,
): EffectiveNodeLoss {
  const afterMs = Math.max(durationMs(onNodeLoss.after, nodeLostAfterMs), nodeLostAfterMs);
  return { action: onNodeLoss.action ?? 'reschedule', afterMs };
}
