import type { Condition, ServiceStatus, StoredService } from '../../api/v1/index.js';
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
  const created = count('create-task');
  if (created > 0) say('normal', 'TasksCreated', `tasks created: ${created}`);
  const removed = changes.filter(
    (change) => change.kind === 'set-desired-state' && change.desiredState === 'remove',
  ).length;
  if (removed > 0) say('normal', 'TasksRemoved', `tasks to be removed: ${removed}`);
  if (count('delete-service') > 0) say('normal', 'ServiceDeleted', 'nothing of it is left');
}

/** Says when an update begins, ends or pauses. */
export function recordTransitions(
  events: EventRecorder,
  service: StoredService,
  before: ServiceStatus | undefined,
  after: ServiceStatus,
): void {
  const say = reporter(events, service);
  const [old, current] = [updatingOf(before), updatingOf(after)];
  if (!current || old?.reason === current.reason) return;
  if (current.reason === 'UpdateInProgress') say('normal', 'UpdateStarted', current.message);
  if (current.reason === 'UpdatePaused') say('warning', 'UpdatePaused', current.message);
  if (current.reason === 'UpToDate' && old) say('normal', 'UpdateCompleted', current.message);
}

function updatingOf(status: ServiceStatus | undefined): Condition | undefined {
  return status?.conditions.find(({ type }) => type === 'Updating');
}

function reporter(events: EventRecorder, { metadata: { name, uid } }: StoredService) {
  return (type: EventReport['type'], reason: string, message: string): void => {
    const regarding = { kind: 'Service', name, uid };
    events.record({ type, reason, message, regarding, service: name, source: SOURCE });
  };
}
