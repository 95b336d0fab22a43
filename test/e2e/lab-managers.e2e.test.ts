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

/** After a manager is gone, another leads within the lease, and some more until its first work is done. */
const FAILOVER_MS = 20_000;

describeWithLab('managers of a lab', () => {
  let lab: Lab;
  let scenario: Scenario;

  beforeAll(async () => {
    lab = await startLab({});
    scenario = new Scenario(lab);
  });
  afterAll(() => lab.dispose());
  afterEach(() => scenario.cleanUp());

  /** Ten tasks run; then comes the fault; then more are asked for, while it lasts. */
  const goesOnDuring = async (fault: string) => {
    await scenario.apply('web', { replicas: 10 });
    const before = await scenario.ids();
    const leader = (await lab.leader()).name;
    await breakLab(lab, { fault: requireFault(fault), random: new SeededRandom(1) });
    await eventually('an accepted write', async () => {
      await scenario.declare('web', { replicas: 12 });
      return true;
    });
    await eventually(
      '12 running tasks',
      async () => (await scenario.ids()).length === 12,
      FAILOVER_MS,
    );
    expect(await scenario.ids()).toEqual(expect.arrayContaining([...before]));
    return { before, leader };
  };
  /** All of it is over; nothing that ran before was touched. */
  const isWholeWith = async (before: readonly string[]) => {
    await lab.heal();
    await lab.assertWhole();
    expect(await scenario.ids()).toEqual(expect.arrayContaining([...before]));
  };

  it.each(['leader-killed', 'leader-frozen', 'leader-cut-from-etcd'])(
    'goes on under another leader: %s',
    async (fault) => {
      const { before, leader } = await goesOnDuring(fault);
      expect((await lab.leader()).name).not.toBe(leader);
      await isWholeWith(before);
    },
  );

  it.each([
    'leader-cut-from-agents',
    'manager-cut',
    'managers-restarted',
    'etcd-leader-killed',
    'etcd-leader-frozen',
    'etcd-member-cut',
    'leader-clock-ahead',
  ])('goes on: %s', async (fault) => {
    const { before } = await goesOnDuring(fault);
    await isWholeWith(before);
  });

  it('waits for etcd without touching anything, and goes on when its quorum is back', async () => {
    await scenario.apply('web', { replicas: 10 });
    const before = await scenario.ids();
    await breakLab(lab, { fault: requireFault('etcd-quorum-lost'), random: new SeededRandom(1) });
    const refused = await lab.swarmctl(['scale', 'web=12']);
    expect(refused, refused.stderr).toMatchObject({ code: 4 });
    await delay(shortOrLong(12_000, 60_000));
    expect(await scenario.ids()).toEqual(before);
    await lab.heal();
    await eventually('an accepted write', async () => {
      await scenario.declare('web', { replicas: 12 });
      return true;
    });
    await lab.assertWhole();
    expect(await scenario.ids()).toEqual(expect.arrayContaining([...before]));
  });

  it('takes over a rollout and a deletion that a leader left half done', async () => {
    await scenario.apply('web', { replicas: 6, version: '1' });
    await scenario.apply('old', { replicas: 6 });
    const before = await scenario.ids('web');
    await scenario.declare('web', { replicas: 6, version: '2', update: { parallelism: 1 } });
    await lab.client.delete('services', 'old');
    await eventually('the first new task', async () => {
      const now = await scenario.ids('web');
      return now.some((id) => !before.includes(id));
    });
    await (await lab.leader()).kill();
    await eventually(
      'the end of the rollout',
      async () => {
        const now = await scenario.ids('web');
        return now.length === 6 && !now.some((id) => before.includes(id));
      },
      60_000,
    );
    await eventually('the end of the deletion', async () => {
      const { items } = await lab.client.list('services');
      return items.length === 1;
    });
    await lab.heal();
    await lab.assertWhole();
  });

  it('hands leadership over at once when the leader is stopped in good order', async () => {
    await scenario.apply('web', { replicas: 5 });
    const leader = await lab.leader();
    await leader.stop();
    await eventually(
      'another leader',
      async () => (await lab.leader()).name !== leader.name,
      3_000,
    );
    await scenario.declare('web', { replicas: 7 });
    await eventually('7 running tasks', async () => (await scenario.ids()).length === 7, 10_000);
  });

  it('lives with one packet in five lost', async () => {
    await scenario.apply('web', { replicas: 10 });
    await lab.loss(0.2);
    const until = performance.now() + shortOrLong(15_000, 120_000);
    for (
      let replicas = 11;
      performance.now() < until;
      replicas = replicas === 15 ? 10 : replicas + 1
    ) {
      await eventually('an accepted write', async () => {
        await scenario.declare('web', { replicas });
        return true;
      });
      await delay(500);
    }
    await lab.wires.mend();
    await lab.assertWhole();
  });

  it('comes back when all machines lost power and boot in random order', async () => {
    await scenario.apply('web', { replicas: 10 });
    await scenario.apply('everywhere', { global: true });
    const random = new SeededRandom(Number(process.env['LAB_SEED'] ?? Date.now() % 100_000));
    await breakLab(lab, { fault: requireFault('power-cycled'), random });
    await lab.assertWhole(90_000);
  });
});
