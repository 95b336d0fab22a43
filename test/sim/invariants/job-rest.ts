import {
  effectiveJob,
  isWanted,
  jobOutcomeOf,
  type EffectiveJob,
  type StoredService,
  type StoredServiceStatus,
  type StoredTask,
} from '../../../api/v1/index.js';
import { failingConstraint } from './fitness.js';
import type { Truth } from './truth.js';

/** What of a job is not as it should be at rest: its run has ended, or waits for what nobody has. */
export function jobAtRest(
  truth: Truth,
  service: StoredService,
  tasks: readonly StoredTask[],
): readonly string[] {
  const { name, uid, generation } = service.metadata;
  const status = truth.serviceStatuses.get(name);
  const job = effectiveJob(service.spec);
  if (!job || status?.serviceUid !== uid || !status.job) return [`${name} has no status`];
  const outdated =
    status.observedGeneration === generation ? [] : [`the status of ${name} is outdated`];
  const live = tasks.filter((task) => isWanted(task.spec.desiredState) && !truth.hasEnded(task));
  const reading = { truth, service, job, status, live };
  const isOver = status.job.finishedAt !== undefined;
  return [...outdated, ...(isOver ? finishedAtRest(reading) : unfinishedAtRest(reading))];
}

interface JobReading {
  readonly truth: Truth;
  readonly service: StoredService;
  readonly job: EffectiveJob;
  readonly status: StoredServiceStatus;
  readonly live: readonly StoredTask[];
}

function finishedAtRest({ truth, service, job, status, live }: JobReading): readonly string[] {
  const { name } = service.metadata;
  const { succeeded = 0, total = 0 } = status.job ?? {};
  const outcome = jobOutcomeOf(status);
  // Where a node went away, what ran there may go on until it has ended.
  const left = live.filter(({ spec }) => truth.nodes.has(spec.nodeId ?? ''));
  return [
    ...(job.ttlAfterFinishedMs === undefined ? [] : [`${name} has finished and is still there`]),
    ...(outcome === undefined ? [`${name} has finished, nobody says how`] : []),
    ...(outcome === 'complete' && succeeded < total
      ? [`${name} is said to be complete with ${succeeded} of ${total}`]
      : []),
    ...left.map(({ metadata }) => `${name} has finished, and ${metadata.name} lives`),
  ];
}

/** Tasks that find no node are judged one by one. */
function unfinishedAtRest({ truth, service, job, live }: JobReading): readonly string[] {
  const { name } = service.metadata;
  if (job.deadlineMs !== Infinity && live.length > 0) return [`${name} will be over in time`];
  if (live.some(({ spec }) => spec.nodeId === undefined)) return [];
  if (job.totalCompletions === undefined && !isForAnybody(truth, service)) return [];
  return [`${name} has not finished`];
}

function isForAnybody(truth: Truth, { spec }: StoredService): boolean {
  return [...truth.nodes.values()].some(
    (node) =>
      node.spec.availability === 'active' &&
      failingConstraint(truth, node, spec.task) === undefined,
  );
}
