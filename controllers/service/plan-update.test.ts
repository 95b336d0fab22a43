import { describe, expect, it } from 'vitest';
import type { StoredTask, UpdatePolicy } from '../../api/v1/index.js';
import { isLive, type TaskView } from '../../pkg/lifecycle/index.js';
import {
  aGlobalNode,
  ServiceModel,
  type Fate,
  type ServiceModelOptions,
} from '../../test/fakes/service-model.js';
import type { ServiceChange } from './plan-changes.js';

/** A service of `replicas` tasks of app:1 that ran for long enough to be stable. */
function aModel(
  replicas: number,
  update: UpdatePolicy = {},
  options: ServiceModelOptions = {},
): ServiceModel {
  const { spec, ...rest } = options;
  const model = new ServiceModel({
    service: { replicas, restartPolicy: { delay: '0s' } },
    spec: { update, ...spec },
    ...rest,
  });
  model.settle();
  expect(model.status?.stable).toEqual([1]);
  return model;
}

/** Changes in a form that is easy to compare. */
function short(change: ServiceChange): string {
  if (change.kind === 'replace-task') {
    const { slot, forNode, desiredState, revision } = change.task;
    const stops = change.stopped.length === 0 ? 'beside' : 'replace';
    return `${stops} ${forNode ?? String(slot)} r${String(revision)} ${desiredState}`;
  }
  if (change.kind === 'set-desired-state') {
    return `${change.desiredState} ${change.task.task.metadata.name}`;
  }
  if (change.kind === 'create-task') return `create ${String(change.task.slot)}`;
  return change.kind;
}

/** What one look does, revisions apart. */
const look = (model: ServiceModel): readonly string[] =>
  model
    .look()
    .changes.map(short)
    .filter((text) => !text.includes('revision'));

/** One look, then everything else goes on until it stands still for lack of another one. */
function step(model: ServiceModel, only?: (view: TaskView) => boolean): readonly string[] {
  const changes = look(model);
  for (let round = 0; round < 6; round += 1) {
    model.nodesAct(only);
    model.lookAtSlots();
  }
  return changes;
}

const imageFate =
  (fates: Readonly<Record<string, Fate>>) =>
  (_task: StoredTask, image: string): Fate =>
    fates[image] ?? 'runs';

const inSlot = (model: ServiceModel, slot: number) =>
  model.live.filter(({ task }) => task.spec.slot === slot);

describe('2.7.1 a paused update', () => {
  it('does nothing until somebody says that it may go on', () => {
    const fateOf = imageFate({ bad: 'rejected' });
    const model = aModel(3, {}, { fateOf });
    model.apply({ image: 'bad' });
    model.settle({ untilMs: 60_000 });
    expect(model.update).toMatchObject({ state: 'paused', reason: 'TasksFailed' });
    expect(model.images).toEqual({ 'app:1': 2 });
    model.nowMs += 3_600_000;
    expect(step(model)).toEqual([]);
    model.order({ retries: 1 });
    expect(look(model)).toEqual(['replace 2 r2 ready']);
    expect(model.update).toMatchObject({ state: 'updating', attempt: 2, failed: [] });
  });

  it('is not set going by scaling (S5, S18)', () => {
    const model = aModel(3, {}, { fateOf: imageFate({ bad: 'rejected' }) });
    model.apply({ image: 'bad' });
    model.settle({ untilMs: 60_000 });
    model.apply({ replicas: 5 });
    expect(look(model)).toEqual(['create 4', 'create 5']);
    model.settle({ untilMs: 60_000 });
    expect(model.update?.state).toBe('paused');
    // What is not known to work does not spread either.
    expect(model.images).toEqual({ 'app:1': 4 });
  });

  it.each([
    ['another template', { image: 'app:3' }],
    ['a policy that continues', { update: { failureAction: 'continue' } }],
    ['a policy that tolerates as many', { update: { maxFailureRatio: 0.5 } }],
  ] as const)('goes on with %s', (_what, change) => {
    const fateOf = (task: StoredTask, image: string): Fate =>
      image === 'bad' && task.spec.slot === 1 ? 'rejected' : 'runs';
    const model = aModel(3, {}, { fateOf });
    model.apply({ image: 'bad' });
    model.settle({ untilMs: 60_000 });
    expect(model.update?.state).toBe('paused');
    model.apply(change);
    model.settle({ untilMs: 60_000 });
    expect(model.update?.state).toBe('completed');
  });
});

describe('2.7.2 slots that need an update', () => {
  it('are none when the service was never changed, and there is no update then', () => {
    const model = aModel(3);
    expect(model.update).toBeUndefined();
  });

  it('are those with a task too many: it is stopped', () => {
    const model = aModel(1);
    const [view] = model.tasks;
    model.tasks.push({
      ...view!,
      task: { ...view!.task, metadata: { ...view!.task.metadata, uid: 'twin' } },
    });
    expect(look(model)).toEqual(['shutdown web.1']);
  });

  it('end the update when none is left', () => {
    const model = aModel(3);
    model.apply({ image: 'app:2' });
    model.settle();
    expect(model.images).toEqual({ 'app:2': 3 });
    expect(model.update).toMatchObject({
      state: 'completed',
      from: 1,
      to: 2,
      tasks: 3,
      message: 'update completed',
    });
  });
});

describe('2.7.3 the beginning', () => {
  it('is recorded with the first tasks', () => {
    const model = aModel(2);
    model.apply({ image: 'app:2' });
    expect(look(model)).toEqual(['replace 1 r2 ready']);
    expect(model.update).toMatchObject({
      state: 'updating',
      attempt: 1,
      message: 'update in progress',
      startedAt: model.now,
    });
    expect(model.live.map(({ task }) => task.spec.attempt)).toContain(1);
  });

  it('is no change of replicas, labels or policy', () => {
    const model = aModel(2);
    model.apply({ replicas: 3 });
    model.apply({ update: { parallelism: 2 } });
    model.settle();
    expect(model.update).toBeUndefined();
    expect(model.revisions).toHaveLength(1);
  });
});

describe('2.7.4 the pace', () => {
  it.each([
    [undefined, 1],
    [1, 1],
    [3, 3],
    [0, 8],
    ['25%', 2],
    ['30%', 3],
    ['1%', 1],
    ['100%', 8],
  ] as const)('parallelism %j moves %i of 8 at once', (parallelism, expected) => {
    const model = aModel(8, parallelism === undefined ? {} : { parallelism });
    model.apply({ image: 'app:2' });
    expect(look(model)).toHaveLength(expected);
  });

  it('is the rollback policy on the way back', () => {
    const fateOf = (task: StoredTask, image: string): Fate =>
      image === 'bad' && task.spec.slot === 6 ? 'rejected' : 'runs';
    const model = aModel(
      6,
      { failureAction: 'rollback', parallelism: 6 },
      { fateOf, spec: { rollback: { parallelism: 2, order: 'start-first' } } },
    );
    model.apply({ image: 'bad' });
    expect(step(model)).toHaveLength(6);
    expect(step(model)).toEqual([
      'replace 6 r1 running', // nothing of it serves, so it waits for no turn
      'beside 1 r1 running',
    ]);
    expect(model.update?.state).toBe('rollback_started');
  });

  it('does not hold slots back of which nothing serves', () => {
    const model = aModel(
      6,
      { failureAction: 'rollback', parallelism: 6 },
      {
        fateOf: imageFate({ bad: 'rejected' }),
        spec: { rollback: { parallelism: 2, order: 'start-first' } },
      },
    );
    model.apply({ image: 'bad' });
    step(model);
    expect(look(model)).toHaveLength(6);
    expect(model.update?.state).toBe('rollback_started');
  });
});

describe('2.7.5 one slot', () => {
  it('with a task of the new revision in it only loses the others', () => {
    const model = aModel(2, { order: 'start-first' });
    model.apply({ image: 'app:2' });
    expect(step(model)).toEqual(['beside 1 r2 running']);
    expect(step(model)).toEqual(['shutdown web.1', 'beside 2 r2 running']);
  });

  it('stop-first: the new task is prepared, and starts when the old one has stopped', () => {
    const model = aModel(1);
    model.apply({ image: 'app:2' });
    expect(look(model)).toEqual(['replace 1 r2 ready']);
    const isNew = ({ task }: TaskView) => task.spec.revision === 2;
    for (let round = 0; round < 5; round += 1) {
      model.nodesAct(isNew);
      model.lookAtSlots();
    }
    expect(model.live.map(({ state }) => state)).toEqual(['ready']);
    model.nodesAct((view) => !isNew(view));
    model.lookAtSlots();
    model.nodesAct();
    expect(model.images).toEqual({ 'app:2': 1 });
  });

  it('stop-first: an old task that never stops holds the new one up for a minute (scenario 30)', () => {
    const model = aModel(1);
    model.apply({ image: 'app:2' });
    step(model, ({ task }) => task.spec.revision === 2);
    model.nowMs += 59_999;
    model.lookAtSlots();
    expect(model.live[0]?.task.spec.desiredState).toBe('ready');
    model.nowMs += 1;
    model.lookAtSlots();
    expect(model.live[0]?.task.spec.desiredState).toBe('running');
  });

  it('start-first: the old task stops when the new one runs, both serve meanwhile (scenario 31)', () => {
    const model = aModel(2, { order: 'start-first' });
    model.apply({ image: 'app:2' });
    expect(look(model)).toEqual(['beside 1 r2 running']);
    expect(inSlot(model, 1)).toHaveLength(2);
    expect(look(model)).toEqual([]);
    model.nodesAct();
    model.nodesAct();
    expect(model.images).toEqual({ 'app:1': 2, 'app:2': 1 });
    expect(model.status).toMatchObject({ running: 2, desired: 2 });
    expect(look(model)).toEqual(['shutdown web.1', 'beside 2 r2 running']);
    expect(inSlot(model, 1)).toHaveLength(1);
  });

  it('start-first: a new task that fails leaves the old one alone', () => {
    const model = aModel(2, { order: 'start-first' }, { fateOf: imageFate({ bad: 'rejected' }) });
    model.apply({ image: 'bad' });
    model.settle({ untilMs: 60_000 });
    expect(model.update).toMatchObject({ state: 'paused', failed: ['1'] });
    expect(model.live.map(({ task }) => model.imageOf(task))).toEqual(['app:1', 'app:1']);
  });

  it('waits for its new task without taking another slot', () => {
    const model = aModel(3, {}, { fateOf: imageFate({ 'app:2': 'stays' }) });
    model.apply({ image: 'app:2' });
    expect(step(model)).toEqual(['replace 1 r2 ready']);
    expect(step(model)).toEqual([]);
  });

  it('is over at once when nothing of it serves: it has nothing to lose', () => {
    const model = aModel(4);
    const [first, second] = model.running;
    model.end(first!);
    model.end(second!, 'rejected');
    model.apply({ image: 'app:2' });
    expect(look(model)).toEqual(['replace 1 r2 running', 'replace 2 r2 running']);
  });

  it('makes the next one wait for the delay', () => {
    const model = aModel(3, { delay: '10s', parallelism: 2 });
    model.apply({ image: 'app:2' });
    expect(step(model)).toEqual(['replace 1 r2 ready', 'replace 2 r2 ready']);
    const ranAt = model.nowMs;
    expect(step(model)).toEqual([]);
    expect(model.look().lookAgainAt).toBe(ranAt + 10_000);
    model.nowMs = ranAt + 9_999;
    expect(step(model)).toEqual([]);
    model.nowMs = ranAt + 10_000;
    expect(step(model)).toEqual(['replace 3 r2 ready']);
  });

  it('makes the next one wait for the delay after the new task came into service', () => {
    const model = aModel(2, { delay: '10s' }, { fateOf: imageFate({ 'app:2': 'unready' }) });
    model.apply({ image: 'app:2' });
    step(model);
    step(model);
    model.nowMs += 60_000;
    const fresh = model.running.find(({ task }) => task.spec.revision === 2);
    model.setReady(fresh!, true);
    expect(step(model)).toEqual([]);
    expect(model.look().lookAgainAt).toBe(model.nowMs + 10_000);
  });
});

describe('2.7.6 failures', () => {
  const fateOf = imageFate({ bad: 'fails' });

  it('pause the update, with the reason (scenario 29)', () => {
    const model = aModel(3, {}, { fateOf });
    model.apply({ image: 'bad' });
    model.settle({ untilMs: 30_000 });
    expect(model.update).toMatchObject({
      state: 'paused',
      message: 'update paused due to failure or early termination of task web.1: exit code 1',
    });
    // The second was on its way when the first, which had run for a moment, failed.
    expect(model.images['app:1']).toBe(1);
    expect(model.status?.conditions.find(({ type }) => type === 'Progressing')).toMatchObject({
      status: 'false',
      reason: 'UpdatePaused',
    });
  });

  it('do not matter with `continue`: all three are updated (scenario 29)', () => {
    const model = aModel(
      3,
      { failureAction: 'continue' },
      { fateOf: imageFate({ bad: 'rejected' }) },
    );
    model.apply({ image: 'bad' });
    for (let round = 0; round < 5; round += 1) step(model);
    expect(model.live.map(({ task }) => model.imageOf(task))).toEqual(['bad', 'bad', 'bad']);
    model.settle({ untilMs: 6_000 });
    expect(model.update?.state).toBe('completed');
    expect(model.status?.stable).toEqual([1]);
  });

  it.each([
    [0.1, 4, 'paused'],
    [0.25, 4, 'completed'],
    [0.24, 4, 'paused'],
  ] as const)('count against the ratio: %d of %i tasks', (maxFailureRatio, replicas, state) => {
    const onlyFirst = (task: StoredTask, image: string): Fate =>
      image === 'bad' && task.spec.slot === 1 && task.spec.updates !== undefined
        ? 'rejected'
        : 'runs';
    const model = aModel(replicas, { maxFailureRatio }, { fateOf: onlyFirst });
    model.apply({ image: 'bad' });
    model.settle({ untilMs: 60_000 });
    expect(model.update?.state).toBe(state);
  });

  it('count once for each slot, whatever becomes of its restarts', () => {
    const model = aModel(
      4,
      { maxFailureRatio: 0.25 },
      {
        fateOf: (task, image) => (image === 'bad' && task.spec.slot === 1 ? 'rejected' : 'runs'),
      },
    );
    model.apply({ image: 'bad' });
    model.settle({ untilMs: 60_000 });
    expect(model.update).toMatchObject({ state: 'completed', failed: ['1'] });
  });

  it('are remembered when the failed task is gone from the store', () => {
    const model = aModel(3, { maxFailureRatio: 0.4 }, { fateOf: imageFate({ bad: 'rejected' }) });
    model.apply({ image: 'bad' });
    step(model);
    step(model);
    expect(model.update?.failed).toEqual(['1']);
    model.tasks = model.tasks.filter((view) => isLive(view) || view.task.spec.slot !== 1);
    step(model);
    expect(model.update?.failed).toEqual(['1', '2']);
    expect(model.update?.state).toBe('paused');
  });

  it.each([
    [5_000, 'paused'],
    [5_001, 'completed'],
  ] as const)('count until the monitor is over: %i ms after running', (afterMs, state) => {
    const model = aModel(1);
    model.apply({ image: 'app:2' });
    step(model);
    step(model);
    model.nowMs += afterMs;
    const [fresh] = model.running;
    model.end(fresh!);
    step(model);
    model.settle({ untilMs: 60_000 });
    expect(model.update?.state).toBe(state);
  });

  it('count although it ran for long, when it never was healthy', () => {
    const model = aModel(2);
    model.apply({ image: 'app:2' });
    look(model);
    model.nodesAct();
    model.nowMs += 300_000;
    model.end(inSlot(model, 1)[0]!);
    expect(look(model)).toEqual([]);
    expect(model.update?.state).toBe('paused');
  });

  it('count until the monitor is over from the first time that the task served', () => {
    const unready = imageFate({ 'app:2': 'unready' });
    const model = aModel(1, { progressDeadline: '0s' }, { fateOf: unready });
    model.apply({ image: 'app:2' });
    step(model);
    step(model);
    model.nowMs += 300_000;
    model.setReady(model.running[0]!, true);
    model.nowMs += 5_000;
    model.setReady(model.running[0]!, false); // it is out of service before it is killed
    model.end(model.running[0]!);
    look(model);
    expect(model.update?.state).toBe('paused');
  });

  it('count although it ran for long, when it never served: it does not go on to the next slot', () => {
    const model = aModel(3, {}, { fateOf: imageFate({ 'app:2': 'unready' }) });
    model.apply({ image: 'app:2' });
    step(model);
    step(model);
    model.nowMs += 300_000;
    model.end(model.running.find(({ task }) => task.spec.revision === 2)!);
    expect(look(model)).toEqual([]);
    expect(model.update).toMatchObject({ state: 'paused', failed: ['1'] });
  });

  it.each([
    ['any', 'paused'],
    ['on-failure', 'completed'],
  ] as const)(
    'are early ends with code 0 as well, with restart condition %s',
    (condition, state) => {
      const model = new ServiceModel({
        service: { replicas: 1, restartPolicy: { condition, delay: '0s' } },
      });
      model.settle();
      model.apply({ image: 'app:2' });
      step(model);
      model.end(model.running[0]!, 'complete');
      step(model);
      model.settle({ untilMs: 60_000 });
      expect(model.update?.state).toBe(state);
    },
  );

  it('are none when people scale the task away', () => {
    const model = aModel(2, { parallelism: 2 });
    model.apply({ image: 'app:2' });
    step(model);
    model.apply({ replicas: 1 });
    model.settle({ untilMs: 60_000 });
    expect(model.update).toMatchObject({ state: 'completed', failed: [] });
  });

  it('are none of tasks that scaling made', () => {
    const model = aModel(
      2,
      {},
      {
        fateOf: (task, image) => (image === 'app:2' && task.spec.slot === 3 ? 'rejected' : 'runs'),
      },
    );
    model.apply({ image: 'app:2', replicas: 3 });
    model.settle({ untilMs: 60_000 });
    expect(model.update?.state).toBe('completed');
    expect(model.images).toEqual({ 'app:2': 2 });
  });

  it('never stop what is under way in a slot', () => {
    const model = aModel(
      3,
      { parallelism: 2 },
      {
        fateOf: (task, image) => (image === 'bad' && task.spec.slot === 1 ? 'rejected' : 'runs'),
      },
    );
    model.apply({ image: 'bad' });
    model.settle({ untilMs: 60_000 });
    expect(model.update?.state).toBe('paused');
    expect(model.images).toEqual({ 'app:1': 1, bad: 1 });
  });
});

describe('2.7.6 rollback after failures', () => {
  const fateOf = imageFate({ bad: 'rejected' });
  const policy = { failureAction: 'rollback' } as const;

  it('brings the tasks back, leaves the spec alone, and says why', () => {
    const model = aModel(3, policy, { fateOf });
    model.apply({ image: 'bad' });
    model.settle({ untilMs: 60_000 });
    expect(model.images).toEqual({ 'app:1': 3 });
    expect(model.service.spec.task.container.image).toBe('bad');
    expect(model.update).toMatchObject({
      state: 'rollback_completed',
      from: 2,
      to: 1,
      wanted: 2,
      cause: 'update rolled back due to failure or early termination of task web.1: no such image',
    });
    expect(model.status?.conditions.find(({ type }) => type === 'Progressing')).toMatchObject({
      reason: 'RolledBack',
    });
  });

  it('leaves replicas alone, and lets people scale meanwhile', () => {
    const model = aModel(3, policy, { fateOf });
    model.apply({ image: 'bad' });
    step(model);
    model.apply({ replicas: 5 });
    model.settle({ untilMs: 60_000 });
    expect(model.images).toEqual({ 'app:1': 5 });
    model.apply({ replicas: 6 });
    model.settle({ untilMs: 60_000 });
    expect(model.images).toEqual({ 'app:1': 6 });
    expect(model.update?.state).toBe('rollback_completed');
  });

  it('stays back until somebody wants something else', () => {
    const model = aModel(3, policy, { fateOf });
    model.apply({ image: 'bad' });
    model.settle({ untilMs: 60_000 });
    model.nowMs += 86_400_000;
    expect(step(model)).toEqual([]);
    model.apply({ image: 'app:3' });
    model.settle({ untilMs: 60_000 });
    expect(model.images).toEqual({ 'app:3': 3 });
    expect(model.update).toMatchObject({ state: 'completed', from: 1, to: 3 });
  });

  it('goes to the last revision that was stable, not just the one before', () => {
    const model = aModel(3, { ...policy, delay: '1m' }, { fateOf });
    model.apply({ image: 'app:2' });
    step(model);
    model.apply({ image: 'bad' });
    model.settle({ untilMs: 600_000 });
    expect(model.update).toMatchObject({ state: 'rollback_completed', from: 3, to: 1 });
    expect(model.images).toEqual({ 'app:1': 3 });
  });

  it('is never rolled back itself: it pauses', () => {
    const fates: Record<string, Fate> = { bad: 'rejected' };
    const model = aModel(
      3,
      { ...policy, parallelism: 2 },
      {
        fateOf: (task, image) => {
          if (task.spec.attempt === 2) return 'rejected';
          return fates[image] ?? 'runs';
        },
      },
    );
    model.apply({ image: 'bad' });
    model.settle({ untilMs: 30_000 });
    expect(model.update).toMatchObject({ state: 'rollback_paused', reason: 'TasksFailed' });
    expect(model.update?.message).toContain('rollback paused due to failure or early termination');
  });

  it('without an earlier revision pauses instead (S16, scenario 33)', () => {
    const model = aModel(2, policy, { fateOf, spec: { revisionHistoryLimit: 0 } });
    model.apply({ image: 'bad' });
    look(model);
    const status = model.status!;
    const { from: _from, ...update } = status.update!;
    model.status = { ...status, update };
    model.settle({ untilMs: 60_000 });
    expect(model.update?.state).toBe('paused');
    expect(model.update?.message).toContain('there is no earlier revision to go back to');
  });

  it('ends at once when nothing was replaced yet', () => {
    const model = aModel(2, { ...policy, order: 'start-first' }, { fateOf });
    model.apply({ image: 'bad' });
    model.settle({ untilMs: 60_000 });
    expect(model.update).toMatchObject({ state: 'rollback_completed', tasks: 0 });
    expect(model.tasks.filter(({ task }) => task.spec.revision === 1)).toHaveLength(2);
  });

  it('never stops what serves before its old task is back, start-first', () => {
    const model = aModel(
      4,
      { ...policy, maxFailureRatio: 0.3 },
      {
        fateOf: (task, image) =>
          image === 'bad' && [2, 3].includes(task.spec.slot) ? 'rejected' : 'runs',
        spec: { rollback: { order: 'start-first' } },
      },
    );
    model.apply({ image: 'bad' });
    for (let round = 0; round < 3; round += 1) step(model);
    expect(model.images).toEqual({ 'app:1': 1, bad: 1 });
    expect(look(model)).toEqual(['replace 2 r1 running', 'replace 3 r1 running']);
    expect(model.update?.state).toBe('rollback_started');
    model.nodesAct();
    model.nodesAct();
    expect(look(model)).toEqual(['beside 1 r1 running']);
  });
});

describe('2.7.7 the end', () => {
  it('comes when the last new tasks ran for the monitor', () => {
    const model = aModel(2, { parallelism: 2, monitor: '20s' });
    model.apply({ image: 'app:2' });
    step(model);
    const ranAt = model.nowMs;
    expect(model.look().lookAgainAt).toBe(ranAt + 20_000);
    expect(model.update?.state).toBe('updating');
    expect(model.status?.conditions.find(({ type }) => type === 'Progressing')?.reason).toBe(
      'Verifying',
    );
    model.nowMs = ranAt + 20_000;
    look(model);
    expect(model.update).toMatchObject({ state: 'completed', completedAt: model.now });
  });

  it('comes a second after the delay when that is not shorter than the monitor', () => {
    const model = aModel(1, { monitor: '5s', delay: '5s' });
    model.apply({ image: 'app:2' });
    step(model);
    expect(model.look().lookAgainAt).toBe(model.nowMs + 6_000);
    model.nowMs += 5_999;
    expect(model.look().status.update?.state).toBe('updating');
  });

  it('makes the revision stable', () => {
    const model = aModel(2);
    model.apply({ image: 'app:2' });
    model.settle();
    expect(model.status?.stable).toEqual([1, 2]);
  });

  it('is not the end while a new task is still watched that fails', () => {
    const model = aModel(1);
    model.apply({ image: 'app:2' });
    step(model);
    step(model);
    model.nowMs += 4_000;
    model.end(model.running[0]!);
    model.settle({ untilMs: 60_000 });
    expect(model.update?.state).toBe('paused');
  });
});

describe('2.7 dirty test', () => {
  const placed = (constraints: string[]) => ({
    task: { container: { image: 'app:1' }, placement: { constraints } },
  });

  it('is passed by an equal template under another number', () => {
    const model = aModel(3);
    model.apply({ image: 'app:2' });
    step(model);
    model.apply({ image: 'app:1' });
    model.settle();
    expect(model.revisions.map(({ revision }) => revision)).toEqual([1, 2, 3]);
    // Two of the three were never touched.
    expect(model.running.map(({ task }) => task.spec.revision).sort()).toEqual([1, 1, 3]);
    expect(model.status).toMatchObject({ updated: 3 });
    expect(model.update).toMatchObject({ to: 3, alike: [1] });
  });

  it('is passed by other constraints that the node of the task keeps', () => {
    const model = aModel(2);
    model.nodes = [aGlobalNode('n1')];
    const task = model.service.spec.task;
    model.apply({ task: { ...task, ...placed(['node.hostname == host-n1']).task } });
    model.settle();
    expect(model.running.map(({ task: { spec } }) => spec.revision)).toEqual([1, 1]);
    model.apply({ task: { ...task, ...placed(['node.hostname == other']).task } });
    expect(look(model)).toEqual(['replace 1 r3 ready']);
  });

  it('is passed by another way to pull, once the image is there', () => {
    const model = aModel(2);
    const { task } = model.service.spec;
    const container = { ...task.container, pullPolicy: 'never' as const };
    model.apply({ task: { ...task, container } });
    model.nodes = [aGlobalNode('n1')];
    model.settle();
    expect(model.running.map(({ task: { spec } }) => spec.revision)).toEqual([1, 1]);
  });

  it('keeps tasks that were pending when only a scale came (S4, scenario 13)', () => {
    const fates: Record<string, Fate> = { 'app:1': 'unplaced' };
    const model = new ServiceModel({
      service: { replicas: 2 },
      fateOf: (_task, image) => fates[image] ?? 'runs',
    });
    model.settle();
    model.apply({ replicas: 3 });
    model.settle();
    fates['app:1'] = 'runs';
    model.settle();
    expect(model.images).toEqual({ 'app:1': 3 });
    expect(model.tasks).toHaveLength(3);
  });
});

describe('progress deadline (S6, scenario 32)', () => {
  const fateOf = imageFate({ stuck: 'unplaced' });

  it('pauses an update whose task finds no node', () => {
    const model = aModel(2, { progressDeadline: '10m' }, { fateOf });
    model.apply({ image: 'stuck' });
    model.settle({ untilMs: 599_000 });
    expect(model.update?.state).toBe('updating');
    model.settle();
    expect(model.update).toMatchObject({
      state: 'paused',
      reason: 'ProgressDeadlineExceeded',
      message: 'update paused without progress for 10m',
    });
  });

  it('rolls back when the policy says so', () => {
    const model = aModel(2, { progressDeadline: '1m', failureAction: 'rollback' }, { fateOf });
    model.apply({ image: 'stuck' });
    model.settle();
    expect(model.update).toMatchObject({ state: 'rollback_completed', to: 1 });
    expect(model.images).toEqual({ 'app:1': 2 });
  });

  it('can be switched off', () => {
    const model = aModel(2, { progressDeadline: '0' }, { fateOf });
    model.apply({ image: 'stuck' });
    model.settle();
    model.nowMs += 86_400_000;
    model.settle();
    expect(model.update?.state).toBe('updating');
  });

  it('begins anew with each step, each order, and each leader', () => {
    const model = aModel(2, { progressDeadline: '1m' }, { fateOf });
    model.apply({ image: 'stuck' });
    look(model);
    model.nowMs += 59_000;
    model.order({ promoted: 9 });
    expect(model.look().lookAgainAt).toBe(model.nowMs + 60_000);
    model.nowMs += 59_000;
    model.leadingSince = model.nowMs;
    expect(model.look().lookAgainAt).toBe(model.nowMs + 60_000);
  });

  it('does not count the delay between tasks', () => {
    const model = aModel(2, { progressDeadline: '1m', delay: '1h' });
    model.apply({ image: 'app:2' });
    model.settle();
    expect(model.update?.state).toBe('completed');
  });

  it('with `continue` says so, and goes on when something moves', () => {
    const fates: Record<string, Fate> = { stuck: 'unplaced' };
    const model = aModel(
      2,
      { progressDeadline: '1m', failureAction: 'continue' },
      {
        fateOf: (_task, image) => fates[image] ?? 'runs',
      },
    );
    model.apply({ image: 'stuck' });
    model.settle();
    expect(model.update?.reason).toBe('ProgressDeadlineExceeded');
    fates['stuck'] = 'runs';
    model.settle();
    expect(model.update?.state).toBe('completed');
  });
});

describe('an update during an update (scenario 28)', () => {
  it('replaces what is on its way at once and wins', () => {
    const model = aModel(3, { parallelism: 2 }, { fateOf: imageFate({ 'app:2': 'stays' }) });
    model.apply({ image: 'app:2' });
    step(model);
    model.apply({ image: 'app:3' });
    expect(look(model)).toEqual(['replace 1 r3 running', 'replace 2 r3 running']);
    expect(model.update).toMatchObject({ attempt: 2, from: 1, to: 3, tasks: 3 });
    model.settle();
    expect(model.images).toEqual({ 'app:3': 3 });
  });

  it('stops a superseded new task that runs beside the old one, and keeps the old one', () => {
    const model = aModel(1, { order: 'start-first' }, { fateOf: imageFate({ 'app:2': 'stays' }) });
    model.apply({ image: 'app:2' });
    step(model);
    model.apply({ image: 'app:3' });
    expect(look(model)).toEqual(['replace 1 r3 running']);
    expect(model.live.map(({ task }) => model.imageOf(task))).toEqual(['app:1', 'app:3']);
  });

  it('waits until a superseded new task has stopped: never three at once', () => {
    const fateOf = imageFate({ 'app:2': 'unready' });
    const model = aModel(1, { order: 'start-first' }, { fateOf });
    model.apply({ image: 'app:2' });
    for (let round = 0; round < 4; round += 1) step(model);
    model.apply({ image: 'app:3' });
    expect(look(model)).toEqual(['replace 1 r3 ready']);
    model.lookAtSlots();
    expect(model.live.map(({ task }) => task.spec.desiredState)).toEqual(['running', 'ready']);
    model.nodesAct();
    model.lookAtSlots();
    expect(model.live.map(({ task }) => task.spec.desiredState)).toEqual(['running', 'running']);
  });
});

describe('orders of people', () => {
  it('pause: nothing new begins, what is under way ends; resume: it goes on', () => {
    const model = aModel(4, { parallelism: 2 });
    model.apply({ image: 'app:2' });
    look(model);
    model.order({ paused: true });
    for (let round = 0; round < 4; round += 1) step(model);
    expect(model.images).toEqual({ 'app:1': 2, 'app:2': 2 });
    expect(model.update).toMatchObject({ state: 'paused', reason: 'Ordered' });
    model.order({ paused: false });
    model.settle();
    expect(model.images).toEqual({ 'app:2': 4 });
    expect(model.update).toMatchObject({ state: 'completed', attempt: 1 });
  });

  it('pause: several changes of the template gather to one revision', () => {
    const model = aModel(2);
    model.order({ paused: true });
    model.apply({ image: 'app:2' });
    expect(step(model)).toEqual([]);
    model.apply({ image: 'app:3' });
    expect(step(model)).toEqual([]);
    expect(model.revisions).toHaveLength(1);
    expect(model.status?.conditions.find(({ type }) => type === 'Progressing')).toMatchObject({
      reason: 'UpdatePaused',
    });
    model.order({ paused: false });
    model.settle();
    expect(model.images).toEqual({ 'app:3': 2 });
    expect(model.revisions.map(({ revision }) => revision)).toEqual([1, 2]);
  });

  it('pause: a rollback waits as well', () => {
    const model = aModel(
      3,
      { failureAction: 'rollback' },
      { fateOf: imageFate({ bad: 'rejected' }) },
    );
    model.apply({ image: 'bad' });
    look(model);
    model.order({ paused: true });
    model.settle({ untilMs: 60_000 });
    expect(model.update).toMatchObject({ state: 'paused', reason: 'Ordered', failed: ['1'] });
    model.order({ paused: false });
    model.settle({ untilMs: 60_000 });
    expect(model.update?.state).toBe('rollback_completed');
  });

  it('abort: tasks go back where they came from; to go on later is possible', () => {
    const model = aModel(4, { parallelism: 1 });
    model.apply({ image: 'app:2' });
    step(model);
    step(model);
    model.order({ aborted: 2 });
    model.settle();
    expect(model.images).toEqual({ 'app:1': 4 });
    expect(model.update).toMatchObject({
      state: 'rollback_completed',
      cause: 'aborted by order',
      to: 1,
    });
    const { aborted: _aborted, ...rollout } = model.service.rollout!;
    model.service = { ...model.service, rollout };
    model.order({ retries: 1 });
    model.settle();
    expect(model.images).toEqual({ 'app:2': 4 });
  });

  it('undo: an older template under a new number, by the rollback policy', () => {
    const model = aModel(4, { parallelism: 1 }, { spec: { rollback: { parallelism: 4 } } });
    model.apply({ image: 'app:2' });
    model.settle();
    model.apply({ image: 'app:1' });
    model.order({ undo: 1 });
    expect(look(model)).toHaveLength(4);
    expect(model.update).toMatchObject({
      state: 'rollback_started',
      from: 2,
      to: 3,
      wanted: 3,
      cause: 'manually requested rollback',
    });
    model.settle();
    expect(model.update?.state).toBe('rollback_completed');
    expect(model.images).toEqual({ 'app:1': 4 });
    expect(model.status?.conditions.find(({ type }) => type === 'Progressing')?.reason).toBe(
      'Settled',
    );
  });

  it('undo of a rollback: what runs already stays, and counts as up to date', () => {
    const model = aModel(
      3,
      { failureAction: 'rollback' },
      { fateOf: imageFate({ bad: 'rejected' }) },
    );
    model.apply({ image: 'bad' });
    model.settle({ untilMs: 60_000 });
    const before = model.running.map(({ task }) => task.metadata.uid);
    model.apply({ image: 'app:1' });
    model.order({ undo: 1 });
    model.settle();
    expect(model.running.map(({ task }) => task.metadata.uid)).toEqual(before);
    expect(model.update).toMatchObject({ state: 'rollback_completed', to: 3, wanted: 3, tasks: 0 });
    expect(model.status).toMatchObject({ revision: 3, updated: 3 });
  });
});

describe('canary', () => {
  it.each([
    [2, 2],
    ['20%', 2],
    ['1%', 1],
  ] as const)('%j of 10 go first and wait for their promotion', (canary, expected) => {
    const model = aModel(10, { canary, parallelism: 5 });
    model.apply({ image: 'app:2' });
    model.settle();
    expect(model.images).toEqual({ 'app:1': 10 - expected, 'app:2': expected });
    expect(model.update).toMatchObject({
      state: 'paused',
      reason: 'AwaitingPromotion',
      message: `update waits for its promotion: ${String(expected)} of 10 tasks have revision 2`,
    });
    model.order({ promoted: 2 });
    model.settle();
    expect(model.images).toEqual({ 'app:2': 10 });
    expect(model.update?.state).toBe('completed');
  });

  it('does not spread by scaling', () => {
    const model = aModel(4, { canary: 1 });
    model.apply({ image: 'app:2' });
    model.settle();
    model.apply({ replicas: 8 });
    model.settle();
    expect(model.images).toEqual({ 'app:1': 7, 'app:2': 1 });
  });

  it('goes on by the pace of the update when promoted for another revision only', () => {
    const model = aModel(4, { canary: 1 });
    model.apply({ image: 'app:2' });
    model.settle();
    model.order({ promoted: 1 });
    expect(step(model)).toEqual([]);
  });

  it('is limited for slots that have nothing to lose as well', () => {
    const model = aModel(4, { canary: 1 });
    for (const view of model.running) model.end(view);
    model.apply({ image: 'app:2' });
    expect(look(model)).toEqual(['replace 1 r2 running']);
  });

  it('that fails is treated as any failure', () => {
    const model = aModel(
      4,
      { canary: 1, failureAction: 'rollback' },
      {
        fateOf: imageFate({ bad: 'rejected' }),
      },
    );
    model.apply({ image: 'bad' });
    model.settle({ untilMs: 60_000 });
    expect(model.update?.state).toBe('rollback_completed');
    expect(model.images).toEqual({ 'app:1': 4 });
  });

  it('has nothing to wait for when it is all there is', () => {
    const model = aModel(2, { canary: 5 });
    model.apply({ image: 'app:2' });
    model.settle();
    expect(model.update?.state).toBe('completed');
  });
});

describe('maxSurge and maxUnavailable', () => {
  it.each([
    [{ maxSurge: 2 }, ['beside 1', 'beside 2']],
    [{ maxUnavailable: 3 }, ['replace 1', 'replace 2', 'replace 3']],
    [{ maxSurge: 1, maxUnavailable: 1 }, ['beside 1', 'replace 2']],
    [{ maxSurge: '25%' }, ['beside 1', 'beside 2']],
    [{ maxUnavailable: '25%' }, ['replace 1']],
    [{ maxUnavailable: '1%' }, ['replace 1']],
  ] as const)('%j of 7', (update, expected) => {
    const model = aModel(7, update);
    model.apply({ image: 'app:2' });
    expect(look(model).map((text) => text.split(' ').slice(0, 2).join(' '))).toEqual(expected);
    model.settle();
    expect(model.images).toEqual({ 'app:2': 7 });
  });

  it('count every task that is missing, whatever the reason', () => {
    const model = aModel(4, { maxUnavailable: 1 });
    model.end(model.running[3]!);
    model.apply({ image: 'app:2' });
    // The broken one is replaced; it has nothing to lose. No other goes before it serves.
    expect(step(model)).toEqual(['replace 4 r2 running']);
    expect(step(model)).toEqual(['replace 1 r2 ready']);
  });

  it('never go on over failed tasks, even with `continue`', () => {
    const model = aModel(
      4,
      { maxUnavailable: 1, failureAction: 'continue', progressDeadline: '1m' },
      {
        fateOf: imageFate({ bad: 'rejected' }),
      },
    );
    model.apply({ image: 'bad' });
    model.settle({ untilMs: 600_000 });
    expect(model.images).toEqual({ 'app:1': 3 });
    expect(model.update?.reason).toBe('ProgressDeadlineExceeded');
  });
});

describe('start-first with failures that are tolerated', () => {
  it('tries a slot again after all others, with the back-off of its restart policy', () => {
    let broken = true;
    const model = aModel(
      3,
      { order: 'start-first', maxFailureRatio: 0.5 },
      {
        fateOf: (task, image) =>
          image === 'app:2' && task.spec.slot === 1 && broken ? 'rejected' : 'runs',
      },
    );
    model.apply({ image: 'app:2' });
    for (let round = 0; round < 6; round += 1) step(model);
    expect(model.images).toEqual({ 'app:1': 1, 'app:2': 2 });
    const [retry] = model.live.filter(({ task }) => task.spec.desiredState === 'ready');
    expect(retry?.task.spec.failures).toBeGreaterThan(0);
    broken = false;
    model.settle({ untilMs: 600_000 });
    expect(model.images).toEqual({ 'app:2': 3 });
    expect(model.update?.state).toBe('completed');
  });

  it('gives a slot up when its restart policy allows no more tries', () => {
    const model = new ServiceModel({
      service: { replicas: 2, restartPolicy: { condition: 'none' } },
      spec: { update: { order: 'start-first', failureAction: 'continue', progressDeadline: '1m' } },
      fateOf: (task, image) => (image === 'app:2' && task.spec.slot === 1 ? 'rejected' : 'runs'),
    });
    model.settle();
    model.apply({ image: 'app:2' });
    model.settle();
    expect(model.images).toEqual({ 'app:1': 1, 'app:2': 1 });
    expect(model.update?.reason).toBe('ProgressDeadlineExceeded');
  });
});

describe('scaling during an update', () => {
  it('up: new slots are of the new revision and hold nothing up', () => {
    const model = aModel(2, {}, { fateOf: imageFate({ 'app:2': 'stays' }) });
    model.apply({ image: 'app:2' });
    look(model);
    model.apply({ replicas: 4 });
    look(model);
    const fresh = model.live.filter(({ task }) => task.spec.slot > 2);
    expect(fresh.map(({ task }) => task.spec.revision)).toEqual([2, 2]);
    expect(model.update?.attempt).toBe(1);
  });

  it('down: to nothing, which ends it', () => {
    const model = aModel(4);
    model.apply({ image: 'app:2' });
    step(model);
    model.apply({ replicas: 0 });
    model.settle();
    expect(model.update?.state).toBe('completed');
    expect(model.live).toEqual([]);
  });
});

describe('global services', () => {
  const aGlobal = (update: UpdatePolicy = {}) => {
    const model = new ServiceModel({
      service: { global: true, restartPolicy: { delay: '0s' } },
      spec: { update },
      nodes: ['a', 'b', 'c', 'd'],
    });
    model.settle();
    return model;
  };

  it('go through the same updater', () => {
    const model = aGlobal({ parallelism: 2 });
    model.apply({ image: 'app:2' });
    expect(look(model)).toEqual(['replace a r2 ready', 'replace b r2 ready']);
    model.settle();
    expect(model.images).toEqual({ 'app:2': 4 });
    expect(model.update?.state).toBe('completed');
  });

  it('start-first: two tasks on a node for a while', () => {
    const model = aGlobal({ order: 'start-first' });
    model.apply({ image: 'app:2' });
    expect(look(model)).toEqual(['beside a r2 running']);
    model.settle();
    expect(model.images).toEqual({ 'app:2': 4 });
  });

  it('are not updated at once by whatever happens to a node (S20)', () => {
    const model = aGlobal();
    model.apply({ image: 'app:2' });
    expect(look(model)).toEqual(['replace a r2 ready']);
    model.nodes = model.nodes.map(({ node }) => ({ node, standing: 'available' }));
    expect(look(model)).toEqual([]);
  });

  it('catch up on a node that was paused, by the same updater', () => {
    const model = aGlobal();
    model.nodes = model.nodes.map((entry, index) =>
      index === 0 ? { ...entry, standing: 'paused' } : entry,
    );
    model.apply({ image: 'app:2' });
    model.settle();
    expect(model.images).toEqual({ 'app:1': 1, 'app:2': 3 });
    expect(model.update).toMatchObject({ state: 'completed', attempt: 1, tasks: 3 });
    model.nodes = model.nodes.map((entry) => ({ ...entry, standing: 'available' }));
    model.settle();
    expect(model.images).toEqual({ 'app:2': 4 });
    expect(model.update).toMatchObject({ state: 'completed', attempt: 2, tasks: 1 });
  });

  it('roll back', () => {
    const model = new ServiceModel({
      service: { global: true, restartPolicy: { delay: '0s' } },
      spec: { update: { failureAction: 'rollback' } },
      nodes: ['a', 'b'],
      fateOf: imageFate({ bad: 'rejected' }),
    });
    model.settle();
    model.apply({ image: 'bad' });
    model.settle({ untilMs: 60_000 });
    expect(model.update).toMatchObject({ state: 'rollback_completed', from: 2, to: 1 });
    expect(model.images).toEqual({ 'app:1': 2 });
  });
});

describe('history', () => {
  it('keeps as many revisions as it is told, and what an update still needs', () => {
    const model = aModel(1, {}, { spec: { revisionHistoryLimit: 2 } });
    for (let version = 2; version <= 7; version += 1) {
      model.apply({ image: `app:${String(version)}` });
      model.settle();
    }
    model.tasks = model.tasks.filter(isLive);
    model.settle();
    expect(model.revisions.map(({ revision }) => revision)).toEqual([4, 5, 6, 7]);
    expect(model.status?.stable).toEqual([4, 5, 6, 7]);
  });

  it('never loses the last stable one', () => {
    const model = aModel(
      1,
      { failureAction: 'continue' },
      {
        fateOf: imageFate({ 'app:1': 'runs' }),
        spec: { revisionHistoryLimit: 0 },
      },
    );
    for (let version = 2; version <= 5; version += 1) {
      model.apply({ image: `app:${String(version)}` });
      step(model);
      model.tasks = model.tasks.filter(isLive);
    }
    look(model);
    expect(model.revisions.map(({ revision }) => revision)).toContain(1);
  });
});
