/**
 * Rollouts for real: one host with an engine of its own, driven by swarmctl, with clients that ask the
 * containers all the time.
 */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { ServiceSpec, Task } from '../../api/v1/index.js';
import { TEST_IMAGE } from '../fixtures/busybox-image.js';
import { describeWithDocker } from '../fixtures/dockerd.js';
import { eventually } from '../fixtures/eventually.js';
import { Load } from '../fixtures/load.js';
import { OneHost } from '../fixtures/one-host.js';
import type { ProgramResult } from '../fixtures/program.js';

const SERVE = [
  'mkdir -p /www && echo "$VERSION" > /www/index.html',
  'httpd -f -p 80 -h /www & trap "kill $!" TERM',
  'wait $!',
].join('; ');

interface WebOptions {
  readonly version: string;
  readonly replicas: number;
  readonly image?: string;
  readonly update?: ServiceSpec['update'];
}

/** A web server that says its version; its node asks it whether it is ready. */
function web({ version, replicas, image = TEST_IMAGE, update }: WebOptions): string {
  const spec: ServiceSpec = {
    mode: { replicated: { replicas } },
    task: {
      container: {
        image,
        command: ['sh', '-c', SERVE],
        env: { VERSION: version },
        pullPolicy: 'if-not-present',
        probes: { readiness: { http: { port: 80 }, period: '200ms' } },
        hooks: { preStop: { sleep: '500ms' } },
        stopGracePeriod: '5s',
      },
      restartPolicy: { delay: '500ms' },
    },
    endpoint: { ports: [{ target: 80, mode: 'host' }] },
    update: { monitor: '1s', ...update },
    rollback: { parallelism: 0, order: 'start-first', monitor: '1s' },
  };
  return JSON.stringify({
    apiVersion: 'swarm/v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec,
  });
}

describeWithDocker('rollouts on a real engine', () => {
  let host: OneHost;

  beforeAll(async () => {
    host = await OneHost.start({ dockerd: { bridge: true } });
  });
  afterAll(() => host.dispose());
  afterEach(() => ctl('delete', 'service', 'web', '--wait'));

  const run = (args: readonly string[], input = '') =>
    host.swarmctl(args, { input, timeoutMs: 180_000 });
  const ctl = async (...args: readonly string[]): Promise<ProgramResult> => {
    const result = await run(args);
    expect(result, `${args.join(' ')}\n${result.stdout}${result.stderr}`).toMatchObject({
      code: 0,
    });
    return result;
  };
  const apply = async (options: WebOptions): Promise<void> => {
    const result = await run(['apply', '-f', '-', '--wait', '--timeout', '120s'], web(options));
    const manager = host.manager.log.slice(-2000);
    expect(result, `${result.stdout}${result.stderr}\n${manager}`).toMatchObject({ code: 0 });
  };
  const begin = async (options: WebOptions): Promise<void> => {
    const result = await run(['apply', '-f', '-'], web(options));
    expect(result, result.stderr).toMatchObject({ code: 0 });
  };
  const service = () => host.client.get('services', 'web');
  const running = async (): Promise<readonly Task[]> => {
    const { items } = await host.client.listAll('tasks', { fieldSelector: 'spec.service=web' });
    return items.filter(
      ({ spec, status }) => spec.desiredState === 'running' && status?.state === 'running',
    );
  };
  const ofRevision = async (revision: number) =>
    (await running()).filter(({ spec }) => spec.revision === revision).length;

  it('updates 20 replicas under load without a failed request, in every order', async () => {
    await apply({ version: '0', replicas: 20 });
    const load = await Load.start(host.client, 'web', 20);
    const updates: readonly (readonly [ServiceSpec['update'], number])[] = [
      [{ parallelism: 5, order: 'start-first' }, 20],
      [{ parallelism: 5, order: 'stop-first' }, 15],
      [{ maxSurge: '15%', maxUnavailable: '10%' }, 18],
    ];
    for (const [index, [update, fewest]] of updates.entries()) {
      load.watchAnew();
      await apply({ version: String(index + 1), replicas: 20, update });
      expect(load.fewest, JSON.stringify(update)).toBeGreaterThanOrEqual(fewest);
      expect((await service()).status?.update).toMatchObject({ state: 'completed', tasks: 20 });
      expect(await running()).toHaveLength(20);
    }
    const result = await load.stop();
    expect(result.failures).toEqual([]);
    expect(result.requests).toBeGreaterThan(200);
    expect(Object.keys(result.bodies).sort()).toEqual(['0', '1', '2', '3']);
  });

  it('rolls broken updates back by itself, and serves all the time', async () => {
    const update = { parallelism: 3, order: 'start-first', failureAction: 'rollback' } as const;
    const applied = async (text: string) => {
      const result = await run(['apply', '-f', '-', '--wait', '--timeout', '120s'], text);
      expect(result.code, result.stdout).toBe(1);
      expect(result.stderr).toContain('update rolled back due to failure or early termination of');
    };
    const uids = async () => (await running()).map(({ metadata }) => metadata.uid).sort();
    await apply({ version: 'one', replicas: 6, update });
    const before = await uids();
    const load = await Load.start(host.client, 'web', 6);
    // No such image: nothing that ran was touched.
    await applied(web({ version: 'two', replicas: 6, image: 'localhost:1/none:1', update }));
    expect((await service()).status?.update).toMatchObject({ from: 2, to: 1 });
    expect(await uids()).toEqual(before);
    expect((await ctl('describe', 'service', 'web')).stdout).toContain('rollback_completed');
    expect((await run(['rollout', 'status', 'web', '--no-wait'])).code).toBe(1);
    // A person makes the spec what runs; again nothing is touched.
    await ctl('rollout', 'undo', 'web', '--wait');
    expect(await uids()).toEqual(before);
    expect((await ctl('rollout', 'history', 'web')).stdout).toContain('undo to revision 1');
    // A program that crashes, and two of six old tasks are gone already.
    const stopFirst = { ...update, parallelism: 2, order: 'stop-first' } as const;
    const good = web({ version: 'two', replicas: 6, update: stopFirst });
    await applied(good.replace('httpd -f', 'exit 3; httpd -f'));
    expect((await service()).status?.update?.cause).toContain('exited with code 3');
    await eventually('six that serve', async () => (await running()).length === 6);
    expect((await load.stop()).failures).toEqual([]);
  });

  it('pauses, resumes, and goes on with another manager', async () => {
    const update = { parallelism: 2 };
    await apply({ version: 'one', replicas: 6, update });
    await begin({ version: 'two', replicas: 6, update });
    await eventually('a new task', async () => (await ofRevision(2)) >= 1);
    await ctl('rollout', 'pause', 'web');
    await eventually('the pause', async () => (await service()).status?.update?.state === 'paused');
    await host.manager.kill();
    await host.startManager();
    const status = await run(['rollout', 'status', 'web', '--no-wait']);
    expect(status).toMatchObject({ code: 1, stdout: 'service/web: update paused by order\n' });
    const moved = await ofRevision(2);
    expect(moved).toBeLessThan(6);
    await ctl('rollout', 'resume', 'web', '--wait');
    expect(await ofRevision(2)).toBe(6);
    expect((await service()).status?.update).toMatchObject({ state: 'completed', attempt: 1 });
  });

  it('holds canaries until they are promoted, and brings them back when aborted', async () => {
    const update = { parallelism: 2, order: 'start-first', canary: 2 } as const;
    await apply({ version: 'one', replicas: 6, update });
    const load = await Load.start(host.client, 'web', 6);
    await apply({ version: 'two', replicas: 6, update });
    expect(await ofRevision(2)).toBe(2);
    await ctl('rollout', 'abort', 'web');
    await eventually('the way back', async () => (await ofRevision(1)) === 6);
    await ctl('rollout', 'resume', 'web', '--wait');
    expect(await ofRevision(2)).toBe(2);
    await ctl('rollout', 'promote', 'web', '--wait');
    expect(await ofRevision(2)).toBe(6);
    expect((await load.stop()).failures).toEqual([]);
  });
});
