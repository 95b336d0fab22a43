import type {
  ServiceStatus,
  StoredService,
  UpdateState,
  UpdateStatus,
} from '../../api/v1/index.js';
import type { EventRecorder, EventReport } from '../../pkg/events/index.js';
import type { ServicePlan } from './plan.js';
import type { ServiceChange } from './plan-changes.js';

const SOURCE = 'service-controller';

/** Says what was done for a service, in a line per kind of change. */
export function recordChanges(
  events: EventRecorder,
  service: StoredService,
  { changes }: ServicePlan,
): void {
  const say = reporter(events, service);
  const count = (kind: ServiceChange['kind']) =>
    changes.filter((change) => change.kind === kind).length;
  for (const change of changes) {
    if (change.kind === 'create-revision') {
      say('normal', 'RevisionCreated', `revision ${change.revision} created`);
    }
  }
  for (const change of changes) if (change.kind === 'move-task') recordMove(events, change);
  const created = count('create-task');
  if (created > 0) say('normal', 'TasksCreated', `tasks created: ${created}`);
  const removed = changes.filter(
    (change) => change.kind === 'set-desired-state' && change.desiredState === 'remove',
  ).length;
  if (removed > 0) say('normal', 'TasksRemoved', `tasks to be removed: ${removed}`);
  if (count('delete-service') > 0) say('normal', 'ServiceDeleted', 'nothing of it is left');
}

function recordMove(
  events: EventRecorder,
  { from: { task }, why }: Extract<ServiceChange, { kind: 'move-task' }>,
): void {
  const { metadata, spec } = task;
  const isLost = why === 'node-lost';
  events.record({
    type: isLost ? 'warning' : 'normal',
    reason: 'TaskMoved',
    message: `node ${spec.nodeId ?? ''} is ${isLost ? 'lost' : 'drained'}`,
    regarding: { kind: 'Task', name: metadata.name, uid: metadata.uid },
    service: spec.service,
    source: SOURCE,
  });
}

/** Says when an update or a rollback begins, ends or stands still; gives the state that is news. */
export function recordTransitions(
  events: EventRecorder,
  service: StoredService,
  before: ServiceStatus | undefined,
  after: ServiceStatus,
): UpdateState | undefined {
  const { update } = after;
  if (!update || isKnown(before?.update, update)) return undefined;
  const { type, reason } = toldOf(before?.update, update);
  reporter(events, service)(type, reason, wordsOf(update));
  return update.state;
}

function isKnown(
  before: UpdateStatus | undefined,
  { attempt, state, reason }: UpdateStatus,
): boolean {
  return before?.attempt === attempt && before.state === state && before.reason === reason;
}

type Told = Pick<EventReport, 'type' | 'reason'>;

function toldOf(before: UpdateStatus | undefined, update: UpdateStatus): Told {
  const isSame = before?.attempt === update.attempt;
  if (isSame && before.reason !== undefined && !update.completedAt && !update.reason) {
    return { type: 'normal', reason: 'RolloutResumed' };
  }
  if (update.reason === 'AwaitingPromotion') return { type: 'normal', reason: update.reason };
  return TOLD[update.state];
}

function wordsOf({ message, cause, from, to }: UpdateStatus): string {
  const way = from === undefined ? `to revision ${to}` : `from revision ${from} to ${to}`;
  return `${message}, ${way}${cause === undefined ? '' : `: ${cause}`}`;
}

/** What events say of each state. */
const TOLD: Readonly<Record<UpdateState, Told>> = {
  updating: { type: 'normal', reason: 'UpdateStarted' },
  paused: { type: 'warning', reason: 'UpdatePaused' },
  completed: { type: 'normal', reason: 'UpdateCompleted' },
  rollback_started: { type: 'warning', reason: 'RollbackStarted' },
  rollback_paused: { type: 'warning', reason: 'RollbackPaused' },
  rollback_completed: { type: 'normal', reason: 'RollbackCompleted' },
};

function reporter(events: EventRecorder, { metadata: { name, uid } }: StoredService) {
  return (type: EventReport['type'], reason: string, message: string): void => {
    const regarding = { kind: 'Service', name, uid };
    events.record({ type, reason, message, regarding, service: name, source: SOURCE });
  };
}
