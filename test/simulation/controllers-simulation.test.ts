import { describe, expect, it } from 'vitest';
import {
  desiredRank,
  replicasOf,
  stateRank,
  type StoredTask,
  type StoredTaskStatus,
} from '../../api/v1/index.js';
import { UnavailableError } from '../../pkg/base/index.js';
import type { GuardedWriter } from '../../pkg/controller/index.js';
import { isLive, type TaskView } from '../../pkg/lifecycle/index.js';
import { slotKey } from '../../pkg/objects/index.js';
import { aService, type ServiceOptions } from '../builders/objects.js';
import { ControlPlane } from '../fakes/control-plane.js';
import { FakeClock } from '../fakes/fake-clock.js';
import { MemoryStore } from '../fakes/memory-store.js';
import { SimulatedNode, type TaskFate } from '../fakes/simulated-node.js';

/**
 * All controllers and simulated nodes under one clock: people, containers, nodes and the leader do what
 * they like for a while, then all is calm. What must hold all the time is checked at every revision.
 */

const SEEDS = Number(process.env['SIMULATION_SEEDS'] ?? 12);
const STEPS = 60;
const NODES = ['n1', 'n2', 'n3', 'n4'];
const SERVICES = ['web', 'db', 'agent'];

/** Mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Simulation {
  readonly clock = new FakeClock();
  readonly store = new MemoryStore({ clock: this.clock });
  readonly plane: ControlPlane;
  readonly violations: string[] = [];
  private readonly nodes = new Map<string, SimulatedNode>();
  private readonly disconnected = new Set<string>();
  private readonly random: () => number;
  private calm = false;
  private image = 0;

  constructor(seed: number) {
    this.random = randomFrom(seed);
    this.plane = new ControlPlane({
      store: this.store,
      clock: this.clock,
      wrapWriter: (writer) => this.unreliable(writer),
    });
  }

  async run(): Promise<void> {
    await this.plane.start({ nodeUnknownAfter: '2s', nodeLostAfter: '4s', taskHistoryLimit: 3 });
    this.watchInvariants();
    for (const id of NODES) await this.addNode(id);
    await this.plane.lead();
    for (let step = 0; step < STEPS; step += 1) {
      await this.act();
      await this.pass(this.below(1_500));
    }
    await this.settle();
  }

  async stop(): Promise<void> {
    for (const node of this.nodes.values()) node.stop();
    await this.plane.stop();
    await this.store.close();
  }

  /** Everything is well again, and every service gets a spec that works. */
  private async settle(): Promise<void> {
    this.calm = true;
    for (const id of [...this.disconnected]) await this.reconnect(id);
    for (const id of NODES) await this.setAvailability(id, 'active');
    for (const { metadata, spec } of this.plane.world.services.list()) {
      if (metadata.deletingAt !== undefined) continue;
      const replicas = replicasOf(spec);
      await this.apply(metadata.name, replicas === undefined ? {} : { replicas });
    }
    await this.pass(120_000, 100);
  }

  async pass(ms: number, stepMs = 20): Promise<void> {
    const end = this.clock.monotonicMs() + ms;
    while (this.clock.monotonicMs() < end) {
      await this.clock.advance(Math.min(stepMs, end - this.clock.monotonicMs()));
      await this.clock.advance(0);
    }
  }

  private async act(): Promise<void> {
    const name = this.oneOf(SERVICES);
    const node = this.oneOf(NODES);
    const actions: (() => Promise<void>)[] = [
      () => this.apply(name, { replicas: this.below(8) }),
      () => this.apply(name, { replicas: this.below(8) }),
      () => this.apply(name, { replicas: 1 + this.below(5), memory: '1g' }),
      () => this.plane.delete(name),
      () => this.endSomeTask('failed'),
      () => this.endSomeTask('failed'),
      () => this.endSomeTask('complete'),
      () => this.disconnect(node),
      () => this.reconnect(node),
      () => this.setAvailability(node, this.oneOf(['active', 'pause', 'drain', 'active'] as const)),
      () => this.changeLeader(),
    ];
    await this.oneOf(actions)();
  }

  private async apply(name: string, options: ServiceOptions): Promise<void> {
    const stored = this.plane.world.services.get(name);
    if (stored?.metadata.deletingAt !== undefined) return;
    this.image += 1;
    const service = aService({
      name,
      uid: stored?.metadata.uid ?? `uid-${name}-${String(this.image)}`,
      image: this.random() < 0.5 && !this.calm ? 'app:same' : `app:${String(this.image)}`,
      global: name === 'agent',
      restartPolicy: { delay: this.oneOf(['0s', '500ms', '2s']), maxDelay: '4s' },
      ...options,
    });
    await this.plane.apply(service);
  }

  private async changeLeader(): Promise<void> {
    await this.plane.resign();
    await this.pass(this.below(3_000));
    await this.plane.lead();
  }

  private async addNode(id: string): Promise<void> {
    const { store, clock, plane } = this;
    const node = new SimulatedNode({
      id,
      store: store.connect(),
      clock,
      keys: plane.keys,
      world: plane.world,
      fateOf: () => this.fate(),
    });
    this.nodes.set(id, node);
    await node.join();
  }

  private fate(): TaskFate {
    const times = { prepareMs: this.below(300), startMs: this.below(300), stopMs: this.below(300) };
    if (this.calm || this.random() < 0.7) return times;
    const ends = this.oneOf(['rejected', 'failed', 'failed', 'complete'] as const);
    return { ...times, ends, runMs: this.below(8_000) };
  }

  private async disconnect(id: string): Promise<void> {
    if (this.disconnected.has(id)) return;
    this.disconnected.add(id);
    await this.nodes.get(id)?.disconnect();
  }

  private async reconnect(id: string): Promise<void> {
    if (!this.disconnected.delete(id)) return;
    await this.nodes.get(id)?.connect();
  }

  private async endSomeTask(state: 'failed' | 'complete'): Promise<void> {
    const running = this.views().filter((view) => view.state === 'running');
    const victim = running[this.below(running.length)];
    const nodeId = victim?.task.spec.nodeId ?? '';
    if (!victim || this.disconnected.has(nodeId)) return;
    await this.nodes.get(nodeId)?.end(victim.task.metadata.uid, state);
  }

  private async setAvailability(
    id: string,
    availability: 'active' | 'pause' | 'drain',
  ): Promise<void> {
    const node = this.plane.world.nodes.get(id);
    if (!node || node.spec.availability === availability) return;
    const { version: _version, ...metadata } = node.metadata;
    const value = { ...node, metadata, spec: { ...node.spec, availability } };
    const key = this.plane.keys.node(id);
    await this.store.commit({ compare: [], operations: [{ kind: 'put', key, value }] });
  }

  views(): readonly TaskView[] {
    return SERVICES.flatMap((name) => this.plane.tasksOf(name));
  }

  /** Loses writes and replies while things are wild: a crash before or after any write. */
  private unreliable(writer: GuardedWriter): GuardedWriter {
    return {
      commit: async (txn, context) => {
        const dice = this.calm ? 1 : this.random();
        if (dice < 0.05) throw new UnavailableError('the write was lost');
        const revision = await writer.commit(txn, context);
        if (dice < 0.1) {
          context.writes.unresolved(() => Promise.resolve(revision));
          throw new UnavailableError('the reply was lost');
        }
        return revision;
      },
    };
  }

  private watchInvariants(): void {
    const { world } = this.plane;
    world.tasks.onChange((before, after) => {
      if (after) this.checkSlot(after);
      if (before && after) this.checkDesired(before, after);
    });
    world.taskStatuses.onChange((before, after) => {
      if (before && after) this.checkObserved(before, after);
    });
  }

  private checkSlot(task: StoredTask): void {
    const live = this.plane.world.tasks
      .byIndex('slot', slotKey(task.spec))
      .filter(({ spec }) => spec.desiredState === 'ready' || spec.desiredState === 'running');
    if (live.length > 1) this.violations.push(`${live.length} live tasks in ${task.metadata.name}`);
  }

  private checkDesired(before: StoredTask, after: StoredTask): void {
    const [old, now] = [before.spec, after.spec];
    const { name } = after.metadata;
    if (desiredRank(now.desiredState) < desiredRank(old.desiredState)) {
      this.violations.push(`${name}: desired ${old.desiredState} became ${now.desiredState}`);
    }
    if (old.nodeId !== undefined && old.nodeId !== now.nodeId) {
      this.violations.push(`${name}: moved from ${old.nodeId}`);
    }
    if (old.slot !== now.slot || old.revision !== now.revision) {
      this.violations.push(`${name}: became another task`);
    }
  }

  private checkObserved(before: StoredTaskStatus, after: StoredTaskStatus): void {
    if (stateRank(after.state) < stateRank(before.state)) {
      this.violations.push(`${after.taskId}: observed ${before.state} became ${after.state}`);
    }
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  private oneOf<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new Error('nothing to choose from');
    return value;
  }
}

/** What a service has and should have, in a form that shows what is wrong. */
function stateOfServices({ plane }: Simulation) {
  return plane.world.services.list().map(({ metadata: { name }, spec }) => {
    const live = plane.tasksOf(name).filter(isLive);
    const newest = Math.max(...live.map(({ task }) => task.spec.revision), 0);
    return {
      name,
      wanted: replicasOf(spec) ?? NODES.length,
      live: live.length,
      running: live.filter(({ state }) => state === 'running').length,
      updated: live.filter(({ task }) => task.spec.revision === newest).length,
      slots: new Set(live.map(({ task }) => slotKey(task.spec))).size,
      shown: plane.world.serviceStatuses.get(name)?.running,
    };
  });
}

describe('simulation', () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    it(`converges and stays quiet after anything (seed ${String(seed)})`, async () => {
      const simulation = new Simulation(seed);
      try {
        await simulation.run();
        for (const state of stateOfServices(simulation)) {
          const { name, wanted } = state;
          expect(state).toEqual({
            name,
            wanted,
            live: wanted,
            running: wanted,
            updated: wanted,
            slots: wanted,
            shown: wanted,
          });
        }
        const names = new Set(simulation.plane.world.services.list().map((s) => s.metadata.uid));
        const strangers = simulation.views().filter((v) => !names.has(v.task.spec.serviceUid));
        expect(strangers).toEqual([]);
        expect(simulation.violations).toEqual([]);
        const { revision } = simulation.store;
        await simulation.pass(300_000, 5_000);
        expect(simulation.store.revision).toBe(revision);
      } finally {
        await simulation.stop();
      }
    }, 60_000);
  }
});
