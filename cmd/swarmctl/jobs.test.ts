import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Condition, JobStatus, Service, Task } from '../../api/v1/index.js';
import { puts } from '../../pkg/objects/index.js';
import { BUILT_AT, aService, aTask, type TaskOptions } from '../../test/builders/objects.js';
import { SHOWN_AT, SwarmctlFixture } from '../../test/fixtures/swarmctl.js';
import { progressLines } from './progress/render-progress.js';
import { progressOf } from './progress/service-progress.js';

let ctl: SwarmctlFixture;
beforeEach(async () => {
  ctl = await SwarmctlFixture.start();
});
afterEach(() => ctl.dispose());

const JOB: JobStatus = {
  iteration: 1,
  total: 10,
  succeeded: 2,
  active: 3,
  failed: 1,
  startedAt: BUILT_AT,
};

const condition = (type: string, status: 'true' | 'false', message = ''): Condition => ({
  ...{ type, status, message, reason: 'X' },
  changedAt: BUILT_AT,
});
const RUNNING = [condition('Complete', 'false'), condition('Failed', 'false')];
const COMPLETE = [condition('Complete', 'true', '10 tasks completed')];
const FAILED = [condition('Failed', 'true', '7 failures, 6 allowed')];

interface StatusOptions {
  readonly job?: Partial<JobStatus>;
  readonly running?: number;
  readonly desired?: number;
  readonly conditions?: readonly Condition[];
}

const statusOf = ({ job, running = 3, desired = 3, conditions = RUNNING }: StatusOptions = {}) => ({
  observedGeneration: 1,
  revision: 1,
  desired,
  running,
  updated: running,
  pending: 0,
  failed: 0,
  job: { ...JOB, ...job },
  conditions: [...conditions],
});

const TEN = aService({ name: 'backup', job: { totalCompletions: 10, maxConcurrent: 3 } });

async function putJob(options: StatusOptions = {}, service = TEN): Promise<void> {
  const { name, uid } = service.metadata;
  await ctl.api.put(
    puts.service(ctl.api.keys, service),
    puts.serviceStatus(ctl.api.keys, name, { ...statusOf(options), serviceUid: uid }),
  );
}

describe('lists of jobs', () => {
  it("show Docker's numbers: running, at once, completed, total", async () => {
    await putJob();
    const { out } = await ctl.run('service ls');
    expect(out.split('\n')[1]).toMatch(/backup +replicated job +3\/3 \(2\/10 completed\) +app:1/);
    expect((await ctl.run('get services')).out).toContain('replicated-job   3/3 (2/10 completed)');
    expect((await ctl.run('service ls --filter mode=replicated-job -q')).out).not.toBe('');
  });

  it('show of a global job what is left and what is done', async () => {
    const options = { job: { total: 4, succeeded: 3 }, running: 1, desired: 1 };
    await putJob(options, aService({ name: 'scrub', globalJob: {} }));
    expect((await ctl.run('service ls')).out).toMatch(/global job +1\/1 \(3\/4 completed\)/);
  });

  it.each([
    [RUNNING, 'New'],
    [COMPLETE, 'Complete'],
    [FAILED, 'Failed'],
  ])('say how it is', async (conditions, expected) => {
    await putJob({ conditions });
    expect((await ctl.run('get services -o wide')).out).toContain(expected);
  });

  it("are in the form of Docker's API", async () => {
    await putJob({ job: { iteration: 3 } });
    const { out } = await ctl.run('service inspect backup');
    expect(JSON.parse(out)).toMatchObject([
      {
        Spec: { Mode: { ReplicatedJob: { MaxConcurrent: 3, TotalCompletions: 10 } } },
        ServiceStatus: { RunningTasks: 3, DesiredTasks: 3, CompletedTasks: 2 },
        JobStatus: { JobIteration: { Index: 2 }, LastExecution: BUILT_AT },
      },
    ]);
    const pretty = await ctl.run('service inspect --pretty backup');
    expect(pretty.out).toMatch(/ReplicatedJob\n Max Concurrent:\s+3\n Total Completions:\s+10/);
  });
});

describe('describe of a job', () => {
  it('tells its run and what it may take', async () => {
    const job = { totalCompletions: 10, maxConcurrent: 3, deadline: '1h', ttlAfterFinished: '10m' };
    await putJob({ conditions: FAILED }, aService({ name: 'backup', job }));
    const { out } = await ctl.run('describe service backup');
    expect(out).toContain(
      'replicated job, 10 tasks to complete, 3 at once; at most 6 failures; within 1h; deleted 10m after its end',
    );
    expect(out).toMatch(/Run: +1: 2 of 10 tasks completed, 1 failure\n/);
    expect(out).toMatch(/Started: +2026-01-01T00:00:00Z \(5m ago\)/);
    expect(out).toContain('7 failures, 6 allowed');
    expect(out).toMatch(/Restart: +when it fails, after 5s/);
    expect(out).not.toContain('Update by');
  });
});

describe('job run', () => {
  it('counts the forced runs up, with the reason', async () => {
    await putJob();
    const { code, out } = await ctl.run(['job', 'run', 'backup', '-m', 'once more']);
    expect([code, out]).toEqual([0, 'service/backup runs again\n']);
    const client = await ctl.api.client();
    const { spec, metadata } = await client.get('services', 'backup');
    expect(spec.task.forceUpdate).toBe(1);
    expect(metadata.annotations).toEqual({ 'swarm/change-cause': 'once more' });
    await ctl.run('job run service/backup');
    expect((await client.get('services', 'backup')).spec.task.forceUpdate).toBe(2);
  });

  it('refuses what is no job, and does nothing then', async () => {
    await putJob();
    await ctl.api.put(puts.service(ctl.api.keys, aService()));
    const { code, err } = await ctl.run('job run backup web');
    expect(code).toBe(2);
    expect(err).toContain('service/web is no job');
    const { spec } = await (await ctl.api.client()).get('services', 'backup');
    expect(spec.task.forceUpdate).toBeUndefined();
  });

  it('is what service update --force does', async () => {
    await putJob();
    await ctl.run('service update --force --detach backup');
    const { spec } = await (await ctl.api.client()).get('services', 'backup');
    expect(spec.task.forceUpdate).toBe(1);
  });
});

describe('waiting for a job', () => {
  it('reaches its end', async () => {
    await putJob({ conditions: COMPLETE });
    expect(await ctl.run('wait service/backup --for=complete')).toMatchObject({
      code: 0,
      out: 'service/backup complete\n',
    });
    await putJob({ conditions: FAILED });
    expect((await ctl.run('wait service/backup --for=failed')).code).toBe(0);
  });

  it('does not go on when it has ended otherwise', async () => {
    await putJob({ conditions: FAILED });
    const { code, err } = await ctl.run('wait service/backup --for=complete');
    expect(code).toBe(1);
    expect(err).toContain('service/backup will not be complete: it is failed: 7 failures');
  });

  it('says how far it is when time is up', async () => {
    await putJob();
    const { code, err } = await ctl.run('wait service/backup --for=complete --timeout 1ms');
    expect(code).toBe(3);
    expect(err).toContain('2 of 10 tasks completed after 1ms');
  });

  it('does not take the end of the run before for that of the next', async () => {
    const meta = { generation: 2 };
    const job = { totalCompletions: 10 };
    await putJob({ conditions: COMPLETE }, aService({ name: 'backup', job, meta }));
    expect((await ctl.run('wait service/backup --for=complete --timeout 1ms')).code).toBe(3);
  });

  it('is not for services that run for ever', async () => {
    await ctl.api.put(puts.service(ctl.api.keys, aService()));
    const { code, err } = await ctl.run('wait service/web --for=complete');
    expect(code).toBe(2);
    expect(err).toContain('service/web is no job');
  });
});

describe('scaling a job', () => {
  it('changes the completions, and says when that comes too late for the run', async () => {
    await putJob();
    expect((await ctl.run('scale backup=12')).err).toBe('');
    const { spec } = await (await ctl.api.client()).get('services', 'backup');
    expect(spec.mode).toEqual({ replicatedJob: { totalCompletions: 12, maxConcurrent: 3 } });
    await putJob({ conditions: COMPLETE, job: { finishedAt: BUILT_AT } });
    expect((await ctl.run('scale backup=13')).err).toContain('swarmctl job run backup');
  });
});

describe('progress of a job', () => {
  const service = (options: StatusOptions): Service => ({ ...TEN, status: statusOf(options) });
  const task = (slot: number, options: TaskOptions): Task => {
    const built = aTask({ slot, desiredState: 'complete', ...options });
    return { ...built.task, ...(built.status && { status: built.status }) };
  };
  const linesOf = (options: StatusOptions, ...tasks: readonly Task[]) =>
    progressLines(
      progressOf({
        name: 'backup',
        service: service(options),
        tasks,
        now: SHOWN_AT,
        nodeName: (id) => id,
      }),
      { columns: 80, rows: 24, paint: (_tone, text) => text, isOneOfMany: false },
    );

  it('shows completions, what is at work, and the slots that were begun', () => {
    const tasks = [
      task(10, { state: 'starting' }),
      task(1, { state: 'complete' }),
      task(2, { state: 'running' }),
      task(3, { state: 'complete', revision: 7 }),
    ];
    expect(linesOf({}, ...tasks)).toEqual([
      'job progress: 2 out of 10 complete',
      'active tasks: 3 out of 3 tasks',
      '1/10:  complete  [====================>]',
      '2/10:  running   [==================>  ]',
      '10/10: starting  [===============>     ]',
    ]);
  });

  it('ends with the job', () => {
    const options = { conditions: COMPLETE, running: 0, desired: 0, job: { succeeded: 10 } };
    expect(linesOf(options)).toEqual([
      'job progress: 10 out of 10 complete',
      'active tasks: 0 out of 0 tasks',
      'job complete: backup',
    ]);
  });

  it('ends the command with 0 when it completes and with 1 when it fails', async () => {
    await putJob({ conditions: COMPLETE, running: 0, desired: 0, job: { succeeded: 10 } });
    const file = JSON.stringify({
      apiVersion: 'swarm/v1',
      kind: 'Service',
      metadata: { name: 'backup' },
      spec: {
        mode: { replicatedJob: { totalCompletions: 10, maxConcurrent: 3 } },
        task: TEN.spec.task,
      },
    });
    const done = await ctl.run('apply -f - --wait', { stdin: file });
    expect(done.code).toBe(0);
    expect(done.out).toContain('job complete: backup');
    await putJob({ conditions: FAILED });
    const failed = await ctl.run('apply -f - --wait', { stdin: file });
    expect(failed.code).toBe(1);
    expect(failed.err).toContain('service/backup will not complete: 7 failures, 6 allowed');
  });
});

describe('service create', () => {
  it.each([
    ['--mode replicated-job --replicas 10 --max-concurrent 3', TEN.spec.mode],
    ['--mode replicated-job', { replicatedJob: { totalCompletions: 1, maxConcurrent: 1 } }],
    ['--mode global-job', { globalJob: {} }],
  ])('takes %s', async (flags, mode) => {
    const { code } = await ctl.run(`service create --name job --detach ${flags} app:1`);
    expect(code).toBe(0);
    expect((await (await ctl.api.client()).get('services', 'job')).spec.mode).toEqual(mode);
  });
});
