import type { Condition, UpdateStatus } from '../../api/v1/index.js';
import { isOver, isRollback } from './plan-attempt.js';
import { plural, type Counts } from './plan-counts.js';

/** A condition that is not stamped yet. */
export type Finding = Omit<Condition, 'changedAt'>;

/** What conditions speak of. */
export interface Found {
  readonly desired: number;
  /** The newest revision. */
  readonly revision: number;
  readonly counts: Counts;
  readonly attempt: UpdateStatus | undefined;
  /** Slots that the attempt has still to move. */
  readonly outdated: number;
  /** The spec has a template that waits until the rollout is resumed. */
  readonly isHeld: boolean;
  /** Slots with a task that has to leave a drained node. */
  readonly leaving: number;
}

/** Whether as much runs as is wanted. */
export function availability({ desired, counts }: Found): Finding {
  const { running, ready, complete } = counts;
  const share = `${running}/${plural(desired, 'task')} running`;
  if (ready >= desired) return finding('Available', true, 'TasksRunning', share);
  if (ready + complete >= desired) {
    return finding('Available', true, 'TasksComplete', `${share}, ${complete} complete`);
  }
  const reason = running + complete >= desired ? 'TasksNotReady' : 'TasksMissing';
  return finding('Available', false, reason, [share, ...troubles(counts)].join('; '));
}

/** Whether something is still to happen, and what it waits for. */
export function progress(found: Found): Finding {
  const { desired, counts } = found;
  const stopped = standstill(found);
  if (stopped) return { ...stopped, type: 'Progressing' };
  const about = troubles(counts).join('; ');
  const say = (reason: string, message: string) =>
    finding('Progressing', true, reason, message === '' ? reasonless(found) : message);
  if (counts.pending > 0) return say('TasksPending', about);
  if (counts.lost > 0) return say('NodesLost', about);
  if (counts.heldBack > 0) return say('RestartDelayed', about);
  const update = movement(found);
  if (update) return { ...update, type: 'Progressing' };
  if (found.leaving > 0) {
    return say('TasksMoving', `${plural(found.leaving, 'task')} to leave drained nodes`);
  }
  if (counts.running + counts.complete + counts.givenUp < desired) {
    return say('TasksStarting', about);
  }
  if (counts.ready < counts.running) return say('TasksNotReady', about);
  return atRest(found, about);
}

/** Nothing will happen by itself. */
function atRest({ counts, attempt }: Found, about: string): Finding {
  if (attempt && !isOver(attempt)) {
    const message = 'the new tasks run; they are watched for a while';
    return finding('Progressing', true, 'Verifying', message);
  }
  if (isGoneBack(attempt)) return finding('Progressing', false, 'RolledBack', goneBack(attempt));
  if (counts.givenUp > 0) return finding('Progressing', false, 'RestartsExhausted', about);
  return finding('Progressing', false, 'Settled', 'nothing to do');
}

/** How the update goes. */
export function updating(found: Found): Finding {
  const { attempt, revision } = found;
  const known = standstill(found) ?? movement(found);
  if (known) return known;
  if (attempt && !isOver(attempt)) {
    const message = `all tasks are of revision ${attempt.to}; they are watched for a while`;
    return finding('Updating', true, reasonOf(attempt, 'InProgress'), message);
  }
  if (isGoneBack(attempt)) return finding('Updating', false, 'RolledBack', goneBack(attempt));
  return finding('Updating', false, 'UpToDate', `all tasks are of revision ${revision}`);
}

/** What waits for people. */
function standstill({ attempt, isHeld }: Found): Finding | undefined {
  if (attempt?.state === 'paused' || attempt?.state === 'rollback_paused') {
    const isCanary = attempt.reason === 'AwaitingPromotion';
    const reason = isCanary ? 'AwaitingPromotion' : reasonOf(attempt, 'Paused');
    return finding('Updating', false, reason, attempt.message);
  }
  if (!isHeld) return undefined;
  const message = 'the rollout is paused by order; the changed template waits';
  return finding('Updating', false, 'UpdatePaused', message);
}

/** What moves. */
function movement({ attempt, outdated, desired }: Found): Finding | undefined {
  if (!attempt || isOver(attempt) || outdated === 0) return undefined;
  const done = Math.max(0, desired - outdated);
  const message = `${done}/${plural(desired, 'task')} moved to revision ${attempt.to}`;
  return finding('Updating', true, reasonOf(attempt, 'InProgress'), message);
}

const reasonOf = (attempt: UpdateStatus, what: 'InProgress' | 'Paused'): string =>
  `${isRollback(attempt) ? 'Rollback' : 'Update'}${what}`;

/** The tasks are not of the revision that the spec wants. */
function isGoneBack(attempt: UpdateStatus | undefined): attempt is UpdateStatus {
  return attempt?.state === 'rollback_completed' && attempt.to !== attempt.wanted;
}

const goneBack = ({ cause = 'rolled back', to }: UpdateStatus): string =>
  `${cause}; tasks are of revision ${to}`;

function reasonless({ desired, counts }: Found): string {
  return `${plural(Math.max(0, desired - counts.running), 'task')} on the way`;
}

/** What keeps tasks from running, each with its number. */
function troubles(counts: Counts): readonly string[] {
  const { pending, pendingMessage, lost, heldBack, nextStartAt, givenUp, failure } = counts;
  const unready = counts.running - counts.ready;
  return [
    ...(lost > 0 ? [`${plural(lost, 'task')} on lost nodes, which may still run there`] : []),
    ...(pending > 0
      ? [`${plural(pending, 'task')} pending${pendingMessage ? `: ${pendingMessage}` : ''}`]
      : []),
    ...(heldBack > 0
      ? [`${plural(heldBack, 'task')} held back after failures, next start ${nextStartAt ?? ''}`]
      : []),
    ...(unready > 0 ? [notReadyYet(unready, counts.unready)] : []),
    ...(givenUp > 0 ? [`${plural(givenUp, 'task')} failed and not restarted by policy`] : []),
    ...(failure === undefined ? [] : [`last failure: ${failure}`]),
  ];
}

/** Without words of a probe it is time alone that is missing. */
const notReadyYet = (count: number, why: string | undefined): string =>
  why === undefined
    ? `${plural(count, 'task')} in service for less than minReady`
    : `${plural(count, 'task')} not ready: ${why}`;

function finding(type: string, status: boolean, reason: string, message: string): Finding {
  return { type, status: status ? 'true' : 'false', reason, message };
}
