import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CRON_JOB, type CronJob } from '../../api/v1/index.js';
import { InvalidObjectError } from '../base/index.js';
import type { SwarmClient } from '../client/index.js';
import { puts } from '../objects/index.js';
import { BUILT_AT, aCronJob, aService } from '../../test/builders/objects.js';
import { ApiFixture } from '../../test/fixtures/api.js';

let api: ApiFixture;
let admin: SwarmClient;

beforeEach(async () => {
  api = await ApiFixture.start();
  admin = await api.client();
});
afterEach(() => api.dispose());

/** A cron job as a person writes it. */
function wish(spec: Partial<CronJob['spec']> = {}, name = 'backup'): CronJob {
  return {
    apiVersion: 'swarm/v1',
    kind: 'CronJob',
    metadata: { name },
    spec: { schedule: '*/5 * * * *', job: { task: { container: { image: 'app:1' } } }, ...spec },
  };
}

const problemsOf = async (work: Promise<unknown>) => {
  const error: unknown = await work.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(InvalidObjectError);
  const { problems } = error as InvalidObjectError;
  return problems.map(({ path, message }) => `${path}: ${message}`);
};

describe('cron jobs', () => {
  it('are created, applied, patched and listed like any object', async () => {
    const { object } = await admin.apply('cronjobs', wish());
    expect(object.spec.job.mode).toEqual({ replicatedJob: {} });
    expect(object.status).toEqual({ observedGeneration: 0, active: [], conditions: [] });
    expect(object).not.toHaveProperty('applied');
    expect((await admin.apply('cronjobs', wish())).result).toBe('unchanged');
    await admin.patch('cronjobs', 'backup', { spec: { suspend: true } });
    // Who suspends it at night is not overruled by the next apply of a file that does not speak of it.
    const again = await admin.apply('cronjobs', wish({ schedule: '@hourly' }));
    expect(again.object.spec).toMatchObject({ suspend: true, schedule: '@hourly' });
    const suspended = await admin.list('cronjobs', { fieldSelector: 'spec.suspend=true' });
    expect(suspended.items).toHaveLength(1);
    await expect(admin.create('cronjobs', wish())).rejects.toMatchObject({
      code: 'ERR_ALREADY_EXISTS',
    });
  });

  it('show what the controller found, and keep its notes', async () => {
    const status = { observedGeneration: 1, active: ['backup-1'], conditions: [] };
    await api.put(
      puts.cronJob(api.keys, aCronJob()),
      puts.cronJobStatus(api.keys, 'backup', {
        ...status,
        cronJobUid: 'uid-backup',
        plan: '*/5 * * * * UTC',
        since: BUILT_AT,
      }),
    );
    expect((await admin.get('cronjobs', 'backup')).status).toEqual(status);
  });

  it('are deleted by the controller, which lets their runs go first', async () => {
    await admin.create('cronjobs', wish());
    const { result, object } = await admin.delete('cronjobs', 'backup');
    expect([result, typeof object.metadata.deletingAt]).toEqual(['deleting', 'string']);
    await expect(admin.delete('cronjobs', 'other')).rejects.toMatchObject({
      code: 'ERR_NOT_FOUND',
      message: 'there is no cronjob "other"',
    });
  });

  it.each([
    [{ schedule: '60 * * * *' }, 'spec.schedule: "60 * * * *" is not a schedule: minute is "60"'],
    [
      { schedule: '* * * *' },
      'expected five fields (minute, hour, day of month, month, day of week) or @yearly',
    ],
    [
      { schedule: '0 0 31 2 *' },
      'spec.schedule: "0 0 31 2 *" is not a schedule: there is no such date',
    ],
    [{ timeZone: 'Berlin' }, 'spec.timeZone: "Berlin" is not a time zone; expected a name such as'],
    [
      { job: { task: { container: { image: 'a' }, placement: { constraints: ['node.role='] } } } },
      'spec.job.task.placement.constraints[0]: ',
    ],
  ])('are refused with the path of what is wrong: %j', async (spec, words) => {
    const problems = await problemsOf(admin.create('cronjobs', wish(spec)));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(words);
  });
});

describe('running a cron job by hand', () => {
  it('makes a service that belongs to it, whatever its schedule says', async () => {
    const spec = wish({ suspend: true, job: { labels: { tier: 'db' }, ...wish().spec.job } });
    const { object: cronJob } = await admin.create('cronjobs', spec);
    const { result, object } = await admin.runCronJob('backup');
    expect(result).toBe('created');
    expect(object.metadata.name).toMatch(/^backup-run-[0-9a-z]{6}$/);
    expect(object.metadata).toMatchObject({
      labels: { tier: 'db', [CRON_JOB]: 'backup' },
      ownedBy: { kind: 'CronJob', name: 'backup', uid: cronJob.metadata.uid },
    });
    expect(object.spec).toEqual({ mode: { replicatedJob: {} }, task: wish().spec.job.task });
    expect(await admin.get('services', object.metadata.name)).toEqual(object);
    const selector = { fieldSelector: 'metadata.ownedBy=CronJob/backup' };
    expect((await admin.list('services', selector)).items).toHaveLength(1);
  });

  it('keeps the owner through every change of the run', async () => {
    await admin.create('cronjobs', wish());
    await admin.runCronJob('backup', 'backup-now');
    const { object } = await admin.patch('services', 'backup-now', {
      metadata: { labels: { seen: 'yes' } },
      spec: { task: { forceUpdate: 1 } },
    });
    expect(object.metadata.ownedBy?.name).toBe('backup');
  });

  it('runs nothing twice for a repeated request', async () => {
    await admin.create('cronjobs', wish());
    await admin.runCronJob('backup', 'backup-now');
    const again = await admin.runCronJob('backup', 'backup-now');
    expect(again.result).toBe('unchanged');
    expect((await admin.list('services')).items).toHaveLength(1);
  });

  it('only says what it would do in a dry run', async () => {
    await admin.create('cronjobs', wish());
    const { result, object } = await admin.runCronJob('backup', 'backup-now', { dryRun: true });
    expect([result, object.metadata.name]).toEqual(['created', 'backup-now']);
    expect((await admin.list('services')).items).toEqual([]);
  });

  it('is refused for a name that something else has, and for a cron job that is not there', async () => {
    await api.put(
      puts.cronJob(api.keys, aCronJob()),
      puts.service(api.keys, aService({ name: 'web' })),
    );
    await expect(admin.runCronJob('backup', 'web')).rejects.toMatchObject({
      code: 'ERR_ALREADY_EXISTS',
      message: 'service web exists already',
    });
    await expect(admin.runCronJob('other')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
    expect(await problemsOf(admin.runCronJob('backup', 'Not A Name'))).toHaveLength(1);
    await admin.delete('cronjobs', 'backup');
    await expect(admin.runCronJob('backup')).rejects.toMatchObject({
      code: 'ERR_CONFLICT',
      message: 'cronjob backup is being deleted',
    });
  });
});
