import { afterEach, describe, expect, it } from 'vitest';
import {
  desiredRank,
  type ServiceSpec,
  type StoredService,
  type StoredTask,
  type UpdatePolicy,
} from '../../api/v1/index.js';
import { UnavailableError } from '../../pkg/base/index.js';
import type { GuardedWriter } from '../../pkg/controller/index.js';
import { hasEnded, isLive, type TaskView } from '../../pkg/lifecycle/index.js';
import { slotKey } from '../../pkg/objects/index.js';
import { aService } from '../builders/objects.js';
import { ControlPlane } from '../fakes/control-plane.js';
import { FakeClock } from '../fakes/fake-clock.js';
import { MemoryStore } from '../fakes/memory-store.js';
import { SimulatedNode, type TaskFate } from '../fakes/simulated-node.js';

/**
 * Updates with all controllers and simulated nodes, while leaders die between any two writes. What the
 * policy promises is checked at every revision of the store.
 */

const NODES = ['n1', 'n2', 'n3'];
const REPLICAS = 6;

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Loses every write from the n-th on, its reply too when `isReplyLost`, until it is mended. */
class BreakableWriter {
  private left = Infinity;

  constructor(private readonly isReplyLost: boolean) {}

  breakAfter(writes: number): void {
    this.left = writes;
  }

  mend(): void {
    this.left = Infinity;
  }

  readonly wrap = (writer: GuardedWriter): GuardedWriter => ({
    commit: async (txn, context) => {
      this.left -= 1;
      if (this.left >= 0) return writer.commit(txn, context);
      if (this.left === -1 && this.isReplyLost) await writer.commit(txn, context);
      throw new UnavailableError('the leader died');
    },
  });
}

interface Options {
  readonly update: UpdatePolicy;
  readonly rollback?: ServiceSpec['rollback'];
  readonly global?: boolean;
  readonly isReplyLost?: boolean;
  readonly fateOf?: (image: string) => TaskFate;
}

class Cluster {
  readonly clock = new FakeClock();
  readonly store = new MemoryStore({ clock: this.clock });
  readonly writer: BreakableWriter;
  readonly plane: ControlPlane;
  /** The fewest slots that served, and the most tasks too many, since the update began. */
  fewest = Infinity;
  most = 0;
  private image = 0;

  constructor(private readonly options: Options) {
    this.writer = new BreakableWriter(options.isReplyLost ?? false);
    this.plane = new ControlPlane({
      store: this.store,
      clock: this.clock,
      wrapWriter: this.writer.wrap,
    });
    cleanups.push(
      () => this.store.close(),
      () => this.plane.stop(),
    );
  }

  async start(): Promise<void> {
    const { store, clock, plane } = this;
    await plane.start();
    for (const id of NODES) {
      const node = new SimulatedNode({
        id,
        store,
        clock,
        keys: plane.keys,
        world: plane.world,
        fateOf: ({ spec }) => this.fateOf(spec.revision),
      });
      cleanups.push(() => {
        node.stop();
      });
      await node.join();
    }
    await plane.lead();
    await this.apply();
    await this.until('stable', () => this.status?.stable?.includes(1) ?? false);
    plane.world.tasks.onChange(() => this.look());
    plane.world.taskStatuses.onChange(() => this.look());
  }

  /** Applies the next image. */
  async apply(): Promise<void> {
    this.image += 1;
    const { update, rollback, global = false } = this.options;
    const service = aService({
      image: `app:${String(this.image)}`,
      replicas: REPLICAS,
      global,
      restartPolicy: { delay: '0s' },
    });
    const spec = { ...service.spec, update, ...(rollback && { rollback }) };
    const before = this.plane.world.services.get('web');
    await this.plane.apply({
      ...service,
      spec,
      ...(before?.rollout && { rollout: before.rollout }),
    });
  }

  async order(rollout: Partial<StoredService['rollout']>): Promise<void> {
    const service = this.plane.world.services.get('web')!;
    const changedAt = this.clock.now().toISOString();
    await this.plane.apply({ ...service, rollout: { ...service.rollout, ...rollout, changedAt } });
  }

  /** The leader dies, and another one comes. */
  async changeLeader(): Promise<void> {
    await this.plane.resign();
    this.writer.mend();
    await this.plane.lead();
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 20) {
      await this.clock.advance(20);
      await this.clock.advance(0);
    }
  }

  async until(what: string, check: () => boolean): Promise<void> {
    for (let step = 0; step < 3_000; step += 1) {
      if (check()) return;
      await this.pass(20);
    }
    throw new Error(`no ${what}: ${JSON.stringify(this.status)}`);
  }

  get status() {
    return this.plane.world.serviceStatuses.get('web');
  }

  get update() {
    return this.status?.update;
  }

  get live(): readonly TaskView[] {
    return this.plane.tasksOf('web').filter((view) => isLive(view) && !hasEnded(view));
  }

  /** Images of the tasks that run, with how many. */
  get images(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { task, state } of this.live) {
      if (state !== 'running') continue;
      const image = this.imageOf(task.spec.revision);
      counts[image] = (counts[image] ?? 0) + 1;
    }
    return counts;
  }

  private imageOf(revision: number): string {
    const stored = this.plane.world.serviceRevisions.list();
    return (
      stored.find((each) => each.revision === revision)?.template.task.container.image ?? 'none'
    );
  }

  private fateOf(revision: number): TaskFate {
    const usual = { prepareMs: 40, startMs: 60, stopMs: 100 };
    return { ...usual, ...this.options.fateOf?.(this.imageOf(revision)) };
  }

  private look(): void {
    const serving = new Set(
      this.live.filter(({ state }) => state === 'running').map(({ task }) => slotKey(task.spec)),
    );
    const slots = new Set(this.live.map(({ task }) => slotKey(task.spec)));
    this.fewest = Math.min(this.fewest, serving.size);
    this.most = Math.max(this.most, this.live.length - slots.size);
  }
}

/** What each policy promises for six tasks that are well. */
const POLICIES: readonly (readonly [UpdatePolicy, { fewest: number; most: number }])[] = [
  [{ parallelism: 2 }, { fewest: REPLICAS - 2, most: 0 }],
  [
    { parallelism: 3, order: 'start-first' },
    { fewest: REPLICAS, most: 3 },
  ],
  [
    { maxSurge: 1, maxUnavailable: 1 },
    { fewest: REPLICAS - 1, most: 1 },
  ],
  [
    { parallelism: 1, delay: '200ms' },
    { fewest: REPLICAS - 1, most: 0 },
  ],
];

describe('updates while leaders die', () => {
  const crashes = [1, 2, 3, 4, 5, 7, 9, 12, 16];
  it.each(
    POLICIES.flatMap(([update, promise]) =>
      crashes.flatMap((writes) =>
        [false, true].map((isReplyLost) => [update, writes, isReplyLost, promise] as const),
      ),
    ),
  )('%j: at write %i, reply lost: %j', async (update, writes, isReplyLost, promise) => {
    const cluster = new Cluster({ update, isReplyLost });
    await cluster.start();
    cluster.writer.breakAfter(writes);
    await cluster.apply();
    await cluster.pass(400);
    await cluster.changeLeader();
    await cluster.until('end of the update', () => cluster.update?.state === 'completed');
    expect(cluster.images).toEqual({ 'app:2': REPLICAS });
    expect(cluster.live).toHaveLength(REPLICAS);
    // Whoever led, it is one and the same attempt.
    expect(cluster.update).toMatchObject({ attempt: 1, from: 1, to: 2, failed: [] });
    expect(cluster.fewest).toBeGreaterThanOrEqual(promise.fewest);
    expect(cluster.most).toBeLessThanOrEqual(promise.most);
  });

  it.each([2, 4, 6, 8, 11, 15])('rolls a bad image back: at write %i', async (writes) => {
    const cluster = new Cluster({
      update: { parallelism: 2, failureAction: 'rollback', order: 'start-first' },
      rollback: { order: 'start-first' },
      fateOf: (image) => (image === 'app:2' ? { ends: 'rejected' } : {}),
    });
    await cluster.start();
    cluster.writer.breakAfter(writes);
    await cluster.apply();
    await cluster.pass(300);
    await cluster.changeLeader();
    await cluster.until(
      'end of the rollback',
      () => cluster.update?.state === 'rollback_completed',
    );
    expect(cluster.images).toEqual({ 'app:1': REPLICAS });
    expect(cluster.live).toHaveLength(REPLICAS);
    expect(cluster.update).toMatchObject({ from: 2, to: 1, wanted: 2 });
    expect(cluster.fewest).toBe(REPLICAS);
  });

  it('counts failures across leaders', async () => {
    const cluster = new Cluster({
      update: { parallelism: 1, maxFailureRatio: 0.4 },
      fateOf: (image) => (image === 'app:2' ? { ends: 'rejected' } : {}),
    });
    await cluster.start();
    await cluster.apply();
    for (let failures = 1; failures <= 2; failures += 1) {
      await cluster.until('failure', () => (cluster.update?.failed.length ?? 0) >= failures);
      await cluster.changeLeader();
    }
    await cluster.until('pause', () => cluster.update?.state === 'paused');
    expect(cluster.update).toMatchObject({ attempt: 1, reason: 'TasksFailed' });
    expect(cluster.update?.failed).toHaveLength(3);
    expect(cluster.images).toEqual({ 'app:1': REPLICAS - 3 });
  });

  it('updates global services node by node', async () => {
    const cluster = new Cluster({ update: { parallelism: 1 }, global: true });
    await cluster.start();
    cluster.writer.breakAfter(3);
    await cluster.apply();
    await cluster.pass(300);
    await cluster.changeLeader();
    await cluster.until('end of the update', () => cluster.update?.state === 'completed');
    expect(cluster.images).toEqual({ 'app:2': NODES.length });
    expect(cluster.fewest).toBe(NODES.length - 1);
  });
});

describe('orders while an update is under way', () => {
  it('a pause stops it within what was begun, whoever leads', async () => {
    const cluster = new Cluster({ update: { parallelism: 2 } });
    await cluster.start();
    await cluster.apply();
    await cluster.until('two new tasks', () => (cluster.images['app:2'] ?? 0) >= 2);
    await cluster.order({ paused: true });
    const begun = cluster.live.filter(({ task }) => task.spec.revision === 2).length;
    await cluster.changeLeader();
    await cluster.pass(5_000);
    expect(cluster.images).toEqual({ 'app:1': REPLICAS - begun, 'app:2': begun });
    expect(cluster.update).toMatchObject({ state: 'paused', reason: 'Ordered' });
    const { revision } = cluster.store;
    await cluster.pass(60_000);
    expect(cluster.store.revision).toBe(revision);
    await cluster.order({ paused: false });
    await cluster.until('end of the update', () => cluster.update?.state === 'completed');
    expect(cluster.images).toEqual({ 'app:2': REPLICAS });
  });

  it('canaries wait for their promotion through changes of the leader', async () => {
    const cluster = new Cluster({ update: { parallelism: 2, canary: 2, order: 'start-first' } });
    await cluster.start();
    await cluster.apply();
    await cluster.until('canaries', () => cluster.update?.reason === 'AwaitingPromotion');
    await cluster.changeLeader();
    await cluster.pass(1_000);
    expect(cluster.images).toEqual({ 'app:1': REPLICAS - 2, 'app:2': 2 });
    await cluster.order({ promoted: 2 });
    await cluster.until('end of the update', () => cluster.update?.state === 'completed');
    expect(cluster.images).toEqual({ 'app:2': REPLICAS });
    expect(cluster.fewest).toBe(REPLICAS);
  });

  it('another image in the middle wins, and nothing of the first is left', async () => {
    const cluster = new Cluster({ update: { parallelism: 2 } });
    await cluster.start();
    await cluster.apply();
    await cluster.pass(200);
    await cluster.apply();
    await cluster.until('end of the update', () => cluster.update?.state === 'completed');
    expect(cluster.images).toEqual({ 'app:3': REPLICAS });
    expect(cluster.update).toMatchObject({ attempt: 2, from: 1, to: 3 });
    expect(cluster.fewest).toBeGreaterThanOrEqual(REPLICAS - 2);
  });

  it('a deadline passes only while somebody leads', async () => {
    const cluster = new Cluster({
      update: { progressDeadline: '30s', failureAction: 'rollback' },
      fateOf: (image) => (image === 'app:2' ? { prepareMs: 20_000 } : {}),
    });
    await cluster.start();
    await cluster.apply();
    await cluster.pass(500);
    await cluster.plane.resign();
    await cluster.pass(60_000);
    await cluster.plane.lead();
    await cluster.pass(1_000);
    expect(cluster.update?.state).toBe('updating');
  });
});

/** What of a task is written once; the node is when there is one. */
function writtenOnce({ metadata: { uid }, spec }: StoredTask): object {
  const { service, serviceUid, revision, slot, forNode, restarts, failures } = spec;
  return { uid, service, serviceUid, revision, slot, forNode, restarts, failures };
}

describe('a task through all of this', () => {
  it('2.1.2, 2.1.5 is told to go forward only, and a change of the service never changes it', async () => {
    const cluster = new Cluster({ update: { parallelism: 2, failureAction: 'rollback' } });
    await cluster.start();
    const { tasks } = cluster.plane.world;
    const wrong: string[] = [];
    let changes = 0;
    tasks.onChange((before, after) => {
      if (!before || !after) return;
      changes += 1;
      if (desiredRank(after.spec.desiredState) < desiredRank(before.spec.desiredState)) {
        wrong.push(`${after.metadata.name} back to ${after.spec.desiredState}`);
      }
      const [old, now] = [before, after].map((task) => JSON.stringify(writtenOnce(task)));
      if (old !== now) wrong.push(`${String(old)} became ${String(now)}`);
      const { nodeId } = before.spec;
      if (nodeId !== undefined && nodeId !== after.spec.nodeId) wrong.push('another node');
    });
    await cluster.apply();
    await cluster.until('two new tasks', () => (cluster.images['app:2'] ?? 0) >= 2);
    await cluster.order({ aborted: 2 });
    await cluster.until('the way back', () => cluster.update?.state === 'rollback_completed');
    await cluster.apply();
    await cluster.until('end of the update', () => cluster.update?.state === 'completed');
    await cluster.plane.delete('web');
    await cluster.until('an empty store', () => tasks.size === 0);
    expect(wrong).toEqual([]);
    expect(changes).toBeGreaterThan(3 * REPLICAS);
  });
});
