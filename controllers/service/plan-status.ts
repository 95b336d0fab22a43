import type {
  Condition,
  ServiceStatus,
  StoredServiceStatus,
  UpdateStatus,
} from '../../api/v1/index.js';
import { isReady, type TaskView } from '../../pkg/lifecycle/index.js';
import { availability, progress, updating, type Finding } from './plan-conditions.js';
import { countTasks, plural, type CountInput } from './plan-counts.js';
import type { IsCurrent, Slot } from './plan-slots.js';

/** What a status speaks of. */
export interface StatusInput {
  readonly generation: number;
  readonly revision: number;
  readonly desired: number;
  readonly slots: readonly Slot[];
  readonly isCurrent: IsCurrent;
  /** The latest update, if there was one. */
  readonly attempt: UpdateStatus | undefined;
  /** Slots that it has still to move. */
  readonly outdated: number;
  /** The spec has a template that waits until the rollout is resumed. */
  readonly isHeld: boolean;
  /** Slots with a task that has to leave a drained node. */
  readonly leaving: number;
  /** Revisions that proved themselves. */
  readonly stable: readonly number[];
  /** What was heard of tasks there may not be true any more. */
  readonly lostNodes: ReadonlySet<string>;
  /** See {@link countTasks}. */
  readonly availableAt: CountInput['availableAt'];
  readonly previous?: StoredServiceStatus | undefined;
  /** ISO 8601, the leader's wall clock. */
  readonly now: string;
}

/** A status, and when time alone changes it (milliseconds since 1970). */
export interface StatusPlan {
  readonly status: ServiceStatus;
  readonly lookAgainAt: number | undefined;
}

/** The status of a service; conditions that did not change keep the stamp of their last change. */
export function planStatus(input: StatusInput): StatusPlan {
  const { attempt, stable } = input;
  const counts = countTasks(input);
  const found = { ...input, counts };
  const conditions = [availability(found), progress(found), updating(found)];
  const status = {
    observedGeneration: input.generation,
    revision: input.revision,
    desired: input.desired,
    running: counts.running,
    ready: counts.ready,
    updated: counts.updated,
    pending: counts.pending,
    failed: counts.failed,
    ...(attempt && { update: attempt }),
    ...(stable.length > 0 && { stable: [...stable] }),
    conditions: conditions.map((finding) => stamped(finding, input)),
  };
  return { status, lookAgainAt: counts.nextReadyAtMs };
}

/** The status of a service that is being deleted. */
export function planDeletingStatus(
  input: Pick<StatusInput, 'generation' | 'previous' | 'now'>,
  tasks: readonly TaskView[],
): ServiceStatus {
  const running = tasks.filter(({ state }) => state === 'running').length;
  const left = plural(tasks.length, 'task');
  const findings: readonly Finding[] = [
    {
      type: 'Deleting',
      status: 'true',
      reason: 'WaitingForTasks',
      message: `${left} left to stop and remove`,
    },
    {
      type: 'Available',
      status: 'false',
      reason: 'Deleting',
      message: 'the service is being deleted',
    },
  ];
  return {
    observedGeneration: input.generation,
    revision: input.previous?.revision ?? 0,
    desired: 0,
    running,
    ready: tasks.filter(isReady).length,
    updated: 0,
    pending: 0,
    failed: 0,
    conditions: findings.map((condition) => stamped(condition, input)),
  };
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
