import type { StoredTask, StoredTaskStatus, TaskReport } from '../../../api/v1/index.js';
import type { EventReport } from '../../events/index.js';

/** Says in words what a stored report means for people; undefined when it is routine. */
export function eventOfReport(
  task: StoredTask,
  report: TaskReport,
  previous: StoredTaskStatus | undefined,
): EventReport | undefined {
  const words =
    report.state === previous?.state ? troubleWords(report, previous) : stateWords(report);
  return (
    words && {
      ...words,
      regarding: { kind: 'Task', name: task.metadata.name, uid: task.metadata.uid },
      service: task.spec.service,
      source: `agent/${task.spec.nodeId ?? ''}`,
    }
  );
}

type Words = Pick<EventReport, 'type' | 'reason' | 'message'>;

function stateWords(report: TaskReport): Words | undefined {
  switch (report.state) {
    case 'running':
      return { type: 'normal', reason: 'TaskStarted', message: 'the container runs' };
    case 'complete':
      return { type: 'normal', reason: 'TaskCompleted', message: endWords(report) };
    case 'shutdown':
      return { type: 'normal', reason: 'TaskStopped', message: endWords(report) };
    case 'failed':
      return { type: 'warning', reason: 'TaskFailed', message: endWords(report) };
    case 'rejected':
      return { type: 'warning', reason: 'TaskRejected', message: endWords(report) };
    default:
      return report.error === undefined ? undefined : trouble(report);
  }
}

/** A node that keeps trying (an image that cannot be pulled) reports the same state with an error. */
function troubleWords(
  report: TaskReport,
  previous: StoredTaskStatus | undefined,
): Words | undefined {
  const isNews = report.error !== previous?.error || report.reason !== previous?.reason;
  if (report.error !== undefined && isNews) return trouble(report);
  if (report.health === 'unhealthy' && previous?.health !== 'unhealthy') {
    return { type: 'warning', reason: 'TaskUnhealthy', message: 'the health check fails' };
  }
  return readinessWords(report, previous);
}

/** A task goes into service, or out of it without being stopped: that has events of its own. */
function readinessWords(
  { ready = true, unready }: TaskReport,
  previous: StoredTaskStatus | undefined,
): Words | undefined {
  const wasReady = previous?.ready ?? true;
  if (ready === wasReady) return undefined;
  if (ready) return { type: 'normal', reason: 'TaskReady', message: 'in service' };
  if (unready?.reason !== 'ReadinessFailed') return undefined;
  return { type: 'warning', reason: 'TaskUnready', message: `out of service: ${unready.message}` };
}

function trouble({ reason, error, message }: TaskReport): Words {
  return { type: 'warning', reason: reason ?? 'TaskDelayed', message: error ?? message };
}

/** The node's own words; its exit code when they do not tell it, its reason when there are none. */
function endWords({ reason, error, exitCode, message }: TaskReport): string {
  const words = [error, message, reason].find((text) => text !== undefined && text !== '');
  const code = exitCode === undefined ? undefined : `code ${String(exitCode)}`;
  if (code === undefined || words?.includes(code)) return words ?? '';
  return words === undefined ? `exit ${code}` : `${words}, exit ${code}`;
}
