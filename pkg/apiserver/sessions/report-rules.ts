import {
  isTerminal,
  stateRank,
  type StoredTask,
  type StoredTaskStatus,
  type TaskReport,
} from '../../../api/v1/index.js';
import { pastOf } from '../../lifecycle/index.js';

/** What is stored about a task when a report about it comes. */
export interface TaskFacts {
  readonly task: StoredTask | undefined;
  readonly status: StoredTaskStatus | undefined;
}

/** What to do with a report. */
export type ReportVerdict =
  | { readonly kind: 'refuse'; readonly reason: string }
  /** It says what is stored already. */
  | { readonly kind: 'known' }
  | { readonly kind: 'store' };

/** Whether a report of node `nodeId` may be stored: only its own tasks, and only forward. */
export function judgeReport(
  report: TaskReport,
  { task, status }: TaskFacts,
  nodeId: string,
): ReportVerdict {
  const reason =
    (task === undefined ? 'unknown task' : undefined) ??
    (task?.spec.nodeId === nodeId ? undefined : 'the task is not assigned to this node') ??
    stateProblem(report, status);
  if (reason !== undefined) return { kind: 'refuse', reason };
  return status !== undefined && saysTheSame(report, status)
    ? { kind: 'known' }
    : { kind: 'store' };
}

function stateProblem(report: TaskReport, status: TaskReport | undefined): string | undefined {
  if (stateRank(report.state) < stateRank('accepted') || report.state === 'orphaned') {
    return `a node does not report the state ${report.state}`;
  }
  if (status === undefined || report.state === status.state) return undefined;
  if (isTerminal(status.state)) return `the task has ended: ${status.state}`;
  return stateRank(report.state) < stateRank(status.state)
    ? `backwards: the task is ${status.state} already`
    : undefined;
}

/** The node's clock alone is no news. */
function saysTheSame(report: TaskReport, status: StoredTaskStatus): boolean {
  const { at: _at, ...news } = report;
  const { at, taskId, nodeId, epoch, appliedAt, runningAt, readyAt, servedAt, version, ...known } =
    status;
  return canonicalJson(news) === canonicalJson(known);
}

function canonicalJson(value: object): string {
  return JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * The status as it is stored. `appliedAt` is when this state was first stored, by the managers' clock: a
 * later message about the same state does not move it. `runningAt` and `servedAt` outlive what they name.
 */
export function statusOf(
  { taskId, nodeId, epoch, now }: StatusStamp,
  report: TaskReport,
  previous: StoredTaskStatus | undefined,
): Omit<StoredTaskStatus, 'version'> {
  const appliedAt = previous?.state === report.state ? previous.appliedAt : now;
  const readyAt = readyAtOf(report, previous, now);
  return {
    ...report,
    taskId,
    nodeId,
    epoch,
    appliedAt,
    ...(report.state === 'running' && { runningAt: appliedAt }),
    ...(readyAt !== undefined && { readyAt, servedAt: readyAt }),
    ...pastOf(previous),
  };
}

/**
 * Since when the task is in service, by the managers' clock. How long it had been so when the report was
 * made is a matter of the node's clock alone; a report may have been under way for a while.
 */
function readyAtOf(
  { state, ready, readySince, at }: TaskReport,
  previous: StoredTaskStatus | undefined,
  now: string,
): string | undefined {
  if (state !== 'running' || ready === false) return undefined;
  if (previous?.readyAt !== undefined && previous.readySince === readySince) {
    return previous.readyAt;
  }
  const lastedMs =
    readySince === undefined ? 0 : Math.max(0, Date.parse(at) - Date.parse(readySince));
  // It was heard of in another state later than that: the clock of the node was moved meanwhile.
  const earliestMs = Date.parse(previous?.appliedAt ?? '') || 0;
  return new Date(Math.max(Date.parse(now) - lastedMs, earliestMs)).toISOString();
}

/** What the manager adds to a report. */
export interface StatusStamp {
  readonly taskId: string;
  readonly nodeId: string;
  readonly epoch: number;
  /** ISO 8601. */
  readonly now: string;
}
