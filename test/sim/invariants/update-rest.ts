import {
  effectiveUpdatePolicy,
  isWanted,
  type StoredService,
  type StoredServiceStatus,
  type StoredTask,
  type UpdateStatus,
} from '../../../api/v1/index.js';
import type { Truth } from './truth.js';

/** What of the update of a service is not as it should be at rest. */
export function updateAtRest(
  truth: Truth,
  service: StoredService,
  tasks: readonly StoredTask[],
): readonly string[] {
  const status = truth.serviceStatuses.get(service.metadata.name);
  const live = tasks.filter(({ spec }) => isWanted(spec.desiredState));
  const input = { truth, service, status, live };
  return [...progressAtRest(input), ...imagesAtRest(input), ...stableAtRest(input)];
}

interface UpdateReading {
  readonly truth: Truth;
  readonly service: StoredService;
  readonly status: StoredServiceStatus | undefined;
  readonly live: readonly StoredTask[];
}

function progressAtRest({ service, status, live }: UpdateReading): readonly string[] {
  const update = status?.update;
  if (!update || !isGoingOn(update)) return [];
  if (isAnyWaiting(live) && hasNoDeadline(service, update)) return [];
  return [`the ${update.state} of ${service.metadata.name} goes on: ${update.message}`];
}

function imagesAtRest({ truth, service, status, live }: UpdateReading): readonly string[] {
  const strangers = strangersOf(truth, service, live);
  if (strangers.length === 0 || isAnyWaiting(live) || isStuck(status?.update)) return [];
  const names = strangers.map(({ metadata }) => metadata.name).join(', ');
  const why = status?.update?.message ?? 'no update';
  return [`${names} run another image than ${service.metadata.name} should: ${why}`];
}

function stableAtRest({ truth, service, status, live }: UpdateReading): readonly string[] {
  const isWhole = live.length > 0 && live.length === status?.desired;
  const isSound = live.every((task) => truth.stateOf(task) === 'running');
  if (!isWhole || !isSound || strangersOf(truth, service, live).length > 0) return [];
  const goal = status.update?.to ?? status.revision;
  if (status.stable?.includes(goal)) return [];
  return [`revision ${goal} of ${service.metadata.name} is not marked as stable`];
}

function strangersOf(truth: Truth, service: StoredService, live: readonly StoredTask[]) {
  return live.filter((task) => imageOf(truth, task) !== wantedImage(service));
}

/** The image that a task runs. */
export function imageOf(truth: Truth, task: StoredTask): string | undefined {
  return truth.revisionOf(task)?.template.task.container.image;
}

export const wantedImage = ({ spec }: StoredService): string => spec.task.container.image;

const isAnyWaiting = (live: readonly StoredTask[]): boolean =>
  live.some(({ spec }) => spec.nodeId === undefined);

const isGoingOn = ({ state }: UpdateStatus): boolean =>
  state === 'updating' || state === 'rollback_started';

/** It could not be finished, because tasks found no node, and its policy says what then. */
function isStuck(update: UpdateStatus | undefined): boolean {
  const isLate = update?.reason === 'ProgressDeadlineExceeded';
  return isLate || update?.cause?.includes('without progress') === true;
}

function hasNoDeadline({ spec }: StoredService, { state }: UpdateStatus): boolean {
  const policy = state === 'updating' ? spec.update : spec.rollback;
  return effectiveUpdatePolicy(policy).progressDeadlineMs === 0;
}
