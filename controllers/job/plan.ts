import {
  effectiveJob,
  effectiveRestartPolicy,
  revisionTemplateOf,
  type EffectiveJob,
  type EffectiveRestartPolicy,
  type ServiceStatus,
  type StoredService,
  type StoredServiceRevision,
  type StoredServiceStatus,
} from '../../api/v1/index.js';
import { instantMs, type TaskView } from '../../pkg/lifecycle/index.js';
import { remove, type JobChange } from './plan-changes.js';
import { planGlobalJob, type JobNode } from './plan-global.js';
import { planReplicatedJob } from './plan-replicated.js';
import { planRevisionTrim, planRun, type Run } from './plan-run.js';
import { slotsOf } from './plan-slots.js';
import { planDeletingStatus, planStatus } from './plan-status.js';
import { earlier, storedVerdict, type Progress } from './plan-verdict.js';

/** Everything one decision about a job needs, read at one store revision. */
export interface JobSnapshot {
  /** In a job mode. */
  readonly service: StoredService;
  /** Hash of the template in the service's spec. */
  readonly templateHash: string;
  /** Of this very service, in any order. */
  readonly revisions: readonly StoredServiceRevision[];
  /** A revision number that is free in the store, above all of `revisions`. */
  readonly freeRevision: number;
  /** Of this very service, in any order. */
  readonly tasks: readonly TaskView[];
  /** All nodes; needed for global jobs only. */
  readonly nodes: readonly JobNode[];
  /** Ids of lost nodes, at least of those that hold one of `tasks`. */
  readonly lostNodes: ReadonlySet<string>;
  /** The stored status of this very service. */
  readonly status?: StoredServiceStatus | undefined;
  /** ISO 8601, the leader's wall clock. */
  readonly now: string;
}

/** What is to be done for a job, and what to say about it. */
export interface JobPlan {
  /** In order; each is applied whole, and they may be spread over several transactions. */
  readonly changes: readonly JobChange[];
  /** What the job looks like before the changes. */
  readonly status: ServiceStatus;
  /** When time alone may bring new changes. Milliseconds since 1970. */
  readonly lookAgainAt?: number | undefined;
}

/** Brings a job closer to the end of its run. Pure: same snapshot, same plan. */
export function planJob(snapshot: JobSnapshot): JobPlan {
  const { service, tasks, revisions, lostNodes, status: previous, now } = snapshot;
  const { generation, deletingAt } = service.metadata;
  if (deletingAt !== undefined) {
    const status = planDeletingStatus({ generation, previous, now }, tasks);
    return { changes: planDeletion(snapshot), status };
  }
  const job = effectiveJob(service.spec) ?? NO_JOB;
  const run = planRun(snapshot);
  const progress = planProgress(snapshot, run, job);
  const expiry = planExpiry(job, previous, { progress, run, now });
  return {
    changes: [
      ...run.changes,
      ...progress.changes,
      ...planRevisionTrim({ service, revisions }, tasks, run.iteration),
      ...expiry.changes,
    ],
    status: planStatus({ generation, run, progress, lostNodes, previous, now }),
    lookAgainAt: earlier(progress.lookAgainAt, expiry.lookAgainAt),
  };
}

const NO_JOB: EffectiveJob = { maxConcurrent: 0, backoffLimit: 0, deadlineMs: Infinity };

/**
 * Lets every task go, then the revisions, then the service itself. Every step is found again from what is
 * left, so a crash at any point costs nothing.
 */
function planDeletion({ tasks, revisions }: JobSnapshot): readonly JobChange[] {
  if (tasks.length > 0) return tasks.flatMap(remove);
  return [
    ...revisions.map((revision) => ({ kind: 'delete-revision', revision }) as const),
    { kind: 'delete-service' },
  ];
}

function planProgress(snapshot: JobSnapshot, run: Run, job: EffectiveJob): Progress {
  const { service, tasks, nodes, lostNodes, status } = snapshot;
  const now = instantMs(snapshot.now);
  const policy = jobPolicyOf(service);
  const slots = slotsOf({ tasks, iteration: run.iteration, lostNodes, now });
  const input = { run, job, policy, slots, now };
  if (job.totalCompletions !== undefined) {
    return planReplicatedJob({ ...input, stored: storedVerdict(status, run.iteration) });
  }
  const constraints = service.spec.task.placement?.constraints ?? [];
  const isOfCronJob = service.metadata.ownedBy?.kind === 'CronJob';
  const stored = isOfCronJob ? storedVerdict(status, run.iteration) : undefined;
  return planGlobalJob({ ...input, nodes, constraints, stored });
}

/** What has ended well is never run again, whatever the policy says. */
function jobPolicyOf({ spec }: StoredService): EffectiveRestartPolicy {
  const policy = effectiveRestartPolicy(revisionTemplateOf(spec));
  return policy.condition === 'any' ? { ...policy, condition: 'on-failure' } : policy;
}

interface Ended {
  readonly progress: Progress;
  readonly run: Run;
  readonly now: string;
}

/** Counts from the end that was stored, so that everybody could see it. */
function planExpiry(
  { ttlAfterFinishedMs }: EffectiveJob,
  previous: StoredServiceStatus | undefined,
  { progress, run, now }: Ended,
): Pick<JobPlan, 'changes' | 'lookAgainAt'> {
  if (ttlAfterFinishedMs === undefined || !progress.verdict) return { changes: [] };
  const job = previous?.job;
  const isStored = job?.iteration === run.iteration && job.finishedAt !== undefined;
  const expiresAt = instantMs(isStored ? job.finishedAt : now) + ttlAfterFinishedMs;
  const isDue = isStored && expiresAt <= instantMs(now);
  return isDue
    ? { changes: [{ kind: 'expire-service' }] }
    : { changes: [], lookAgainAt: expiresAt };
}
