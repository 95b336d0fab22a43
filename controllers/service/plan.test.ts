import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NodeStanding, TaskView } from '../../pkg/lifecycle/index.js';
import { schedulingNodeOf, taskView } from '../../pkg/lifecycle/index.js';
import { templateHash } from '../../pkg/objects/index.js';
import { revisionTemplateOf, type StoredTask } from '../../api/v1/index.js';
import {
  aNode,
  aNodeHealth,
  aNodeStatus,
  aRevision,
  aService,
  aTask,
  aTaskStatus,
  BUILT_AT,
  type ServiceOptions,
  type TaskOptions,
} from '../../test/builders/objects.js';
import { planService, type ServiceSnapshot } from './plan.js';
import type { ServiceChange } from './plan-changes.js';
import type { GlobalNode } from './plan-global.js';

const NOW = '2026-01-01T01:00:00.000Z';

/** A snapshot of a service whose present template is its only revision. */
function aSnapshot(
  options: ServiceOptions,
  tasks: readonly TaskView[] = [],
  more: Partial<ServiceSnapshot> = {},
): ServiceSnapshot {
  const service = aService(options);
  const revisions = [aRevision(service)];
  const hash = templateHash(revisionTemplateOf(service.spec));
  return {
    service,
    templateHash: hash,
    revisions,
    freeRevision: 2,
    tasks,
    nodes: [],
    placedNodes: new Map(),
    lostNodes: new Set(),
    departures: new Map(),
    leadingSince: 0,
    now: NOW,
    ...more,
  };
}

/** The same service with a second revision, which the spec asks for. */
function updated(
  options: ServiceOptions,
  tasks: readonly TaskView[],
  more: Partial<ServiceSnapshot> = {},
): ServiceSnapshot {
  const service = aService({ ...options, image: 'app:2' });
  const revisions = [aRevision(aService(options), 1), aRevision(service, 2)];
  const hash = templateHash(revisionTemplateOf(service.spec));
  const base = aSnapshot(options, tasks);
  return { ...base, service, templateHash: hash, revisions, freeRevision: 3, ...more };
}

/** Changes in a form that is easy to compare. */
function short(change: ServiceChange): string {
  switch (change.kind) {
    case 'create-task': {
      const { slot, forNode, desiredState, revision } = change.task;
      return `create ${forNode ?? String(slot)} r${String(revision)} ${desiredState}`;
    }
    case 'move-task':
    case 'replace-task': {
      const { slot, forNode, desiredState, revision } = change.task;
      return `replace ${forNode ?? String(slot)} r${String(revision)} ${desiredState}`;
    }
    case 'set-desired-state':
      return `${change.desiredState} ${change.task.task.metadata.uid}`;
    case 'create-revision':
      return `create-revision ${String(change.revision)}`;
    case 'delete-revision':
      return `delete-revision ${String(change.revision.revision)}`;
    case 'delete-service':
      return 'delete-service';
  }
}
const changesOf = (snapshot: ServiceSnapshot) => planService(snapshot).changes.map(short);
const conditionOf = (snapshot: ServiceSnapshot, type: string) =>
  planService(snapshot).status.conditions.find((each) => each.type === type);

const running = (slot: number, more: TaskOptions = {}) =>
  aTask({ id: `t${String(slot)}`, slot, state: 'running', ...more });

const aGlobalNode = (
  id: string,
  standing: NodeStanding = 'available',
  labels: Record<string, string> = {},
): GlobalNode => ({
  node: schedulingNodeOf({
    node: aNode(id, { labels }),
    status: aNodeStatus(id),
    health: aNodeHealth(id),
  }),
  standing,
});

describe('planService: revisions', () => {
  it('makes the first revision together with the first tasks', () => {
    const snapshot = aSnapshot({ replicas: 2 }, [], { revisions: [], freeRevision: 1 });
    expect(changesOf(snapshot)).toEqual([
      'create-revision 1',
      'create 1 r1 running',
      'create 2 r1 running',
    ]);
  });

  it('keeps with a revision why it was made', () => {
    const meta = { annotations: { 'swarm/change-cause': 'fixes the login' } };
    const { changes } = planService(aSnapshot({ meta }, [], { revisions: [], freeRevision: 1 }));
    expect(changes[0]).toMatchObject({ kind: 'create-revision', cause: 'fixes the login' });
  });

  it('gives a template that returns to an older one a new number', () => {
    const first = aService({ image: 'a' });
    const revisions = [aRevision(first, 1), aRevision(aService({ image: 'b' }), 2)];
    const hash = templateHash(revisionTemplateOf(first.spec));
    const snapshot = { ...aSnapshot({ replicas: 0 }), revisions, freeRevision: 3 };
    expect(changesOf({ ...snapshot, service: first, templateHash: hash })[0]).toBe(
      'create-revision 3',
    );
  });

  it('keeps ten revisions that no task uses, and any that one uses', () => {
    const service = aService({ replicas: 1 });
    const revisions = Array.from({ length: 15 }, (_, index) => aRevision(service, index + 1));
    const tasks = [
      running(1, { revision: 15 }),
      running(1, { id: 'old', revision: 2, desiredState: 'shutdown', state: 'shutdown' }),
    ];
    const deleted = changesOf(aSnapshot({ replicas: 1 }, tasks, { revisions, freeRevision: 16 }));
    expect(deleted).toEqual(['delete-revision 4', 'delete-revision 3', 'delete-revision 1']);
  });
});

describe('planService: replicated services', () => {
  it('2.4.2 fills the lowest free slots', () => {
    const tasks = [running(2), running(5)];
    expect(changesOf(aSnapshot({ replicas: 4 }, tasks))).toEqual([
      'create 1 r1 running',
      'create 3 r1 running',
    ]);
  });

  it('2.4.4 leaves a slot alone whose task ended and waits for its restart', () => {
    expect(changesOf(aSnapshot({ replicas: 1 }, [running(1, { state: 'failed' })]))).toEqual([]);
  });

  it.each([
    ['none', 'failed', []],
    ['none', 'complete', []],
    ['none', 'shutdown', []],
    ['on-failure', 'complete', []],
    ['on-failure', 'failed', ['create 1 r1 running']],
    ['any', 'complete', ['create 1 r1 running']],
  ] as const)(
    '2.4.1 condition %s, newest task %s: who may not restart still fills the slot',
    (condition, state, expected) => {
      const task = running(1, { state, desiredState: 'shutdown' });
      const snapshot = aSnapshot({ replicas: 1, restartPolicy: { condition } }, [task]);
      expect(changesOf(snapshot)).toEqual(expected);
    },
  );

  it('2.4.1 counts a slot that used up its attempts as filled', () => {
    const policy = { condition: 'any', maxAttempts: 2 } as const;
    const at = (restarts: number) => [
      running(1, { state: 'failed', desiredState: 'shutdown', restarts }),
    ];
    expect(changesOf(aSnapshot({ replicas: 1, restartPolicy: policy }, at(2)))).toEqual([]);
    expect(changesOf(aSnapshot({ replicas: 1, restartPolicy: policy }, at(1)))).toEqual([
      'create 1 r1 running',
    ]);
  });

  it('2.4.2 reuses dead slots, starts there only when the old task has stopped, removes unused ones', () => {
    const stopping = running(1, { desiredState: 'shutdown' });
    const dead = running(3, { desiredState: 'shutdown', state: 'shutdown' });
    expect(changesOf(aSnapshot({ replicas: 1 }, [stopping, dead]))).toEqual([
      'create 1 r1 ready',
      'remove t3',
    ]);
  });

  it.each([
    [
      'nodes with most replicas lose first',
      [running(1, { nodeId: 'a' }), running(2, { nodeId: 'a' }), running(3, { nodeId: 'b' })],
      ['remove t2'],
    ],
    [
      'what does not run goes before what runs',
      [
        running(1, { nodeId: 'a', state: 'starting' }),
        running(2, { nodeId: 'a' }),
        running(3, { nodeId: 'b' }),
      ],
      ['remove t1'],
    ],
    [
      'a task without a node goes first of all',
      [running(1, { nodeId: 'a' }), running(2, { nodeId: 'a' }), aTask({ id: 't3', slot: 3 })],
      ['remove t3'],
    ],
    [
      'with an even spread the highest numbers go',
      [running(1, { nodeId: 'a' }), running(2, { nodeId: 'b' }), running(3, { nodeId: 'c' })],
      ['remove t3'],
    ],
  ] as const)('2.4.2 scaling down to 2: %s', (_what, tasks, expected) => {
    expect(changesOf(aSnapshot({ replicas: 2 }, tasks))).toEqual(expected);
  });

  it('2.4.2 removes the history of a slot together with its live task', () => {
    const tasks = [
      running(1),
      running(1, { id: 'old', state: 'failed', desiredState: 'shutdown' }),
    ];
    expect(changesOf(aSnapshot({ replicas: 0 }, tasks)).sort()).toEqual([
      'remove old',
      'remove t1',
    ]);
  });

  it('fills the slots of tasks that are being removed, when those have stopped', () => {
    const leaving = running(1, { desiredState: 'remove' });
    const gone = running(1, { desiredState: 'remove', state: 'shutdown' });
    expect(changesOf(aSnapshot({ replicas: 1 }, [leaving]))).toEqual(['create 1 r1 ready']);
    expect(changesOf(aSnapshot({ replicas: 1 }, [gone]))).toEqual(['create 1 r1 running']);
  });

  it('waits for a task that is being removed also when it replaces another of the slot', () => {
    const tasks = [running(1, { desiredState: 'remove' }), aTask({ slot: 1, id: 'waiting' })];
    expect(changesOf(updated({ replicas: 1 }, tasks))).toEqual(['replace 1 r2 ready']);
  });
});

describe('2.5 global services', () => {
  const on = (nodeId: string, more: TaskOptions = {}) =>
    aTask({ id: `t-${nodeId}`, slot: 0, forNode: nodeId, nodeId, state: 'running', ...more });

  it.each([
    ['a node without a task gets one', 'available', [], ['create a r1 running']],
    ['a drained node gets none', 'draining', [], []],
    ['a lost node gets none', 'lost', [], []],
    ['a paused node gets none', 'paused', [], []],
    ['a task on a drained node stops', 'draining', [on('a')], ['shutdown t-a']],
    ['a task on a lost node stays', 'lost', [on('a')], []],
    ['a task on a paused node stays', 'paused', [on('a')], []],
    [
      'a node that came back gets a new task, started when the old one stopped',
      'available',
      [on('a', { desiredState: 'shutdown' })],
      ['create a r1 ready'],
    ],
  ] as const)('%s', (_what, standing, tasks, expected) => {
    const nodes = [aGlobalNode('a', standing)];
    expect(changesOf(aSnapshot({ global: true }, tasks, { nodes }))).toEqual(expected);
  });

  it('do not count a task of which nobody knows whether it runs', () => {
    const nodes = [aGlobalNode('a', 'lost'), aGlobalNode('b')];
    const tasks = [on('a'), on('b')];
    const snapshot = aSnapshot({ global: true }, tasks, { nodes, lostNodes: new Set(['a']) });
    expect(planService(snapshot).status).toMatchObject({ desired: 2, running: 1 });
    expect(conditionOf(snapshot, 'Available')).toMatchObject({
      status: 'false',
      message: '1/2 tasks running; 1 task on lost nodes, which may still run there',
    });
    expect(conditionOf(snapshot, 'Progressing')?.reason).toBe('NodesLost');
  });

  it('follows constraints', () => {
    const nodes = [aGlobalNode('a', 'available', { disk: 'ssd' }), aGlobalNode('b')];
    const options = { global: true, constraints: ['node.labels.disk == ssd'] };
    expect(changesOf(aSnapshot(options, [on('b')], { nodes }))).toEqual([
      'create a r1 running',
      'shutdown t-b',
    ]);
    const unreadable = { global: true, constraints: ['nonsense'] };
    expect(changesOf(aSnapshot(unreadable, [], { nodes }))).toEqual([]);
  });

  it('removes tasks whose node is gone', () => {
    expect(changesOf(aSnapshot({ global: true }, [on('a')]))).toEqual(['remove t-a']);
  });

  it('does not update a paused node (scenario 37)', () => {
    const nodes = [aGlobalNode('a', 'paused'), aGlobalNode('b')];
    expect(changesOf(updated({ global: true }, [on('a'), on('b')], { nodes }))).toEqual([
      'replace b r2 ready',
    ]);
  });
});

describe('planService: deletion', () => {
  const deleting = { replicas: 2, meta: { deletingAt: NOW } };

  it('2.4.3 lets tasks go first', () => {
    const tasks = [running(1), running(2, { desiredState: 'remove' })];
    expect(changesOf(aSnapshot(deleting, tasks))).toEqual(['remove t1']);
    expect(changesOf(aSnapshot(deleting, [running(1, { desiredState: 'remove' })]))).toEqual([]);
  });

  it('then deletes revisions and the service', () => {
    expect(changesOf(aSnapshot(deleting))).toEqual(['delete-revision 1', 'delete-service']);
  });
});

describe('planService: status', () => {
  it('counts, and says what keeps tasks from running', () => {
    const pending = {
      message: '0/1 nodes: 1 insufficient memory',
      filters: [],
      since: BUILT_AT,
    };
    const tasks = [
      running(1),
      aTask({ slot: 2, pending }),
      aTask({
        slot: 3,
        state: 'ready',
        desiredState: 'ready',
        failures: 3,
        startAt: '2026-01-01T02:00:00.000Z',
      }),
    ];
    const { status } = planService(aSnapshot({ replicas: 3 }, tasks));
    expect(status).toMatchObject({ desired: 3, running: 1, updated: 1, pending: 1, failed: 1 });
    expect(status.conditions[0]).toMatchObject({
      type: 'Available',
      status: 'false',
      reason: 'TasksMissing',
      message:
        '1/3 tasks running; 1 task pending: 0/1 nodes: 1 insufficient memory; 1 task held back after failures, next start 2026-01-01T02:00:00.000Z',
    });
  });

  it('is available when all that is wanted has run to its end', () => {
    const task = running(1, { state: 'complete', desiredState: 'shutdown' });
    const snapshot = aSnapshot({ replicas: 1, restartPolicy: { condition: 'on-failure' } }, [task]);
    expect(conditionOf(snapshot, 'Available')).toMatchObject({
      status: 'true',
      reason: 'TasksComplete',
    });
  });

  it('says when restarts are exhausted', () => {
    const task = running(1, {
      state: 'failed',
      desiredState: 'shutdown',
      status: { error: 'boom' },
    });
    const snapshot = aSnapshot({ replicas: 1, restartPolicy: { condition: 'none' } }, [task]);
    expect(conditionOf(snapshot, 'Progressing')).toMatchObject({ reason: 'RestartsExhausted' });
    expect(conditionOf(snapshot, 'Progressing')?.message).toContain('boom');
  });

  it('keeps the stamp of a condition that did not change', () => {
    const snapshot = aSnapshot({ replicas: 1 }, [running(1)]);
    const first = planService(snapshot).status;
    const status = { ...first, serviceUid: 'uid-web', version: 1 };
    const later = planService({ ...snapshot, status, now: '2026-01-02T00:00:00.000Z' }).status;
    expect(later).toEqual(first);
  });
});

describe('planService: properties', () => {
  const aView = fc
    .record({
      slot: fc.integer({ min: 1, max: 8 }),
      revision: fc.integer({ min: 1, max: 2 }),
      desiredState: fc.constantFrom('running', 'shutdown', 'remove'),
      state: fc.constantFrom(undefined, 'preparing', 'running', 'complete', 'failed', 'rejected'),
      nodeId: fc.constantFrom('a', 'b', 'c'),
    })
    .map(({ state, nodeId, ...rest }) =>
      aTask({ ...rest, ...(state !== undefined && { state, nodeId }) }),
    );
  const snapshots = fc
    .record({ replicas: fc.nat(8), tasks: fc.array(aView, { maxLength: 14 }) })
    .map(({ replicas, tasks }) => updated({ replicas }, tasks));

  it('is settled: applying the plan until nothing changes takes few rounds', () => {
    fc.assert(
      fc.property(snapshots, (snapshot) => {
        let tasks = snapshot.tasks;
        for (let round = 0; round < 30; round += 1) {
          const { changes } = planService({ ...snapshot, tasks });
          if (changes.length === 0) return;
          tasks = settled(applied(tasks, changes));
        }
        throw new Error('never settles');
      }),
    );
  });

  it('is bounded: never more live slots than wanted, never two creations in a slot', () => {
    fc.assert(
      fc.property(snapshots, (snapshot) => {
        const { changes } = planService(snapshot);
        const created = changes.flatMap((change) =>
          change.kind === 'create-task' || change.kind === 'replace-task' ? [change.task.slot] : [],
        );
        expect(new Set(created).size).toBe(created.length);
        const after = applied(snapshot.tasks, changes);
        const live = new Set(
          after
            .filter(
              ({ task }) =>
                task.spec.desiredState === 'running' || task.spec.desiredState === 'ready',
            )
            .map(({ task }) => task.spec.slot),
        );
        expect(live.size).toBeLessThanOrEqual(
          snapshot.service.spec.mode?.replicated?.replicas ?? 0,
        );
      }),
    );
  });

  it('stops at most one running task for an update', () => {
    fc.assert(
      fc.property(snapshots, (snapshot) => {
        const stopped = planService(snapshot).changes.flatMap((change) =>
          change.kind === 'replace-task'
            ? change.stopped.filter(({ state }) => state === 'running')
            : [],
        );
        expect(new Set(stopped.map(({ task }) => task.spec.slot)).size).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('is free of order', () => {
    fc.assert(
      fc.property(snapshots, fc.nat(), (snapshot, seed) => {
        const shuffled = [...snapshot.tasks].sort((a, b) => orderOf(a, seed) - orderOf(b, seed));
        const sorted = (tasks: readonly TaskView[]) => changesOf({ ...snapshot, tasks }).sort();
        expect(sorted(shuffled)).toEqual(sorted(snapshot.tasks));
      }),
    );
  });
});

const orderOf = ({ task }: TaskView, seed: number) =>
  Array.from(task.metadata.uid).reduce(
    (sum, char) => (sum * 31 + char.charCodeAt(0) + seed) % 9973,
    seed,
  );

/** What the store holds after the changes. */
function applied(tasks: readonly TaskView[], changes: readonly ServiceChange[]): TaskView[] {
  const desired = new Map<string, StoredTask['spec']['desiredState']>();
  const created: TaskView[] = [];
  for (const change of changes) {
    if (change.kind === 'set-desired-state') {
      desired.set(change.task.task.metadata.uid, change.desiredState);
    }
    if (change.kind === 'replace-task') {
      for (const { task } of change.stopped) desired.set(task.metadata.uid, 'shutdown');
    }
    if (change.kind === 'create-task' || change.kind === 'replace-task') {
      const { slot, revision, desiredState, updates, attempt } = change.task;
      created.push(
        aTask({
          slot,
          revision,
          desiredState,
          createdAt: NOW,
          ...(updates !== undefined && { updates }),
          ...(attempt !== undefined && { attempt }),
        }),
      );
    }
  }
  const kept = tasks.map((view) => {
    const state = desired.get(view.task.metadata.uid);
    if (state === undefined) return view;
    const task = { ...view.task, spec: { ...view.task.spec, desiredState: state } };
    return taskView(task, view.status);
  });
  return [...kept, ...created];
}

/** What the nodes and the task controller make of it: the wanted run, the others stop or go. */
function settled(tasks: readonly TaskView[]): TaskView[] {
  return tasks
    .filter(({ task }) => task.spec.desiredState !== 'remove')
    .map(({ task, status }) => {
      const { uid } = task.metadata;
      if (task.spec.desiredState === 'shutdown') {
        return taskView(task, status ?? aTaskStatus(uid, 'shutdown'));
      }
      const spec = { ...task.spec, desiredState: 'running', nodeId: 'a' } as const;
      return taskView({ ...task, spec }, aTaskStatus(uid, 'running'));
    });
}
