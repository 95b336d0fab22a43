import {
  isTerminal,
  type Condition,
  type ServiceStatus,
  type StoredServiceStatus,
} from '../../api/v1/index.js';
import { hasFailed, instantMs, type TaskView } from '../../pkg/lifecycle/index.js';
import { representativeOf, type Slot } from './plan-slots.js';
import type { UpdateState } from './plan-update.js';

/** What a status speaks of. */
export interface StatusInput {
  readonly generation: number;
  readonly revision: number;
  readonly desired: number;
  readonly slots: readonly Slot[];
  readonly update: UpdateState;
  /** What was heard of tasks there may not be true any more. */
  readonly lostNodes: ReadonlySet<string>;
  readonly previous?: StoredServiceStatus | undefined;
  /** ISO 8601, the leader's wall clock. */
  readonly now: string;
}

/** The status of a service; conditions that did not change keep the stamp of their last change. */
export function planStatus(input: StatusInput): ServiceStatus {
  const counts = countTasks(input);
  const found = { ...input, counts };
  const conditions = [availability(found), progress(found), updating(found)];
  return {
    observedGeneration: input.generation,
    revision: input.revision,
    desired: input.desired,
    running: counts.running,
    updated: counts.updated,
    pending: counts.pending,
    failed: counts.failed,
    conditions: conditions.map((finding) => stamped(finding, input)),
  };
}

/** The status of a service that is being deleted. */
export function planDeletingStatus(
  input: Pick<StatusInput, 'generation' | 'previous' | 'now'>,
  tasks: readonly TaskView[],
): ServiceStatus {
  const running = tasks.filter(({ state }) => state === 'running').length;
  const left = plural(tasks.length, 'task');
  return {
    observedGeneration: input.generation,
    revision: input.previous?.revision ?? 0,
    desired: 0,
    running,
    updated: 0,
    pending: 0,
    failed: 0,
    conditions: [
      finding('Deleting', true, 'WaitingForTasks', `${left} left to stop and remove`),
      finding('Available', false, 'Deleting', 'the service is being deleted'),
    ].map((condition) => stamped(condition, input)),
  };
}

type Finding = Omit<Condition, 'changedAt'>;

interface Counts {
  readonly running: number;
  readonly updated: number;
  readonly pending: number;
  readonly failed: number;
  /** Tasks on lost nodes: nobody knows whether they run. */
  readonly lost: number;
  /** Slots whose task has ended well and to which nothing follows. */
  readonly complete: number;
  /** Slots whose task has failed and to which nothing follows. */
  readonly givenUp: number;
  /** Tasks held back after a failure, and the instant at which the first of them starts. */
  readonly heldBack: number;
  readonly nextStartAt: string | undefined;
  /** Why tasks are pending, in the words of the first. */
  readonly pendingMessage: string | undefined;
  /** Of the slot that failed last in order. */
  readonly failure: string | undefined;
}

type Found = StatusInput & { readonly counts: Counts };

function countTasks({ slots, revision, lostNodes, now }: StatusInput): Counts {
  const tasks = slots.map((slot) => ({ slot, task: representativeOf(slot, revision) }));
  const isLost = ({ task: { task, state } }: { readonly task: TaskView }) =>
    lostNodes.has(task.spec.nodeId ?? '') && !isTerminal(state);
  const running = tasks.filter((entry) => entry.task.state === 'running' && !isLost(entry));
  const live = tasks.filter(({ slot }) => slot.live.length > 0);
  const finished = tasks.filter(({ slot }) => slot.filled && slot.live.length === 0);
  const unplaced = live.filter(({ task }) => task.task.spec.nodeId === undefined);
  const nowMs = instantMs(now);
  const held = live.filter(({ task }) => instantMs(task.task.spec.startAt) > nowMs);
  const failing = live.filter(
    ({ task }) => hasFailed(task) || (task.state !== 'running' && task.task.spec.failures > 0),
  );
  const givenUp = finished.filter(({ task }) => hasFailed(task));
  return {
    running: running.length,
    updated: running.filter(({ task }) => task.task.spec.revision === revision).length,
    pending: unplaced.length,
    lost: live.filter(isLost).length,
    failed: failing.length + givenUp.length,
    complete: finished.filter(({ task }) => task.state === 'complete').length,
    givenUp: givenUp.length,
    heldBack: held.length,
    nextStartAt: held.map(({ task }) => task.task.spec.startAt ?? '').sort()[0],
    pendingMessage: unplaced.map(({ task }) => task.task.spec.pending?.message).find(Boolean),
    failure: failureText([...failing, ...givenUp]),
  };
}

/** The newest failure of the first slots that have one; enough to know what is wrong. */
function failureText(entries: readonly { readonly slot: Slot }[]): string | undefined {
  for (const { slot } of entries) {
    const failed = slot.tasks.findLast(hasFailed);
    const why = failed?.status?.error ?? failed?.status?.message;
    if (failed && why !== undefined && why !== '') return `${failed.task.metadata.name}: ${why}`;
  }
  return undefined;
}

function availability({ desired, counts }: Found): Finding {
  const { running, complete } = counts;
  const share = `${running}/${plural(desired, 'task')} running`;
  if (running >= desired) return finding('Available', true, 'TasksRunning', share);
  if (running + complete >= desired) {
    return finding('Available', true, 'TasksComplete', `${share}, ${complete} complete`);
  }
  return finding('Available', false, 'TasksMissing', [share, ...troubles(counts)].join('; '));
}

function progress(found: Found): Finding {
  const { desired, counts, update } = found;
  const about = troubles(counts).join('; ');
  const say = (status: boolean, reason: string, message: string) =>
    finding('Progressing', status, reason, message === '' ? reasonless(found) : message);
  if (update.pausedBy !== undefined) return say(false, 'UpdatePaused', update.pausedBy);
  if (counts.pending > 0) return say(true, 'TasksPending', about);
  if (counts.lost > 0) return say(true, 'NodesLost', about);
  if (counts.heldBack > 0) return say(true, 'RestartDelayed', about);
  if (update.outdated > 0) return say(true, 'UpdateInProgress', updateText(found));
  const settled = counts.running + counts.complete + counts.givenUp;
  if (settled < desired) return say(true, 'TasksStarting', about);
  if (counts.givenUp > 0) return say(false, 'RestartsExhausted', about);
  return say(false, 'Settled', 'nothing to do');
}

function updating(found: Found): Finding {
  const { update, revision } = found;
  if (update.pausedBy !== undefined) {
    const message = `${PAUSED_PREFIX}${update.pausedBy}`;
    return finding('Updating', false, 'UpdatePaused', message);
  }
  if (update.outdated > 0) return finding('Updating', true, 'UpdateInProgress', updateText(found));
  return finding('Updating', false, 'UpToDate', `all tasks are of revision ${revision}`);
}

const PAUSED_PREFIX = 'update paused until the spec changes: ';

/**
 * The message of the pause that the stored status speaks of, when it is about this very spec: a pause
 * outlives the records of the tasks that caused it.
 */
export function storedPauseOf(
  previous: StoredServiceStatus | undefined,
  { generation, revision }: { readonly generation: number; readonly revision: number },
): string | undefined {
  if (previous?.observedGeneration !== generation || previous.revision !== revision) {
    return undefined;
  }
  const condition = previous.conditions.find(
    ({ type, reason }) => type === 'Updating' && reason === 'UpdatePaused',
  );
  return condition?.message.slice(PAUSED_PREFIX.length);
}

function updateText({ update, desired, revision }: Found): string {
  const done = Math.max(0, desired - update.outdated);
  return `${done}/${plural(desired, 'task')} moved to revision ${revision}`;
}

function reasonless({ desired, counts }: Found): string {
  return `${plural(Math.max(0, desired - counts.running), 'task')} on the way`;
}

/** What keeps tasks from running, each with its number. */
function troubles(counts: Counts): readonly string[] {
  const { pending, pendingMessage, lost, heldBack, nextStartAt, givenUp, failure } = counts;
  return [
    ...(lost > 0 ? [`${plural(lost, 'task')} on lost nodes, which may still run there`] : []),
    ...(pending > 0
      ? [`${plural(pending, 'task')} pending${pendingMessage ? `: ${pendingMessage}` : ''}`]
      : []),
    ...(heldBack > 0
      ? [`${plural(heldBack, 'task')} held back after failures, next start ${nextStartAt ?? ''}`]
      : []),
    ...(givenUp > 0 ? [`${plural(givenUp, 'task')} failed and not restarted by policy`] : []),
    ...(failure === undefined ? [] : [`last failure: ${failure}`]),
  ];
}

function finding(type: string, status: boolean, reason: string, message: string): Finding {
  return { type, status: status ? 'true' : 'false', reason, message };
}

/** `changedAt` tells when the finding became what it is; another message alone does not move it. */
function stamped(
  condition: Finding,
  { previous, now }: Pick<StatusInput, 'previous' | 'now'>,
): Condition {
  const before = previous?.conditions.find(({ type }) => type === condition.type);
  const isSame = before?.status === condition.status && before.reason === condition.reason;
  return { ...condition, changedAt: isSame ? before.changedAt : now };
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
