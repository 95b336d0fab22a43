import type {
  ServiceRollout,
  StoredServiceRevision,
  UpdateState,
  UpdateStatus,
} from '../../api/v1/index.js';
import { returnRevision } from './plan-revisions.js';
import type { Goal } from './plan-current.js';

/** What it is that an update attempts, or attempts again. */
export interface AttemptInput {
  /** The revision that the spec asks for. */
  readonly wanted: Goal;
  readonly revisions: readonly StoredServiceRevision[];
  /** People's orders. */
  readonly rollout: ServiceRollout | undefined;
  readonly stable: readonly number[];
  readonly previous: UpdateStatus | undefined;
  /** The highest attempt number that a task carries; more than what is stored only when the status was lost. */
  readonly lastAttempt: number;
  /** Slots that are not as this revision wants them. */
  readonly outdated: (revision: number) => number;
  /** ISO 8601. */
  readonly now: string;
}

/** The attempt goes back to an earlier revision, by order or after a failure. */
export const isRollback = ({ state }: Pick<UpdateStatus, 'state'>): boolean =>
  state.startsWith('rollback');

/** The attempt came to its end. */
export const isOver = ({ state }: Pick<UpdateStatus, 'state'>): boolean =>
  state === 'completed' || state === 'rollback_completed';

/**
 * The attempt that is under way, or a new one: when the spec wants another revision, when somebody ordered to
 * go on or to go back, or when slots came back outdated after the end of the last one. Undefined as long as there
 * was nothing to update.
 */
export function attemptFor(input: AttemptInput): UpdateStatus | undefined {
  const { wanted, previous, outdated } = input;
  const known = isOfTheSame(input, previous) ? previous : undefined;
  const to = mustLeave(input, known) ? returnRevision(wanted, input.revisions, input) : undefined;
  if (to !== undefined) return rollback(input, to, 'aborted by order');
  if (known) return isOver(known) && outdated(known.to) > 0 ? again(input, known) : known;
  return previous || outdated(wanted.revision) > 0 ? start(input) : undefined;
}

/** The attempt is about what the spec wants, and obeyed every order to go on. */
function isOfTheSame(
  { wanted, rollout }: AttemptInput,
  attempt: UpdateStatus | undefined,
): boolean {
  return attempt?.wanted === wanted.revision && attempt.retries === (rollout?.retries ?? 0);
}

/** Tasks were ordered back from the wanted revision, and are not on their way yet. */
function mustLeave({ wanted, rollout }: AttemptInput, known: UpdateStatus | undefined): boolean {
  return rollout?.aborted === wanted.revision && !(known && isRollback(known));
}

/** A try to bring the tasks to the wanted revision; an undo goes there as a rollback does. */
function start(input: AttemptInput): UpdateStatus {
  const { wanted, rollout, revisions } = input;
  const isUndo = rollout?.undo !== undefined;
  return begin(input, {
    state: isUndo ? 'rollback_started' : 'updating',
    from: returnRevision(wanted, revisions, input),
    to: wanted.revision,
    ...(isUndo && { cause: 'manually requested rollback' }),
  });
}

/** A rollback from the wanted revision to an earlier one. */
export function rollback(input: AttemptInput, to: number, cause: string): UpdateStatus {
  return begin(input, { state: 'rollback_started', from: input.wanted.revision, to, cause });
}

/** Slots that could not be reached before are brought where the others are. */
function again(input: AttemptInput, previous: UpdateStatus): UpdateStatus {
  const { from, to, cause } = previous;
  const state = isRollback(previous) ? 'rollback_started' : 'updating';
  return begin(input, { state, from, to, ...(cause !== undefined && { cause }) });
}

interface Beginning {
  readonly state: UpdateState;
  readonly from: number | undefined;
  readonly to: number;
  readonly cause?: string;
}

function begin(input: AttemptInput, { from, ...beginning }: Beginning): UpdateStatus {
  const { wanted, rollout, previous, lastAttempt, outdated, now } = input;
  return {
    ...beginning,
    attempt: Math.max(previous?.attempt ?? 0, lastAttempt) + 1,
    ...(from !== undefined && { from }),
    wanted: wanted.revision,
    retries: rollout?.retries ?? 0,
    tasks: outdated(beginning.to),
    failed: [],
    startedAt: now,
    message: isRollback(beginning) ? 'rollback in progress' : 'update in progress',
  };
}
