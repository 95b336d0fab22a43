import {
  effectiveUpdatePolicy,
  formatDurationMs,
  type Amount,
  type EffectiveUpdatePolicy,
  type Service,
  type UpdateStatus,
} from '../../../api/v1/index.js';
import { plural } from '../output/words.js';
import { instantWords } from './common.js';
import type { SheetRow } from './sheet.js';

/** How the latest update goes, what people ordered about it, and by which policies. */
export function updateRows({ spec, rollout, status }: Service, now: Date): readonly SheetRow[] {
  return [
    ['Update', updateWords(status?.update, now)],
    ['Orders', rollout?.paused ? 'paused: `swarmctl rollout resume` goes on' : undefined],
    ['Update by', policyWords(effectiveUpdatePolicy(spec.update))],
    ['Rollback by', spec.rollback && policyWords(effectiveUpdatePolicy(spec.rollback))],
  ];
}

function updateWords(update: UpdateStatus | undefined, now: Date): readonly string[] | undefined {
  if (update === undefined) return undefined;
  const { state, reason, message, cause, from, to, tasks, failed, startedAt, completedAt } = update;
  const why = reason === undefined ? '' : ` (${reason})`;
  const way = from === undefined ? `to revision ${String(to)}` : wayWords(from, to);
  return [
    `${state}${why}: ${message}`,
    `${way}, ${plural(tasks, 'task')} to move${failed.length === 0 ? '' : `, ${String(failed.length)} failed`}`,
    ...(cause === undefined ? [] : [cause]),
    completedAt === undefined
      ? `begun ${instantWords(startedAt, now) ?? ''}`
      : `over ${instantWords(completedAt, now) ?? ''}`,
  ];
}

const wayWords = (from: number, to: number): string =>
  `from revision ${String(from)} to ${String(to)}`;

/** `2 at a time, stop-first; on failure pause; monitor 5s`. */
function policyWords(policy: EffectiveUpdatePolicy): string {
  const { delayMs, monitorMs, failureAction, maxFailureRatio, progressDeadlineMs, canary } = policy;
  return [
    paceWords(policy.pace),
    canary === undefined ? '' : `${String(canary)} first as canary`,
    delayMs === 0 ? '' : `${formatDurationMs(delayMs)} apart`,
    `on failure ${failureAction}${maxFailureRatio === 0 ? '' : ` (above ${String(maxFailureRatio)})`}`,
    `monitor ${formatDurationMs(monitorMs)}`,
    progressDeadlineMs === 0 ? 'no deadline' : `deadline ${formatDurationMs(progressDeadlineMs)}`,
  ]
    .filter(Boolean)
    .join('; ');
}

function paceWords(pace: EffectiveUpdatePolicy['pace']): string {
  if (pace.kind === 'surge') {
    return `${some(pace.maxSurge)} too many, ${some(pace.maxUnavailable)} too few at once`;
  }
  const { parallelism, order } = pace;
  return `${parallelism === 0 ? 'all' : String(parallelism)} at a time, ${order}`;
}

const some = (amount: Amount): string => (amount === 0 ? 'none' : `up to ${String(amount)}`);
