/**
 * Jobs on a real engine. Every try of a task writes a line into a file of the host, so that what ran twice, or not
 * at all, is seen there. Every scenario uses a job of its own.
 */
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { RestartPolicy, ServiceMode } from '../../api/v1/index.js';
import { TEST_IMAGE } from '../fixtures/busybox-image.js';
import { describeWithDocker } from '../fixtures/dockerd.js';
import { eventually } from '../fixtures/eventually.js';
import { OneHost } from '../fixtures/one-host.js';
import type { ProgramResult } from '../fixtures/program.js';

/** Goes on until the file "go" is there; ends at once on SIGTERM, and not well. */
const UNTIL_GO =
  'trap "exit 143" TERM; while ! test -e /witness/go; do sleep 0.1 & wait $!; done; echo done >> /witness/ends';

describeWithDocker('jobs on a real engine', () => {
  let host: OneHost;
  let witness: string;

  beforeAll(async () => {
    host = await OneHost.start({ dockerd: { liveRestore: true } });
  });
  afterAll(() => host.dispose());
  afterEach(async () => {
    const { items } = await host.client.list('services');
    for (const { metadata } of items) await must(['delete', 'service', metadata.name, '--wait']);
    await rm(witness, { recursive: true, force: true });
  });

  const run = (args: readonly string[], input = ''): Promise<ProgramResult> =>
    host.swarmctl(args, { input, timeoutMs: 120_000 });
  async function must(args: readonly string[], input = ''): Promise<ProgramResult> {
    const result = await run(args, input);
    const context = `${args.join(' ')}\n${result.stdout}${result.stderr}\n${host.manager.log.slice(-2000)}`;
    expect(result, context).toMatchObject({ code: 0 });
    return result;
  }

  async function newWitness(): Promise<void> {
    witness = await mkdtemp(join(tmpdir(), 'swarm-jobs-'));
    await chmod(witness, 0o777);
  }
  const lines = async (file: string): Promise<readonly string[]> =>
    (await readFile(join(witness, file), 'utf8').catch(() => '')).split('\n').filter(Boolean);
  const untilLines = (file: string, count: number) =>
    eventually(
      `${String(count)} lines in ${file}`,
      async () => (await lines(file)).length >= count,
    );

  type JobOptions = ServiceMode['replicatedJob'] & {
    readonly script: string;
    readonly restartPolicy?: RestartPolicy;
  };

  async function apply(name: string, { script, restartPolicy, ...job }: JobOptions): Promise<void> {
    await newWitness();
    const service = {
      apiVersion: 'swarm/v1',
      kind: 'Service',
      metadata: { name },
      spec: {
        mode: { replicatedJob: job },
        task: {
          container: {
            image: TEST_IMAGE,
            pullPolicy: 'if-not-present',
            command: ['sh', '-c', `echo begun >> /witness/begins; ${script}`],
            mounts: [{ type: 'bind', source: witness, target: '/witness' }],
          },
          restartPolicy: { condition: 'on-failure', delay: '0s', ...restartPolicy },
        },
      },
    };
    await must(['apply', '-f', '-'], JSON.stringify(service));
  }
  const untilComplete = (name: string) =>
    must(['wait', `service/${name}`, '--for=complete', '--timeout', '60s']);
  const statusOf = async (name: string) => (await host.client.get('services', name)).status;
  const conditionOf = async (name: string, type: string) =>
    (await statusOf(name))?.conditions.find((condition) => condition.type === type);

  it("runs once, shows Docker's numbers, and runs again when it is asked to and not when it is scaled", async () => {
    await newWitness();
    const mount = `type=bind,source=${witness},target=/witness`;
    const script = 'echo done >> /witness/ends';
    await must([
      ...['service', 'create', '--name', 'pack', '--mode', 'replicated-job'],
      ...['--replicas', '4', '--max-concurrent', '2', '--mount', mount],
      ...[TEST_IMAGE, 'sh', '-c', script],
    ]);
    expect(await lines('ends')).toHaveLength(4);
    expect((await must(['service', 'ls'])).stdout).toMatch(
      /pack +replicated job +0\/2 \(4\/4 completed\)/,
    );
    await must(['scale', 'pack=6']);
    await must(['job', 'run', 'pack', '--wait']);
    expect(await lines('ends')).toHaveLength(4 + 6);
    await must(['service', 'update', '--force', 'pack']);
    await untilComplete('pack');
    expect(await lines('ends')).toHaveLength(4 + 6 + 6);
    expect(await statusOf('pack')).toMatchObject({
      job: { iteration: 3, succeeded: 6, failed: 0 },
    });
  });

  it('fails when it failed too often, and says what failed', async () => {
    await apply('broken', { backoffLimit: 2, script: 'echo no such table >&2; exit 3' });
    const { code, stderr } = await run(['wait', 'service/broken', '--for=complete']);
    expect(code, stderr).not.toBe(0);
    expect(stderr).toContain('3 failures, 2 allowed; last failure: broken.1: exited with code 3');
    expect(await lines('begins')).toHaveLength(3);
    expect(await conditionOf('broken', 'Failed')).toMatchObject({
      status: 'true',
      reason: 'BackoffLimitExceeded',
    });
    const { stdout } = await must(['describe', 'service', 'broken']);
    expect(stdout).toContain('exited with code 3');
    expect((await must(['logs', 'broken'])).stdout).toContain('no such table');
  });

  it('stops at its deadline, and is gone when its time after the end is over', async () => {
    await apply('endless', { deadline: '2s', ttlAfterFinished: '3s', script: UNTIL_GO });
    await eventually('a verdict', async () => {
      const failed = await conditionOf('endless', 'Failed');
      return failed?.reason === 'DeadlineExceeded';
    });
    await eventually('nothing of it', async () => {
      const [services, tasks] = await Promise.all([
        host.client.list('services'),
        host.client.list('tasks'),
      ]);
      return services.items.length === 0 && tasks.items.length === 0;
    });
    expect(await lines('begins')).toHaveLength(1);
    expect(await lines('ends')).toEqual([]);
  });

  it('counts what ended while agent and manager were dead, and runs it once', async () => {
    await apply('lonely', { totalCompletions: 2, script: UNTIL_GO });
    await untilLines('begins', 2);
    await Promise.all([host.agent.kill(), host.manager.kill()]);
    await writeFile(join(witness, 'go'), '');
    await untilLines('ends', 2);
    await host.startManager();
    await host.startAgent();
    await untilComplete('lonely');
    expect(await lines('begins')).toHaveLength(2);
    expect(await statusOf('lonely')).toMatchObject({ job: { succeeded: 2, failed: 0 } });
  });

  it('begins anew after a drain, and takes that for no failure', async () => {
    await apply('moved', {
      backoffLimit: 0,
      script: UNTIL_GO,
      restartPolicy: { condition: 'none' },
    });
    await untilLines('begins', 1);
    const { items } = await host.client.list('nodes');
    const node = items[0]?.metadata.name ?? '';
    await must(['node', 'update', '--availability', 'drain', node]);
    await eventually('nothing at work', async () => (await statusOf('moved'))?.running === 0);
    await must(['node', 'update', '--availability', 'active', node]);
    await untilLines('begins', 2);
    await writeFile(join(witness, 'go'), '');
    await untilComplete('moved');
    expect(await lines('ends')).toHaveLength(1);
    expect(await statusOf('moved')).toMatchObject({ job: { succeeded: 1, failed: 0 } });
  });
});
