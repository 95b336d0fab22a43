import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSchedule, type Schedule } from '../../pkg/cron/index.js';
import { runName, runOfCronJob } from '../../pkg/objects/index.js';
import { BUILT_AT, aCronJob, type CronJobOptions } from '../../test/builders/objects.js';
import { planCronJob, type CronJobPlan, type CronJobSnapshot } from './plan.js';
import type { CronJobChange } from './plan-changes.js';
import { isUnderWay, type RunView } from './plan-runs.js';

const MINUTE_MS = 60_000;

/** Reading them is what would take most of the time. */
const schedules = new Map<string, Schedule>();
function scheduleOf(text: string): Schedule {
  const known = schedules.get(text) ?? parseSchedule(text);
  schedules.set(text, known);
  return known;
}

/** A cron job, and what the store and the job controller make of its plans. */
class Model {
  runs: readonly RunView[] = [];
  options: CronJobOptions;
  /** How often each run was started, by name. */
  readonly started = new Map<string, number>();
  private status: CronJobSnapshot['status'];
  private updatedAt = BUILT_AT;
  private nowMs = Date.parse(BUILT_AT);

  constructor(options: CronJobOptions) {
    this.options = options;
  }

  get snapshot(): CronJobSnapshot {
    const cronJob = aCronJob({ ...this.options, meta: { updatedAt: this.updatedAt } });
    return {
      cronJob,
      status: this.status,
      schedule: scheduleOf(cronJob.spec.schedule),
      runs: this.runs,
      nameOf: (dueMs) => {
        const name = runName('backup', dueMs);
        const isThere = this.runs.some(({ service }) => service.metadata.name === name);
        return isThere ? { name, holder: 'run' } : { name };
      },
      now: this.nowMs,
    };
  }

  pass(ms: number): void {
    this.nowMs += ms;
  }

  change(options: CronJobOptions): void {
    this.options = { ...this.options, ...options };
    this.updatedAt = new Date(this.nowMs).toISOString();
  }

  /** Applies the first `limit` changes, as a crash does. */
  apply({ changes }: CronJobPlan, limit = Infinity): void {
    for (const change of changes.slice(0, limit)) this.applyOne(change);
  }

  end(index: number, outcome: 'complete' | 'failed'): void {
    const going = this.runs.filter(({ outcome: found }) => found === undefined);
    const chosen = going[index % Math.max(1, going.length)];
    const finishedAt = new Date(this.nowMs).toISOString();
    this.runs = this.runs.map((run) => (run === chosen ? { ...run, outcome, finishedAt } : run));
  }

  /** Runs that were told to go are gone. */
  collect(): void {
    this.runs = this.runs.filter(({ service }) => service.metadata.deletingAt === undefined);
  }

  private applyOne(change: CronJobChange): void {
    switch (change.kind) {
      case 'start-run': {
        const { name, dueMs } = change;
        this.started.set(name, (this.started.get(name) ?? 0) + 1);
        const now = new Date(this.nowMs).toISOString();
        const scheduledAt = new Date(dueMs).toISOString();
        const made = runOfCronJob(this.snapshot.cronJob, { name, uid: name, scheduledAt, now });
        const service = { ...made, metadata: { ...made.metadata, version: 1 } };
        this.runs = [...this.runs, { service }];
        this.status = { ...change.status, version: 1 };
        return;
      }
      case 'write-status':
        this.status = { ...change.status, version: 1 };
        return;
      case 'delete-run': {
        const { uid } = change.service.metadata;
        const deletingAt = new Date(this.nowMs).toISOString();
        this.runs = this.runs.map((run) =>
          run.service.metadata.uid === uid
            ? {
                ...run,
                service: { ...run.service, metadata: { ...run.service.metadata, deletingAt } },
              }
            : run,
        );
        return;
      }
      case 'delete-cron-job':
    }
  }
}

const options = fc.record({
  schedule: fc.constantFrom('* * * * *', '*/5 * * * *', '0,1 * * * *', '30 2 * * *'),
  concurrency: fc.constantFrom('allow', 'forbid', 'replace'),
  history: fc.record({ successful: fc.nat(3), failed: fc.nat(2) }),
});
const actions = fc.array(
  fc.tuple(
    fc.constantFrom(
      'pass',
      'pass',
      'long',
      'complete',
      'failed',
      'collect',
      'suspend',
      'resume',
      'crash',
      'reschedule',
    ),
    fc.nat(20),
  ),
  { maxLength: 40 },
);

function act(model: Model, kind: string, number: number): void {
  switch (kind) {
    case 'pass':
      model.pass(number * 20_000);
      return;
    case 'long':
      model.pass(number * 40 * MINUTE_MS);
      return;
    case 'complete':
    case 'failed':
      model.end(number, kind);
      return;
    case 'collect':
      model.collect();
      return;
    case 'suspend':
    case 'resume':
      model.change({ suspend: kind === 'suspend' });
      return;
    case 'reschedule':
      model.change({ schedule: number % 2 === 0 ? '*/7 * * * *' : '* * * * *' });
      return;
    case 'crash':
      model.apply(planCronJob(model.snapshot), number % 3);
  }
}

const deedsOf = (plan: CronJobPlan) => plan.changes.filter(({ kind }) => kind !== 'write-status');

describe('planCronJob, for any cron job and whatever happens', () => {
  it('starts each time once, one run at a look, and settles', () => {
    fc.assert(
      fc.property(options, actions, (wish, sequence) => {
        const model = new Model(wish);
        for (const [kind, number] of sequence) {
          act(model, kind, number);
          const plan = planCronJob(model.snapshot);
          expect(plan.changes.filter(({ kind: of }) => of === 'start-run').length).toBeLessThan(2);
          model.apply(plan);
          expect(deedsOf(planCronJob(model.snapshot))).toEqual([]);
          expect(Math.max(0, ...model.started.values())).toBeLessThan(2);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('never has two runs under way where that is not allowed', () => {
    const strict = options.filter(({ concurrency }) => concurrency !== 'allow');
    fc.assert(
      fc.property(strict, actions, (wish, sequence) => {
        const model = new Model(wish);
        for (const [kind, number] of sequence) {
          act(model, kind, number);
          model.apply(planCronJob(model.snapshot));
          expect(
            model.runs.filter(isUnderWay).filter(({ outcome }) => !outcome).length,
          ).toBeLessThan(2);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('loses no time while it looks often enough, and nothing is in the way', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 59_000 }), { minLength: 1, maxLength: 80 }),
        (steps) => {
          const model = new Model({ schedule: '* * * * *' });
          const start = model.snapshot.now;
          for (const ms of steps) {
            model.pass(ms);
            model.apply(planCronJob(model.snapshot));
          }
          const due = Math.floor((model.snapshot.now - start) / MINUTE_MS);
          expect(model.started.size).toBe(due);
        },
      ),
    );
  });

  it('does the same in whatever order runs come', () => {
    fc.assert(
      fc.property(options, actions, (wish, sequence) => {
        const model = new Model(wish);
        for (const [kind, number] of sequence) {
          act(model, kind, number);
          model.apply(planCronJob(model.snapshot));
        }
        model.pass(6 * MINUTE_MS);
        const { snapshot } = model;
        const turned = { ...snapshot, runs: [...snapshot.runs].reverse() };
        expect(textsOf(planCronJob(turned))).toEqual(textsOf(planCronJob(snapshot)));
      }),
      { numRuns: 100 },
    );
  });
});

const textsOf = ({ changes, ...rest }: CronJobPlan) => ({
  ...rest,
  changes: changes.map((change) => JSON.stringify(change)).sort(),
});
