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
  return undefined;
}

function trouble({ reason, error, message }: TaskReport): Words {
  return { type: 'warning', reason: reason ?? 'TaskDelayed', message: error ?? message };
}

function endWords({ reason, error, exitCode, message }: TaskReport): string {
  const parts = [
    error ?? message,
    ...(exitCode === undefined ? [] : [`exit code ${String(exitCode)}`]),
    ...(reason === undefined ? [] : [reason]),
  ];
  return [...new Set(parts.filter((part) => part !== ''))].join(', ');
}
