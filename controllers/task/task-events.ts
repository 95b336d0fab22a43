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
  const move = describeMove(view, cause, why);
  if (move) events.record(about(task, move.type, 'TaskMoved', move.message));
  if (successor?.startAt !== undefined && successor.failures > 0) {
    const { restarts, startAt, failures, lastFailure } = successor;
    const after = failures === 1 ? 'a failure' : `${failures} failures in a row`;
    const why = lastFailure === undefined ? '' : ` (${lastFailure})`;
    const text = `restart ${restarts} is held back until ${startAt} after ${after}${why}`;
    events.record(about(task, 'warning', 'RestartDelayed', text));
  }
  if (!successor && cause === 'ended' && hasFailed(view)) {
    const text = 'the restart policy allows no further restart';
    events.record(about(task, 'warning', 'RestartsExhausted', text));
  }
}

interface Move {
  readonly type: EventReport['type'];
  readonly message: string;
}

/** How a task ended by itself was told when its node reported it. */
function describeMove(
  { task: { spec } }: TaskView,
  cause: EndCause,
  why: string | undefined,
): Move | undefined {
  const { nodeId = '' } = spec;
  switch (cause) {
    case 'node-drained':
      return { type: 'normal', message: `node ${nodeId} is drained` };
    case 'node-lost':
      return { type: 'warning', message: `node ${nodeId} is lost` };
    case 'node-unsuitable':
      return { type: 'warning', message: `node ${nodeId} does not suit it any more: ${why ?? ''}` };
    case 'preempted':
      return { type: 'warning', message: `makes room on node ${nodeId} for ${why ?? ''}` };
    case 'ended':
      return undefined;
  }
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
