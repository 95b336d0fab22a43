import { describe, expect, it } from 'vitest';
import { SCHEDULED_AT, type StoredCronJobStatus } from '../../api/v1/index.js';
import { parseSchedule } from '../../pkg/cron/index.js';
import { runName, runOfCronJob } from '../../pkg/objects/index.js';
import { BUILT_AT, aCronJob, type CronJobOptions } from '../../test/builders/objects.js';
import { planCronJob, type CronJobPlan, type CronJobSnapshot } from './plan.js';
import type { CronJobChange } from './plan-changes.js';
import type { RunView } from './plan-runs.js';

/** Minutes (and seconds) after cron jobs were built, at which `*\/5 * * * *` has ticks at 5, 10, … */
const at = (minutes: number, seconds = 0): number =>
  Date.parse(BUILT_AT) + (minutes * 60 + seconds) * 1000;
const stamp = (minutes: number): string => new Date(at(minutes)).toISOString();

function aSnapshot(
  options: CronJobOptions,
  now: number,
  more: Partial<CronJobSnapshot> = {},
): CronJobSnapshot {
  const cronJob = aCronJob(options);
  const { schedule, timeZone } = cronJob.spec;
  return {
    cronJob,
    schedule: parseSchedule(schedule, timeZone),
    runs: [],
    nameOf: (dueMs) => ({ name: runName(cronJob.metadata.name, dueMs) }),
    now,
    ...more,
  };
}

interface RunOptions {
  readonly outcome?: RunView['outcome'];
  readonly deleting?: boolean;
  readonly byHand?: boolean;
}

/** The run of a tick. */
function run(minutes: number, { outcome, deleting, byHand }: RunOptions = {}): RunView {
  const name = byHand ? `by-hand-${String(minutes)}` : runName('backup', at(minutes));
  const scheduledAt = byHand ? undefined : stamp(minutes);
  const made = runOfCronJob(aCronJob(), { name, uid: name, scheduledAt, now: stamp(minutes) });
  const metadata = {
    ...made.metadata,
    version: 1,
    ...(deleting && { deletingAt: stamp(minutes) }),
  };
  return {
    service: { ...made, metadata },
    outcome,
    ...(outcome && { finishedAt: stamp(minutes + 1) }),
  };
}

/** Minutes of a run's tick instead of its name. */
const minutesOf = (name: string): string =>
  name.replace(/\d+$/, (digits) => String(Number(digits) - at(0) / 60_000));

function short(change: CronJobChange): string {
  switch (change.kind) {
    case 'start-run':
      return `start ${minutesOf(change.name)} missed ${String(change.missed)}`;
    case 'write-status':
      return 'status';
    case 'delete-run':
      return `delete ${minutesOf(change.service.metadata.name)} ${change.why}`;
    case 'delete-cron-job':
      return change.kind;
  }
}
/** Without the note that everything was looked at. */
const changesOf = (snapshot: CronJobSnapshot) =>
  planCronJob(snapshot)
    .changes.map(short)
    .filter((text) => text !== 'status');

function statusOf({ changes }: CronJobPlan): StoredCronJobStatus {
  for (const change of changes) {
    if (change.kind === 'start-run' || change.kind === 'write-status') {
      return { ...change.status, version: 1 };
    }
  }
  throw new Error('there is no status');
}
const after = (snapshot: CronJobSnapshot, now: number, more: Partial<CronJobSnapshot> = {}) => ({
  ...snapshot,
  status: statusOf(planCronJob(snapshot)),
  now,
  ...more,
});
const skipsOf = (snapshot: CronJobSnapshot) =>
  planCronJob(snapshot).skipped.map(
    ({ reason, dueMs }) => `${reason} ${String((dueMs - at(0)) / 60_000)}`,
  );

describe('planCronJob: ticks', () => {
  it('waits for the first one after the cron job was made', () => {
    const plan = planCronJob(aSnapshot({}, at(4, 59)));
    expect(plan.changes.map(short)).toEqual(['status']);
    expect(plan.lookAgainAt).toBe(at(5));
    expect(statusOf(plan)).toMatchObject({ nextAt: stamp(5), active: [], observedGeneration: 1 });
  });

  it('starts a run when it is due, under a name that follows from the time', () => {
    const plan = planCronJob(aSnapshot({}, at(5)));
    expect(plan.changes.map(short)).toEqual(['start backup-5 missed 0']);
    expect(plan.lookAgainAt).toBe(at(10));
    expect(statusOf(plan)).toMatchObject({
      lastTickAt: stamp(5),
      lastRun: { scheduledAt: stamp(5), startedAt: stamp(5) },
      nextAt: stamp(10),
      active: [runName('backup', at(5))],
    });
  });

  it('starts it once', () => {
    const first = aSnapshot({}, at(5));
    expect(changesOf(after(first, at(5, 1)))).toEqual([]);
    expect(changesOf(after(first, at(9, 59), { runs: [run(5)] }))).toEqual([]);
    // Also when its run is gone again, and when the next leader's clock is behind.
    expect(changesOf(after(first, at(4)))).toEqual([]);
  });

  it('does not start it again when its run is there and the note of it is lost', () => {
    const snapshot = aSnapshot({}, at(5), {
      runs: [run(5)],
      nameOf: () => ({ name: 'x', holder: 'run' }),
    });
    expect(changesOf(snapshot)).toEqual([]);
    expect(skipsOf(snapshot)).toEqual([]);
    expect(statusOf(planCronJob(snapshot)).lastTickAt).toBe(stamp(5));
  });

  it('makes up for what was missed once, with the newest', () => {
    const first = aSnapshot({}, at(5));
    const later = after(first, at(32, 10), { runs: [run(5, { outcome: 'complete' })] });
    expect(changesOf(later)).toEqual(['start backup-30 missed 4']);
    expect(planCronJob(later).lookAgainAt).toBe(at(35));
  });

  it('tells of very many as that', () => {
    const later = after(aSnapshot({ schedule: '* * * * *' }, at(1)), at(5_000));
    expect(changesOf(later)).toEqual(['start backup-5000 missed 100']);
  });

  it('makes up for nothing from before a change of the schedule', () => {
    const first = after(aSnapshot({}, at(5)), at(58));
    const changed = aSnapshot(
      { schedule: '*/10 * * * *', meta: { updatedAt: stamp(57) } },
      at(58),
      { status: first.status },
    );
    expect(changesOf(changed)).toEqual([]);
    expect(changesOf(after(changed, at(60)))).toEqual(['start backup-60 missed 0']);
    const relabelled = aSnapshot({ meta: { updatedAt: stamp(57) } }, at(58), {
      status: first.status,
    });
    expect(changesOf(relabelled)).toEqual(['start backup-55 missed 9']);
  });

  it('starts nothing while it is suspended, and makes up for nothing of that time', () => {
    const first = aSnapshot({}, at(5));
    const suspended = aSnapshot({ suspend: true, meta: { updatedAt: stamp(6) } }, at(12), {
      status: statusOf(planCronJob(first)),
    });
    expect(changesOf(suspended)).toEqual([]);
    expect(planCronJob(suspended).lookAgainAt).toBeUndefined();
    expect(statusOf(planCronJob(suspended))).toMatchObject({
      conditions: [{ type: 'Scheduled', status: 'false', reason: 'Suspended' }],
    });
    const resumed = aSnapshot({ meta: { updatedAt: stamp(31) } }, at(32), {
      status: statusOf(planCronJob(suspended)),
    });
    expect(changesOf(resumed)).toEqual([]);
    expect(changesOf(after(resumed, at(35)))).toEqual(['start backup-35 missed 0']);
  });

  it('skips what could not be started in time, for good', () => {
    const first = aSnapshot({ startingDeadline: '200s' }, at(5));
    expect(changesOf(after(first, at(13, 20)))).toEqual(['start backup-10 missed 0']);
    const late = after(first, at(13, 21));
    expect(changesOf(late)).toEqual([]);
    expect(skipsOf(late)).toEqual(['DeadlineMissed 10']);
    expect(statusOf(planCronJob(late))).toMatchObject({
      lastTickAt: stamp(10),
      lastSkipped: { scheduledAt: stamp(10), reason: 'DeadlineMissed' },
    });
    expect(skipsOf(after(late, at(13, 30)))).toEqual([]);
  });

  it('skips a time whose name another service has', () => {
    const snapshot = aSnapshot({}, at(5), { nameOf: () => ({ name: 'x', holder: 'another' }) });
    expect(changesOf(snapshot)).toEqual([]);
    expect(skipsOf(snapshot)).toEqual(['NameTaken 5']);
    expect(skipsOf(after(snapshot, at(6)))).toEqual([]);
  });

  it('says what is wrong with a schedule that is not understood here', () => {
    const snapshot = aSnapshot({}, at(5), { schedule: { problem: 'no such zone' } });
    expect(changesOf(snapshot)).toEqual([]);
    expect(statusOf(planCronJob(snapshot)).conditions).toMatchObject([
      { type: 'Scheduled', status: 'false', reason: 'InvalidSchedule', message: 'no such zone' },
    ]);
  });
});

describe('planCronJob: concurrency', () => {
  const going = (concurrency: 'allow' | 'forbid' | 'replace', more: RunOptions = {}) =>
    after(aSnapshot({ concurrency }, at(5)), at(10), { runs: [run(5, more)] });

  it('allows runs beside each other', () => {
    expect(changesOf(going('allow'))).toEqual(['start backup-10 missed 0']);
  });

  it('forbids: the time is skipped for good', () => {
    const snapshot = going('forbid');
    expect(changesOf(snapshot)).toEqual([]);
    expect(skipsOf(snapshot)).toEqual(['ConcurrencyForbidden 10']);
    const done = { runs: [run(5, { outcome: 'complete' })] };
    expect(changesOf(after(snapshot, at(12), done))).toEqual([]);
    expect(changesOf(after(snapshot, at(15), done))).toEqual(['start backup-15 missed 0']);
  });

  it.each(['forbid', 'replace'] as const)(
    '%s: what has ended is in nobody’s way',
    (concurrency) => {
      expect(changesOf(going(concurrency, { outcome: 'failed' }))).toEqual([
        'start backup-10 missed 0',
      ]);
    },
  );

  it('forbids beside a run by hand, and one that still goes', () => {
    const first = aSnapshot({ concurrency: 'forbid' }, at(5));
    const byHand = after(first, at(10), { runs: [run(7, { byHand: true })] });
    expect(skipsOf(byHand)).toEqual(['ConcurrencyForbidden 10']);
    const goes = after(first, at(10), { runs: [run(5, { outcome: 'complete', deleting: true })] });
    expect(skipsOf(goes)).toEqual(['ConcurrencyForbidden 10']);
  });

  it('replaces: the run before goes first, then the next one starts', () => {
    const snapshot = going('replace');
    expect(changesOf(snapshot)).toEqual(['delete backup-5 replaced']);
    expect(statusOf(planCronJob(snapshot))).toMatchObject({
      awaited: stamp(10),
      conditions: [{ reason: 'Replacing' }],
    });
    const stopping = after(snapshot, at(11), { runs: [run(5, { deleting: true })] });
    expect(changesOf(stopping)).toEqual([]);
    const gone = { ...stopping, runs: [] };
    expect(changesOf(gone)).toEqual(['start backup-10 missed 0']);
    expect(statusOf(planCronJob(gone)).awaited).toBeUndefined();
    expect(changesOf(after(gone, at(12), { runs: [run(10)] }))).toEqual([]);
  });

  it('replaces: a time that comes while the run before still stops takes its place', () => {
    const snapshot = going('replace');
    const next = after(snapshot, at(15), { runs: [run(5, { deleting: true })] });
    expect(changesOf(next)).toEqual([]);
    expect(skipsOf(next)).toEqual(['Superseded 10']);
    expect(changesOf({ ...after(next, at(16)), runs: [] })).toEqual(['start backup-15 missed 0']);
    const both = after(snapshot, at(15), { runs: [] });
    expect(changesOf(both)).toEqual(['start backup-15 missed 0']);
    expect(skipsOf(both)).toEqual(['Superseded 10']);
  });

  it('does not count the time that it waits as being late', () => {
    const first = aSnapshot({ concurrency: 'replace', startingDeadline: '10s' }, at(5));
    const due = after(first, at(10), { runs: [run(5)] });
    expect(changesOf({ ...after(due, at(12)), runs: [] })).toEqual(['start backup-10 missed 0']);
  });

  it('forgets what waits when it is suspended', () => {
    const due = going('replace');
    const suspended = aSnapshot({ suspend: true, meta: { updatedAt: stamp(11) } }, at(12), {
      status: statusOf(planCronJob(due)),
    });
    expect(changesOf(suspended)).toEqual([]);
    expect(statusOf(planCronJob(suspended)).awaited).toBeUndefined();
  });
});

describe('planCronJob: history', () => {
  const outcomes = (outcome: RunView['outcome'], ...minutes: readonly number[]) =>
    minutes.map((each) => run(each, { outcome }));

  it('keeps three completed and one failed run, the newest', () => {
    const runs = [
      ...outcomes('complete', 15, 5, 30, 20, 10),
      ...outcomes('failed', 25, 35),
      run(40),
    ];
    const snapshot = aSnapshot({ meta: { updatedAt: stamp(41) } }, at(42), { runs });
    expect(changesOf(snapshot)).toEqual([
      'delete backup-10 history',
      'delete backup-5 history',
      'delete backup-25 history',
    ]);
  });

  it('keeps as many as it is told, none included', () => {
    const runs = outcomes('complete', 5, 10);
    const history = { successful: 0, failed: 5 };
    const snapshot = aSnapshot({ history, meta: { updatedAt: stamp(11) } }, at(12), { runs });
    expect(changesOf(snapshot)).toHaveLength(2);
    expect(statusOf(planCronJob(snapshot)).lastSucceededAt).toBe(stamp(11));
  });

  it('remembers the last success when its run is gone', () => {
    const runs = outcomes('complete', 5);
    const first = aSnapshot({ meta: { updatedAt: stamp(6) } }, at(7), { runs });
    expect(statusOf(planCronJob(after(first, at(8), { runs: [] }))).lastSucceededAt).toBe(stamp(6));
  });
});

describe('planCronJob: deletion', () => {
  const deleting = { meta: { deletingAt: stamp(6) } };

  it('takes its runs along, finished or not, and then goes itself', () => {
    const runs = [run(5), run(0, { outcome: 'complete' }), run(1, { deleting: true })];
    const plan = planCronJob(aSnapshot(deleting, at(10), { runs }));
    expect(plan.changes.map(short)).toEqual([
      'status',
      'delete backup-5 deleting',
      'delete backup-0 deleting',
    ]);
    expect(statusOf(plan).conditions).toMatchObject([{ type: 'Deleting' }]);
    expect(changesOf(aSnapshot(deleting, at(10)))).toEqual(['delete-cron-job']);
  });
});

describe('runOfCronJob', () => {
  it('carries its time and its owner', () => {
    const cronJob = aCronJob({ job: { globalJob: { backoffLimit: 1 } } });
    const made = runOfCronJob(cronJob, {
      name: 'backup-5',
      uid: 'u',
      scheduledAt: stamp(5),
      now: stamp(6),
    });
    expect(made).toMatchObject({
      kind: 'Service',
      metadata: {
        name: 'backup-5',
        createdAt: stamp(6),
        labels: { 'swarm/cron-job': 'backup', [SCHEDULED_AT]: stamp(5) },
        ownedBy: { kind: 'CronJob', name: 'backup', uid: 'uid-backup' },
      },
      spec: { mode: { globalJob: { backoffLimit: 1 } }, task: { container: { image: 'app:1' } } },
    });
  });
});
