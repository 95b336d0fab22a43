import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  CRON_JOB,
  type Condition,
  type CronJob,
  type CronJobStatus,
  type JobStatus,
  type StoredCronJob,
} from '../../api/v1/index.js';
import { puts, runOfCronJob } from '../../pkg/objects/index.js';
import { BUILT_AT, aCronJob, type CronJobOptions } from '../../test/builders/objects.js';
import { SwarmctlFixture } from '../../test/fixtures/swarmctl.js';

let ctl: SwarmctlFixture;
beforeEach(async () => {
  ctl = await SwarmctlFixture.start();
});
afterEach(() => ctl.dispose());

const MANIFEST = `apiVersion: swarm/v1
kind: CronJob
metadata: { name: backup }
spec:
  schedule: '*/5 * * * *'
  job:
    task: { container: { image: 'app:1' } }
`;

const minute = (minutes: number, seconds = 0): string =>
  new Date(Date.parse(BUILT_AT) + (minutes * 60 + seconds) * 1000).toISOString();
const condition = (type: string, status: 'true' | 'false', reason: string): Condition => ({
  ...{ type, status, reason, message: `because of ${reason}` },
  changedAt: BUILT_AT,
});

/** Seen five minutes after all was made: one run went well at minute 1, the present one is of minute 4. */
const STATUS: CronJobStatus = {
  observedGeneration: 1,
  nextAt: minute(10),
  lastTickAt: minute(4),
  lastRun: { name: 'backup-4', scheduledAt: minute(4), startedAt: minute(4) },
  lastSucceededAt: minute(2),
  active: ['backup-4'],
  conditions: [condition('Scheduled', 'true', 'Waiting')],
};

const SUSPENDED: CronJobStatus = {
  observedGeneration: 1,
  active: [],
  conditions: [condition('Scheduled', 'false', 'Suspended')],
};
const SKIPPED: CronJobStatus = {
  ...STATUS,
  lastSkipped: {
    scheduledAt: minute(3),
    reason: 'ConcurrencyForbidden',
    message: 'backup-2 still goes on',
  },
};

async function put(options: CronJobOptions = {}, status: CronJobStatus = STATUS) {
  const cronJob = aCronJob(options);
  const { name, uid } = cronJob.metadata;
  const notes = { cronJobUid: uid, plan: '', since: BUILT_AT };
  await ctl.api.put(
    puts.cronJob(ctl.api.keys, cronJob),
    puts.cronJobStatus(ctl.api.keys, name, { ...status, ...notes }),
  );
  return cronJob;
}

async function putRun(
  cronJob: StoredCronJob,
  minutes: number,
  { ended, by = 'schedule' }: { ended?: 'Complete' | 'Failed'; by?: 'schedule' | 'hand' } = {},
) {
  const name = `${cronJob.metadata.name}-${by === 'hand' ? 'run-a1b2c3' : String(minutes)}`;
  const scheduledAt = by === 'hand' ? undefined : minute(minutes);
  const run = runOfCronJob(cronJob, { name, uid: name, scheduledAt, now: minute(minutes) });
  const job: JobStatus = {
    ...{ iteration: 1, total: 1, succeeded: ended === 'Complete' ? 1 : 0, active: 0, failed: 0 },
    startedAt: minute(minutes),
    ...(ended && { finishedAt: minute(minutes, 12) }),
  };
  const counts = { desired: 1, running: 1, updated: 1, pending: 0, failed: 0, revision: 1 };
  const conditions = ended ? [condition(ended, 'true', 'X')] : [];
  await ctl.api.put(
    puts.service(ctl.api.keys, run),
    puts.serviceStatus(ctl.api.keys, name, {
      ...{ serviceUid: name, observedGeneration: 1, ...counts, job, conditions },
    }),
  );
}

describe('get cronjobs', () => {
  it('shows when they ran and run, and whether they are suspended', async () => {
    await put();
    await put(
      { name: 'scrub', schedule: '@daily', timeZone: 'Europe/Berlin', suspend: true },
      SUSPENDED,
    );
    const { out } = await ctl.run('get cronjobs');
    const [heading, backup, scrub] = out.split('\n');
    expect(heading).toMatch(/^NAME +SCHEDULE +TIMEZONE +STATE +ACTIVE +LAST +NEXT +AGE$/);
    expect(backup).toMatch(/^backup +\*\/5 \* \* \* \* +UTC +Waiting +1 +1m ago +in 5m +5m$/);
    expect(scrub).toMatch(/^scrub +@daily +Europe\/Berlin +Suspended +0 +<none> +<none> +5m$/);
    expect((await ctl.run('get cj -o name')).out).toBe('cronjob/backup\ncronjob/scrub\n');
    expect((await ctl.run('get cj backup -o wide')).out).toMatch(/3m ago +allow +app:1\n/);
  });

  it('says when a time is overdue, because no manager leads', async () => {
    await put({}, { ...STATUS, nextAt: minute(2) });
    expect((await ctl.run('get cronjobs')).out).toContain('3m overdue');
  });
});

describe('describe cronjob', () => {
  it('tells its schedule, its last runs, and why it skipped one', async () => {
    const cronJob = await put(
      { concurrency: 'forbid', startingDeadline: '2m', job: { globalJob: {} } },
      SKIPPED,
    );
    await putRun(cronJob, 1, { ended: 'Complete' });
    await putRun(cronJob, 2, { ended: 'Failed', by: 'hand' });
    await putRun(cronJob, 4);
    const { out } = await ctl.run('describe cronjob backup');
    expect(out).toMatch(/^Schedule: +\*\/5 \* \* \* \* \(UTC\)$/m);
    expect(out).toMatch(/^Concurrency: +forbid \(a time is skipped while a run goes on\)$/m);
    expect(out).toMatch(/^Starts at most: +2m late$/m);
    expect(out).toMatch(/^Keeps: +3 completed and 1 failed run$/m);
    expect(out).toMatch(/^Job: +global job/m);
    expect(out).toMatch(/^Next run: +2026-01-01T00:10:00Z \(in 5m\)$/m);
    expect(out).toMatch(/^Last run: +backup-4, due 2026-01-01T00:04:00Z \(1m ago\)$/m);
    expect(out).toMatch(
      /^Last skipped: +2026-01-01T00:03:00Z \(2m ago\): ConcurrencyForbidden\n +backup-2 still goes on$/m,
    );
    expect(out.slice(out.indexOf('\nRuns:')).split('\n').slice(2, 6).join('\n')).toMatch(
      /NAME +DUE +STATE +COMPLETED +TOOK +AGE +MESSAGE\n +backup-4 .* running .*\n +backup-run-a1b2c3 +by hand +failed +0\/1 +12s +3m +because of X\n +backup-1 .* complete +1\/1 +12s +4m/,
    );
  });

  it('of one that never ran says so', async () => {
    await put({}, SUSPENDED);
    const { out } = await ctl.run('describe cj/backup');
    expect(out).toMatch(/^Suspended: +no$/m);
    expect(out).toMatch(/^Next run: +<none>$/m);
    expect(out).toMatch(/^Runs:\n +<none>$/m);
  });
});

describe('cronjob suspend and resume', () => {
  it('change the spec, and leave nothing behind in it', async () => {
    await put();
    expect(await ctl.run('cronjob suspend backup')).toMatchObject({
      code: 0,
      out: 'cronjob/backup suspended\n',
    });
    const client = await ctl.api.client();
    expect((await client.get('cronjobs', 'backup')).spec.suspend).toBe(true);
    expect((await ctl.run('cronjob suspend cronjob/backup')).out).toBe(
      'cronjob/backup is suspended already\n',
    );
    expect((await ctl.run('cronjob resume backup')).out).toBe('cronjob/backup resumed\n');
    expect((await client.get('cronjobs', 'backup')).spec).not.toHaveProperty('suspend');
  });

  it('name what is meant when there is no such cron job', async () => {
    await put();
    const { code, err } = await ctl.run('cronjob suspend bakup');
    expect(code).toBe(1);
    expect(err).toBe('error: cronjob/bakup not found; did you mean backup?\n');
  });
});

describe('cronjob create', () => {
  const stored = async (name: string) => {
    const { out } = await ctl.run(`get cronjob ${name} -o json`);
    return (JSON.parse(out) as CronJob).spec;
  };

  it('takes a schedule, and the flags of service create for what is run', async () => {
    const line =
      'cronjob create --name nightly --schedule @daily --time-zone Europe/Berlin --concurrency forbid --starting-deadline 10m --suspend --keep-successful 5 --keep-failed 2 -e A=b -l team=ops --restart-condition none app:1 run -v';
    expect((await ctl.run(line)).out).toBe('cronjob/nightly created\n');
    expect(await stored('nightly')).toEqual({
      schedule: '@daily',
      timeZone: 'Europe/Berlin',
      concurrency: 'forbid',
      startingDeadline: '10m',
      suspend: true,
      history: { successful: 5, failed: 2 },
      job: {
        labels: { team: 'ops' },
        mode: { replicatedJob: { totalCompletions: 1, maxConcurrent: 1 } },
        task: {
          container: { image: 'app:1', args: ['run', '-v'], env: { A: 'b' } },
          restartPolicy: { condition: 'none' },
        },
      },
    });
  });

  it('writes nothing that was not said', async () => {
    await ctl.run('cronjob create --name scrub --schedule @weekly --mode global-job scrub:1');
    expect(await stored('scrub')).toEqual({
      schedule: '@weekly',
      job: { mode: { globalJob: {} }, task: { container: { image: 'scrub:1' } } },
    });
  });

  it.each([
    ['app:1', '--schedule'],
    ['--schedule @daily --mode global app:1', 'mode must be replicated-job or global-job'],
    ['--schedule @daily --update-delay 5s app:1', 'update and rollback flags'],
    ['--schedule @daily --concurrency maybe app:1', 'allow'],
    ['--schedule @sometimes app:1', 'spec.schedule'],
  ])('refuses %s', async (line, why) => {
    const { code, err } = await ctl.run(`cronjob create --name bad ${line}`);
    expect(code).not.toBe(0);
    expect(err).toContain(why);
    expect((await ctl.run('get cronjobs -o name')).out).toBe('');
  });
});

describe('cronjob run', () => {
  it('prints the service that runs it', async () => {
    await put({ suspend: true });
    const { code, out } = await ctl.run('cronjob run backup');
    expect(code).toBe(0);
    expect(out).toMatch(/^service\/backup-run-[0-9a-f]{6} created\n$/);
    const { items } = await (await ctl.api.client()).list('services');
    expect(items[0]?.metadata.labels).toMatchObject({ [CRON_JOB]: 'backup' });
  });

  it('names what is meant when there is no such cron job', async () => {
    const { code, err } = await ctl.run('cronjob run backup');
    expect([code, err]).toEqual([1, 'error: cronjob/backup not found: there are no cronjobs\n']);
  });

  it.each([
    ['Complete', 0, /job complete: backup-run-\w+/],
    ['Failed', 1, /because of X/],
  ] as const)('waits for its end, which decides the exit code: %s', async (type, code, words) => {
    await put();
    let ended: Promise<void> | undefined;
    const outcome = await ctl.run('cronjob run backup --wait', {
      onOutput: (text) => {
        const [, name] = /service\/(\S+) created/.exec(text) ?? [];
        if (name !== undefined) ended ??= putEnd(name, type);
      },
    });
    await ended;
    expect(outcome.code).toBe(code);
    expect(`${outcome.out}${outcome.err}`).toMatch(words);
  });
});

async function putEnd(name: string, type: 'Complete' | 'Failed'): Promise<void> {
  const { metadata } = await (await ctl.api.client()).get('services', name);
  const job: JobStatus = {
    ...{ iteration: 1, total: 1, succeeded: 1, active: 0, failed: 0 },
    ...{ startedAt: BUILT_AT, finishedAt: BUILT_AT },
  };
  await ctl.api.put(
    puts.serviceStatus(ctl.api.keys, name, {
      ...{ serviceUid: metadata.uid ?? '', observedGeneration: 1, revision: 1 },
      ...{ desired: 0, running: 0, updated: 0, pending: 0, failed: 0, job },
      conditions: [condition(type, 'true', 'X')],
    }),
  );
}

describe('files of cron jobs', () => {
  it('are applied, compared, pruned and deleted', async () => {
    const file = await ctl.file('backup.yaml', MANIFEST);
    expect((await ctl.run(`diff -f ${file}`)).code).toBe(1);
    expect((await ctl.run(`apply -f ${file}`)).out).toBe('cronjob/backup created\n');
    expect((await ctl.run(`apply -f ${file}`)).out).toBe('cronjob/backup unchanged\n');
    expect(await ctl.run(`diff -f ${file}`)).toMatchObject({ code: 0, out: '' });
    await ctl.run('cronjob suspend backup');
    expect((await ctl.run(`diff -f ${file}`)).code).toBe(0);
    const other = await ctl.file('backup.yaml', MANIFEST.replace('*/5', '*/10'));
    const { code, out } = await ctl.run(`diff -f ${other}`);
    expect([code, out]).toEqual([1, expect.stringContaining('*/10')]);
    expect((await ctl.run(`delete -f ${file}`)).out).toBe('cronjob/backup deleting\n');
  });

  it('are refused with the line of what is wrong', async () => {
    const file = await ctl.file('backup.yaml', MANIFEST.replace('*/5 *', '*/5 24'));
    const { code, err } = await ctl.run(`apply -f ${file}`);
    expect(code).toBe(1);
    expect(err).toMatch(
      /backup\.yaml:5.*spec\.schedule.*hour is "24"; expected \*, numbers from 0 to 23/s,
    );
  });

  it('without a name are told all that is wrong', async () => {
    const file = await ctl.file(
      'backup.yaml',
      MANIFEST.replace('name: backup', '').replace('task:', 'tusk:'),
    );
    const { err } = await ctl.run(`apply -f ${file}`);
    expect(err).toContain('metadata.name');
    expect(err).toContain('spec.job.tusk');
  });

  it('are explained field by field', async () => {
    const { out } = await ctl.run('explain cronjob.spec');
    expect(out).toContain('concurrency');
    expect((await ctl.run('explain cronjob.spec.history.failed')).out).toMatch(/DEFAULT: +1$/m);
  });
});
