import { jobOutcomeOf, type ServiceStatus, type StoredService } from '../../api/v1/index.js';
import type { EventRecorder, EventReport } from '../../pkg/events/index.js';
import type { JobPlan } from './plan.js';
import type { JobChange, NewTask } from './plan-changes.js';

const SOURCE = 'job-controller';

/** Says what was done for a job, in a line per kind of change. */
export function recordChanges(
  events: EventRecorder,
  service: StoredService,
  { changes }: JobPlan,
): void {
  const say = reporter(events, service);
  const count = (isMeant: (change: JobChange) => boolean) => changes.filter(isMeant).length;
  for (const change of changes) {
    if (change.kind === 'create-revision') {
      say('normal', 'JobStarted', `run ${change.revision} started`);
    }
    if (change.kind === 'create-task' && change.task.startAt !== undefined) {
      say('warning', 'RestartDelayed', delayWords(change.task, change.task.startAt));
    }
  }
  const created = count(({ kind }) => kind === 'create-task');
  if (created > 0) say('normal', 'TasksCreated', `tasks created: ${created}`);
  const removed = count(
    (change) => change.kind === 'set-desired-state' && change.desiredState === 'remove',
  );
  if (removed > 0) say('normal', 'TasksRemoved', `tasks to be removed: ${removed}`);
  if (count(({ kind }) => kind === 'expire-service') > 0) {
    say('normal', 'JobExpired', 'its time after the end of its run is over: it is deleted');
  }
  if (count(({ kind }) => kind === 'delete-service') > 0) {
    say('normal', 'ServiceDeleted', 'nothing of it is left');
  }
}

function delayWords({ slot, forNode, restarts, lastFailure }: NewTask, startAt: string): string {
  const where = forNode === undefined ? `task ${slot}` : `the task on node ${forNode}`;
  const why = lastFailure === undefined ? '' : ` (${lastFailure})`;
  return `try ${restarts + 1} of ${where} is held back until ${startAt}${why}`;
}

/** Says how a run ended, once; the end that was told. */
export function recordTransition(
  events: EventRecorder,
  service: StoredService,
  before: ServiceStatus | undefined,
  after: ServiceStatus,
): ReturnType<typeof jobOutcomeOf> {
  const outcome = jobOutcomeOf(after);
  if (outcome === undefined || endOf(before) === endOf(after)) return undefined;
  const say = reporter(events, service);
  const words = (wanted: string) => after.conditions.find(({ type }) => type === wanted);
  if (outcome === 'complete') say('normal', 'JobComplete', words('Complete')?.message ?? '');
  else {
    const failed = words('Failed');
    say('warning', 'JobFailed', `${failed?.reason ?? ''}: ${failed?.message ?? ''}`);
  }
  return outcome;
}

/** Which run ended how; equal for the same end. */
const endOf = (status: ServiceStatus | undefined): string =>
  `${status?.job?.iteration ?? 0} ${jobOutcomeOf(status) ?? ''}`;

function reporter(events: EventRecorder, { metadata: { name, uid } }: StoredService) {
  return (type: EventReport['type'], reason: string, message: string): void => {
    const regarding = { kind: 'Service', name, uid };
    events.record({ type, reason, message, regarding, service: name, source: SOURCE });
  };
}
