import { describe, expect, it } from 'vitest';
import { revisionTemplateOf, type StoredServiceStatus } from '../../api/v1/index.js';
import type { NodeStanding, TaskView } from '../../pkg/lifecycle/index.js';
import { schedulingNodeOf } from '../../pkg/lifecycle/index.js';
import { templateHash } from '../../pkg/objects/index.js';
import {
  aNode,
  aNodeHealth,
  aNodeStatus,
  aRevision,
  aService,
  aTask,
  BUILT_AT,
  type ServiceOptions,
  type TaskOptions,
} from '../../test/builders/objects.js';
import { planJob, type JobSnapshot } from './plan.js';
import type { JobChange } from './plan-changes.js';
import type { JobNode } from './plan-global.js';

/** An hour after everything was built. */
const NOW = '2026-01-01T01:00:00.000Z';
const at = (seconds: number): string => new Date(Date.parse(NOW) + seconds * 1000).toISOString();

const TEN: ServiceOptions = { job: { totalCompletions: 10, maxConcurrent: 3 } };

/** A snapshot of a job whose present template is its only revision. */
function aSnapshot(
  options: ServiceOptions,
  tasks: readonly TaskView[] = [],
  more: Partial<JobSnapshot> = {},
): JobSnapshot {
  const service = aService(options);
  return {
    service,
    templateHash: templateHash(revisionTemplateOf(service.spec)),
    revisions: [aRevision(service)],
    freeRevision: 2,
    tasks,
    nodes: [],
    lostNodes: new Set(),
    now: NOW,
    ...more,
  };
}

/** The same job told to run again. */
function again(options: ServiceOptions, tasks: readonly TaskView[]): JobSnapshot {
  const service = aService({ ...options, forceUpdate: 1 });
  return {
    ...aSnapshot(options, tasks),
    service,
    templateHash: templateHash(revisionTemplateOf(service.spec)),
    revisions: [aRevision(aService(options), 1), aRevision(service, 2)],
    freeRevision: 3,
  };
}

/** Changes in a form that is easy to compare. */
function short(change: JobChange): string {
  switch (change.kind) {
    case 'create-task': {
      const { slot, forNode, desiredState, revision, startAt } = change.task;
      const wait = startAt === undefined ? '' : ` at ${startAt.slice(11, 19)}`;
      return `create ${forNode ?? String(slot)} r${String(revision)} ${desiredState}${wait}`;
    }
    case 'set-desired-state':
      return `${change.desiredState} ${change.task.task.metadata.uid}`;
    case 'create-revision':
      return `create-revision ${String(change.revision)}`;
    case 'delete-revision':
      return `delete-revision ${String(change.revision.revision)}`;
    case 'expire-service':
    case 'delete-service':
      return change.kind;
  }
}
const changesOf = (snapshot: JobSnapshot) => planJob(snapshot).changes.map(short);
const conditionOf = (snapshot: JobSnapshot, type: string) =>
  planJob(snapshot).status.conditions.find((each) => each.type === type);
const verdictOf = (snapshot: JobSnapshot) => {
  const found = planJob(snapshot).status.conditions.filter(
    ({ type, status }) => status === 'true' && type !== 'Progressing',
  );
  return found.map(({ type, reason }) => `${type} ${reason}`).join();
};

/** A task of the run, told to complete. */
const task = (slot: number, more: TaskOptions = {}) =>
  aTask({ id: `t${String(slot)}`, slot, desiredState: 'complete', state: 'running', ...more });
const done = (slot: number, more: TaskOptions = {}) => task(slot, { state: 'complete', ...more });
/** Failed just now. */
const failed = (slot: number, more: TaskOptions = {}) =>
  task(slot, { state: 'failed', status: { appliedAt: NOW, error: 'exit code 1' }, ...more });
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

const stored = (snapshot: JobSnapshot): JobSnapshot => {
  const status = planJob(snapshot).status;
  const record: StoredServiceStatus = { ...status, serviceUid: 'uid-web', version: 1 };
  return { ...snapshot, status: record };
};

const aJobNode = (
  id: string,
  standing: NodeStanding = 'available',
  labels: Record<string, string> = {},
): JobNode => ({
  node: schedulingNodeOf({
    node: aNode(id, { labels }),
    status: aNodeStatus(id),
    health: aNodeHealth(id),
  }),
  standing,
});
const onNode = (id: string, more: TaskOptions = {}) =>
  task(0, { id: `t-${id}`, forNode: id, nodeId: id, ...more });

describe('2.8 replicated jobs', () => {
  it('makes the first revision together with as many tasks as may run at once', () => {
    const snapshot = aSnapshot(TEN, [], { revisions: [], freeRevision: 1 });
    expect(changesOf(snapshot)).toEqual([
      'create-revision 1',
      'create 1 r1 complete',
      'create 2 r1 complete',
      'create 3 r1 complete',
    ]);
  });

  it('fills the lowest slots that are not complete as others complete', () => {
    const tasks = [done(1), task(2), done(3), task(4)];
    expect(changesOf(aSnapshot(TEN, tasks))).toEqual(['create 5 r1 complete']);
  });

  it('makes no more than are left', () => {
    const tasks = [...range(1, 8).map((slot) => done(slot)), task(9)];
    expect(changesOf(aSnapshot(TEN, tasks))).toEqual(['create 10 r1 complete']);
  });

  it.each([
    [{}, ['create 1 r1 complete']],
    [{ totalCompletions: 2 }, ['create 1 r1 complete', 'create 2 r1 complete']],
    [{ maxConcurrent: 2 }, ['create 1 r1 complete', 'create 2 r1 complete']],
  ])("has Docker's defaults: %j", (job, expected) => {
    expect(changesOf(aSnapshot({ job }))).toEqual(expected);
  });

  it('is complete when every slot is, and does nothing then', () => {
    const snapshot = aSnapshot(
      TEN,
      range(1, 10).map((slot) => done(slot)),
    );
    expect(changesOf(snapshot)).toEqual([]);
    expect(verdictOf(snapshot)).toBe('Complete TasksCompleted');
    expect(planJob(snapshot).status.job).toEqual({
      iteration: 1,
      total: 10,
      succeeded: 10,
      active: 0,
      failed: 0,
      startedAt: BUILT_AT,
      finishedAt: NOW,
    });
  });

  it('leaves tasks alone that run beyond a lowered limit', () => {
    const tasks = range(1, 3).map((slot) => task(slot));
    const job = { totalCompletions: 10, maxConcurrent: 1 };
    expect(changesOf(aSnapshot({ job }, tasks))).toEqual([]);
  });

  it('runs no more than a lowered limit when another run takes the places of one that stops', () => {
    const tasks = range(1, 3).map((slot) => task(slot));
    const job = { totalCompletions: 10, maxConcurrent: 1 };
    const created = changesOf(again({ job }, tasks)).filter((text) => text.startsWith('create'));
    expect(created).toEqual(['create 1 r2 ready']);
  });

  it('lets slots go beyond the number of completions', () => {
    const tasks = [done(1), task(2), task(3), done(4)];
    expect(changesOf(aSnapshot({ job: { totalCompletions: 2 } }, tasks)).sort()).toEqual([
      'remove t3',
      'remove t4',
    ]);
  });

  it('stops a second task of a slot, and any in a slot that is complete', () => {
    const tasks = [
      task(1),
      task(1, { id: 'later', createdAt: '2026-01-01T00:00:09.000Z' }),
      done(2),
      task(2, { id: 'late' }),
    ];
    const job = { totalCompletions: 2 };
    expect(changesOf(aSnapshot({ job }, tasks))).toEqual(['shutdown t1', 'shutdown late']);
  });

  it('tells how far it is, of all completions (S23)', () => {
    const tasks = [
      done(1),
      task(2),
      task(3, { state: 'preparing' }),
      aTask({ id: 't4', slot: 4, desiredState: 'complete', restarts: 1, failures: 1 }),
    ];
    const job = { totalCompletions: 10, maxConcurrent: 3 };
    expect(planJob(aSnapshot({ job }, tasks)).status).toMatchObject({
      revision: 1,
      desired: 3,
      running: 1,
      pending: 1,
      failed: 1,
      job: { total: 10, succeeded: 1, active: 3, failed: 1 },
    });
    expect(conditionOf(aSnapshot({ job }, tasks), 'Complete')).toMatchObject({
      status: 'false',
      reason: 'InProgress',
      message: '1/10 tasks completed, 1 failure',
    });
  });

  it('does not take what was heard of a lost node for running', () => {
    const snapshot = aSnapshot(TEN, [task(1)], { lostNodes: new Set(['n1']) });
    expect(planJob(snapshot).status).toMatchObject({ running: 0, job: { active: 1 } });
    expect(conditionOf(snapshot, 'Progressing')?.reason).toBe('NodesLost');
  });
});

describe('planJob: failures', () => {
  it('tries again after the delay, in the same slot, and keeps its place among those at once', () => {
    const snapshot = aSnapshot(TEN, [failed(1), task(2), task(3)]);
    expect(changesOf(snapshot)).toEqual(['create 1 r1 ready at 01:00:05']);
    const [change] = planJob(snapshot).changes;
    expect(change).toMatchObject({
      task: { restarts: 1, failures: 1, lastFailure: 'failed' },
      after: { task: { metadata: { uid: 't1' } } },
    });
  });

  it('counts failures of all slots, also those whose tasks are gone', () => {
    const tasks = [task(1, { restarts: 3, failures: 3 }), failed(2, { restarts: 2 }), done(3)];
    expect(planJob(aSnapshot(TEN, tasks)).status.job?.failed).toBe(6);
  });

  it('fails with the failure after the last one that is allowed, and stops what runs', () => {
    const tasks = [task(1, { restarts: 3 }), failed(2, { restarts: 3 }), done(3)];
    const snapshot = aSnapshot(TEN, tasks);
    expect(verdictOf(snapshot)).toBe('Failed BackoffLimitExceeded');
    expect(conditionOf(snapshot, 'Failed')?.message).toBe(
      '7 failures, 6 allowed; last failure: web.2: exit code 1',
    );
    expect(changesOf(snapshot)).toEqual(['shutdown t1', 'shutdown t2']);
    expect(planJob(snapshot).status).toMatchObject({ desired: 0, failed: 9 });
  });

  it('tries nothing twice with a limit of 0', () => {
    const job = { totalCompletions: 2, backoffLimit: 0 };
    expect(verdictOf(aSnapshot({ job }, [failed(1), task(2)]))).toBe('Failed BackoffLimitExceeded');
  });

  it('scenario 41: fails when the restart policy allows no further try', () => {
    const none: ServiceOptions = { ...TEN, restartPolicy: { condition: 'none' } };
    expect(verdictOf(aSnapshot(none, [failed(1), task(2)]))).toBe('Failed RestartsExhausted');
    const three: ServiceOptions = { ...TEN, restartPolicy: { maxAttempts: 3 } };
    expect(verdictOf(aSnapshot(three, [failed(1, { restarts: 2 })]))).toBe('');
    const snapshot = aSnapshot(three, [failed(1, { restarts: 3 })]);
    expect(verdictOf(snapshot)).toBe('Failed RestartsExhausted');
    expect(changesOf(snapshot)).toEqual(['shutdown t1']);
  });

  it.each(['any', 'on-failure'] as const)(
    'never runs again what ended well, with condition %s',
    (condition) => {
      const snapshot = aSnapshot({ job: {}, restartPolicy: { condition } }, [done(1)]);
      expect(changesOf(snapshot)).toEqual([]);
    },
  );

  it('fails at its deadline, to which it looks ahead', () => {
    const job = { totalCompletions: 2, deadline: '1h' };
    const tasks = [task(1), done(2)];
    expect(planJob(aSnapshot({ job }, tasks, { now: at(-1) })).lookAgainAt).toBe(Date.parse(NOW));
    const snapshot = aSnapshot({ job }, tasks);
    expect(verdictOf(snapshot)).toBe('Failed DeadlineExceeded');
    expect(conditionOf(snapshot, 'Failed')?.message).toBe('1 of 2 tasks completed within 1h');
    expect(changesOf(snapshot)).toEqual(['shutdown t1']);
    expect(planJob(snapshot).lookAgainAt).toBeUndefined();
  });

  it('keeps its verdict whatever becomes of the numbers', () => {
    const ended = stored(aSnapshot({ job: { backoffLimit: 0 } }, [failed(1)]));
    const raised = aService({ job: { backoffLimit: 9, totalCompletions: 4 } });
    const snapshot = { ...ended, service: raised };
    expect(verdictOf(snapshot)).toBe('Failed BackoffLimitExceeded');
    expect(changesOf(snapshot)).toEqual(['shutdown t1']);
    const complete = stored(aSnapshot({ job: {} }, [done(1)]));
    const scaled = { ...complete, service: aService({ job: { totalCompletions: 4 } }) };
    expect(changesOf(scaled)).toEqual([]);
    expect(verdictOf(scaled)).toBe('Complete TasksCompleted');
  });

  it('keeps the instant at which it ended', () => {
    const ended = stored(aSnapshot({ job: {} }, [done(1)]));
    const later = planJob({ ...ended, now: at(60) }).status;
    expect(later.job?.finishedAt).toBe(NOW);
    expect(later.conditions).toEqual(ended.status?.conditions);
  });
});

describe('planJob: drain and loss of nodes', () => {
  it.each(['none', 'on-failure'] as const)(
    'moves a task without counting a failure, at once, with condition %s',
    (condition) => {
      const moved = task(1, { state: 'shutdown', desiredState: 'shutdown', restarts: 2 });
      const options = { ...TEN, restartPolicy: { condition, delay: '1m' } };
      const snapshot = aSnapshot(options, [moved, task(2), task(3)]);
      expect(changesOf(snapshot)).toEqual(['create 1 r1 complete']);
      expect(planJob(snapshot).changes[0]).toMatchObject({ task: { restarts: 2 } });
    },
  );

  it('prepares the next try while the task that has to move still stops, one for one', () => {
    const moving = task(1, { desiredState: 'shutdown' });
    const snapshot = aSnapshot(TEN, [moving, task(2), task(3)]);
    // It was told to stop an hour ago: it keeps no place any more, but its slot waits for it.
    expect(changesOf(snapshot)).toEqual(['create 1 r1 ready']);
    expect(changesOf(aSnapshot(TEN, [moving, task(2), task(3), task(4)]))).toEqual([]);
    const recently = {
      ...moving,
      task: { ...moving.task, metadata: { ...moving.task.metadata, updatedAt: at(-1) } },
    };
    expect(changesOf(aSnapshot(TEN, [recently, task(2), task(3)]))).toEqual(['create 1 r1 ready']);
  });

  it('does not wait for tasks on lost nodes to stop', () => {
    const moving = task(1, { desiredState: 'shutdown' });
    const recently = {
      ...moving,
      task: { ...moving.task, metadata: { ...moving.task.metadata, updatedAt: at(-1) } },
    };
    const snapshot = aSnapshot(TEN, [recently, task(2)], { lostNodes: new Set(['n1']) });
    expect(changesOf(snapshot)).toEqual(['create 1 r1 complete', 'create 3 r1 complete']);
  });

  it('replaces a task whose node was removed', () => {
    const orphan = task(1, { state: 'orphaned', desiredState: 'shutdown' });
    expect(changesOf(aSnapshot({ job: {} }, [orphan]))).toEqual(['create 1 r1 complete']);
  });
});

describe('planJob: runs', () => {
  it('scenario 40: another run lets tasks of the one before go, and fills fresh slots', () => {
    const tasks = [
      task(1, { state: 'ready' }),
      done(2),
      failed(3, { desiredState: 'shutdown', restarts: 5 }),
    ];
    const job = { totalCompletions: 3, maxConcurrent: 1 };
    const snapshot = again({ job }, tasks);
    expect(changesOf(snapshot)).toEqual(['remove t1', 'create 1 r2 ready']);
    expect(planJob(snapshot).status.job).toMatchObject({ iteration: 2, succeeded: 0, failed: 0 });
  });

  it('does not run more at once while tasks of the run before still stop', () => {
    const job = { totalCompletions: 4, maxConcurrent: 2 };
    const tasks = [done(1), done(2), task(3), task(4)];
    const snapshot = again({ job }, tasks);
    expect(changesOf(snapshot).sort()).toEqual([
      'create 3 r2 ready',
      'create 4 r2 ready',
      'remove t3',
      'remove t4',
    ]);
    expect(planJob(snapshot).lookAgainAt).toBe(Date.parse(at(60)));
  });

  it('gives no place twice: what did not stop for a minute has lost its own', () => {
    const job = { totalCompletions: 3, maxConcurrent: 2 };
    // Told again to go, so it is waited for again; meanwhile others have its place.
    const told = task(3, { id: 'old', desiredState: 'remove' });
    const metadata = { ...told.task.metadata, updatedAt: at(-1) };
    const old = { ...told, task: { ...told.task, metadata } };
    const others = [1, 2].map((slot) => task(slot, { revision: 2 }));
    expect(changesOf(again({ job }, [old, ...others]))).toEqual([]);
    const [first] = others;
    expect(changesOf(again({ job }, [old, first!]))).toEqual(['create 3 r2 ready']);
  });

  it('begins one for a changed template and for nothing else', () => {
    const complete = stored(aSnapshot({ job: {} }, [done(1)]));
    const scaled = { ...complete, service: aService({ job: { totalCompletions: 5 } }) };
    expect(changesOf(scaled)).toEqual([]);
    const service = aService({ job: {}, image: 'app:2' });
    const hash = templateHash(revisionTemplateOf(service.spec));
    expect(changesOf({ ...complete, service, templateHash: hash })).toEqual([
      'create-revision 2',
      'create 1 r2 complete',
    ]);
  });

  it('keeps ten revisions of earlier runs without tasks, and any with one', () => {
    const service = aService({ job: {} });
    const revisions = range(1, 15).map((revision) => aRevision(service, revision));
    const tasks = [done(1, { revision: 15 }), done(1, { id: 'old', revision: 2 })];
    const snapshot = aSnapshot({ job: {} }, tasks, { revisions, freeRevision: 16 });
    expect(changesOf(snapshot)).toEqual([
      'delete-revision 4',
      'delete-revision 3',
      'delete-revision 1',
    ]);
  });
});

describe('planJob: the end', () => {
  it('expires after its time, counted from the end that was stored', () => {
    const options = { job: { ttlAfterFinished: '10m' } };
    const ended = aSnapshot(options, [done(1)]);
    expect(changesOf(ended)).toEqual([]);
    expect(planJob(ended).lookAgainAt).toBe(Date.parse(at(600)));
    const later = stored(ended);
    expect(changesOf({ ...later, now: at(599) })).toEqual([]);
    expect(changesOf({ ...later, now: at(600) })).toEqual(['expire-service']);
  });

  it('shows its end before it expires at once', () => {
    const ended = aSnapshot({ job: { ttlAfterFinished: '0s' } }, [done(1)]);
    expect(changesOf(ended)).toEqual([]);
    expect(planJob(ended).lookAgainAt).toBe(Date.parse(NOW));
    expect(changesOf(stored(ended))).toEqual(['expire-service']);
  });

  it('does not expire while it runs', () => {
    const options = { job: { ttlAfterFinished: '0s' } };
    expect(changesOf(stored(aSnapshot(options, [task(1)])))).toEqual([]);
  });

  it('is deleted task by task, then whole', () => {
    const meta = { deletingAt: NOW };
    const deleting = { ...TEN, meta };
    expect(changesOf(aSnapshot(deleting, [done(1), task(2)]))).toEqual(['remove t1', 'remove t2']);
    expect(changesOf(aSnapshot(deleting))).toEqual(['delete-revision 1', 'delete-service']);
  });
});

describe('2.8 global jobs', () => {
  const GLOBAL: ServiceOptions = { globalJob: {} };
  const globalOf = (
    nodes: readonly JobNode[],
    tasks: readonly TaskView[] = [],
    options: ServiceOptions = GLOBAL,
  ) => aSnapshot(options, tasks, { nodes });

  it('scenario 42: runs once on nodes that are active, not lost and match', () => {
    const nodes = [
      aJobNode('a', 'available', { disk: 'ssd' }),
      aJobNode('b', 'paused', { disk: 'ssd' }),
      aJobNode('c', 'draining', { disk: 'ssd' }),
      aJobNode('d', 'lost', { disk: 'ssd' }),
      aJobNode('e'),
    ];
    const options = { ...GLOBAL, constraints: ['node.labels.disk == ssd'] };
    expect(changesOf(globalOf(nodes, [], options))).toEqual(['create a r1 complete']);
    expect(planJob(globalOf(nodes, [], options)).status).toMatchObject({
      desired: 1,
      job: { total: 1 },
    });
  });

  it('scenario 42: gives a new node a task, also when the others have completed', () => {
    const complete = globalOf([aJobNode('a')], [onNode('a', { state: 'complete' })]);
    expect(verdictOf(complete)).toBe('Complete TasksCompleted');
    const grown = { ...stored(complete), nodes: [aJobNode('a'), aJobNode('b')] };
    expect(changesOf(grown)).toEqual(['create b r1 complete']);
    expect(verdictOf(grown)).toBe('');
    expect(planJob(grown).status.job).toMatchObject({ total: 2, succeeded: 1 });
    expect(planJob(grown).status.job?.finishedAt).toBeUndefined();
  });

  it('does not begin a run of a cron job anew on nodes that come after its end', () => {
    const meta = { ownedBy: { kind: 'CronJob', name: 'scrub', uid: 'u' } };
    const done = onNode('a', { state: 'complete' });
    const complete = stored(globalOf([aJobNode('a')], [done], { ...GLOBAL, meta }));
    const grown = { ...complete, nodes: [aJobNode('a'), aJobNode('b')] };
    expect(changesOf(grown)).toEqual([]);
    expect(verdictOf(grown)).toBe('Complete TasksCompleted');
    expect(planJob(grown).status.job).toEqual(complete.status?.job);
    expect(changesOf({ ...complete, nodes: [aJobNode('b')] })).toEqual(['remove t-a']);
  });

  it('has not ended while there is no node for it', () => {
    expect(verdictOf(globalOf([]))).toBe('');
    expect(conditionOf(globalOf([]), 'Progressing')?.reason).toBe('NoNodes');
  });

  it('stops tasks on nodes that drain or do not match any more, lets go of those whose node is gone', () => {
    const tasks = [onNode('a'), onNode('b'), onNode('c')];
    const nodes = [aJobNode('a', 'draining'), aJobNode('b')];
    const options = { ...GLOBAL, constraints: ['node.labels.x == 1'] };
    expect(changesOf(globalOf(nodes, tasks, options)).sort()).toEqual([
      'remove t-c',
      'shutdown t-a',
      'shutdown t-b',
    ]);
  });

  it('does not wait for a lost node, and leaves its task alone', () => {
    const nodes = [aJobNode('a'), aJobNode('b', 'lost')];
    const snapshot = globalOf(nodes, [onNode('a', { state: 'complete' }), onNode('b')]);
    expect(changesOf(snapshot)).toEqual([]);
    expect(verdictOf(snapshot)).toBe('Complete TasksCompleted');
  });

  it('lets a task on a paused node end, and waits for it', () => {
    const snapshot = globalOf([aJobNode('a', 'paused')], [onNode('a')]);
    expect(changesOf(snapshot)).toEqual([]);
    expect(planJob(snapshot).status.job).toMatchObject({ total: 1, active: 1 });
  });

  it('tries again on the same node, and begins anew on one that comes back', () => {
    const nodes = [aJobNode('a'), aJobNode('b')];
    const tasks = [
      onNode('a', { state: 'failed', status: { appliedAt: NOW } }),
      onNode('b', { state: 'shutdown', desiredState: 'shutdown' }),
    ];
    expect(changesOf(globalOf(nodes, tasks))).toEqual([
      'create a r1 ready at 01:00:05',
      'create b r1 complete',
    ]);
  });

  it('goes on elsewhere when one node gives up, and has failed when all are through (S7)', () => {
    const options = { globalJob: { backoffLimit: 1 } };
    const nodes = [aJobNode('a'), aJobNode('b')];
    const given = onNode('a', {
      state: 'failed',
      restarts: 1,
      status: { error: 'exit code 3' },
    });
    const going = globalOf(nodes, [given, onNode('b')], options);
    expect(verdictOf(going)).toBe('');
    expect(changesOf(going)).toEqual(['shutdown t-a']);
    const through = globalOf(nodes, [given, onNode('b', { state: 'complete' })], options);
    expect(verdictOf(through)).toBe('Failed BackoffLimitExceeded');
    expect(conditionOf(through, 'Failed')?.message).toBe(
      '1 of 2 nodes gave up: 2 failures on a node, 1 allowed; last failure: web.a: exit code 3',
    );
  });

  it('gives every node its own deadline, counted over tries that failed', () => {
    const options = { globalJob: { deadline: '10m' } };
    const nodes = [aJobNode('a'), aJobNode('b')];
    const tasks = [
      onNode('a', { createdAt: at(-30), tryingSince: at(-600) }),
      onNode('b', { createdAt: at(-60) }),
    ];
    const snapshot = globalOf(nodes, tasks, options);
    expect(changesOf(snapshot)).toEqual(['shutdown t-a']);
    expect(planJob(snapshot).lookAgainAt).toBe(Date.parse(at(540)));
  });

  it('does not try again what its deadline stopped, but what a drain stopped before', () => {
    const options = { globalJob: { deadline: '10m' } };
    const ended = (seconds: number) =>
      onNode('a', {
        state: 'shutdown',
        desiredState: 'shutdown',
        createdAt: at(-7200),
        status: { appliedAt: at(-7200 + seconds) },
      });
    const overdue = globalOf([aJobNode('a')], [ended(601)], options);
    expect(changesOf(overdue)).toEqual([]);
    expect(verdictOf(overdue)).toBe('Failed DeadlineExceeded');
    const drained = globalOf([aJobNode('a')], [ended(599)], options);
    expect(changesOf(drained)).toEqual(['create a r1 complete']);
  });

  it('carries on since when a node has been trying', () => {
    const tasks = [
      onNode('a', { state: 'failed', createdAt: at(-60), status: { appliedAt: NOW } }),
    ];
    expect(planJob(globalOf([aJobNode('a')], tasks)).changes[0]).toMatchObject({
      task: { tryingSince: at(-60) },
    });
  });
});
