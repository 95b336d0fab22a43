/**
 * A cron job for real: every minute of five, while the only manager is killed before, at and after the times that
 * are due. It waits for the clock more than it works, so it runs beside others (see vitest.config.ts).
 */
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SCHEDULED_AT, type CronJob, type Service } from '../../api/v1/index.js';
import { TEST_IMAGE } from '../fixtures/busybox-image.js';
import { describeWithDocker } from '../fixtures/dockerd.js';
import { eventually } from '../fixtures/eventually.js';
import { OneHost } from '../fixtures/one-host.js';

const MINUTE_MS = 60_000;
/** The next minute, the election after a manager was killed, and a busy machine. */
const RUN_TIMEOUT_MS = 150_000;

describeWithDocker('a cron job on a real engine', () => {
  let host: OneHost;
  let witness: string;

  beforeAll(async () => {
    witness = await mkdtemp(join(tmpdir(), 'swarm-cron-'));
    await chmod(witness, 0o777);
    host = await OneHost.start();
  });
  afterAll(async () => {
    await host.dispose();
    await rm(witness, { recursive: true, force: true });
  });

  /** Each run writes its name into a file of the host: what is in there twice ran twice. */
  const tick = (): CronJob => ({
    apiVersion: 'swarm/v1',
    kind: 'CronJob',
    metadata: { name: 'tick' },
    spec: {
      schedule: '* * * * *',
      history: { successful: 10, failed: 10 },
      job: {
        mode: { replicatedJob: { backoffLimit: 0 } },
        task: {
          container: {
            image: TEST_IMAGE,
            pullPolicy: 'if-not-present',
            command: ['sh', '-c', 'echo "$RUN" >> /witness/runs'],
            env: { RUN: '{{.Service.Name}}' },
            mounts: [{ type: 'bind', source: witness, target: '/witness' }],
          },
          restartPolicy: { condition: 'none' },
        },
      },
    },
  });

  const witnessed = async (): Promise<readonly string[]> =>
    (await readFile(join(witness, 'runs'), 'utf8').catch(() => '')).split('\n').filter(Boolean);
  const untilWitnessed = (count: number) =>
    eventually(
      `run ${String(count)}`,
      async () => (await witnessed()).length >= count,
      RUN_TIMEOUT_MS,
    );
  const untilClock = (ms: number) =>
    eventually(`time ${String(ms)}`, () => Date.now() >= ms, 2 * MINUTE_MS);
  const dueAt = ({ metadata }: Service): number =>
    Date.parse(metadata.labels?.[SCHEDULED_AT] ?? '');

  async function runs(): Promise<readonly Service[]> {
    const { items } = await host.client.list('services', { labelSelector: 'swarm/cron-job=tick' });
    return [...items].sort((one, other) => dueAt(one) - dueAt(other));
  }
  const untilStarted = (count: number) =>
    eventually(
      `service ${String(count)}`,
      async () => (await runs()).length >= count,
      RUN_TIMEOUT_MS,
    );
  const nextMs = async () => {
    const { status } = await host.client.get('cronjobs', 'tick');
    return Date.parse(status?.nextAt ?? '');
  };

  async function killManager(): Promise<void> {
    await host.manager.kill();
    await host.startManager();
  }

  it(
    'runs every minute once, whenever its manager is killed',
    async () => {
      await host.client.apply('cronjobs', tick());
      await untilWitnessed(1);
      await untilStarted(2);
      await killManager(); // among the writes that a start brings
      await untilWitnessed(2);
      const third = await nextMs();
      await untilClock(third - 1_000);
      await host.manager.kill(); // nobody is there when it is due
      await untilClock(third + 1_000);
      await host.startManager();
      await untilWitnessed(3);
      await untilClock((await nextMs()) - 20);
      await killManager(); // while it is decided about
      await untilWitnessed(5);
      await eventually('five ends', async () => {
        const { status } = await host.client.get('cronjobs', 'tick');
        return status?.active.length === 0;
      });

      const all = await runs();
      const first = dueAt(all[0]!);
      expect(all.map(dueAt)).toEqual(all.map((_, index) => first + index * MINUTE_MS));
      expect(all.map(({ metadata }) => metadata.name)).toEqual(
        all.map((run) => `tick-${String(dueAt(run) / MINUTE_MS)}`),
      );
      expect(await witnessed()).toEqual(all.map(({ metadata }) => metadata.name));
      expect(all.map(({ status }) => status?.job?.succeeded)).toEqual(all.map(() => 1));
      const { status } = await host.client.get('cronjobs', 'tick');
      expect(status).not.toHaveProperty('lastSkipped');
      expect(status?.lastRun?.name).toBe(all.at(-1)?.metadata.name);
      const { stdout } = await host.swarmctl(['describe', 'cronjob', 'tick']);
      expect(stdout.match(/tick-\d+ .* complete +1\/1/g)).toHaveLength(all.length);
    },
    9 * MINUTE_MS,
  );
});
