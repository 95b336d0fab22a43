/**
 * Managers and members of etcd in trouble, one at a time and all together: whatever happens to them, no container
 * is touched, and what was asked for comes about.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { startLab } from '../lab/boot.js';
import { describeWithLab } from '../lab/describe-with-lab.js';
import { breakLab, requireFault } from '../lab/faults.js';
import type { Lab } from '../lab/lab.js';
import { Scenario, shortOrLong } from '../lab/scenario.js';
import { SeededRandom } from '../lab/seeded-random.js';
import { eventually } from '../fixtures/eventually.js';
import { must } from '../fixtures/program.js';

/** After a manager is gone, another leads within the lease, and some more until its first work is done. */
const FAILOVER_MS = 30_000;

describeWithLab('managers of a lab', () => {
  let lab: Lab;
  let scenario: Scenario;

  beforeAll(async () => {
    lab = await startLab();
    scenario = new Scenario(lab);
  });
  afterAll(() => lab.dispose());
  afterEach(async () => {
    await lab.heal();
    await lab.assertWhole();
  });

  const scaledTo = async (replicas: number) => {
    await eventually('an accepted write', async () => {
      await scenario.declare('web', { replicas });
      return true;
    });
    const running = async () => (await scenario.ids('web')).length === replicas;
    await eventually(`${replicas} running tasks`, running, FAILOVER_MS);
  };
  const befall = (fault: string) =>
    breakLab(lab, { fault: requireFault(fault), random: new SeededRandom(1) });

  /**
   * Ten tasks run; then comes the fault; then more are asked for, and run, while it lasts. In the end nothing that
   * ran before was touched.
   */
  const goesOnDuring = async (fault: string, meanwhile?: (before: string) => Promise<void>) => {
    await scenario.apply('web', { replicas: 10 });
    const before = await scenario.ids();
    const leader = (await lab.leader()).name;
    await befall(fault);
    await scaledTo(12);
    await meanwhile?.(leader);
    await lab.heal();
    await lab.assertWhole();
    expect(await scenario.ids()).toEqual(expect.arrayContaining([...before]));
  };

  it.each(['leader-killed', 'leader-frozen', 'leader-cut-from-etcd'])(
    'goes on under another leader: %s',
    (fault) =>
      goesOnDuring(fault, async (before) => {
        expect((await lab.leader()).name).not.toBe(before);
      }),
  );

  it.each([
    ...['leader-cut-from-agents', 'manager-cut', 'managers-restarted', 'leader-clock-ahead'],
    ...['etcd-leader-killed', 'etcd-leader-frozen', 'etcd-member-cut'],
  ])('goes on: %s', (fault) => goesOnDuring(fault));

  it('waits for etcd without touching anything, and goes on when its quorum is back', async () => {
    await scenario.apply('web', { replicas: 10 });
    const before = await scenario.ids();
    await befall('etcd-quorum-lost');
    const refused = await lab.swarmctl(['scale', 'web=12']);
    expect(refused, refused.stderr).toMatchObject({ code: 4 });
    await delay(shortOrLong(0, 60_000)); // it tried for ten seconds
    expect(await scenario.ids()).toEqual(before);
    await lab.heal();
    await scaledTo(12);
    await lab.assertWhole();
    expect(await scenario.ids()).toEqual(expect.arrayContaining([...before]));
  });

  it('takes over a rollout and a deletion that a leader left half done', async () => {
    await scenario.declare('old', { replicas: 5 });
    await scenario.apply('web', { replicas: 5, version: '1' });
    const before = await scenario.ids('web');
    await scenario.declare('web', { replicas: 5, version: '2', update: { parallelism: 1 } });
    await lab.client.delete('services', 'old');
    await eventually('the first new task', async () => {
      const now = await scenario.ids('web');
      return now.some((id) => !before.includes(id));
    });
    await (await lab.leader()).kill();
    const isDone = async () => {
      const now = await scenario.ids('web');
      return now.length === 5 && !now.some((id) => before.includes(id));
    };
    await eventually('the end of the rollout', isDone, 60_000);
    await eventually('the end of the deletion', async () => {
      const { items } = await lab.client.list('services');
      return items.length === 1;
    });
  });

  it('hands leadership over at once when the leader is stopped in good order', async () => {
    await scenario.apply('web', { replicas: 10 });
    const leader = await lab.leader();
    await leader.stop();
    await eventually(
      'another leader',
      async () => (await lab.leader()).name !== leader.name,
      3_000,
    );
    await scaledTo(12);
    const managers = must(await lab.swarmctl(['get', 'managers']));
    expect(managers).toMatch(new RegExp(`\\b${leader.name}\\b.* Unreachable`));
    expect(managers).toMatch(new RegExp(`\\b${(await lab.leader()).name}\\b.* Leader`));
  });

  it('lives with one packet in five lost', async () => {
    await scenario.apply('web', { replicas: 10 });
    await befall('loss');
    const until = performance.now() + shortOrLong(8_000, 120_000);
    for (let turn = 0; performance.now() < until; turn += 1) await scaledTo(10 + (turn % 5));
  });

  it('comes back when all machines lost power and boot in random order', async () => {
    await scenario.declare('everywhere', { global: true });
    await scenario.apply('web', { replicas: 10 });
    await befall('power-cycled');
    await lab.assertWhole(90_000);
    await lab.client.delete('services', 'everywhere');
  });
});
