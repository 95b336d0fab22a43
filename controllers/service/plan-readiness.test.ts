import { describe, expect, it } from 'vitest';
import type { TaskView } from '../../pkg/lifecycle/index.js';
import {
  ServiceModel,
  type Fate,
  type ServiceModelOptions,
} from '../../test/fakes/service-model.js';

const TASK = { container: { image: 'app:1' } };
const READY: Readonly<Record<string, Fate>> = {};

function aModel(replicas: number, options: ServiceModelOptions = {}, fates = READY): ServiceModel {
  const model = new ServiceModel({
    service: { replicas, restartPolicy: { delay: '0s' } },
    fateOf: (_task, image) => fates[image] ?? 'runs',
    ...options,
  });
  model.settle();
  return model;
}

const conditionOf = (model: ServiceModel, type: string) =>
  model.status?.conditions.find((condition) => condition.type === type);
const inSlot = (model: ServiceModel, slot: number): TaskView =>
  model.live.find(({ task }) => task.spec.slot === slot)!;

describe('a task that is not in service', () => {
  it('runs, and does not count as ready', () => {
    const model = aModel(3);
    model.setReady(inSlot(model, 2), false);
    model.look();
    expect(model.status).toMatchObject({ desired: 3, running: 3, updated: 3, ready: 2, failed: 0 });
    const expected = {
      status: 'false',
      reason: 'TasksNotReady',
      message: '3/3 tasks running; 1 task not ready: web.2: HTTP 503',
    };
    expect(conditionOf(model, 'Available')).toMatchObject(expected);
    expect(conditionOf(model, 'Progressing')).toMatchObject({ reason: 'TasksNotReady' });
    model.setReady(inSlot(model, 2), true);
    model.look();
    expect(model.status).toMatchObject({ running: 3, ready: 3 });
    expect(conditionOf(model, 'Available')).toMatchObject({ status: 'true' });
    expect(conditionOf(model, 'Progressing')).toMatchObject({ reason: 'Settled' });
  });

  it('is not replaced', () => {
    const model = aModel(3);
    model.setReady(inSlot(model, 2), false);
    const before = model.tasks.map(({ task }) => task);
    model.settle();
    expect(model.tasks.map(({ task }) => task)).toEqual(before);
  });

  it('goes first when there are to be fewer', () => {
    const model = aModel(3);
    model.setReady(inSlot(model, 1), false);
    model.apply({ replicas: 2 });
    model.settle();
    expect(model.running.map(({ task }) => task.spec.slot)).toEqual([2, 3]);
  });

  it('keeps an update from going on: stop-first waits for its successor to serve', () => {
    const fates: Record<string, Fate> = { 'app:2': 'unready' };
    const spec = { update: { progressDeadline: '0s' } };
    const model = aModel(3, { spec }, fates);
    model.apply({ image: 'app:2' });
    model.settle({ untilMs: 3_600_000 });
    expect(model.images).toEqual({ 'app:1': 2, 'app:2': 1 });
    const [fresh] = model.running.filter(({ task }) => task.spec.revision === 2);
    fates['app:2'] = 'runs';
    model.setReady(fresh!, true);
    model.settle();
    expect(model.images).toEqual({ 'app:2': 3 });
    expect(model.update?.state).toBe('completed');
  });

  it('keeps its predecessor in service: start-first stops nothing before', () => {
    const spec = { update: { order: 'start-first', parallelism: 0 } } as const;
    const model = aModel(2, { spec }, { 'app:2': 'unready' });
    model.apply({ image: 'app:2' });
    model.settle({ untilMs: 60_000 });
    expect(model.images).toEqual({ 'app:1': 2, 'app:2': 2 });
    expect(model.status).toMatchObject({ running: 2, ready: 2, updated: 2 });
  });
});

describe('minReady', () => {
  const patient = { spec: { task: { ...TASK, minReady: '30s' } } };

  it('is how long a task must have been in service to count', () => {
    const model = new ServiceModel({ service: { replicas: 1 }, ...patient });
    for (let round = 0; round < 6; round += 1) {
      model.look();
      model.lookAtSlots();
      model.nodesAct();
    }
    const { lookAgainAt = 0 } = model.look();
    expect(model.status).toMatchObject({ running: 1, ready: 0 });
    expect(conditionOf(model, 'Available')?.message).toBe(
      '1/1 task running; 1 task in service for less than minReady',
    );
    expect(lookAgainAt - model.nowMs).toBe(30_000);
    model.nowMs = lookAgainAt;
    model.look();
    expect(model.status).toMatchObject({ running: 1, ready: 1 });
  });

  it('begins anew with every absence from service', () => {
    const model = aModel(1, patient);
    expect(model.status).toMatchObject({ ready: 1 });
    model.setReady(inSlot(model, 1), false);
    model.nowMs += 1_000;
    model.setReady(inSlot(model, 1), true);
    expect(model.look().lookAgainAt).toBe(model.nowMs + 30_000);
    expect(model.status).toMatchObject({ running: 1, ready: 0 });
  });

  it('paces an update, each revision by its own', () => {
    const model = aModel(3);
    const began = model.nowMs;
    model.apply({ task: { container: { image: 'app:2' }, minReady: '30s' } });
    model.settle();
    expect(model.images).toEqual({ 'app:2': 3 });
    expect(model.nowMs - began).toBeGreaterThanOrEqual(3 * 30_000);
  });
});
