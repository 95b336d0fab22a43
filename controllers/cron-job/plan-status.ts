import type {
  Condition,
  CronJobStatus,
  StoredCronJob,
  StoredCronJobStatus,
} from '../../api/v1/index.js';
import { stampOf, type NewStatus, type Skip } from './plan-changes.js';
import { isUnderWay, type RunView } from './plan-runs.js';

/** What a status speaks of. */
export interface StatusInput {
  readonly cronJob: StoredCronJob;
  readonly previous?: StoredCronJobStatus | undefined;
  /** Schedule, time zone and suspension. */
  readonly plan: string;
  /** ISO 8601; see StoredCronJobStatus. */
  readonly since: string;
  readonly runs: readonly RunView[];
  /** Milliseconds since 1970, as all that follow. */
  readonly now: number;
  readonly nextMs?: number | undefined;
  /** What was due last, when that is new. */
  readonly dueMs?: number | undefined;
  readonly awaitedMs?: number | undefined;
  readonly skip?: Skip | undefined;
  readonly started?: { readonly name: string; readonly dueMs: number } | undefined;
  /** Why the schedule names no times. */
  readonly problem?: string | undefined;
}

/** The status of a cron job, with what it has to remember. */
export function planStatus(input: StatusInput): NewStatus {
  const { cronJob, previous, plan, since, now, nextMs, awaitedMs } = input;
  return {
    cronJobUid: cronJob.metadata.uid,
    plan,
    since,
    observedGeneration: cronJob.metadata.generation,
    ...(nextMs !== undefined && { nextAt: stampOf(nextMs) }),
    ...pastOf(input),
    active: activeNames(input),
    ...(awaitedMs !== undefined && { awaited: stampOf(awaitedMs) }),
    conditions: [stamped(scheduled(input), previous, stampOf(now))],
  };
}

type Past = Pick<CronJobStatus, 'lastTickAt' | 'lastRun' | 'lastSucceededAt' | 'lastSkipped'>;

/** What was, as far as it is known or was before. */
function pastOf(input: StatusInput): Past {
  const { previous, runs, dueMs, skip } = input;
  const past = {
    lastTickAt: dueMs === undefined ? previous?.lastTickAt : stampOf(dueMs),
    lastRun: startedRun(input) ?? previous?.lastRun,
    lastSucceededAt: latest(previous?.lastSucceededAt, successesOf(runs)),
    lastSkipped: skip ? skipOf(skip) : previous?.lastSkipped,
  };
  return Object.fromEntries(Object.entries(past).filter(([, value]) => value !== undefined));
}

const skipOf = ({ dueMs, reason, message }: Skip): CronJobStatus['lastSkipped'] => ({
  scheduledAt: stampOf(dueMs),
  reason,
  message,
});

/** The status of a cron job that is being deleted: it waits for its runs to go. */
export function planDeletingStatus({
  cronJob,
  previous,
  plan,
  since,
  runs,
  now,
}: StatusInput): NewStatus {
  const left = `${runs.length} ${runs.length === 1 ? 'run' : 'runs'} left to stop and remove`;
  const deleting = finding('Deleting', true, 'WaitingForRuns', left);
  return {
    cronJobUid: cronJob.metadata.uid,
    plan,
    since,
    observedGeneration: cronJob.metadata.generation,
    active: runs.map(({ service }) => service.metadata.name).sort(),
    conditions: [stamped(deleting, previous, stampOf(now))],
  };
}

function startedRun({ started, now }: StatusInput): CronJobStatus['lastRun'] {
  if (!started) return undefined;
  return {
    name: started.name,
    scheduledAt: stampOf(started.dueMs),
    startedAt: stampOf(now),
  };
}

function activeNames({ runs, started }: StatusInput): string[] {
  const names = runs.filter(isUnderWay).map(({ service }) => service.metadata.name);
  return [...new Set([...names, ...(started ? [started.name] : [])])].sort();
}

const successesOf = (runs: readonly RunView[]): readonly string[] =>
  runs.flatMap(({ outcome, finishedAt }) =>
    outcome === 'complete' && finishedAt !== undefined ? [finishedAt] : [],
  );

function latest(before: string | undefined, found: readonly string[]): string | undefined {
  return [...(before === undefined ? [] : [before]), ...found].sort().at(-1);
}

type Finding = Omit<Condition, 'changedAt'>;

function scheduled({ cronJob, nextMs, problem, awaitedMs, runs }: StatusInput): Finding {
  const say = (status: boolean, reason: string, message: string) =>
    finding('Scheduled', status, reason, message);
  if (problem !== undefined) return say(false, 'InvalidSchedule', problem);
  if (cronJob.spec.suspend)
    return say(false, 'Suspended', 'nothing is started until it is resumed');
  if (awaitedMs !== undefined) {
    const names = runs.filter(isUnderWay).map(({ service }) => service.metadata.name);
    const what = `the run of ${stampOf(awaitedMs)} waits for ${names.sort().join(', ')} to go`;
    return say(true, 'Replacing', what);
  }
  if (nextMs === undefined)
    return say(false, 'NoFurtherTime', 'its schedule names no further time');
  return say(true, 'Waiting', 'the next run starts when it is due');
}

function finding(type: string, status: boolean, reason: string, message: string): Finding {
  return { type, status: status ? 'true' : 'false', reason, message };
}

/** `changedAt` tells when the finding became what it is; another message alone does not move it. */
function stamped(
  condition: Finding,
  previous: StoredCronJobStatus | undefined,
  now: string,
): Condition {
  const before = previous?.conditions.find(({ type }) => type === condition.type);
  const isSame = before?.status === condition.status && before.reason === condition.reason;
  return { ...condition, changedAt: isSame ? before.changedAt : now };
}
