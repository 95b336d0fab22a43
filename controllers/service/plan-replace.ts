import {
  byAge,
  endedAtMs,
  hasEnded,
  isLive,
  mayRestart,
  successionOf,
  type TaskView,
} from '../../pkg/lifecycle/index.js';
import { stop, type Retry, type ServiceChange } from './plan-changes.js';
import { currentServes, isDeparting, type Move, type MoveReading } from './plan-moves.js';
import { isStopping, type Policies, type Slot } from './plan-slots.js';

/** Which task a slot gets. */
export interface Replacement {
  /** Revision of the new task. */
  readonly revision: number;
  readonly attempt: number;
  /** `start-first`: what serves goes on until the new task does. */
  readonly order: 'stop-first' | 'start-first';
  readonly retry?: Retry | undefined;
}

/** Gives an outdated slot its new task. */
export function replace(move: Move, replacement: Replacement): ServiceChange {
  const { slot } = move;
  const [keeper] = move.others;
  const keeps = replacement.order === 'start-first' && keeper !== undefined;
  const stopped = move.hasHeir
    ? stoppedOfBoth(move, keeps)
    : keeps
      ? move.others.slice(1)
      : slot.live;
  const { revision, attempt, retry } = replacement;
  const mustWait = retry !== undefined || mustWaitFor(slot, stopped);
  return {
    kind: 'replace-task',
    stopped,
    task: {
      slot: slot.number,
      forNode: slot.forNode,
      revision,
      attempt,
      desiredState: mustWait ? 'ready' : 'running',
      ...(retry === undefined ? { updates: (keeper ?? slot.newest).task.metadata.uid } : { retry }),
    },
  };
}

/** Of what stays and of what has to leave one goes on beside the new task: the one that serves. */
function stoppedOfBoth(
  { slot, others, isServing, displaced }: Move,
  keeps: boolean,
): readonly TaskView[] {
  return keeps && isServing
    ? [...others.slice(1), ...displaced]
    : [...slot.live, ...displaced.slice(1)];
}

/** The new task must not start while one that was told to stop may run, be it a newer one that was given up. */
export function mustWaitFor(slot: Slot, stopped: readonly TaskView[]): boolean {
  return (
    isStopping(slot) ||
    stopped.some((view) => view.task.spec.nodeId !== undefined && !hasEnded(view))
  );
}

/**
 * Stops what a slot does not need any more: everything beside a task that serves. While it does not, one old
 * task that does goes on where both may run, and none where the old one has to stop first.
 */
export function planSurplus(
  move: Move,
  reading: MoveReading,
  mayOverlap: boolean,
): readonly ServiceChange[] {
  if (isDeparting(move)) return [];
  const { current, others, isServing } = move;
  const isWaitedFor = mayOverlap && isServing && !currentServes(move, reading);
  return others.slice(current === undefined || isWaitedFor ? 1 : 0).flatMap(stop);
}

/**
 * When a slot that kept its old task may try again after its new one failed; undefined when it was not tried
 * yet, and `never` when its restart policy allows no more.
 */
export function retryOf(
  { slot, tries }: Move,
  attempt: number,
  policies: Policies,
): Retry | 'never' | undefined {
  if (tries.length === 0) return undefined;
  const last = slot.tasks
    .filter((view) => view.task.spec.attempt === attempt && !isLive(view) && hasEnded(view))
    .sort(byAge)
    .at(-1);
  return last && nextTry(last, slot, policies);
}

/** When a slot may be tried again after `last` ended; `never` when its restart policy allows no more. */
export function nextTry(last: TaskView, slot: Slot, policies: Policies): Retry | 'never' {
  const policy = policies(last.task.spec.revision);
  if (!mayRestart(last, policy, slot.tasks)) return 'never';
  const { delayMs, ...counters } = successionOf(last, 'ended', policy);
  return { ...counters, startAt: new Date(endedAtMs(last) + delayMs).toISOString() };
}
