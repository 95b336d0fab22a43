import { Type, type Static } from 'typebox';
import { Timestamp, type Condition } from './common.js';
import { durationMs } from './quantities.js';
import type { ServiceMode } from './service-mode.js';

/** How far the run of a job is. A job has one run per service revision. */
export const JobStatus = Type.Object(
  {
    iteration: Type.Integer({
      minimum: 1,
      description: 'The run: number of the service revision that its tasks run.',
    }),
    total: Type.Integer({
      minimum: 0,
      description: 'Tasks that have to end well; of a global job one per eligible node.',
    }),
    succeeded: Type.Integer({ minimum: 0, description: 'Those that have.' }),
    active: Type.Integer({ minimum: 0, description: 'Tasks that run or are on their way to it.' }),
    failed: Type.Integer({ minimum: 0, description: 'Failures in this run.' }),
    startedAt: Timestamp,
    finishedAt: Type.Optional(Timestamp),
  },
  { description: 'How far the present run is; of jobs only.' },
);
export type JobStatus = Static<typeof JobStatus>;

/** The modes by the names that people give and see, which are Docker's. */
export const MODE_NAMES = ['replicated', 'global', 'replicated-job', 'global-job'] as const;
export type ModeName = (typeof MODE_NAMES)[number];

/** The part of a service's spec that says how many tasks there are. */
interface WithMode {
  readonly mode?: ServiceMode;
}

/** What the mode of a service is called. */
export function modeNameOf({ mode }: WithMode): ModeName {
  if (mode?.replicatedJob) return 'replicated-job';
  if (mode?.globalJob) return 'global-job';
  return mode?.global ? 'global' : 'replicated';
}

/** Tasks of the service complete instead of running for ever. */
export const isJob = (spec: WithMode): boolean => modeNameOf(spec).endsWith('-job');

/** A job's mode with every default filled in. */
export interface EffectiveJob {
  /** Tasks that have to end well; undefined for a global job: one per eligible node. */
  readonly totalCompletions?: number | undefined;
  /** Tasks at once; no limit for a global job. */
  readonly maxConcurrent: number;
  /** Of the run; of each node for a global job. */
  readonly backoffLimit: number;
  /** Of the run; of each node for a global job. Infinity: none. */
  readonly deadlineMs: number;
  /** Undefined: the service stays. */
  readonly ttlAfterFinishedMs?: number | undefined;
}

/** Reads a job's mode, defaults included; undefined when the service is no job. */
export function effectiveJob({ mode }: WithMode): EffectiveJob | undefined {
  const { replicatedJob, globalJob } = mode ?? {};
  if (replicatedJob) {
    const { totalCompletions, maxConcurrent } = replicatedJob;
    const total = totalCompletions ?? maxConcurrent ?? 1;
    const atOnce = maxConcurrent ?? total;
    return { totalCompletions: total, maxConcurrent: atOnce, ...limitsOf(replicatedJob) };
  }
  return globalJob && { maxConcurrent: Infinity, ...limitsOf(globalJob) };
}

type Limits = NonNullable<ServiceMode['globalJob']>;

function limitsOf({ backoffLimit = 6, deadline, ttlAfterFinished }: Limits) {
  const ttlMs = ttlAfterFinished === undefined ? undefined : durationMs(ttlAfterFinished, 0);
  return {
    backoffLimit,
    deadlineMs: durationMs(deadline, 0) || Infinity,
    ttlAfterFinishedMs: ttlMs,
  };
}

/** How a job's run ended; undefined while it goes on, and for what is no job. */
export function jobOutcomeOf(
  status: { readonly conditions: readonly Condition[] } | undefined,
): 'complete' | 'failed' | undefined {
  const isTrue = (wanted: string) =>
    status?.conditions.some(({ type, status: is }) => type === wanted && is === 'true') ?? false;
  if (isTrue('Complete')) return 'complete';
  return isTrue('Failed') ? 'failed' : undefined;
}
