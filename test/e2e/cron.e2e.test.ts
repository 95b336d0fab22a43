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

/** Lines that are not "begin X" followed by "end X", over and over. */
function overlapsOf(lines: readonly string[]): readonly string[] {
  return lines.filter((line, index) =>
    index % 2 === 0
      ? !line.startsWith('begin ')
      : line !== lines[index - 1]?.replace('begin', 'end'),
  );
}

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

  /** Runs write into a file of the host: what is in there twice ran twice. */
  const aCronJob = (
    name: string,
    script: string,
    concurrency: CronJob['spec']['concurrency'] = 'allow',
  ): CronJob => ({
    apiVersion: 'swarm/v1',
    kind: 'CronJob',
    metadata: { name },
    spec: {
      schedule: '* * * * *',
      concurrency,
      history: { successful: 10, failed: 10 },
      job: {
        mode: { replicatedJob: { backoffLimit: 0 } },
        task: {
          container: {
            image: TEST_IMAGE,
            pullPolicy: 'if-not-present',
            command: ['sh', '-c', script],
            env: { RUN: '{{.Service.Name}}' },
            mounts: [{ type: 'bind', source: witness, target: '/witness' }],
          },
          restartPolicy: { condition: 'none' },
        },
      },
    },
  });
  const tick = () => aCronJob('tick', 'echo "$RUN" >> /witness/tick');
  /** Each run goes on until it is stopped. */
  const swap = () => {
    const end = 'sleep 1; echo "end $RUN" >> /witness/swap; exit 0';
    const loop = 'while :; do sleep 1 & wait $!; done';
    return aCronJob(
      'swap',
      `trap '${end}' TERM; echo "begin $RUN" >> /witness/swap; ${loop}`,
      'replace',
    );
  };
  /** Each run goes on beyond the next time. */
  const guard = () =>
    aCronJob(
      'guard',
      'echo "begin $RUN" >> /witness/guard; sleep 75; echo "end $RUN" >> /witness/guard',
      'forbid',
    );

  const witnessed = async (file = 'tick'): Promise<readonly string[]> =>
    (await readFile(join(witness, file), 'utf8').catch(() => '')).split('\n').filter(Boolean);
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
      for (const cronJob of [tick(), swap(), guard()]) await host.client.apply('cronjobs', cronJob);
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

      const swapped = await witnessed('swap');
      expect(swapped.length).toBeGreaterThanOrEqual(2 * 4 - 1);
      expect(overlapsOf(swapped)).toEqual([]);
      const guarded = await witnessed('guard');
      expect(guarded.length).toBeGreaterThanOrEqual(2 * 2);
      expect(overlapsOf(guarded)).toEqual([]);
      const { status: kept } = await host.client.get('cronjobs', 'guard');
      expect(kept?.lastSkipped?.reason).toBe('ConcurrencyForbidden');
    },
    9 * MINUTE_MS,
  );
});
