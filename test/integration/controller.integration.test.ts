import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { newTaskId, newWriteId, SystemClock } from '../../pkg/base/index.js';
import {
  ControllerRunner,
  defineController,
  FencedWriter,
  leaderOnly,
  owns,
  RunnableGroups,
} from '../../pkg/controller/index.js';
import type { ReconcileContext, Reconciler, ReconcileResult } from '../../pkg/controller/index.js';
import { LeaseElection, LeasePresence } from '../../pkg/election/index.js';
import { WatchedWorldCache } from '../../pkg/informer/index.js';
import type { CollectionDefinition, Lister } from '../../pkg/informer/index.js';
import { EtcdStore } from '../../pkg/store/index.js';
import type { Operation } from '../../pkg/store/index.js';
import { recordingLogger } from '../fakes/recording-logger.js';
import { describeWithEtcd, EtcdFixture } from '../fixtures/etcd.js';
import { FaultProxy } from '../fixtures/fault-proxy.js';

/** How long etcd is away; see the issue. */
const OUTAGE_MS = 30_000;
const WAIT = { timeout: 40_000, interval: 10 };
const MEMBERS_PER_RUN = 5;

interface Group {
  readonly size: number;
  readonly version: number;
}
interface Member {
  readonly group: string;
  readonly epoch: number;
  readonly version: number;
}

const groups: CollectionDefinition<Group> = {
  name: 'groups',
  decode: (value, { modRevision }) => ({ size: (value as Group).size, version: modRevision }),
};
const members: CollectionDefinition<Member> = {
  name: 'members',
  decode(value, { modRevision }) {
    const { group, epoch } = value as Member;
    return { group, epoch, version: modRevision };
  },
  indexes: { group: ({ group }) => group },
};

/**
 * Makes as many members as a group wants, with names of chance: whatever is decided twice shows in the
 * end as a member too many.
 */
class GroupReconciler implements Reconciler {
  constructor(
    private readonly root: string,
    private readonly groupList: Lister<Group>,
    private readonly memberList: Lister<Member>,
    private readonly writer: FencedWriter,
  ) {}

  async reconcile(key: string, context: ReconcileContext): Promise<ReconcileResult> {
    const group = this.groupList.get(key);
    if (!group) return {};
    const missing = group.size - this.memberList.byIndex('group', key).length;
    if (missing <= 0) return {};
    const { epoch } = context.term;
    const operations = Array.from({ length: Math.min(MEMBERS_PER_RUN, missing) }, () => ({
      kind: 'put' as const,
      key: `${this.root}members/${newTaskId()}`,
      value: { group: key, epoch },
    }));
    const compare = [{ key: `${this.root}groups/${key}`, modRevision: group.version }];
    await this.writer.commit({ compare, operations }, context);
    return { requeueAfterMs: 1 }; // as impatient as can be: does not wait for events
  }
}

const definition = defineController({
  name: 'group',
  for: groups,
  watches: [owns(members, ({ group }) => group)],
  reconciler: GroupReconciler,
  concurrency: 2,
});

/** A whole control plane in one object, behind a proxy of its own. */
class TestManager {
  readonly log = recordingLogger();
  readonly world: WatchedWorldCache;
  readonly election: LeaseElection;
  readonly outcomes: string[] = [];
  lists = 0;
  failure: unknown;
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>;

  private constructor(
    readonly proxy: FaultProxy,
    readonly store: EtcdStore,
    root: string,
    managerId: string,
  ) {
    const { log } = this;
    const clock = new SystemClock();
    this.world = new WatchedWorldCache({
      store,
      root,
      collections: [groups, members],
      clock,
      log,
      observer: { listed: () => (this.lists += 1) },
    });
    const identity = { managerId, address: `${managerId}:4433` };
    const key = `${root}leader`;
    this.election = new LeaseElection({ store, key, identity, clock, log, ttlSeconds: 2 });
    const presence = new LeasePresence({
      store,
      key: `${root}managers/${managerId}`,
      value: identity,
      clock,
      log,
    });
    const reconciler = new GroupReconciler(
      root,
      this.world.collection(groups),
      this.world.collection(members),
      new FencedWriter(store),
    );
    const observer = {
      onReconcile: (_name: string, outcome: string) => this.outcomes.push(outcome),
    };
    const { world, election } = this;
    const controllers = leaderOnly({
      election,
      clock,
      log,
      scopeOf: (term) => ({
        runnables: [
          new ControllerRunner({ definition, reconciler, world, term, clock, log, observer }),
        ],
      }),
    });
    const everything = new RunnableGroups({
      groups: [
        { name: 'caches', runnables: [world] },
        { name: 'always-on', runnables: [presence] },
        { name: 'leader-only', runnables: [controllers] },
      ],
      clock,
      log,
    });
    this.running = everything.run(this.stopping.signal).catch((error: unknown) => {
      this.failure = error;
    });
  }

  static async start(etcd: EtcdFixture, root: string, managerId: string): Promise<TestManager> {
    const proxy = await FaultProxy.start({ port: etcd.port });
    const store = new EtcdStore({ endpoints: [`http://${proxy.address}`] });
    return new TestManager(proxy, store, root, managerId);
  }

  async dispose(): Promise<void> {
    this.proxy.restore();
    this.stopping.abort();
    await this.running;
    await this.store.close();
    await this.proxy.close();
  }
}

describeWithEtcd('the runtime on a real etcd', () => {
  let etcd: EtcdFixture;
  let direct: EtcdStore;
  let root = '';
  const managers: TestManager[] = [];

  beforeEach(async () => {
    etcd = await EtcdFixture.start();
    direct = new EtcdStore({ endpoints: [etcd.endpoint] });
    root = `/runtime/${newWriteId()}/`;
  });
  afterEach(async () => {
    await Promise.all(managers.splice(0).map((one) => one.dispose()));
    await direct.close();
    await etcd.dispose();
  });

  async function manager(managerId: string): Promise<TestManager> {
    const one = await TestManager.start(etcd, root, managerId);
    managers.push(one);
    return one;
  }
  const put = (key: string, value: object): Operation => ({ kind: 'put', key: root + key, value });
  const wish = (group: string, size: number) =>
    direct.commit({ compare: [], operations: [put(`groups/${group}`, { size })] });

  async function membersOf(group: string): Promise<readonly Member[]> {
    const found: Member[] = [];
    for await (const { entries } of direct.list(`${root}members/`)) {
      found.push(...entries.map(({ value }) => JSON.parse(value) as Member));
    }
    return found.filter((member) => member.group === group);
  }
  /** Until the group has its size; and then it must stay so. */
  async function untilGrown(group: string, size: number): Promise<void> {
    await vi.waitFor(async () => {
      expect((await membersOf(group)).length).toBeGreaterThanOrEqual(size);
    }, WAIT);
    await delay(200);
    expect(await membersOf(group)).toHaveLength(size);
  }
  async function untilLeading(one: TestManager): Promise<void> {
    await vi.waitFor(() => {
      expect(one.election.isLeader()).toBe(true);
    }, WAIT);
  }

  it('decides once, whatever becomes of replies and connections', async () => {
    const one = await manager('m1');
    await untilLeading(one);
    await wish('a', 400);
    const faults = async () => {
      for (let i = 0; i < 20; i += 1) {
        await delay(15);
        if (i % 2 === 0) one.proxy.swallowReplies();
        await delay(10);
        one.proxy.cut();
      }
    };
    await Promise.all([faults(), wish('b', 150)]);
    await untilGrown('a', 400);
    await untilGrown('b', 150);
    expect(one.outcomes).not.toContain('error');
    expect(one.failure).toBeUndefined();
  });

  it('a leader that is cut off in the middle of its work leaves nothing double behind', async () => {
    const a = await manager('a');
    await untilLeading(a);
    const b = await manager('b');
    await wish('big', 1500);
    await vi.waitFor(async () => {
      expect((await membersOf('big')).length).toBeGreaterThan(50);
    }, WAIT);
    a.proxy.blackhole();
    expect((await membersOf('big')).length).toBeLessThan(1500);
    await untilLeading(b);
    expect(a.election.isLeader()).toBe(false);
    a.proxy.restore(); // what hung in the network arrives now
    await untilGrown('big', 1500);
    const epochs = new Set((await membersOf('big')).map(({ epoch }) => epoch));
    expect(epochs.size).toBe(2);
    expect([a.failure, b.failure]).toEqual([undefined, undefined]);
  });

  it(
    `goes on after etcd was away for ${String(OUTAGE_MS / 1000)} s, without a restart`,
    async () => {
      const [a, b] = [await manager('a'), await manager('b')];
      await vi.waitFor(() => {
        expect([a, b].some(({ election }) => election.isLeader())).toBe(true);
      }, WAIT);
      await wish('before', 20);
      await untilGrown('before', 20);

      await etcd.stop();
      await delay(OUTAGE_MS);
      expect([a, b].map(({ election }) => election.isLeader())).toEqual([false, false]);
      expect([a, b].map(({ world }) => world.connected)).toEqual([false, false]);
      expect(a.world.collection(members).size).toBe(20); // readable all the time
      await etcd.restart();

      await wish('after', 20);
      await untilGrown('after', 20);
      await untilGrown('before', 20);
      for (const one of [a, b]) {
        await one.world.waitForRevision(await wish('last', 0));
        expect(one.failure).toBeUndefined();
        expect(one.lists).toBe(1); // the watch was resumed, not made anew
        expect(one.world.historyBreak).toBeUndefined();
        expect(one.world.collection(members).size).toBe(40);
      }
      expect([...a.outcomes, ...b.outcomes]).not.toContain('error');
      await vi.waitFor(async () => {
        expect(await direct.get(`${root}managers/a`)).toBeDefined();
        expect(await direct.get(`${root}managers/b`)).toBeDefined();
      }, WAIT);
    },
    OUTAGE_MS + 60_000,
  );
});
