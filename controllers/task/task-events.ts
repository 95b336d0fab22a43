import type { StoredTask } from '../../api/v1/index.js';
import type { EventRecorder, EventReport } from '../../pkg/events/index.js';
import { hasFailed, type EndCause, type TaskView } from '../../pkg/lifecycle/index.js';
import type { TaskChange } from './plan-changes.js';

const SOURCE = 'task-controller';

/** Says what happened to tasks. Placements say nothing: every task has one, and its record shows it. */
export function recordTaskChanges(
  events: EventRecorder,
  changes: readonly TaskChange[],
  why?: string,
): void {
  for (const change of changes) {
    const { task } = change.task;
    if (change.kind === 'orphan-task') {
      events.record(about(task, 'warning', 'TaskOrphaned', 'its node was removed'));
    }
    if (change.kind === 'end-task') recordEnd(events, change, why);
  }
}

function recordEnd(
  events: EventRecorder,
  { task: view, cause, successor }: Extract<TaskChange, { kind: 'end-task' }>,
  why: string | undefined,
): void {
  const { task } = view;
  const ending = describeEnd(view, cause, why);
  events.record(about(task, ending.type, ending.reason, ending.message));
  if (successor?.startAt !== undefined && successor.failures > 0) {
    const text = `restart ${successor.restarts} is held back until ${successor.startAt} after ${successor.failures} failures in a row`;
    events.record(about(task, 'warning', 'RestartDelayed', text));
  }
  if (!successor && cause === 'ended' && hasFailed(view)) {
    const text = 'the restart policy allows no further restart';
    events.record(about(task, 'warning', 'RestartsExhausted', text));
  }
}

interface Ending {
  readonly type: EventReport['type'];
  readonly reason: string;
  readonly message: string;
}

function describeEnd(view: TaskView, cause: EndCause, why: string | undefined): Ending {
  const { nodeId = '' } = view.task.spec;
  switch (cause) {
    case 'node-drained':
      return { type: 'normal', reason: 'TaskMoved', message: `node ${nodeId} is drained` };
    case 'node-lost':
      return { type: 'warning', reason: 'TaskMoved', message: `node ${nodeId} is lost` };
    case 'node-unsuitable':
      return {
        type: 'warning',
        reason: 'TaskMoved',
        message: `node ${nodeId} does not suit it any more: ${why ?? ''}`,
      };
    case 'ended':
      return describeExit(view);
  }
}

function describeExit({ state, status }: TaskView): Ending {
  const detail = status?.error ?? status?.message ?? state;
  if (state === 'failed') return { type: 'warning', reason: 'TaskFailed', message: detail };
  if (state === 'rejected') return { type: 'warning', reason: 'TaskRejected', message: detail };
  return { type: 'normal', reason: 'TaskEnded', message: `${state}: ${detail}` };
}

function about(
  { metadata, spec }: StoredTask,
  type: EventReport['type'],
  reason: string,
  message: string,
): EventReport {
  const regarding = { kind: 'Task', name: metadata.name, uid: metadata.uid };
  return { type, reason, message, regarding, service: spec.service, source: SOURCE };
}
