import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StoredTask, UpdatePolicy } from '../../api/v1/index.js';
import { replicasOf } from '../../api/v1/index.js';
import { hasEnded, isLive, isReady, type TaskView } from '../../pkg/lifecycle/index.js';
import { ServiceModel, type Fate } from '../../test/fakes/service-model.js';
import { planService } from './plan.js';
import type { ServiceChange } from './plan-changes.js';

/** More of them find more: `PROPERTY_RUNS=5000 npx vitest run controllers/service`. */
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 60);

/** One thing that happens: somebody acts, or time passes. */
type Action =
  | { readonly kind: 'look'; readonly crashAfter: number }
  | { readonly kind: 'slots' }
  | { readonly kind: 'nodes'; readonly share: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'image'; readonly image: string }
  | { readonly kind: 'scale'; readonly replicas: number }
  | { readonly kind: 'fail'; readonly index: number }
  | { readonly kind: 'stand'; readonly index: number; readonly ready: boolean }
  | { readonly kind: 'order'; readonly order: 'pause' | 'resume' | 'retry' | 'promote' | 'abort' };

const actions: fc.Arbitrary<readonly Action[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('look'),
        crashAfter: fc.constantFrom(0, 1, 99, 99, 99),
      } as const),
    },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('slots') } as const) },
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('nodes'),
        share: fc.constantFrom(1, 1, 2, 3),
      } as const),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('pass'),
        ms: fc.constantFrom(1_000, 6_000, 700_000),
      } as const),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('image'),
        image: fc.constantFrom('a', 'b', 'bad', 'stuck', 'slow'),
      } as const),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('scale'),
        replicas: fc.integer({ min: 0, max: 7 }),
      } as const),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('fail'), index: fc.nat(9) } as const) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('stand'),
        index: fc.nat(9),
        ready: fc.boolean(),
      } as const),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('order'),
        order: fc.constantFrom('pause', 'resume', 'resume', 'retry', 'promote', 'abort'),
      } as const),
    },
  ),
  { minLength: 10, maxLength: 60 },
);

const failure = {
  failureAction: fc.constantFrom('pause', 'continue', 'rollback'),
  maxFailureRatio: fc.constantFrom(0, 0.3),
  delay: fc.constantFrom('0s', '0s', '2s'),
} as const;

const aStopFirst = fc.record({
  ...failure,
  parallelism: fc.integer({ min: 1, max: 3 }),
  order: fc.constant('stop-first'),
} as const);
const aStartFirst = fc.record({
  ...failure,
  parallelism: fc.integer({ min: 1, max: 3 }),
  order: fc.constant('start-first'),
} as const);
const aSurge = fc
  .record({
    ...failure,
    maxSurge: fc.integer({ min: 0, max: 3 }),
    maxUnavailable: fc.integer({ min: 0, max: 3 }),
  })
  .filter(({ maxSurge, maxUnavailable }) => maxSurge + maxUnavailable > 0);
const aPolicy: fc.Arbitrary<UpdatePolicy> = fc.oneof(aStopFirst, aStartFirst, aSurge);

const FATES: Readonly<Record<string, Fate>> = {
  bad: 'rejected',
  stuck: 'unplaced',
  slow: 'unready',
};

/** A model that is watched while things happen to it. */
class Watched {
  readonly model: ServiceModel;
  /** Places where the update stopped what served, until they serve again or their new task ended. */
  readonly taken = new Set<number>();
  private readonly fates: Record<string, Fate> = { ...FATES };

  constructor(readonly policy: UpdatePolicy) {
    const { failureAction, ...back } = policy;
    this.model = new ServiceModel({
      service: { replicas: 5, image: 'a', restartPolicy: { delay: '1s', maxDelay: '5s' } },
      spec: {
        update: policy,
        rollback: { ...back, failureAction: failureAction === 'continue' ? 'continue' : 'pause' },
      },
      fateOf: (_task: StoredTask, image: string) => this.fates[image] ?? 'runs',
    });
    this.model.settle();
  }

  get desired(): number {
    return replicasOf(this.model.service.spec) ?? 0;
  }

  act(action: Action): void {
    switch (action.kind) {
      case 'look':
        this.look(action.crashAfter);
        break;
      case 'slots':
        this.model.lookAtSlots();
        break;
      case 'nodes':
        this.model.nodesAct(({ task }) => task.spec.slot % action.share === 0);
        break;
      case 'pass':
        this.model.nowMs += action.ms;
        break;
      case 'image':
        this.model.apply({ image: action.image });
        break;
      case 'scale':
        this.model.apply({ replicas: action.replicas });
        break;
      case 'fail': {
        const victim = this.runningTask(action.index);
        if (victim) this.model.end(victim);
        break;
      }
      case 'stand': {
        const task = this.runningTask(action.index);
        if (task) this.model.setReady(task, action.ready);
        break;
      }
      case 'order':
        this.order(action.order);
        break;
    }
    this.forgetTaken();
  }

  /** All is well, and what people want is possible. */
  calmDown(): void {
    for (const image of Object.keys(this.fates)) this.fates[image] = 'runs';
    const { aborted: _aborted, ...rollout } = this.model.service.rollout ?? { changedAt: '' };
    this.model.service = { ...this.model.service, rollout };
    this.model.order({ paused: false, retries: (rollout.retries ?? 0) + 1 });
    this.model.apply({ image: 'z' });
  }

  private runningTask(index: number): TaskView | undefined {
    const { running } = this.model;
    return running[index % Math.max(1, running.length)];
  }

  private order(order: Extract<Action, { kind: 'order' }>['order']): void {
    const { rollout, metadata: _metadata } = this.model.service;
    const wanted = this.model.status?.revision ?? 1;
    if (order === 'pause') this.model.order({ paused: true });
    if (order === 'resume') this.model.order({ paused: false });
    if (order === 'retry') this.model.order({ retries: (rollout?.retries ?? 0) + 1 });
    if (order === 'promote') this.model.order({ promoted: wanted });
    if (order === 'abort') this.model.order({ aborted: wanted });
  }

  private look(crashAfter: number): void {
    const before = servingSlots(this.model);
    const scaledAway = new Set<number>();
    this.model.onChange = (change) => {
      if (change.kind === 'set-desired-state' && change.desiredState === 'remove') {
        scaledAway.add(change.task.task.spec.slot);
      }
    };
    const plan = this.model.look(crashAfter);
    const after = servingSlots(this.model);
    const stopped = [...before].filter((slot) => !after.has(slot) && !scaledAway.has(slot));
    for (const slot of stopped) this.taken.add(slot);
    for (const slot of scaledAway) this.taken.delete(slot);
    if (this.model.service.rollout?.paused) {
      expect(plan.changes.some(({ kind }) => kind === 'replace-task')).toBe(false);
    }
    this.check(stopped, before.size - scaledAway.size);
  }

  /** What the policy promises, right after a look. */
  private check(stopped: readonly number[], before: number): void {
    const { parallelism, order, maxSurge, maxUnavailable } = this.policy;
    const perSlot = liveBySlot(this.model);
    const extra = perSlot.reduce((sum, count) => sum + Math.max(0, count - 1), 0);
    expect(Math.max(0, ...perSlot)).toBeLessThanOrEqual(2);
    if (order === 'stop-first') {
      expect(this.taken.size).toBeLessThanOrEqual(Number(parallelism));
    }
    if (order === 'start-first') {
      expect(stopped).toEqual([]);
      expect(extra).toBeLessThanOrEqual(Number(parallelism));
    }
    if (maxSurge !== undefined && maxUnavailable !== undefined) {
      const serving = servingSlots(this.model).size;
      expect(extra).toBeLessThanOrEqual(Number(maxSurge));
      expect(serving).toBeGreaterThanOrEqual(
        Math.min(before, this.desired - Number(maxUnavailable)),
      );
    }
  }

  private forgetTaken(): void {
    const serving = servingSlots(this.model);
    for (const slot of this.taken) {
      const live = this.model.live.filter(({ task }) => task.spec.slot === slot);
      const isFirstTry = live.some(
        ({ task, state }) => task.spec.updates !== undefined && state !== 'rejected',
      );
      if (serving.has(slot) || !isFirstTry) this.taken.delete(slot);
    }
  }
}

const servingSlots = (model: ServiceModel): ReadonlySet<number> =>
  new Set(model.running.filter(isReady).map(({ task }) => task.spec.slot));

function liveBySlot(model: ServiceModel): readonly number[] {
  const counts = new Map<number, number>();
  for (const { task } of model.live.filter((view) => !hasEnded(view))) {
    counts.set(task.spec.slot, (counts.get(task.spec.slot) ?? 0) + 1);
  }
  return [...counts.values()];
}

function textOf(change: ServiceChange): string {
  return JSON.stringify(change, (key, value: unknown) =>
    key === 'stopped' || key === 'tasks'
      ? [...(value as unknown[])].map((each) => JSON.stringify(each)).sort()
      : value,
  );
}

/** An update to the revision is under way, and nobody has said that it is well. */
function awaitsPromotion({ update, service }: ServiceModel, revision: number): boolean {
  const isUnderWay = update?.wanted === revision && update.state !== 'completed';
  return isUnderWay && service.rollout?.promoted !== revision;
}

describe('an update, whatever happens', () => {
  it('keeps what its policy promises at every moment, and comes to an end when all is calm', () => {
    fc.assert(
      fc.property(aPolicy, actions, (policy, story) => {
        const watched = new Watched(policy);
        for (const action of story) watched.act(action);
        watched.calmDown();
        watched.model.settle({ rounds: 600 });
        expect(watched.model.images).toEqual(watched.desired === 0 ? {} : { z: watched.desired });
        expect(watched.model.live).toHaveLength(watched.desired);
        expect(watched.model.update?.state ?? 'completed').toBe('completed');
        expect(watched.model.look().changes).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });

  it('is the same plan in whatever order tasks and revisions are told', () => {
    fc.assert(
      fc.property(aPolicy, actions, fc.infiniteStream(fc.nat()), (policy, story, dice) => {
        const watched = new Watched(policy);
        for (const action of story) watched.act(action);
        const { model } = watched;
        const shuffled = <T>(items: readonly T[]): T[] =>
          items
            .map((item) => [dice.next().value ?? 0, item] as const)
            .sort(([a], [b]) => a - b)
            .map(([, item]) => item);
        const planOf = (tasks: readonly TaskView[], revisions: typeof model.revisions) => {
          const { changes, ...rest } = planService({ ...model.snapshot(), tasks, revisions });
          return { ...rest, changes: changes.map(textOf).sort() };
        };
        expect(planOf(shuffled(model.tasks), shuffled(model.revisions))).toEqual(
          planOf(model.tasks, model.revisions),
        );
      }),
      { numRuns: RUNS },
    );
  });

  it('with canaries never brings more tasks to a revision that was not promoted', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), aPolicy, actions, (canary, policy, story) => {
        const watched = new Watched({ ...policy, canary });
        const { model } = watched;
        const moved = (revision: number) =>
          new Set(
            model.tasks
              .filter((view) => isLive(view) && view.task.spec.revision === revision)
              .map(({ task }) => task.spec.slot),
          ).size;
        for (const action of story) {
          const wanted = Math.max(...model.revisions.map(({ revision }) => revision));
          const before = moved(wanted);
          watched.act(action);
          if (action.kind !== 'look' || !awaitsPromotion(model, wanted)) continue;
          expect(moved(wanted)).toBeLessThanOrEqual(Math.max(canary, before));
        }
      }),
      { numRuns: RUNS },
    );
  });
});
