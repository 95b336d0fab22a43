import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  revisionTemplateOf,
  type StoredServiceStatus,
  type TaskState,
} from '../../api/v1/index.js';
import { hasEnded, isLive, taskView, type TaskView } from '../../pkg/lifecycle/index.js';
import { schedulingNodeOf } from '../../pkg/lifecycle/index.js';
import { templateHash } from '../../pkg/objects/index.js';
import {
  aNode,
  aNodeHealth,
  aNodeStatus,
  aRevision,
  aService,
  aTask,
  aTaskStatus,
  type ServiceOptions,
} from '../../test/builders/objects.js';
import { planJob, type JobPlan, type JobSnapshot } from './plan.js';
import type { JobChange } from './plan-changes.js';
import type { JobNode } from './plan-global.js';

const START = Date.parse('2026-01-01T00:00:00.000Z');
const NODES = ['a', 'b', 'c'];

/** A job and what stores, slots and nodes make of its plans; time passes when it is told to. */
class Model {
  tasks: TaskView[] = [];
  readonly drained = new Set<string>();
  /** Tries that were begun, by slot and revision. */
  readonly begun = new Map<string, number>();
  options: ServiceOptions;
  /** When tasks were told so first, by id. */
  private readonly toldToStop = new Map<string, number>();
  private revisions: JobSnapshot['revisions'] = [];
  private status: StoredServiceStatus | undefined;
  private nowMs = START;
  private count = 0;

  constructor(options: ServiceOptions) {
    this.options = options;
  }

  get now(): string {
    return new Date(this.nowMs).toISOString();
  }

  get snapshot(): JobSnapshot {
    const service = aService(this.options);
    return {
      service,
      templateHash: templateHash(revisionTemplateOf(service.spec)),
      revisions: this.revisions,
      freeRevision: this.revisions.length + 1,
      tasks: this.tasks,
      nodes: NODES.map((id) => this.nodeOf(id)),
      lostNodes: new Set(),
      status: this.status,
      now: this.now,
    };
  }

  pass(ms: number): void {
    this.nowMs += ms;
  }

  /** Applies the first `limit` changes, as a crash does; a status only when all were. */
  apply({ changes, status }: JobPlan, limit = Infinity): void {
    for (const change of changes.slice(0, limit)) this.applyOne(change);
    if (limit < changes.length) return;
    const version = (this.status?.version ?? 0) + 1;
    this.status = { ...status, serviceUid: 'uid-web', version };
  }

  /** Looks until there is nothing to do; the number of looks it took. */
  settle(): number {
    for (let looks = 1; looks < 20; looks += 1) {
      this.startPrepared();
      const plan = planJob(this.snapshot);
      this.apply(plan);
      if (plan.changes.length === 0) return looks;
    }
    return Infinity;
  }

  /** What the slot controller does: prepared tasks start when their time has come and the old one has stopped. */
  startPrepared(): void {
    for (const { task } of this.tasks.filter(
      ({ task: { spec } }) => spec.desiredState === 'ready',
    )) {
      const { startAt } = task.spec;
      const others = this.tasks.filter(({ task: other }) => sameSlot(other, task));
      const isStopping = others.some((view) => !isLive(view) && !hasEnded(view));
      const isDue = startAt === undefined || Date.parse(startAt) <= this.nowMs;
      if (isDue && !isStopping) this.change(task.metadata.uid, { desiredState: 'complete' });
    }
  }

  /** A task ends as it is told to, or by itself. */
  end(index: number, state: 'complete' | 'failed'): void {
    const open = this.tasks.filter(
      (view) => !hasEnded(view) && view.task.spec.desiredState !== 'ready',
    );
    const view = open[index % Math.max(1, open.length)];
    if (!view) return;
    this.observe(view, isLive(view) ? state : 'shutdown');
  }

  stopAll(): void {
    for (const view of this.tasks) {
      if (!isLive(view) && !hasEnded(view)) this.observe(view, 'shutdown');
    }
  }

  /** As the slot controller does for a replicated job: the task is told to stop. */
  drainTask(index: number): void {
    const active = this.active;
    const view = active[index % Math.max(1, active.length)];
    if (view) this.change(view.task.metadata.uid, { desiredState: 'shutdown' });
  }

  /** History is trimmed to the newest task of each slot. */
  trim(): void {
    this.tasks = this.tasks.filter(
      (view) =>
        !hasEnded(view) ||
        !this.tasks.some(
          ({ task }) =>
            sameSlot(task, view.task) && task.metadata.createdAt > view.task.metadata.createdAt,
        ),
    );
  }

  get active(): readonly TaskView[] {
    return this.tasks.filter((view) => isLive(view) && !hasEnded(view));
  }

  /** Slots in which something runs or may run. What does not stop for a minute is waited for no longer. */
  get occupied(): number {
    const isGivenUp = ({ task }: TaskView) =>
      (this.toldToStop.get(task.metadata.uid) ?? Infinity) + 60_000 <= this.nowMs;
    const open = this.tasks.filter((view) => !hasEnded(view) && !isGivenUp(view));
    return new Set(open.map(({ task: { spec } }) => spec.forNode ?? spec.slot)).size;
  }

  private nodeOf(id: string): JobNode {
    return {
      node: schedulingNodeOf({
        node: aNode(id),
        status: aNodeStatus(id),
        health: aNodeHealth(id),
      }),
      standing: this.drained.has(id) ? 'draining' : 'available',
    };
  }

  private applyOne(change: JobChange): void {
    switch (change.kind) {
      case 'create-revision': {
        const service = aService(this.options);
        const revision = aRevision(service, change.revision);
        this.revisions = [...this.revisions, { ...revision, createdAt: this.now }];
        return;
      }
      case 'create-task': {
        if (change.after && isLive(change.after)) {
          this.change(change.after.task.metadata.uid, { desiredState: 'shutdown' });
        }
        this.create(change);
        return;
      }
      case 'set-desired-state':
        this.change(change.task.task.metadata.uid, { desiredState: change.desiredState });
        if (change.desiredState === 'remove' && hasEnded(change.task)) {
          this.tasks = this.tasks.filter(({ task }) => task !== change.task.task);
          this.tasks = this.tasks.filter(
            ({ task }) => task.metadata.uid !== change.task.task.metadata.uid,
          );
        }
        return;
      case 'delete-revision':
      case 'expire-service':
      case 'delete-service':
    }
  }

  private create({ task }: Extract<JobChange, { kind: 'create-task' }>): void {
    this.count += 1;
    const key = `${String(task.revision)} ${task.forNode ?? String(task.slot)}`;
    this.begun.set(key, (this.begun.get(key) ?? 0) + 1);
    const { startAt, tryingSince, forNode, ...rest } = task;
    const view = aTask({
      id: `t${String(this.count).padStart(4, '0')}`,
      createdAt: this.now,
      nodeId: forNode ?? 'a',
      ...rest,
      ...(forNode !== undefined && { forNode }),
      ...(startAt !== undefined && { startAt }),
      ...(tryingSince !== undefined && { tryingSince }),
    });
    this.tasks = [...this.tasks, view];
  }

  private change(id: string, spec: Partial<TaskView['task']['spec']>): void {
    const isStop = spec.desiredState === 'shutdown' || spec.desiredState === 'remove';
    if (isStop && !this.toldToStop.has(id)) this.toldToStop.set(id, this.nowMs);
    this.tasks = this.tasks.map((view) => {
      if (view.task.metadata.uid !== id) return view;
      const metadata = { ...view.task.metadata, updatedAt: this.now };
      const task = { ...view.task, metadata, spec: { ...view.task.spec, ...spec } };
      return taskView(task, view.status);
    });
  }

  private observe({ task }: TaskView, state: TaskState): void {
    const id = task.metadata.uid;
    const status = aTaskStatus(id, state, { appliedAt: this.now });
    this.tasks = this.tasks
      .map((view) => (view.task.metadata.uid === id ? taskView(view.task, status) : view))
      .filter((view) => !(hasEnded(view) && view.task.spec.desiredState === 'remove'));
  }
}

const sameSlot = (a: TaskView['task'], b: TaskView['task']): boolean =>
  a.spec.slot === b.spec.slot && a.spec.forNode === b.spec.forNode;

type Action = readonly [kind: string, number: number];
const actions = (kinds: readonly string[]): fc.Arbitrary<readonly Action[]> =>
  fc.array(fc.tuple(fc.constantFrom(...kinds), fc.nat(20)), { maxLength: 40 });

function act(model: Model, [kind, number]: Action): void {
  switch (kind) {
    case 'complete':
    case 'failed':
      model.end(number, kind);
      return;
    case 'drain':
      model.drainTask(number);
      return;
    case 'drain-node':
      model.drained.add(NODES[number % NODES.length] ?? '');
      return;
    case 'activate':
      model.drained.delete(NODES[number % NODES.length] ?? '');
      return;
    case 'stop':
      model.stopAll();
      return;
    case 'pass':
      model.pass(number * 10_000);
      return;
    case 'trim':
      model.trim();
      return;
    case 'again':
      model.options = { ...model.options, forceUpdate: (model.options.forceUpdate ?? 0) + 1 };
      return;
    case 'crash':
      model.apply(planJob(model.snapshot), number % 4);
  }
}

const replicated = fc.record({
  totalCompletions: fc.integer({ min: 1, max: 8 }),
  maxConcurrent: fc.integer({ min: 1, max: 8 }),
  backoffLimit: fc.integer({ min: 0, max: 4 }),
});
const WILD = ['complete', 'failed', 'drain', 'stop', 'pass', 'trim', 'again', 'crash'];

describe('planJob, for any replicated job and whatever happens to it', () => {
  it('settles, keeps one task per slot, and never more at once than allowed', () => {
    fc.assert(
      fc.property(replicated, actions(WILD), (job, sequence) => {
        const model = new Model({ job });
        for (const action of [...sequence, ['complete', 0] as const]) {
          act(model, action);
          model.pass(100);
          const before = model.occupied;
          expect(model.settle()).toBeLessThan(10);
          const slots = model.active.map(({ task }) => task.spec.slot);
          expect(new Set(slots).size).toBe(slots.length);
          expect(Math.max(...slots, 0)).toBeLessThanOrEqual(job.totalCompletions);
          expect(model.occupied).toBeLessThanOrEqual(Math.max(before, job.maxConcurrent));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('begins no try after the failure that is one too many', () => {
    fc.assert(
      fc.property(
        replicated,
        actions(['complete', 'failed', 'failed', 'pass', 'trim']),
        (job, sequence) => {
          const model = new Model({ job, restartPolicy: { delay: '0s' } });
          let failures = 0;
          for (const action of sequence) {
            act(model, action);
            const plan = planJob(model.snapshot);
            failures = Math.max(failures, plan.status.job?.failed ?? 0);
            const begins = plan.changes.filter(({ kind }) => kind === 'create-task');
            if (failures > job.backoffLimit) expect(begins).toEqual([]);
            model.apply(plan);
            model.pass(100);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('ends, once containers do', () => {
    fc.assert(
      fc.property(replicated, actions(WILD), (job, sequence) => {
        const model = new Model({ job });
        for (const action of sequence) {
          act(model, action);
          model.settle();
        }
        for (let round = 0; round < 200; round += 1) {
          model.stopAll();
          model.pass(400_000);
          model.settle();
          model.end(0, 'complete');
        }
        model.settle();
        const { conditions, job: found } = planJob(model.snapshot).status;
        expect(found?.finishedAt).toBeDefined();
        expect(conditions.filter(({ status }) => status === 'true')).toHaveLength(1);
        expect(model.active).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it('does the same in whatever order things come', () => {
    fc.assert(
      fc.property(replicated, actions(WILD), fc.nat(), (job, sequence, seed) => {
        const model = new Model({ job });
        for (const action of sequence) {
          act(model, action);
          model.settle();
        }
        model.end(seed, 'failed');
        const { snapshot } = model;
        const turned = [...snapshot.tasks.slice(seed % 7), ...snapshot.tasks.slice(0, seed % 7)];
        const shuffled = {
          ...snapshot,
          tasks: turned.reverse(),
          revisions: [...snapshot.revisions].reverse(),
        };
        expect(textsOf(planJob(shuffled))).toEqual(textsOf(planJob(snapshot)));
      }),
      { numRuns: 100 },
    );
  });
});

const GLOBAL = [
  'complete',
  'failed',
  'drain-node',
  'activate',
  'stop',
  'pass',
  'trim',
  'again',
  'crash',
];

describe('planJob, for any global job and whatever happens to it', () => {
  const limits = fc.record({ backoffLimit: fc.integer({ min: 0, max: 3 }) });

  it('settles, and keeps to one task on each node that may have one', () => {
    fc.assert(
      fc.property(limits, actions(GLOBAL), (globalJob, sequence) => {
        const model = new Model({ globalJob });
        for (const action of sequence) {
          act(model, action);
          model.pass(100);
          expect(model.settle()).toBeLessThan(10);
          const nodes = model.active.map(({ task }) => task.spec.forNode ?? '');
          expect(new Set(nodes).size).toBe(nodes.length);
          expect(nodes.filter((id) => model.drained.has(id))).toEqual([]);
        }
      }),
      { numRuns: 200 },
    );
  });
});

const textsOf = ({ changes, status, lookAgainAt }: JobPlan) => ({
  changes: changes.map((change) => JSON.stringify(change)).sort(),
  status,
  lookAgainAt,
});
