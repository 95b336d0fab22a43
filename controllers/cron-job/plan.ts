import {
  effectiveCronJob,
  type StoredCronJob,
  type StoredCronJobStatus,
} from '../../api/v1/index.js';
import type { Schedule } from '../../pkg/cron/index.js';
import { instantMs } from '../../pkg/lifecycle/index.js';
import type { CronJobChange, Skip } from './plan-changes.js';
import { deletionOf, planHistory, type RunView } from './plan-runs.js';
import { planDeletingStatus, planStatus, type StatusInput } from './plan-status.js';
import { planTick } from './plan-tick.js';

/** Everything one decision about a cron job needs, read at one store revision. */
export interface CronJobSnapshot {
  readonly cronJob: StoredCronJob;
  /** The stored status of this very cron job. */
  readonly status?: StoredCronJobStatus | undefined;
  /** What the spec's schedule means, or why it means nothing. Deterministic: part of the snapshot as data is. */
  readonly schedule: Schedule | { readonly problem: string };
  /** Its runs, in any order. */
  readonly runs: readonly RunView[];
  /** The name of the run of an instant, and who has it. */
  readonly nameOf: (dueMs: number) => RunName;
  /** Milliseconds since 1970, the leader's wall clock. */
  readonly now: number;
}

/** The name of a run, and which service has it already: none, this cron job's run, or another one. */
export interface RunName {
  readonly name: string;
  readonly holder?: 'run' | 'another' | undefined;
}

/** What is to be done for a cron job. */
export interface CronJobPlan {
  readonly changes: readonly CronJobChange[];
  /** Times that were due and start nothing, to be told. */
  readonly skipped: readonly Skip[];
  /** When time alone may bring new changes. Milliseconds since 1970. */
  readonly lookAgainAt?: number | undefined;
}

/** Starts what is due and lets go of what is over. Pure: same snapshot, same plan. */
export function planCronJob(snapshot: CronJobSnapshot): CronJobPlan {
  const { cronJob, schedule, runs } = snapshot;
  const base = basisOf(snapshot);
  if (cronJob.metadata.deletingAt !== undefined) {
    if (runs.length === 0) return { changes: [{ kind: 'delete-cron-job' }], skipped: [] };
    const status = planDeletingStatus(base);
    const changes = [{ kind: 'write-status', status } as const, ...deletionOf(runs, 'deleting')];
    return { changes, skipped: [] };
  }
  if ('problem' in schedule) {
    const status = planStatus({ ...base, problem: schedule.problem });
    return { changes: [{ kind: 'write-status', status }], skipped: [] };
  }
  return planDue(snapshot, schedule, base);
}

/** A changed schedule, or one that was suspended, says nothing about the time before. */
function basisOf({ cronJob, status: previous, runs, now }: CronJobSnapshot): StatusInput {
  const { spec, metadata } = cronJob;
  const { timeZone, suspend } = effectiveCronJob(spec);
  const plan = `${spec.schedule} ${timeZone}${suspend ? ' suspended' : ''}`;
  const since = previous?.plan === plan ? previous.since : metadata.updatedAt;
  return { cronJob, previous, plan, since, runs, now };
}

function planDue(snapshot: CronJobSnapshot, schedule: Schedule, base: StatusInput): CronJobPlan {
  const { cronJob, status, runs, nameOf, now } = snapshot;
  const spec = effectiveCronJob(cronJob.spec);
  const isSamePlan = status?.plan === base.plan;
  const decidedUntil = Math.max(instantMs(base.since), instantMs(status?.lastTickAt));
  const awaited =
    isSamePlan && status.awaited !== undefined ? instantMs(status.awaited) : undefined;
  const tick = planTick({ spec, schedule, runs, decidedUntil, awaited, now });
  const start = startOf(tick.startMs, nameOf);
  const skipped = [...tick.skips, ...(start.skip ? [start.skip] : [])];
  const nextMs = spec.suspend ? undefined : schedule.next(Math.max(now, decidedUntil));
  const after = {
    ...base,
    nextMs,
    dueMs: tick.dueMs,
    awaitedMs: tick.awaitedMs,
    skip: skipped.at(-1),
  };
  const newStatus = planStatus({ ...after, started: start.run });
  const noted: CronJobChange = start.run
    ? { kind: 'start-run', ...start.run, missed: tick.missed, status: newStatus }
    : { kind: 'write-status', status: newStatus };
  return {
    changes: [noted, ...deletionOf(tick.replaced, 'replaced'), ...planHistory(runs, spec)],
    skipped,
    lookAgainAt: nextMs,
  };
}

interface Start {
  readonly run?: { readonly name: string; readonly dueMs: number };
  readonly skip?: Skip;
}

/** A name that a stranger has is no reason to wait for ever; a run that is there was started. */
function startOf(dueMs: number | undefined, nameOf: CronJobSnapshot['nameOf']): Start {
  if (dueMs === undefined) return {};
  const { name, holder } = nameOf(dueMs);
  if (holder === undefined) return { run: { name, dueMs } };
  if (holder === 'run') return {};
  const message = `another service is called ${name}`;
  return { skip: { dueMs, reason: 'NameTaken', message } };
}
