import { afterEach, describe, expect, it } from 'vitest';
import { SCHEDULED_AT, type StoredCronJob } from '../../api/v1/index.js';
import { UnavailableError } from '../../pkg/base/index.js';
import type { GuardedWriter } from '../../pkg/controller/index.js';
import { puts } from '../../pkg/objects/index.js';
import { aCronJob, type CronJobOptions } from '../../test/builders/objects.js';
import { ControlPlane } from '../../test/fakes/control-plane.js';
import { FakeClock } from '../../test/fakes/fake-clock.js';
import { MemoryStore } from '../../test/fakes/memory-store.js';
import { SimulatedNode, type TaskFate } from '../../test/fakes/simulated-node.js';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface ClusterOptions {
  readonly wrap?: (writer: GuardedWriter) => GuardedWriter;
  readonly fate?: TaskFate;
}

async function aCluster({
  wrap = (writer) => writer,
  fate = { ends: 'complete', runMs: 1_000 },
}: ClusterOptions = {}) {
  const clock = new FakeClock();
  const store = new MemoryStore({ clock });
  const plane = new ControlPlane({ store, clock, wrapWriter: wrap });
  cleanups.push(
    () => store.close(),
    () => plane.stop(),
  );
  await plane.start();
  const { keys, world } = plane;
  const node = new SimulatedNode({
    id: 'n1',
    store: store.connect(),
    clock,
    keys,
    world,
    fateOf: () => fate,
  });
  cleanups.push(() => {
    node.stop();
  });
  await node.join();
  await plane.lead();
  const pass = async (ms: number, stepMs = 500) => {
    for (let passed = 0; passed < ms; passed += stepMs) {
      await clock.advance(stepMs);
      await clock.advance(0);
    }
  };
  const put = async (cronJob: StoredCronJob) => {
    const stored = world.cronJobs.get(cronJob.metadata.name);
    const now = clock.now().toISOString();
    const generation = (stored?.metadata.generation ?? 0) + 1;
    const metadata = { ...cronJob.metadata, generation, createdAt: now, updatedAt: now };
    const operations = [puts.cronJob(keys, { ...cronJob, metadata })];
    const revision = await store.commit({ compare: [], operations });
    await world.cache.waitForRevision(revision);
  };
  const apply = (options: CronJobOptions = {}) => put(aCronJob(options));
  /** Every run that there ever was, by when it was due. */
  const seen: string[] = [];
  world.services.onChange((before, after) => {
    const due = after?.metadata.labels[SCHEDULED_AT];
    if (!before && due !== undefined) seen.push(due.slice(11, 16));
  });
  const names = () =>
    world.services
      .list()
      .filter(({ metadata }) => metadata.deletingAt === undefined)
      .map(({ metadata }) => metadata.labels[SCHEDULED_AT]?.slice(11, 16));
  const status = () => world.cronJobStatuses.get('backup');
  return { clock, store, plane, pass, put, apply, seen, names, status };
}

/** Fails every write from the n-th on until it is mended, as a crash between two writes does. */
function breakingAfter(writes: number) {
  let left = writes;
  return {
    mend: () => {
      left = Infinity;
    },
    wrap: (writer: GuardedWriter): GuardedWriter => ({
      commit: (txn, context) => {
        left -= 1;
        if (left < 0) return Promise.reject(new UnavailableError('crashed'));
        return writer.commit(txn, context);
      },
    }),
  };
}

const MINUTE = 60_000;

describe('CronJobReconciler', () => {
  it('starts a run at every time, keeps the newest, and writes nothing in between', async () => {
    const { apply, pass, seen, names, status, plane, store } = await aCluster();
    await apply({ schedule: '* * * * *' });
    await pass(6.1 * MINUTE);
    expect(seen).toHaveLength(6);
    expect(new Set(seen).size).toBe(6);
    expect(names().sort()).toEqual(seen.slice(-3));
    expect(status()).toMatchObject({ active: [], lastRun: { name: expect.any(String) } });
    expect(plane.events.messages('RunStarted')).toHaveLength(6);
    const { revision } = store;
    await pass(0.5 * MINUTE);
    expect(store.revision).toBe(revision);
  });

  it('survives a change of leaders: no time twice, and what was missed once', async () => {
    const { apply, pass, seen, plane } = await aCluster();
    await apply({ schedule: '* * * * *' });
    await pass(2.1 * MINUTE);
    await plane.resign();
    await plane.lead();
    await pass(1 * MINUTE);
    expect(seen).toHaveLength(3);
    await plane.resign();
    await pass(3 * MINUTE);
    await plane.lead();
    await pass(1.1 * MINUTE);
    expect(seen).toHaveLength(5);
    expect(new Set(seen).size).toBe(5);
    const [, , , late] = plane.events.messages('RunStarted');
    expect(late).toContain('2 times before it were missed');
  });

  it.each([1, 2, 3, 4, 5, 7, 10, 14])(
    'starts each time once after a crash at write %i',
    async (writes) => {
      const broken = breakingAfter(writes);
      const { apply, pass, seen, plane } = await aCluster({ wrap: broken.wrap });
      await apply({ schedule: '* * * * *', history: { successful: 1 } });
      await pass(2.1 * MINUTE);
      await plane.resign();
      broken.mend();
      await plane.lead();
      await pass(3 * MINUTE);
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.length).toBeGreaterThanOrEqual(4);
      expect(plane.world.services.size).toBeLessThanOrEqual(2);
    },
  );

  it('replaces a run only when it is gone', async () => {
    const { apply, pass, seen, plane } = await aCluster({ fate: { stopMs: 5_000 } });
    let most = 0;
    plane.world.taskStatuses.onChange(() => {
      const running = plane.world.taskStatuses.list().filter(({ state }) => state === 'running');
      most = Math.max(most, running.length);
    });
    await apply({ schedule: '* * * * *', concurrency: 'replace' });
    await pass(4.5 * MINUTE);
    expect(seen).toHaveLength(4);
    expect(most).toBe(1);
    expect(plane.events.messages('RunReplaced')).toHaveLength(3);
  });

  it('says why it skips', async () => {
    const { apply, pass, seen, status, plane } = await aCluster({ fate: {} });
    await apply({ schedule: '* * * * *', concurrency: 'forbid' });
    await pass(3.1 * MINUTE);
    expect(seen).toHaveLength(1);
    expect(plane.events.messages('CronJobSkipped')).toHaveLength(2);
    expect(status()?.lastSkipped).toMatchObject({ reason: 'ConcurrencyForbidden' });
  });

  it('takes its runs along when it is deleted', async () => {
    const { apply, put, pass, plane, clock } = await aCluster({ fate: { stopMs: 1_000 } });
    await apply({ schedule: '* * * * *' });
    await pass(2.1 * MINUTE);
    expect(plane.world.services.size).toBe(2);
    const cronJob = plane.world.cronJobs.get('backup')!;
    const deletingAt = clock.now().toISOString();
    await put({ ...cronJob, metadata: { ...cronJob.metadata, deletingAt } });
    await pass(10_000);
    const { cronJobs, cronJobStatuses, services, tasks } = plane.world;
    expect([cronJobs, cronJobStatuses, services, tasks].map(({ size }) => size)).toEqual([
      0, 0, 0, 0,
    ]);
  });

  it('takes its runs along when it was deleted by hand', async () => {
    const { apply, pass, plane, store } = await aCluster({ fate: {} });
    await apply({ schedule: '* * * * *' });
    await pass(1.1 * MINUTE);
    const key = plane.keys.cronJob('backup');
    await store.commit({ compare: [], operations: [{ kind: 'delete', key }] });
    await pass(10_000);
    expect(plane.world.services.size).toBe(0);
    expect(plane.world.cronJobStatuses.size).toBe(0);
  });

  it('leaves an object that it cannot read alone', async () => {
    const { apply, pass, plane, store } = await aCluster({ fate: {} });
    await apply({ schedule: '* * * * *' });
    await pass(1.1 * MINUTE);
    const key = plane.keys.cronJob('backup');
    const value = { bad: true };
    await store.commit({ compare: [], operations: [{ kind: 'put', key, value }] });
    await pass(2 * MINUTE);
    expect(plane.world.services.size).toBe(1);
  });
});
