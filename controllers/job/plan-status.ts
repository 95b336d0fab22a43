import type {
  Condition,
  JobStatus,
  ServiceStatus,
  StoredServiceStatus,
} from '../../api/v1/index.js';
import { instantMs, isLive, type TaskView } from '../../pkg/lifecycle/index.js';
import type { Run } from './plan-run.js';
import { isActive } from './plan-slots.js';
import { plural, withFailure, type Progress, type Verdict } from './plan-verdict.js';

/** What a status speaks of. */
export interface StatusInput {
  readonly generation: number;
  readonly run: Run;
  readonly progress: Progress;
  /** What was heard of tasks there may not be true any more. */
  readonly lostNodes: ReadonlySet<string>;
  readonly previous?: StoredServiceStatus | undefined;
  /** ISO 8601, the leader's wall clock. */
  readonly now: string;
}

/** The status of a job; what has not changed keeps the stamp of its last change. */
export function planStatus(input: StatusInput): ServiceStatus {
  const { generation, run, progress } = input;
  const counts = countTasks(input);
  return {
    observedGeneration: generation,
    revision: run.iteration,
    desired: progress.desired,
    running: counts.running,
    updated: counts.running,
    pending: counts.pending,
    failed: counts.failing + progress.givenUp,
    job: jobStatus(input, counts),
    conditions: conditionsOf(input, counts).map((condition) => stamped(condition, input)),
  };
}

/** The status of a job that is being deleted. */
export function planDeletingStatus(
  { generation, previous, now }: Pick<StatusInput, 'generation' | 'previous' | 'now'>,
  tasks: readonly TaskView[],
): ServiceStatus {
  const left = plural(tasks.length, 'task');
  const condition = finding('Deleting', true, 'WaitingForTasks', `${left} left to stop and remove`);
  return {
    observedGeneration: generation,
    revision: previous?.revision ?? 0,
    desired: 0,
    running: tasks.filter(({ state }) => state === 'running').length,
    updated: 0,
    pending: 0,
    failed: 0,
    ...(previous?.job && { job: previous.job }),
    conditions: [stamped(condition, { previous, now })],
  };
}

interface Counts {
  readonly active: number;
  readonly running: number;
  readonly pending: number;
  /** Slots that wait for their next try after a failure. */
  readonly failing: number;
  /** When the first of those is tried again; ISO 8601. */
  readonly nextStartAt?: string | undefined;
  readonly pendingMessage?: string | undefined;
  readonly lost: number;
}

function countTasks({ progress, lostNodes, now }: StatusInput): Counts {
  const active = progress.slots.flatMap(({ tries }) => tries.filter(isActive));
  const isLost = ({ task }: TaskView) => lostNodes.has(task.spec.nodeId ?? '');
  const unplaced = active.filter(({ task }) => task.spec.nodeId === undefined);
  const heldBack = active.filter(({ task }) => instantMs(task.spec.startAt) > instantMs(now));
  return {
    active: active.length,
    running: active.filter((view) => view.state === 'running' && !isLost(view)).length,
    pending: unplaced.length,
    failing: active.filter(({ task, state }) => state !== 'running' && task.spec.failures > 0)
      .length,
    nextStartAt: heldBack.map(({ task }) => task.spec.startAt ?? '').sort()[0],
    pendingMessage: unplaced.map(({ task }) => task.spec.pending?.message).find(Boolean),
    lost: active.filter((view) => isLost(view) && isLive(view)).length,
  };
}

/** A run that has ended keeps the numbers it ended with. */
function jobStatus({ run, progress, previous, now }: StatusInput, { active }: Counts): JobStatus {
  const { iteration, startedAt } = run;
  const stored = previous?.job;
  const hasEnded = stored?.iteration === iteration && stored.finishedAt !== undefined;
  if (hasEnded && progress.isFinal) return { ...stored, active };
  const wasSo = hasEnded && stored.total === progress.total;
  return {
    iteration,
    total: progress.total,
    succeeded: progress.succeeded,
    active,
    failed: progress.failures,
    startedAt,
    ...(progress.verdict && { finishedAt: wasSo ? (stored.finishedAt ?? now) : now }),
  };
}

type Finding = Omit<Condition, 'changedAt'>;

function conditionsOf(input: StatusInput, counts: Counts): readonly Finding[] {
  const { verdict } = input.progress;
  const share = shareWords(input.progress);
  const ended = (outcome: Verdict['outcome']): Finding => {
    const type = outcome === 'complete' ? 'Complete' : 'Failed';
    if (verdict?.outcome === outcome) return finding(type, true, verdict.reason, verdict.message);
    const reason = verdict ? verdict.reason : 'InProgress';
    return finding(type, false, reason, verdict ? verdict.message : share);
  };
  return [ended('complete'), ended('failed'), progressing(input, counts)];
}

function progressing({ progress }: StatusInput, counts: Counts): Finding {
  const { verdict, total } = progress;
  if (verdict) return finding('Progressing', false, verdict.reason, verdict.message);
  const share = shareWords(progress);
  const say = (reason: string, more: string) =>
    finding('Progressing', true, reason, `${share}; ${more}`);
  if (total === 0) return finding('Progressing', true, 'NoNodes', 'no node is there to run it');
  if (counts.pending > 0 && counts.pendingMessage !== undefined) {
    return say(
      'TasksPending',
      `${plural(counts.pending, 'task')} pending: ${counts.pendingMessage}`,
    );
  }
  if (counts.lost > 0) return say('NodesLost', `${plural(counts.lost, 'task')} on lost nodes`);
  if (counts.nextStartAt !== undefined) {
    const words = `next try at ${counts.nextStartAt}`;
    return say('RestartDelayed', withFailure(words, progress.slots));
  }
  return say('TasksRunning', `${plural(counts.active, 'task')} at work`);
}

const shareWords = ({ succeeded, total, failures }: Progress): string =>
  `${succeeded}/${plural(total, 'task')} completed${failures > 0 ? `, ${plural(failures, 'failure')}` : ''}`;

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
