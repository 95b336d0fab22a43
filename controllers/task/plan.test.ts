import { describe, expect, it } from 'vitest';
import { effectiveRestartPolicy, type RestartPolicy } from '../../api/v1/index.js';
import type { NodeStanding, PlacementFacts, TaskView } from '../../pkg/lifecycle/index.js';
import { groupsOf, schedulingNodeOf, type UnplacedView } from '../../pkg/lifecycle/index.js';
import { ClusterState, planPlacements } from '../../pkg/scheduler/index.js';
import {
  aNode,
  aNodeHealth,
  aNodeStatus,
  aTask,
  BUILT_AT,
  type TaskOptions,
} from '../../test/builders/objects.js';
import type { TaskChange } from './plan-changes.js';
import { planEnforcement, type NodeTask } from './plan-enforcement.js';
import { placeAtMs, planPlacement } from './plan-placement.js';
import type { SlotTask } from './plan-restart.js';
import { planSlot, type SlotSnapshot } from './plan-slot.js';

const START = Date.parse(BUILT_AT);
const FACTS: PlacementFacts = {
  strategy: 'spread',
  serviceIdOf: () => undefined,
  priorityOf: () => 0,
  mayPreempt: () => false,
  failuresOf: () => undefined,
};
const policyOf = (restartPolicy: RestartPolicy = {}) =>
  effectiveRestartPolicy({ task: { container: { image: 'app' }, restartPolicy } });

interface SlotTaskOptions extends TaskOptions {
  readonly policy?: RestartPolicy;
  readonly standing?: NodeStanding;
  readonly waitedMs?: number;
  readonly replaceableAt?: number;
}

function aSlotTask(wishes: SlotTaskOptions = {}): SlotTask {
  const { policy, standing, waitedMs, replaceableAt, ...options } = wishes;
  const view = aTask({ id: 'a', ...options });
  const placed = view.task.spec.nodeId !== undefined;
  return {
    ...view,
    policy: policyOf(policy),
    standing: standing ?? (placed ? 'available' : undefined),
    waitedMs,
    replaceableAt,
  };
}

const plan = (tasks: readonly SlotTask[], more: Partial<SlotSnapshot> = {}) =>
  planSlot({ service: 'present', tasks, historyLimit: 5, now: START, ...more });

function short(change: TaskChange): string {
  const id = change.task.task.metadata.uid;
  if (change.kind !== 'end-task') return `${change.kind.replace('-task', '')} ${id}`;
  const { successor } = change;
  if (!successor) return `end ${id} ${change.cause}`;
  const at =
    successor.startAt === undefined ? '' : ` in ${String(Date.parse(successor.startAt) - START)}`;
  return `end ${id} ${change.cause} -> ${successor.desiredState}${at} restarts ${String(successor.restarts)} failures ${String(successor.failures)}`;
}
const changesOf = (tasks: readonly SlotTask[], more: Partial<SlotSnapshot> = {}) =>
  plan(tasks, more).changes.map(short);

const ran = (ms: number) => ({
  status: { startedAt: BUILT_AT, finishedAt: new Date(START + ms).toISOString() },
});

describe('planSlot: restart', () => {
  it.each([
    ['any', 'failed', 'end a ended -> ready in 5000 restarts 1 failures 1'],
    ['any', 'complete', 'end a ended -> ready in 5000 restarts 1 failures 1'],
    ['any', 'rejected', 'end a ended -> ready in 5000 restarts 1 failures 1'],
    ['on-failure', 'failed', 'end a ended -> ready in 5000 restarts 1 failures 1'],
    ['on-failure', 'complete', 'end a ended'],
    ['none', 'failed', 'end a ended'],
    ['any', 'orphaned', 'end a node-lost -> running restarts 0 failures 0'],
  ] as const)('2.6.3 condition %s, task %s', (condition, state, expected) => {
    expect(changesOf([aSlotTask({ state, policy: { condition } })])).toEqual([expected]);
  });

  it('2.6.5 starts at once with delay 0 after the first failure, and backs off from one second after', () => {
    const policy = { delay: '0s' };
    const first = aSlotTask({ state: 'failed', policy });
    expect(changesOf([first])).toEqual(['end a ended -> running restarts 1 failures 1']);
    const second = aSlotTask({ state: 'failed', policy, failures: 1, restarts: 1 });
    const [text = ''] = changesOf([second]);
    const delay = Number(/ in (\d+) /.exec(text)?.[1]);
    expect(delay).toBeGreaterThanOrEqual(1_800);
    expect(delay).toBeLessThanOrEqual(2_200);
  });

  it('2.6.5 begins again from the delay after a task that ran long', () => {
    const task = aSlotTask({ state: 'failed', failures: 7, restarts: 9, ...ran(61_000) });
    expect(changesOf([task])).toEqual(['end a ended -> ready in 5000 restarts 10 failures 0']);
  });

  it('2.6.5 counts the wait from the end of the task, and never waits longer than the delay', () => {
    const task = aSlotTask({ state: 'failed' });
    expect(changesOf([task], { now: START + 3_000 })).toEqual([
      'end a ended -> ready in 5000 restarts 1 failures 1',
    ]);
    expect(changesOf([task], { now: START + 9_000 })).toEqual([
      'end a ended -> running restarts 1 failures 1',
    ]);
    expect(changesOf([task], { now: START - 9_000 })).toEqual([
      'end a ended -> ready in -4000 restarts 1 failures 1',
    ]);
  });

  it('2.6.5 replaces a task whose node is gone, without delay', () => {
    const task = aSlotTask({ state: 'running', standing: 'gone' });
    expect(changesOf([task])).toEqual(['end a node-lost -> running restarts 0 failures 0']);
  });

  it.each(['available', 'paused'] as const)(
    '2.4.5 leaves a running task on a node that is %s',
    (standing) => {
      expect(changesOf([aSlotTask({ state: 'running', standing })])).toEqual([]);
    },
  );

  it.each(['lost', 'draining'] as const)(
    'leaves a running task on a node that is %s to the service controller',
    (standing) => {
      expect(plan([aSlotTask({ state: 'running', standing })])).toEqual({ changes: [] });
      expect(changesOf([aSlotTask({ state: 'failed', standing })])).toHaveLength(1);
    },
  );

  it('2.6.3 moves tasks without using up attempts', () => {
    const policy = { maxAttempts: 1 };
    const moved = aSlotTask({ state: 'running', standing: 'gone', restarts: 1, policy });
    expect(changesOf([moved])).toEqual(['end a node-lost -> running restarts 1 failures 0']);
    const failed = aSlotTask({ state: 'failed', restarts: 1, policy });
    expect(changesOf([failed])).toEqual(['end a ended']);
  });

  it('2.6.3 counts only attempts within the window (scenario 26)', () => {
    const policy = { maxAttempts: 1, window: '10s' };
    const last = aSlotTask({
      state: 'failed',
      restarts: 1,
      policy,
      status: { appliedAt: new Date(START + 5_000).toISOString() },
    });
    expect(changesOf([last], { now: START + 5_000 })).toEqual(['end a ended']);
    const later = aSlotTask({
      state: 'failed',
      restarts: 1,
      policy,
      status: { appliedAt: new Date(START + 20_000).toISOString() },
    });
    expect(changesOf([later], { now: START + 20_000 })[0]).toContain('-> ready');
  });

  it('2.5 restarts a global task on its node only while that takes tasks', () => {
    const task = (standing: NodeStanding) =>
      aSlotTask({ slot: 0, forNode: 'n1', state: 'failed', standing });
    expect(changesOf([task('available')])[0]).toContain('-> ready');
    for (const standing of ['paused', 'draining', 'lost', 'gone'] as const) {
      expect(changesOf([task(standing)])).toEqual(['end a ended']);
    }
    const running = aSlotTask({ slot: 0, forNode: 'n1', state: 'running', standing: 'draining' });
    expect(changesOf([running])).toEqual([]);
  });

  it('2.6.1 gives several ended live tasks of a slot one successor, and none beside a live one', () => {
    const ended = [
      aSlotTask({ id: 'a', state: 'failed' }),
      aSlotTask({ id: 'b', state: 'failed' }),
    ];
    expect(changesOf(ended).filter((text) => text.includes('->'))).toHaveLength(1);
    const beside = [
      aSlotTask({ id: 'a', state: 'failed' }),
      aSlotTask({ id: 'b', state: 'running' }),
    ];
    expect(changesOf(beside)).toEqual(['end a ended']);
  });

  it('lets the newest go on when a new task and the old one end together, also in a rollback', () => {
    const old = aSlotTask({ id: 'old', revision: 2, attempt: 1, state: 'failed' });
    const back = aSlotTask({ id: 'back', revision: 1, attempt: 2, state: 'failed' });
    for (const tasks of [
      [old, back],
      [back, old],
    ]) {
      expect(changesOf(tasks).filter((text) => text.includes('->'))).toEqual([
        expect.stringContaining('end back ended ->'),
      ]);
    }
  });
});

describe('planSlot: start', () => {
  const fresh = (more: SlotTaskOptions = {}) =>
    aSlotTask({ id: 'new', state: 'ready', desiredState: 'ready', ...more });
  const old = (more: SlotTaskOptions = {}) =>
    aSlotTask({ id: 'old', state: 'running', desiredState: 'shutdown', ...more });

  it('2.6.7 starts a prepared task when nothing stops any more', () => {
    expect(changesOf([fresh(), old({ state: 'shutdown' })])).toEqual(['start new']);
  });

  it('2.6.6 waits for the old task, one minute at most', () => {
    expect(plan([fresh(), old()])).toMatchObject({ changes: [], lookAgainAt: START + 60_000 });
    const halfway = fresh({ waitedMs: 30_000 });
    expect(plan([halfway, old()])).toMatchObject({ changes: [], lookAgainAt: START + 30_000 });
    expect(changesOf([fresh({ waitedMs: 60_000 }), old()])).toEqual(['start new']);
  });

  it('2.12 waits itself, whatever the clock of an earlier leader said', () => {
    const hour = 3_600_000;
    expect(changesOf([fresh(), old()], { now: START + hour })).toEqual([]);
    const held = { startAt: new Date(START + hour).toISOString(), failures: 1 };
    const five = { policy: { delay: '5s' } };
    expect(plan([fresh({ ...held, ...five })]).lookAgainAt).toBe(START + 5_000);
    expect(changesOf([fresh({ ...held, ...five, waitedMs: 5_000 })])).toEqual(['start new']);
  });

  it.each(['lost', 'gone'] as const)('2.6.6 does not wait for a node that is %s', (standing) => {
    expect(changesOf([fresh(), old({ standing })])).toContain('start new');
  });

  it('2.6.6 waits for the old task also when the first successor failed before its start', () => {
    const rejected = fresh({ state: 'rejected', policy: { delay: '0s' } });
    expect(changesOf([rejected, old()])).toEqual(['end new ended -> ready restarts 1 failures 1']);
    expect(changesOf([rejected, old({ standing: 'lost' })])[0]).toContain('-> running');
  });

  it('2.6.5 waits for the time of a restart that is held back', () => {
    const startAt = new Date(START + 8_000).toISOString();
    const held = fresh({ startAt, failures: 1, policy: { delay: '10s' } });
    expect(plan([held])).toMatchObject({ changes: [], lookAgainAt: START + 8_000 });
    expect(changesOf([held], { now: START + 8_000 })).toEqual(['start new']);
  });
});

describe('2.9 removal and history', () => {
  it.each([
    ['stopped', { state: 'shutdown' }, ['delete a']],
    ['failed', { state: 'failed' }, ['delete a']],
    ['never placed', {}, ['delete a']],
    ['still running', { state: 'running' }, []],
    ['running on a lost node', { state: 'running', standing: 'lost' }, ['delete a']],
    ['running on a removed node', { state: 'running', standing: 'gone' }, ['delete a']],
  ] as const)('a task to be removed that is %s (scenarios 45, 46)', (_what, more, expected) => {
    expect(changesOf([aSlotTask({ desiredState: 'remove', ...more })])).toEqual(expected);
  });

  it('deletes a task that was told to stop before it had a node (scenario 12)', () => {
    expect(changesOf([aSlotTask({ desiredState: 'shutdown' })])).toEqual(['delete a']);
  });

  it('orphans a task whose node was removed before it stopped', () => {
    const task = aSlotTask({ desiredState: 'shutdown', state: 'running', standing: 'gone' });
    expect(changesOf([task])).toEqual(['orphan a']);
  });

  const history = (count: number, policy?: RestartPolicy) =>
    Array.from({ length: count }, (_, index) =>
      aSlotTask({
        id: `h${String(index)}`,
        state: 'failed',
        desiredState: 'shutdown',
        createdAt: new Date(START + index).toISOString(),
        ...(policy && { policy }),
      }),
    );
  const live = (policy?: RestartPolicy) =>
    aSlotTask({
      id: 'live',
      state: 'running',
      createdAt: new Date(START + 99).toISOString(),
      ...(policy && { policy }),
    });

  it('keeps the newest tasks up to the limit, the live one included', () => {
    expect(changesOf([...history(6), live()])).toEqual(['delete h0', 'delete h1']);
    expect(changesOf([...history(2), live()], { historyLimit: 0 })).toEqual([
      'delete h0',
      'delete h1',
    ]);
  });

  it('2.6.8 keeps as many as the restart policy has to count (scenario 44)', () => {
    const policy = { maxAttempts: 3 };
    expect(changesOf([...history(6, policy), live(policy)])).toHaveLength(3);
  });

  it('makes room for the successor of a task that ends', () => {
    const ending = aSlotTask({
      id: 'live',
      state: 'failed',
      createdAt: new Date(START + 99).toISOString(),
    });
    expect(changesOf([...history(4), ending]).slice(1)).toEqual(['delete h0']);
  });

  it('never deletes the newest task, from which follows whether the slot is filled', () => {
    const last = aSlotTask({ state: 'complete', desiredState: 'shutdown' });
    expect(changesOf([last], { historyLimit: 0 })).toEqual([]);
  });

  it('removes tasks without a service, and makes nothing new for one that is deleted', () => {
    expect(changesOf([aSlotTask({ state: 'running' })], { service: 'gone' })).toEqual(['remove a']);
    expect(changesOf([aSlotTask({ state: 'failed' })], { service: 'deleting' })).toEqual([]);
  });
});

describe('planSlot: tasks of jobs', () => {
  const aJobTask = (options: SlotTaskOptions = {}): SlotTask => ({
    ...aSlotTask({ desiredState: 'complete', ...options }),
    isOfJob: true,
  });

  it.each(['complete', 'failed', 'rejected'] as const)(
    'leaves one that is %s to the job controller',
    (state) => {
      expect(changesOf([aJobTask({ state })])).toEqual([]);
    },
  );

  it.each([
    ['draining', 'end a node-drained'],
    ['lost', 'end a node-lost'],
    ['gone', 'end a node-lost'],
  ] as const)('stops one on a node that is %s, and makes none in its place', (standing, text) => {
    const task = aJobTask({ state: 'running', standing, replaceableAt: START });
    expect(changesOf([task])).toEqual([text]);
  });

  it('leaves one its place on a lost node until others may take it', () => {
    const task = aJobTask({ state: 'running', standing: 'lost' });
    expect(plan([task])).toEqual({ changes: [] });
    const replaceableAt = START + 3_000;
    expect(plan([{ ...task, replaceableAt }])).toEqual({
      changes: [],
      lookAgainAt: replaceableAt,
    });
  });

  it('lets one go on that has completed on a node that is lost', () => {
    const replaceableAt = START + 1_000;
    const lost = [aJobTask({ state: 'complete', standing: 'lost', replaceableAt })];
    const later = plan(lost);
    expect(later).toEqual({ changes: [], lookAgainAt: undefined });
  });

  it('starts a prepared one, to its end', () => {
    expect(plan([aJobTask({ state: 'ready', desiredState: 'ready' })]).changes).toMatchObject([
      { kind: 'start-task', desiredState: 'complete' },
    ]);
    expect(plan([aSlotTask({ state: 'ready', desiredState: 'ready' })]).changes).toMatchObject([
      { kind: 'start-task', desiredState: 'running' },
    ]);
  });

  it('keeps what was given up before it had a node: that it was tried is not forgotten', () => {
    const given = [aJobTask({ desiredState: 'shutdown' })];
    expect(changesOf(given, { historyLimit: 0 })).toEqual([]);
    expect(changesOf([aJobTask({ desiredState: 'remove' })])).toEqual(['delete a']);
  });

  it('trims what earlier runs completed, and never the newest', () => {
    const runs = [1, 2, 3, 4].map((revision) =>
      aJobTask({ id: `r${String(revision)}`, revision, state: 'complete' }),
    );
    expect(changesOf(runs, { historyLimit: 2 })).toEqual(['delete r1', 'delete r2']);
    expect(changesOf(runs.slice(3), { historyLimit: 0 })).toEqual([]);
  });

  it('keeps one that runs beyond the limit', () => {
    const runs = [1, 2].map((revision) =>
      aJobTask({ id: `r${String(revision)}`, revision, state: 'running' }),
    );
    expect(changesOf(runs, { historyLimit: 1 })).toEqual([]);
  });
});

describe('2.10 planEnforcement', () => {
  const node = (labels = {}, availability: 'active' | 'pause' = 'active') =>
    schedulingNodeOf({
      node: aNode('n1', { labels, availability }),
      status: aNodeStatus('n1'),
      health: aNodeHealth('n1'),
    });
  const on = (id: string, demand: NodeTask['demand'], more: TaskOptions = {}): NodeTask => ({
    ...aTask({ id, state: 'running', ...more }),
    demand,
  });
  const ids = (tasks: readonly NodeTask[], target = node()) =>
    planEnforcement({ node: target, tasks }).map(({ task }) => task.task.metadata.uid);
  const disk = { constraints: ['node.labels.disk == ssd'] };
  const half = { reservations: { cpuNano: 0, memoryBytes: 5 * 2 ** 30 } };

  it('finds tasks whose constraints do not hold any more', () => {
    expect(ids([on('a', disk), on('b', {})])).toEqual(['a']);
    expect(ids([on('a', disk)], node({ disk: 'ssd' }))).toEqual([]);
  });

  it('finds tasks for which the resources do not suffice, the youngest first', () => {
    expect(ids([on('b', half), on('a', half)])).toEqual(['b']);
  });

  it('counts no task that has ended, those of jobs neither (scenario 43)', () => {
    const done = { state: 'complete', desiredState: 'complete' } as const;
    expect(ids([on('a', half, done), on('b', half)])).toEqual([]);
    expect(
      ids([on('a', half, { state: 'running', desiredState: 'complete' }), on('b', half)]),
    ).toEqual(['b']);
  });

  it.each([
    [['node.labels.disk in (ssd, nvme)'], { disk: 'hdd' }, ['a']],
    [['node.labels.disk in (ssd, nvme)'], { disk: 'nvme' }, []],
    [['node.labels.cores >= 16'], { cores: '8' }, ['a']],
    [['node.labels.gpu !exists'], { gpu: '' }, ['a']],
    [['node.hostname =~ ^host-n'], {}, []],
    [['nonsense'], {}, []],
  ] as const)('holds tasks against %j as placement does', (constraints, labels, expected) => {
    expect(ids([on('a', { constraints: [...constraints] })], node(labels))).toEqual(expected);
  });

  describe('of generic resources', () => {
    const having = (generic: Record<string, number>, named?: Record<string, string[]>) => ({
      ...node(),
      resources: { cpuNano: 4e9, memoryBytes: 8 * 2 ** 30, generic },
      namedResources: named,
    });
    const wants = (gpu: number) => ({
      reservations: { cpuNano: 0, memoryBytes: 0, generic: { gpu } },
    });
    const holds = (id: string, assigned: string[] | number) =>
      on(id, wants(typeof assigned === 'number' ? assigned : assigned.length), {
        assignedResources: { gpu: assigned },
      });

    it('lets go what does not fit any more, and goes on with the rest of the node (S13)', () => {
      const tasks = [holds('a', 2), on('b', {}), on('c', disk), holds('d', 1)];
      expect(ids(tasks, having({ gpu: 3 }))).toEqual(['c']);
      expect(ids(tasks, having({ gpu: 1 }))).toEqual(['a', 'c']);
      expect(ids(tasks, having({}))).toEqual(['a', 'c', 'd']);
    });

    it('lets go tasks whose ids are not declared any more, and no others', () => {
      const tasks = [holds('a', ['g1']), holds('b', ['g2', 'g3'])];
      expect(ids(tasks, having({ gpu: 3 }, { gpu: ['g1', 'g2', 'g3'] }))).toEqual([]);
      const misfits = planEnforcement({ node: having({ gpu: 2 }, { gpu: ['g1', 'g2'] }), tasks });
      expect(misfits.map(({ why }) => why)).toEqual(['gpu g3 is not there any more']);
    });

    it('keeps the older of two tasks that have the same id', () => {
      const tasks = [holds('a', ['g1']), holds('b', ['g1'])];
      expect(ids(tasks, having({ gpu: 2 }, { gpu: ['g1', 'g2'] }))).toEqual(['b']);
    });

    it('counts tasks from before the kind had names', () => {
      const tasks = [on('a', wants(1)), holds('b', ['g1'])];
      expect(ids(tasks, having({ gpu: 2 }, { gpu: ['g1', 'g2'] }))).toEqual([]);
      expect(ids(tasks, having({ gpu: 1 }, { gpu: ['g1'] }))).toEqual(['b']);
    });
  });

  it.each([
    ['a paused node', [on('a', disk)], node({}, 'pause')],
    ['a task that ended', [on('a', disk, { state: 'failed' })], node()],
    ['a task that stops already', [on('a', disk, { desiredState: 'shutdown' })], node()],
    ['constraints of a global task', [on('a', disk, { slot: 0, forNode: 'n1' })], node()],
  ] as const)('leaves %s alone', (_what, tasks, target) => {
    expect(ids(tasks, target)).toEqual([]);
  });
});

describe('planPlacement', () => {
  const waiting = (id: string, more: TaskOptions = {}): UnplacedView => ({
    ...aTask({ id, ...more }),
    demand: { constraints: ['node.labels.disk == ssd'] },
  });
  const state = ClusterState.from(
    [
      schedulingNodeOf({
        node: aNode('n1'),
        status: aNodeStatus('n1'),
        health: aNodeHealth('n1'),
      }),
    ],
    [],
  );
  const decide = (tasks: readonly UnplacedView[], now = START + 5_000) => {
    const groups = groupsOf(tasks, FACTS);
    return planPlacement({ tasks, result: planPlacements(state, groups), now });
  };
  const withReason = (view: UnplacedView, now: number): UnplacedView => {
    const [change] = decide([view], now).changes;
    if (change?.kind !== 'explain-task') throw new Error('no reason');
    const spec = { ...view.task.spec, pending: change.pending };
    return { ...view, task: { ...view.task, spec } };
  };

  it('2.6.4 prepares a restart during its wait, but not after several failures in a row', () => {
    const startAt = new Date(START + 9_000).toISOString();
    expect(placeAtMs(waiting('a'))).toBeUndefined();
    expect(placeAtMs(waiting('a', { startAt, failures: 1 }))).toBeUndefined();
    const held = { startAt, failures: 2, desiredState: 'ready' } as const;
    expect(placeAtMs(waiting('a', held))).toBe(START + 9_000);
    // Its wait is over, whatever the clock says.
    expect(placeAtMs(waiting('a', { ...held, desiredState: 'running' }))).toBeUndefined();
  });

  it('3.1 says why a task has no node, once', () => {
    const [change] = decide([waiting('a')]).changes;
    expect(change).toMatchObject({
      kind: 'explain-task',
      pending: { message: '0/1 nodes: 1 constraint node.labels.disk == ssd' },
    });
    expect(decide([withReason(waiting('a'), START)])).toEqual({ changes: [] });
  });

  it('writes a reason that changes often at most once a second', () => {
    const told = withReason(waiting('a'), START);
    const { pending } = told.task.spec;
    if (!pending) throw new Error('no reason');
    const spec = { ...told.task.spec, pending: { ...pending, message: 'another' } };
    const outdated = { ...told, task: { ...told.task, spec } };
    expect(decide([outdated], START + 300)).toEqual({ changes: [], lookAgainAt: START + 1_000 });
    expect(decide([outdated], START + 1_000).changes).toHaveLength(1);
  });

  it('3.1 places what fits', () => {
    const task = { ...waiting('a'), demand: {} };
    expect(decide([task]).changes).toMatchObject([{ kind: 'place-task', nodeId: 'n1' }]);
  });

  it('3.1 groups by service and revision, in order of age and slot', () => {
    const later = new Date(START + 1).toISOString();
    const groups = groupsOf(
      [
        waiting('c', { slot: 2 }),
        waiting('b', { slot: 1, createdAt: later }),
        waiting('a', { slot: 1 }),
        waiting('d', { revision: 2 }),
      ],
      FACTS,
    );
    expect(groups.map(({ tasks }) => tasks.map(({ id }) => id))).toEqual([['a', 'c', 'b'], ['d']]);
  });
});

describe('planSlot: properties', () => {
  it('is free of order', () => {
    const tasks: readonly SlotTask[] = [
      aSlotTask({ id: 'a', state: 'failed', desiredState: 'shutdown' }),
      aSlotTask({ id: 'b', state: 'running', desiredState: 'shutdown', revision: 2 }),
      aSlotTask({ id: 'c', state: 'ready', desiredState: 'ready', revision: 3 }),
      aSlotTask({ id: 'd', state: 'failed', desiredState: 'remove' }),
    ];
    const expected = changesOf(tasks, { historyLimit: 1 });
    expect(changesOf([...tasks].reverse(), { historyLimit: 1 }).sort()).toEqual(
      [...expected].sort(),
    );
  });

  it('is settled once applied', () => {
    const gone = (view: TaskView) => view.task.spec.desiredState !== 'remove';
    const tasks = [
      aSlotTask({ id: 'a', state: 'failed', desiredState: 'remove' }),
      aSlotTask({ id: 'b', state: 'running' }),
    ];
    expect(changesOf(tasks)).toEqual(['delete a']);
    expect(changesOf(tasks.filter(gone))).toEqual([]);
  });
});
