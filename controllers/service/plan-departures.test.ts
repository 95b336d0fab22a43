import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effectiveDisruption, type ServiceSpec, type StoredTask } from '../../api/v1/index.js';
import type { TaskView } from '../../pkg/lifecycle/index.js';
import {
  ServiceModel,
  type Fate,
  type ServiceModelOptions,
} from '../../test/fakes/service-model.js';
import type { ServiceChange } from './plan-changes.js';
import type { Departure } from './plan-moves.js';

const DRAINED: Departure = { kind: 'drained', isForced: false, version: 7 };
const FORCED: Departure = { ...DRAINED, isForced: true };
const LOST: Departure = { kind: 'lost', replaceableAt: 0, version: 9 };

/** A service all of whose tasks run on n1. */
function aModel(
  replicas: number,
  spec: Partial<ServiceSpec> = {},
  options: ServiceModelOptions = {},
): ServiceModel {
  const service = { replicas, restartPolicy: { delay: '5s' } };
  const model = new ServiceModel({ service, spec, ...options });
  model.settle();
  return model;
}

function short(change: ServiceChange): string {
  if (change.kind === 'move-task') {
    const { slot, desiredState } = change.task;
    const stops = change.stopped.length === 0 ? 'beside' : 'instead';
    return `${change.why} ${String(slot)} ${stops} ${desiredState}`;
  }
  if (change.kind === 'set-desired-state') return `${change.desiredState} ${nameOf(change.task)}`;
  return change.kind;
}

const nameOf = ({ task }: TaskView): string =>
  `${String(task.spec.slot)}@${task.spec.nodeId ?? 'nowhere'}`;
const look = (model: ServiceModel): readonly string[] => model.look().changes.map(short);
const places = (model: ServiceModel): readonly string[] => model.running.map(nameOf).sort();

/** The tasks that take others' places come to this. */
const heirs =
  (fate: Fate) =>
  ({ spec }: StoredTask): Fate =>
    spec.moves === undefined ? 'runs' : fate;

describe('a drained node', () => {
  it('keeps its tasks until others serve in their place', () => {
    const model = aModel(2);
    model.departures.set('n1', DRAINED);
    expect(look(model)).toEqual(['node-drained 1 beside running', 'node-drained 2 beside running']);
    expect(look(model)).toEqual([]);
    model.nodesAct(); // they get their node
    expect(look(model)).toEqual([]);
    expect(places(model)).toEqual(['1@n1', '2@n1']);
    model.nodesAct(); // they run
    expect(look(model)).toEqual(['shutdown 1@n1', 'shutdown 2@n1']);
    model.settle();
    expect(places(model)).toEqual(['1@n2', '2@n2']);
  });

  it('lets tasks go only when others have been in service for long enough', () => {
    const model = aModel(1, {
      task: { container: { image: 'app:1' }, minReady: '10s' },
    });
    model.departures.set('n1', DRAINED);
    look(model);
    model.nodesAct();
    model.nodesAct();
    const plan = model.look();
    expect(plan.changes).toEqual([]);
    expect(plan.lookAgainAt).toBe(model.nowMs + 10_000);
    model.nowMs += 10_000;
    expect(look(model)).toEqual(['shutdown 1@n1']);
  });

  it('says what goes on', () => {
    const model = aModel(2, {}, { fateOf: heirs('stays') });
    model.departures.set('n1', DRAINED);
    model.settle();
    const progressing = model.status?.conditions.find(({ type }) => type === 'Progressing');
    expect(progressing).toMatchObject({ status: 'true', reason: 'TasksPending' });
    expect(model.status).toMatchObject({ running: 2, pending: 2 });
  });

  it('keeps tasks for which there is no other place, unless its budget allows to miss some', () => {
    const model = aModel(4, {}, { fateOf: heirs('unplaced') });
    model.departures.set('n1', DRAINED);
    model.settle();
    expect(places(model)).toHaveLength(4);
    model.explainPending('0/2 nodes: 1 insufficient memory');
    expect(look(model)).toEqual([]);
    model.apply({ disruption: { maxUnavailable: '50%' } });
    expect(look(model)).toEqual(['shutdown 1@n1', 'shutdown 2@n1']);
    model.settle();
    expect(places(model)).toEqual(['3@n1', '4@n1']);
  });

  it('stops its tasks first where two may not meet, within the budget', () => {
    const model = aModel(4, { disruption: { order: 'stop-first', maxUnavailable: 1 } });
    model.departures.set('n1', DRAINED);
    expect(look(model)).toEqual(['node-drained 1 instead ready']);
    expect(look(model)).toEqual([]);
    model.settle();
    expect(places(model)).toEqual(['1@n2', '2@n2', '3@n2', '4@n2']);
  });

  it('counts what is missing anyway, and lets go at once of what does not serve', () => {
    const model = aModel(3, { disruption: { order: 'stop-first', maxUnavailable: 1 } });
    const [first] = model.running;
    model.setReady(first!, false);
    model.departures.set('n1', DRAINED);
    expect(look(model)).toEqual(['node-drained 1 instead ready']);
    expect(look(model)).toEqual([]);
  });

  it.each([
    ['an update that stops first by order', { update: { order: 'stop-first' } }, 'instead ready'],
    ['an update without surge', { update: { maxUnavailable: 1 } }, 'instead ready'],
    ['an update with surge', { update: { maxSurge: 1 } }, 'beside running'],
    [
      'an order of its own',
      { update: { order: 'stop-first' }, disruption: { order: 'start-first' } },
      'beside running',
    ],
  ] as const)('takes its order from %s', (_what, spec, words) => {
    const model = aModel(1, spec);
    model.departures.set('n1', DRAINED);
    expect(look(model)).toEqual([`node-drained 1 ${words}`]);
  });

  it('stops everything at once when it is forced', () => {
    const model = aModel(3, { disruption: { order: 'stop-first', maxUnavailable: 1 } });
    model.departures.set('n1', FORCED);
    expect(look(model)).toHaveLength(3);
    model.settle();
    expect(places(model)).toEqual(['1@n2', '2@n2', '3@n2']);
  });

  it('is forced while others are on their way', () => {
    const model = aModel(1, {}, { fateOf: heirs('unplaced') });
    model.departures.set('n1', DRAINED);
    model.settle();
    model.departures.set('n1', FORCED);
    expect(look(model)).toEqual(['shutdown 1@n1']);
    expect(look(model)).toEqual([]);
  });

  it('keeps its tasks when others fail, and tries again with back-off', () => {
    const model = aModel(1, {}, { fateOf: heirs('rejected') });
    model.departures.set('n1', DRAINED);
    model.settle({ untilMs: 60_000 });
    expect(places(model)).toEqual(['1@n1']);
    const tries = model.tasks.filter(({ task }) => task.spec.moves !== undefined);
    expect(tries.length).toBeGreaterThan(2);
    expect(tries.length).toBeLessThan(8);
    expect(tries.at(-1)?.task.spec.failures).toBeGreaterThan(1);
  });

  it('keeps its tasks when it takes tasks again before others serve', () => {
    const model = aModel(2, {}, { fateOf: heirs('stays') });
    model.departures.set('n1', DRAINED);
    model.settle();
    model.departures.clear();
    expect(look(model)).toEqual(['shutdown 1@nowhere', 'shutdown 2@nowhere']);
    model.settle();
    expect(places(model)).toEqual(['1@n1', '2@n1']);
  });

  it('does not hold up an update, nor the update the drain', () => {
    const model = aModel(3, { update: { parallelism: 1 } });
    model.apply({ image: 'app:2' });
    look(model);
    model.departures.set('n1', DRAINED);
    model.settle();
    expect(model.images).toEqual({ 'app:2': 3 });
    expect(places(model)).toEqual(['1@n2', '2@n2', '3@n2']);
    expect(model.update?.state).toBe('completed');
  });

  it('does not bring tasks to another revision', () => {
    const model = aModel(2);
    model.apply({ image: 'app:2' });
    model.order({ paused: true });
    model.departures.set('n1', DRAINED);
    model.settle();
    expect(model.images).toEqual({ 'app:1': 2 });
    expect(places(model)).toEqual(['1@n2', '2@n2']);
  });

  it('loses the tasks first that are too many', () => {
    const model = aModel(2);
    model.departures.set('n1', DRAINED);
    look(model);
    model.nodesAct(({ task }) => task.spec.slot === 1);
    model.nodesAct(({ task }) => task.spec.slot === 1);
    look(model);
    model.apply({ replicas: 1 });
    model.settle();
    expect(places(model)).toEqual(['1@n2']);
  });
});

describe('a lost node', () => {
  it('keeps its tasks when it is back before others serve', () => {
    const model = aModel(1, {}, { fateOf: heirs('stays') });
    const [original] = model.running;
    model.departures.set('n1', LOST);
    expect(look(model)).toEqual(['node-lost 1 beside running']);
    expect(look(model)).toEqual([]);
    model.departures.clear();
    expect(look(model)).toEqual(['shutdown 1@nowhere']);
    model.settle();
    expect(model.running).toEqual([original]);
  });

  it('loses them when others serve', () => {
    const model = aModel(1);
    model.departures.set('n1', LOST);
    look(model);
    model.nodesAct(({ task }) => task.spec.moves !== undefined);
    model.nodesAct(({ task }) => task.spec.moves !== undefined);
    expect(look(model)).toEqual(['shutdown 1@n1']);
    expect(look(model)).toEqual([]);
  });

  it('is waited for as long as is said', () => {
    const model = aModel(1);
    const replaceableAt = model.nowMs + 30_000;
    model.departures.set('n1', { kind: 'lost', replaceableAt, version: 1 });
    expect(model.look()).toMatchObject({ changes: [], lookAgainAt: replaceableAt });
    model.nowMs = replaceableAt;
    expect(look(model)).toEqual(['node-lost 1 beside running']);
  });

  it('is waited for for ever when nobody may take the place', () => {
    const model = aModel(1);
    model.departures.set('n1', { kind: 'lost', replaceableAt: undefined, version: 1 });
    model.nowMs += 1e9;
    expect(look(model)).toEqual([]);
  });

  it('does not get a task back for which another was made, whatever is said later', () => {
    const model = aModel(1, {}, { fateOf: heirs('stays') });
    model.departures.set('n1', LOST);
    look(model);
    model.departures.set('n1', { kind: 'lost', replaceableAt: undefined, version: 1 });
    expect(look(model)).toEqual([]);
    expect(model.live).toHaveLength(2);
  });

  it('is no reason to run three tasks of a slot, when the other node is lost, too', () => {
    const model = aModel(1, {}, { fateOf: heirs('runs') });
    model.departures.set('n1', LOST);
    look(model);
    model.nodesAct(({ task }) => task.spec.moves !== undefined); // placed on n2
    model.departures.set('n2', LOST);
    look(model);
    expect(model.live.length).toBeLessThanOrEqual(2);
    model.settle();
    expect(places(model)).toEqual(['1@n3']);
  });
});

interface Happening {
  readonly node?: string;
  readonly departure?: Departure | undefined;
  readonly image?: string;
  readonly replicas?: number;
  readonly steps?: number;
}

function happen(model: ServiceModel, { node, departure, image, replicas, steps = 0 }: Happening) {
  if (node !== undefined && departure) model.departures.set(node, departure);
  else if (node !== undefined) model.departures.delete(node);
  if (image !== undefined) model.apply({ image });
  if (replicas !== undefined) model.apply({ replicas });
  for (let step = 0; step < steps; step += 1) model.nodesAct();
}

describe('an update', () => {
  it('gives no third task to a slot whose new one is on a node that is lost', () => {
    const model = aModel(1, { update: { maxSurge: 1 } });
    model.apply({ image: 'app:2' });
    look(model);
    model.departures.set('n1', DRAINED); // only so that the new one comes to another node
    model.nodesAct(({ task }) => task.spec.revision === 2);
    model.departures.clear();
    model.departures.set('n2', LOST);
    model.apply({ image: 'app:3' });
    look(model);
    expectFewInEachSlot(model);
    model.settle();
    expect(model.running.map(({ task }) => task.spec.revision)).toEqual([3]);
  });
});

const departure = fc.constantFrom(DRAINED, FORCED, LOST, undefined);
const event: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ node: fc.constantFrom('n1', 'n2', 'n3'), departure }),
  fc.record({ image: fc.constantFrom('app:1', 'app:2', 'app:3') }),
  fc.record({ replicas: fc.integer({ min: 0, max: 4 }) }),
  fc.record({ steps: fc.integer({ min: 1, max: 3 }) }),
);

describe('departures, whatever happens', () => {
  it('keep to two live tasks in a slot, and settle', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.array(event, { minLength: 1, maxLength: 12 }),
        (replicas, events) => {
          const model = aModel(replicas);
          for (const each of events) {
            happen(model, each);
            model.look();
            model.lookAtSlots();
            expectFewInEachSlot(model);
          }
          model.departures.clear();
          model.settle();
          expect(model.live).toHaveLength(model.status?.desired ?? -1);
          expect(model.running).toHaveLength(model.status?.desired ?? -1);
        },
      ),
      { numRuns: 100 },
    );
  });
});

function expectFewInEachSlot(model: ServiceModel): void {
  const counts = new Map<number, number>();
  for (const { task } of model.live) {
    counts.set(task.spec.slot, (counts.get(task.spec.slot) ?? 0) + 1);
  }
  expect(Math.max(0, ...counts.values())).toBeLessThanOrEqual(2);
}

const amount = fc.constantFrom(undefined, 0, 1, 2, '25%', '50%');
const disruption = fc.record({
  order: fc.constantFrom('start-first', 'stop-first'),
  maxUnavailable: amount,
});
const heirFate: fc.Arbitrary<Fate> = fc.constantFrom(
  'runs',
  'rejected',
  'unplaced',
  'stays',
  'fails',
  'unready',
);
const step = fc.oneof(
  fc.record({ node: fc.constantFrom('n1', 'n2', 'n3'), isDrained: fc.boolean() }),
  fc.record({ acts: fc.integer({ min: 1, max: 3 }), waitMs: fc.constantFrom(0, 1_000, 30_000) }),
  fc.record({ hopeless: fc.constant(true) }),
);

describe('a gentle drain', () => {
  it('never makes fewer tasks serve than the budget allows', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        disruption,
        heirFate,
        fc.array(step, { minLength: 1, maxLength: 16 }),
        (replicas, { order, maxUnavailable }, fate, steps) => {
          const model = aModel(
            replicas,
            { disruption: { order, ...(maxUnavailable !== undefined && { maxUnavailable }) } },
            { fateOf: heirs(fate) },
          );
          const budget = effectiveDisruption(model.service.spec).maxUnavailable(replicas);
          for (const each of steps) {
            if ('node' in each) {
              if (each.isDrained) model.departures.set(each.node, DRAINED);
              else model.departures.delete(each.node);
            } else if ('hopeless' in each) model.explainPending('0/3 nodes: 3 drained');
            else {
              model.nowMs += each.waitMs;
              for (let act = 0; act < each.acts; act += 1) model.nodesAct();
            }
            const before = slotsServed(model);
            model.look();
            expect(slotsServed(model)).toBeGreaterThanOrEqual(Math.min(before, replicas - budget));
            model.lookAtSlots();
            expectFewInEachSlot(model);
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});

/** Slots of which a task runs that nobody has told to stop. */
function slotsServed(model: ServiceModel): number {
  const serving = model.running.filter(({ task }) => task.spec.desiredState === 'running');
  return new Set(serving.map(({ task }) => task.spec.slot)).size;
}
