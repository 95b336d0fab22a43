import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Service, ServiceStatus, Task, UpdateStatus } from '../../../api/v1/index.js';
import { puts } from '../../../pkg/objects/index.js';
import { aService, aTask, type TaskOptions } from '../../../test/builders/objects.js';
import { SHOWN_AT, SwarmctlFixture } from '../../../test/fixtures/swarmctl.js';
import { progressLines, type DrawOptions } from './render-progress.js';
import { isThere, progressOf, troublesOf } from './service-progress.js';

const STATUS: ServiceStatus = {
  observedGeneration: 1,
  revision: 1,
  desired: 3,
  running: 1,
  updated: 1,
  pending: 1,
  failed: 1,
  conditions: [],
};
const condition = (status: 'true' | 'false', reason: string, message = '') => ({
  ...{ type: 'Progressing', status, reason, message },
  changedAt: '2026-01-01T00:00:00Z',
});
/** Two seconds before it is shown. */
const VERIFYING = { ...condition('true', 'Verifying'), changedAt: '2026-01-01T00:04:58.000Z' };
const service = (status: Partial<ServiceStatus> = {}): Service => ({
  ...aService({ replicas: 3 }),
  status: { ...STATUS, ...status },
});
const task = (options: TaskOptions): Task => {
  const built = aTask(options);
  return { ...built.task, ...(built.status && { status: built.status }) };
};
const snapshot = (of: Service | undefined, ...tasks: readonly Task[]) =>
  progressOf({ name: 'web', service: of, tasks, now: SHOWN_AT, nodeName: (id) => `host-${id}` });

const TASKS = [
  task({ state: 'running' }),
  task({
    slot: 2,
    state: 'rejected',
    desiredState: 'shutdown',
    status: { error: 'cannot pull x:1' },
  }),
  task({
    slot: 2,
    state: 'ready',
    desiredState: 'ready',
    createdAt: '2026-01-01T00:04:00.000Z',
    startAt: '2026-01-01T00:05:07.000Z',
  }),
  task({
    slot: 3,
    pending: { message: '0/2 nodes: 2 insufficient memory', since: '', filters: [] },
  }),
];
const draw = (more: Partial<DrawOptions> = {}): DrawOptions => ({
  columns: 80,
  rows: 24,
  paint: (_tone, text) => text,
  isOneOfMany: false,
  ...more,
});

describe('progressOf', () => {
  it.each([
    ['no service', undefined, 'failed'],
    ['a status of before the change', service({ observedGeneration: 0 }), 'waiting'],
    ['some missing', service(), 'working'],
    ['all running but some outdated', service({ running: 3, updated: 2 }), 'working'],
    ['all running and updated', service({ running: 3, updated: 3 }), 'converged'],
    ['what has completed', service({ conditions: [condition('false', 'Settled')] }), 'converged'],
    [
      'what has given up',
      service({ conditions: [condition('false', 'RestartsExhausted')] }),
      'failed',
    ],
    ['a paused update', service({ conditions: [condition('false', 'UpdatePaused')] }), 'failed'],
  ])('judges %s', (_what, of, kind) => {
    expect(snapshot(of).outcome.kind).toBe(kind);
  });

  const update = (more: Partial<UpdateStatus> = {}): UpdateStatus => ({
    ...{ state: 'updating', attempt: 1, from: 1, to: 2, wanted: 2, retries: 0, tasks: 3 },
    ...{ failed: [], startedAt: '2026-01-01T00:00:00Z', message: 'update in progress' },
    ...more,
  });
  const ofRevisions = (...revisions: readonly number[]) =>
    revisions.map((revision, index) => task({ slot: index + 1, state: 'running', revision }));

  it('counts in an update the tasks of the revision it brings, and says which slots wait', () => {
    const of = service({ revision: 2, running: 3, updated: 1, update: update() });
    const { running, slots, outcome } = snapshot(of, ...ofRevisions(2, 1, 1));
    expect({ running, kind: outcome.kind }).toEqual({ running: 1, kind: 'working' });
    expect(slots.map(({ state }) => state)).toEqual(['running', 'outdated', 'outdated']);
    expect(troublesOf(snapshot(of, ...ofRevisions(2, 1, 1)))).toEqual([]);
  });

  it('is not done before the new tasks were watched for long enough', () => {
    const conditions = [VERIFYING];
    const status = { revision: 2, running: 3, updated: 3, conditions };
    const watched = snapshot(service({ ...status, update: update() }), ...ofRevisions(2, 2, 2));
    expect(watched).toMatchObject({
      running: 3,
      outcome: {
        kind: 'working',
        note: 'verify: Waiting 3 seconds to verify that tasks are stable...',
      },
    });
    const early = snapshot(service({ ...status, update: update() }), ...ofRevisions(2, 2, 1));
    expect(early.outcome).toEqual({ kind: 'working' });
    const over = service({ ...status, update: update({ state: 'completed' }), conditions: [] });
    expect(snapshot(over, ...ofRevisions(2, 2, 2)).outcome).toEqual({ kind: 'converged' });
  });

  it('counts tasks of revisions that run the same, which an update leaves alone', () => {
    const of = service({ revision: 3, running: 3, update: update({ to: 3, alike: [1] }) });
    const { running, slots } = snapshot(of, ...ofRevisions(1, 2, 3));
    expect(running).toBe(2);
    expect(slots.map(({ state }) => state)).toEqual(['running', 'outdated', 'running']);
  });

  it('is there when the canaries are out, and says what a person has to say', () => {
    const why = 'update waits for its promotion: 1 of 3 tasks have revision 2';
    const paused = update({ state: 'paused', reason: 'AwaitingPromotion', message: why });
    const conditions = [condition('false', 'AwaitingPromotion', why)];
    const held = snapshot(service({ update: paused, conditions }), ...ofRevisions(2, 1, 1));
    expect(held.outcome).toEqual({ kind: 'held', why });
    expect(isThere(held)).toBe(true);
    expect(progressLines(held, draw({ columns: 120 })).at(-1)).toBe(
      `hold: ${why}; \`swarmctl rollout promote web\` or \`abort\``,
    );
  });

  it('follows a rollback, and fails when it is over', () => {
    const cause = '1 of 3 new tasks failed';
    const back = update({ state: 'rollback_started', from: 2, to: 1, cause });
    const status = { revision: 2, running: 3, updated: 1 };
    const going = snapshot(service({ ...status, update: back }), ...ofRevisions(1, 2, 1));
    expect(progressLines(going, draw())[0]).toBe(
      'overall progress: rolling back update: 2 out of 3 tasks',
    );
    expect(going).toMatchObject({
      running: 2,
      outcome: { kind: 'working', note: `rollback: ${cause}` },
    });
    const gone = update({ ...back, state: 'rollback_completed' });
    const conditions = [condition('false', 'RolledBack', `${cause}; tasks are of revision 1`)];
    expect(snapshot(service({ ...status, update: gone, conditions })).outcome).toEqual({
      kind: 'failed',
      why: `${cause}; tasks are of revision 1`,
    });
  });

  it('says of each slot why it does not go on', () => {
    expect(snapshot(service(), ...TASKS).slots).toEqual([
      { label: '1', state: 'running', note: '' },
      { label: '2', state: 'ready', note: 'next try in 7s: cannot pull x:1' },
      { label: '3', state: 'pending', note: '0/2 nodes: 2 insufficient memory' },
    ]);
    expect(troublesOf(snapshot(service()))).toEqual(['web.1 and 2 more: new']);
    const [one, two] = ['7', '9'].map((when) => ({
      label: when,
      state: 'ready',
      note: `next try in ${when}s: cannot pull x:1`,
    }));
    expect(troublesOf({ ...snapshot(service()), slots: [one!, two!] })).toEqual([
      'web.7 and 1 more: next try in 7s: cannot pull x:1',
    ]);
  });

  it('names the slots of global services by node', () => {
    const global: Service = { ...aService({ global: true }), status: { ...STATUS, desired: 1 } };
    const { wanted, slots } = snapshot(global, task({ slot: 0, forNode: 'n1', state: 'starting' }));
    expect({ wanted, slots }).toEqual({
      wanted: 1,
      slots: [{ label: 'host-n1', state: 'starting', note: '' }],
    });
  });
});

describe('progressLines', () => {
  it('draws a bar for every slot', () => {
    expect(progressLines(snapshot(service(), ...TASKS), draw()).join('\n')).toMatchInlineSnapshot(`
      "overall progress: 1 out of 3 tasks
      1/3: running   [====================>]
      2/3: ready     [==============>      ] next try in 7s: cannot pull x:1
      3/3: pending   [===>                 ] 0/2 nodes: 2 insufficient memory"
    `);
  });

  it('draws the end', () => {
    const done = snapshot(
      service({ running: 3, updated: 3 }),
      ...[1, 2, 3].map((slot) => task({ slot, state: 'running' })),
    );
    expect(progressLines(done, draw()).join('\n')).toMatchInlineSnapshot(`
      "overall progress: 3 out of 3 tasks
      1/3: running   [====================>]
      2/3: running   [====================>]
      3/3: running   [====================>]
      verify: Service web converged"
    `);
    expect(progressLines(done, draw({ isOneOfMany: true }))).toEqual([
      'web: overall progress: 3 out of 3 tasks',
      'verify: Service web converged',
    ]);
  });

  it('draws a rollback: the slots that wait, and why it goes back', () => {
    const update: UpdateStatus = {
      ...{ state: 'rollback_started', attempt: 2, from: 2, to: 1, wanted: 2, retries: 0, tasks: 3 },
      ...{ failed: [], startedAt: '2026-01-01T00:00:00Z', message: '', cause: 'web.1 failed' },
    };
    const of = service({ revision: 2, running: 3, updated: 2, update });
    const tasks = [1, 2, 2].map((revision, index) =>
      task({ slot: index + 1, state: 'running', revision }),
    );
    expect(progressLines(snapshot(of, ...tasks), draw()).join('\n')).toMatchInlineSnapshot(`
      "overall progress: rolling back update: 1 out of 3 tasks
      1/3: running   [====================>]
      2/3: outdated                          waits for its turn
      3/3: outdated                          waits for its turn
      rollback: web.1 failed"
    `);
  });

  it('never draws over the edge', () => {
    for (const columns of [12, 30, 44, 60]) {
      const lines = progressLines(snapshot(service(), ...TASKS), draw({ columns }));
      expect(Math.max(...lines.map((line) => Array.from(line).length))).toBeLessThanOrEqual(
        columns,
      );
    }
  });

  it('sums up when there are too many slots', () => {
    const many: Service = { ...aService({ replicas: 21 }), status: { ...STATUS, desired: 21 } };
    expect(progressLines(snapshot(many, ...TASKS), draw())).toEqual([
      'overall progress: 1 out of 21 tasks',
      '1 running, 1 ready, 1 pending, 18 new',
      'next try in 7s: cannot pull x:1',
      '0/2 nodes: 2 insufficient memory',
    ]);
  });
});

describe('waiting on the command line', () => {
  let ctl: SwarmctlFixture;
  beforeEach(async () => {
    ctl = await SwarmctlFixture.start();
  });
  afterEach(() => ctl.dispose());

  const WEB = JSON.stringify({
    apiVersion: 'swarm/v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { mode: { replicated: { replicas: 2 } }, task: { container: { image: 'app:1' } } },
  });

  /** Plays the controllers: so many tasks run. */
  async function run(running: number): Promise<void> {
    const { keys } = ctl.api;
    const { metadata } = await (await ctl.api.client()).get('services', 'web');
    const serviceUid = metadata.uid!;
    const tasks = [1, 2].map((slot) =>
      aTask({
        id: `task${String(slot)}`,
        slot,
        serviceUid,
        state: slot <= running ? 'running' : 'starting',
      }),
    );
    const status = {
      ...STATUS,
      serviceUid,
      desired: 2,
      running,
      updated: running,
      pending: 0,
      failed: 0,
    };
    await ctl.api.put(
      puts.serviceStatus(keys, 'web', status),
      ...tasks.flatMap((built) => [
        puts.task(keys, built.task),
        puts.taskStatus(keys, built.status!),
      ]),
    );
  }

  it('tells plain lines where nothing can be redrawn', async () => {
    const played: Promise<void>[] = [];
    const { code, out } = await ctl.run('apply -f - --wait', {
      stdin: WEB,
      onOutput: (text) => {
        if (text.endsWith('look at it\n') && played.length === 0) played.push(run(2));
      },
    });
    await Promise.all(played);
    expect(code).toBe(0);
    expect(out).toBe(
      [
        'service/web created',
        'overall progress: 0 out of 2 tasks; waiting for the leading manager to look at it',
        'overall progress: 2 out of 2 tasks',
        'verify: Service web converged',
        '',
      ].join('\n'),
    );
  });

  it('redraws on a terminal', async () => {
    const played: Promise<void>[] = [];
    const { code, out } = await ctl.run(
      ['service', 'create', '--name', 'web', '--replicas', '2', 'app:1'],
      {
        isTerminal: true,
        env: { NO_COLOR: '1' },
        onOutput: (text) => {
          if (text.includes('leading manager') && played.length === 0) played.push(run(1));
          if (text.includes('1 out of 2') && played.length === 1) played.push(run(2));
        },
      },
    );
    await Promise.all(played);
    expect(code).toBe(0);
    expect(out).toContain('\u001b[3A'); // back over the overall line and two slots
    expect(out).toMatch(/1\/2: running {3}\[={20}>\]/);
    expect(out).toContain('verify: Service web converged');
  });

  it('says what is missing when time is up', async () => {
    await ctl.run('apply -f -', { stdin: WEB });
    await run(1);
    const { code, err } = await ctl.run('apply -f - --wait --timeout 1ms', { stdin: WEB });
    expect(code).toBe(3);
    expect(err).toContain('not converged after 1ms: service/web has ');
  });

  it('leaves quietly when interrupted, and says that the cluster goes on', async () => {
    const interrupt = new AbortController();
    const { code, err } = await ctl.run('service create --name web app:1', {
      interrupted: interrupt.signal,
      onOutput: (text) => {
        if (text.includes('overall progress')) interrupt.abort(new Error('interrupted'));
      },
    });
    expect(code).toBe(130);
    expect(err).toBe(
      'Interrupted; the cluster goes on with it. `swarmctl get services` shows how far it is.\n',
    );
  });

  it('gives up when the service is deleted meanwhile', async () => {
    let deleted: Promise<unknown> | undefined;
    const { code, err } = await ctl.run('service create --name web app:1', {
      onOutput: (text) => {
        if (text.includes('overall progress')) deleted ??= ctl.run('delete service web');
      },
    });
    await deleted;
    expect(code).toBe(1);
    expect(err).toContain('service/web will not converge: the service is being deleted');
  });
});
