import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type {
  ContainerCreateBody,
  ContainerEvent,
  Engine,
  LogLine,
  EventsOptions,
  LogOptions,
} from '../../pkg/engine/index.js';

/** A container that the suite needs, whatever the engine is made of. */
export type ContainerRecipe =
  /** Prints the lines, in this order, and ends. */
  | { readonly does: 'print'; readonly lines: readonly PrintedLine[]; readonly exitCode: number }
  /** Prints `ready` and runs; ends with 0 on SIGTERM and 42 on SIGQUIT. */
  | { readonly does: 'run' }
  /** Prints `ready`, runs, and ends on nothing but SIGKILL. */
  | { readonly does: 'ignore-signals' }
  /** Runs, and its health check says so before long. */
  | { readonly does: 'become'; readonly health: 'healthy' | 'unhealthy' }
  /** Cannot be started: its command is not there. */
  | { readonly does: 'fail-to-start' };

/** One line that a container prints. */
export interface PrintedLine {
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

/** An engine under test, and what only its kind knows. */
export interface EngineUnderTest {
  readonly engine: Engine;
  /** An image that the engine has. */
  readonly image: string;
  /** An image whose registry cannot be reached. */
  readonly unreachableImage: string;
  bodyFor(recipe: ContainerRecipe): ContainerCreateBody;
  dispose(): Promise<void>;
}

/** Commands that the suite runs inside of a container, for a shell. */
export const EXEC = {
  both: 'echo one; sleep 0.05; echo two >&2; exit 3',
  much: 'head -c 10000 /dev/zero | tr "\\0" x',
  endless: 'echo begun; exec sleep 3600',
} as const;

const POLL_MS = 10;
const PATIENCE_MS = 20_000;

/** Everything that the port promises, as tests; run against the fake and against a real engine. */
export function testEngineConformance(name: string, setUp: () => Promise<EngineUnderTest>): void {
  describe(name, () => {
    let subject: EngineUnderTest;
    let engine: Engine;
    /** Marks the containers of one test. */
    let label: string;
    let aborter: AbortController;

    beforeAll(async () => {
      subject = await setUp();
      engine = subject.engine;
      renew();
    });
    afterEach(async () => {
      aborter.abort(new Error('the test is over'));
      for (const { id } of await engine.listContainers({ all: true })) {
        await engine.removeContainer(id, { force: true, volumes: true });
      }
      renew();
    });
    afterAll(async () => {
      engine.close();
      await subject.dispose();
    });

    function renew(): void {
      label = randomBytes(4).toString('hex');
      aborter = new AbortController();
    }

    async function create(recipe: ContainerRecipe, body: Partial<ContainerCreateBody> = {}) {
      const name = `conformance-${randomBytes(6).toString('hex')}`;
      const full = { ...subject.bodyFor(recipe), Labels: { test: label, name }, ...body };
      const { id } = await engine.createContainer({ name, body: full });
      return { id, name };
    }

    async function run(recipe: ContainerRecipe, body: Partial<ContainerCreateBody> = {}) {
      const container = await create(recipe, body);
      await engine.startContainer(container.id);
      if (recipe.does === 'run' || recipe.does === 'ignore-signals') await ready(container.id);
      return container;
    }

    /** Only now does its process handle signals. */
    async function ready(id: string): Promise<void> {
      for await (const line of engine.streamLogs(id, { follow: true, signal: aborter.signal })) {
        expect(textOf(line)).toBe('ready');
        return;
      }
      expect.fail('the container ended before it was ready');
    }

    async function watch(which: Pick<EventsOptions, 'since' | 'actions'> = {}) {
      const events: ContainerEvent[] = [];
      let ended: Promise<never> | undefined;
      await new Promise<void>((resolve, reject) => {
        ended = engine.watchEvents({
          labels: { test: label },
          signal: aborter.signal,
          onOpen: resolve,
          onEvent: (event) => events.push(event),
          ...which,
        });
        ended.catch(reject);
      });
      return { events, ended: ended! };
    }

    const inspect = async (id: string) => (await engine.inspectContainer(id))!;

    async function logs(id: string, options: LogOptions = {}): Promise<LogLine[]> {
      const lines: LogLine[] = [];
      for await (const line of engine.streamLogs(id, options)) lines.push(line);
      return lines;
    }

    describe('the engine itself', () => {
      it('tells the API version that is spoken', async () => {
        const { apiVersion, engineApiVersion } = await engine.ping();
        expect(apiVersion).toMatch(/^1\.4\d$/);
        expect(engineApiVersion).toMatch(/^\d+\.\d+$/);
      });

      it('describes itself', async () => {
        const description = await engine.describe();
        expect(description).toMatchObject({ os: 'linux', apiVersion: expect.any(String) });
        expect(description.engineId).not.toBe('');
        expect(description.architecture).toMatch(/^(amd64|arm64)$/);
        expect(description.cpuNano).toBeGreaterThanOrEqual(1e9);
        expect(description.memoryBytes).toBeGreaterThan(1e8);
        expect(description.plugins.log).toContain('json-file');
        expect(description.plugins.volume).toContain('local');
        expect(description.cgroup.version).toMatch(/^[12]$/);
      });
    });

    describe('creating', () => {
      it('makes a container that does not run yet', async () => {
        const { id, name } = await create({ does: 'run' });
        expect(await inspect(id)).toMatchObject({
          id,
          name,
          state: 'created',
          labels: { test: label },
          image: subject.image,
          oomKilled: false,
          tty: false,
        });
        expect(await inspect(id)).not.toHaveProperty('pid');
        expect(await inspect(id)).not.toHaveProperty('startedAt');
        expect(await inspect(id)).not.toHaveProperty('exitCode');
        expect((await inspect(name)).id).toBe(id);
      });

      it('refuses a name that is taken', async () => {
        const { name } = await create({ does: 'run' });
        const body = subject.bodyFor({ does: 'run' });
        await expect(engine.createContainer({ name, body })).rejects.toMatchObject({
          code: 'ERR_ALREADY_EXISTS',
        });
      });

      it('says that the image is missing', async () => {
        const body = { ...subject.bodyFor({ does: 'run' }), Image: 'no-such-image:1' };
        await expect(engine.createContainer({ name: `x-${label}`, body })).rejects.toMatchObject({
          code: 'ERR_NOT_FOUND',
        });
      });
    });

    describe('listing', () => {
      it('shows running containers, or all, by labels', async () => {
        const created = await create({ does: 'run' });
        const running = await run({ does: 'run' });
        await run({ does: 'run' }, { Labels: { test: 'other' } });

        const listed = await engine.listContainers({ labels: { test: label } });
        expect(listed).toMatchObject([
          { id: running.id, names: [running.name], state: 'running', image: subject.image },
        ]);
        const all = await engine.listContainers({ labels: { test: label }, all: true });
        expect(all.map(({ id }) => id).sort()).toEqual([created.id, running.id].sort());
        expect(await engine.listContainers({ labels: { test: label, name: 'x' } })).toEqual([]);
        expect(await engine.listContainers({ labels: { test: '' } })).toHaveLength(2);
      });

      it('hints at the exit code', async () => {
        const { id } = await run({ does: 'print', lines: [], exitCode: 3 });
        await engine.waitContainer(id);
        const [summary] = await engine.listContainers({ labels: { test: label }, all: true });
        expect(summary).toMatchObject({ state: 'exited', exitCodeHint: 3 });
      });
    });

    describe('starting', () => {
      it('makes it run, and starting it again changes nothing', async () => {
        const { id } = await run({ does: 'run' });
        const first = await inspect(id);
        expect(first).toMatchObject({ state: 'running', pid: expect.any(Number) });
        expect(Date.parse(first.startedAt!)).not.toBeNaN();
        await engine.startContainer(id);
        expect(await inspect(id)).toEqual(first);
      });

      it('does not know a container that is not there', async () => {
        await expect(engine.startContainer('no-such')).rejects.toMatchObject({
          code: 'ERR_NOT_FOUND',
        });
        expect(await engine.inspectContainer('no-such')).toBeUndefined();
      });

      it('says why it cannot, as something that trying again does not heal', async () => {
        const { id } = await create({ does: 'fail-to-start' });
        await expect(engine.startContainer(id)).rejects.toMatchObject({
          code: 'ERR_INVALID_OBJECT',
          message: expect.stringContaining('no-such-command') as string,
        });
        expect((await inspect(id)).error).toContain('no-such-command');
      });
    });

    describe('ending', () => {
      it('keeps the exit code', async () => {
        const { id } = await run({ does: 'print', lines: [], exitCode: 3 });
        expect(await engine.waitContainer(id)).toEqual({ exitCode: 3 });
        const ended = await inspect(id);
        expect(ended).toMatchObject({ state: 'exited', exitCode: 3, oomKilled: false });
        expect(Date.parse(ended.finishedAt!)).not.toBeNaN();
        expect(ended).not.toHaveProperty('pid');
      });

      it('waits for one that was never started not at all', async () => {
        const { id } = await create({ does: 'run' });
        expect(await engine.waitContainer(id)).toEqual({ exitCode: 0 });
      });

      it('stops waiting when told to', async () => {
        const { id } = await run({ does: 'run' });
        const reason = new Error('enough');
        const waiting = engine.waitContainer(id, aborter.signal);
        aborter.abort(reason);
        await expect(waiting).rejects.toBe(reason);
        expect((await inspect(id)).state).toBe('running');
      });

      it('stops with the signal that the container was created with', async () => {
        const term = await run({ does: 'run' });
        await engine.stopContainer(term.id, { graceMs: 10_000 });
        expect(await inspect(term.id)).toMatchObject({ state: 'exited', exitCode: 0 });

        const quit = await run({ does: 'run' }, { StopSignal: 'SIGQUIT' });
        expect(await inspect(quit.id)).toMatchObject({ stopSignal: 'SIGQUIT' });
        await engine.stopContainer(quit.id, { graceMs: 10_000 });
        expect(await inspect(quit.id)).toMatchObject({ state: 'exited', exitCode: 42 });
      });

      it('stops with another signal', async () => {
        const { id } = await run({ does: 'run' });
        await engine.stopContainer(id, { stopSignal: 'SIGQUIT', graceMs: 10_000 });
        expect(await inspect(id)).toMatchObject({ state: 'exited', exitCode: 42 });
      });

      it.each([undefined, 'SIGQUIT'])('kills after the grace (signal %s)', async (stopSignal) => {
        const { id } = await run({ does: 'ignore-signals' });
        const options = { graceMs: 1000, ...(stopSignal !== undefined && { stopSignal }) };
        await engine.stopContainer(id, options);
        expect(await inspect(id)).toMatchObject({ state: 'exited', exitCode: 137 });
      });

      it.each([undefined, 'SIGQUIT'])('stops a stopped one (signal %s)', async (stopSignal) => {
        const { id } = await run({ does: 'print', lines: [], exitCode: 0 });
        await engine.waitContainer(id);
        const options = { graceMs: 10_000, ...(stopSignal !== undefined && { stopSignal }) };
        await engine.stopContainer(id, options);
        await expect(engine.stopContainer('no-such', options)).rejects.toMatchObject({
          code: 'ERR_NOT_FOUND',
        });
      });

      it('kills, and says so when there is nothing to kill', async () => {
        const { id } = await run({ does: 'run' });
        await engine.killContainer(id);
        expect(await engine.waitContainer(id)).toEqual({ exitCode: 137 });
        await expect(engine.killContainer(id)).rejects.toMatchObject({
          code: 'ERR_ENGINE_REFUSED',
        });
      });
    });

    describe('removing', () => {
      it('refuses a running one unless forced; gone is gone', async () => {
        const { id } = await run({ does: 'run' });
        await expect(engine.removeContainer(id)).rejects.toMatchObject({
          code: 'ERR_ENGINE_REFUSED',
        });
        await engine.removeContainer(id, { force: true });
        expect(await engine.inspectContainer(id)).toBeUndefined();
        await engine.removeContainer(id);
      });

      it('is done for everyone who asks at the same time', async () => {
        const { id } = await run({ does: 'run' });
        const options = { force: true };
        await Promise.all(Array.from({ length: 5 }, () => engine.removeContainer(id, options)));
        expect(await engine.inspectContainer(id)).toBeUndefined();
      });
    });

    describe('commands inside of a container', () => {
      const exec = (id: string, script: string, timeoutMs = PATIENCE_MS) =>
        engine.execInContainer(id, { command: ['sh', '-c', script], timeoutMs });

      it('tell their exit code and what they printed on both streams', async () => {
        const { id } = await run({ does: 'run' });
        expect(await exec(id, EXEC.both)).toMatchObject({ exitCode: 3, output: 'one\ntwo\n' });
      });

      it('print more than is kept', async () => {
        const { id } = await run({ does: 'run' });
        const { output, exitCode } = await exec(id, EXEC.much);
        expect({ exitCode, output }).toEqual({ exitCode: 0, output: `${'x'.repeat(4_096)}...` });
      });

      it('are left alone when they take too long, and seen to go on', async () => {
        const { id } = await run({ does: 'run' });
        const result = await exec(id, EXEC.endless, 500);
        expect(result).not.toHaveProperty('exitCode');
        expect(result.output).toBe('begun\n');
        expect(await engine.isExecRunning(result.execId)).toBe(true);
        await engine.removeContainer(id, { force: true });
        await eventually(async () => !(await engine.isExecRunning(result.execId)));
        expect(await engine.isExecRunning('no-such')).toBe(false);
      });

      it('need to exist', async () => {
        const { id } = await run({ does: 'run' });
        const { exitCode } = await engine.execInContainer(id, {
          command: ['no-such-command'],
          timeoutMs: PATIENCE_MS,
        });
        expect([126, 127]).toContain(exitCode);
      });

      it('need a container that runs', async () => {
        const { id } = await create({ does: 'run' });
        await expect(exec(id, EXEC.both)).rejects.toMatchObject({ code: 'ERR_ENGINE_REFUSED' });
        await expect(exec('no-such', EXEC.both)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
      });

      it('can be left at any time', async () => {
        const { id } = await run({ does: 'run' });
        const reason = new Error('enough');
        const { signal } = aborter;
        const command = ['sh', '-c', EXEC.endless];
        const running = engine.execInContainer(id, { command, timeoutMs: PATIENCE_MS, signal });
        aborter.abort(reason);
        await expect(running).rejects.toBe(reason);
      });
    });

    describe('health', () => {
      it.each(['healthy', 'unhealthy'] as const)('tells when it becomes %s', async (health) => {
        const { events } = await watch();
        const { id } = await run({ does: 'become', health });
        await eventually(async () => (await inspect(id)).health?.state === health);
        expect((await inspect(id)).health?.lastOutput).toContain(`it is ${health}`);
        await eventually(() => events.some((event) => event.health === health));
      });

      it('is nobody’s without a check', async () => {
        const { id } = await run({ does: 'run' });
        expect(await inspect(id)).not.toHaveProperty('health');
      });
    });

    describe('events', () => {
      it('tell the life of a container, in order, of the labels asked for', async () => {
        const { events } = await watch();
        await run({ does: 'print', lines: [], exitCode: 0 }, { Labels: { test: 'other' } });
        const { id, name } = await run({ does: 'print', lines: [], exitCode: 7 });
        await engine.waitContainer(id);
        await engine.removeContainer(id);
        await eventually(() => events.some(({ action }) => action === 'destroy'));

        expect(events.map(({ action }) => action)).toEqual(['create', 'start', 'die', 'destroy']);
        expect(new Set(events.map(({ containerId }) => containerId))).toEqual(new Set([id]));
        expect(events[2]).toMatchObject({
          exitCode: 7,
          containerName: name,
          image: subject.image,
          attributes: { test: label },
        });
        expect(Date.parse(events[2]!.at)).not.toBeNaN();
      });

      it('tell the signal of a kill', async () => {
        const { events } = await watch();
        const { id } = await run({ does: 'run' });
        await engine.killContainer(id, { killSignal: 'SIGTERM' });
        await eventually(() => events.some(({ action }) => action === 'die'));
        expect(events.find(({ action }) => action === 'kill')).toMatchObject({ signalNumber: 15 });
      });

      it('come of the actions that are asked for only', async () => {
        const { events } = await watch({ actions: ['die', 'health_status', 'pause'] });
        const { id } = await run({ does: 'print', lines: [], exitCode: 0 });
        await engine.waitContainer(id);
        await engine.removeContainer(id);
        const next = await run({ does: 'print', lines: [], exitCode: 0 });
        await engine.waitContainer(next.id);
        await eventually(() => events.length === 2);
        expect(events.map(({ action }) => action)).toEqual(['die', 'die']);
      });

      it('come again from a cursor on', async () => {
        const first = await watch();
        const { id } = await run({ does: 'print', lines: [], exitCode: 0 });
        await engine.waitContainer(id);
        await eventually(() => first.events.length === 3);
        const { events } = await watch({ since: first.events[1]!.cursor });
        await eventually(() => events.length === 2);
        expect(events).toEqual(first.events.slice(1));
      });

      it('end with the reason of an abort', async () => {
        const { ended } = await watch();
        const reason = new Error('enough');
        aborter.abort(reason);
        await expect(ended).rejects.toBe(reason);
      });
    });

    describe('logs', () => {
      const LINES: readonly PrintedLine[] = [
        { stream: 'stdout', text: 'one' },
        { stream: 'stderr', text: 'two' },
        { stream: 'stdout', text: 'three' },
        { stream: 'stderr', text: '' },
        { stream: 'stderr', text: 'grüße' },
      ];

      it('come line by line with their stream', async () => {
        const { id } = await run({ does: 'print', lines: LINES, exitCode: 0 });
        await engine.waitContainer(id);
        const lines = await logs(id);
        for (const stream of ['stdout', 'stderr'] as const) {
          const texts = lines.filter((line) => line.stream === stream).map(textOf);
          expect(texts).toEqual(
            LINES.filter((line) => line.stream === stream).map(({ text }) => text),
          );
        }
        expect(lines.every(({ partial, at }) => !partial && at === undefined)).toBe(true);
      });

      it('come of one stream, from the tail, with time stamps', async () => {
        const { id } = await run({ does: 'print', lines: LINES, exitCode: 0 });
        await engine.waitContainer(id);
        expect((await logs(id, { stderr: false })).map(textOf)).toEqual(['one', 'three']);
        expect(await logs(id, { tail: 2 })).toHaveLength(2);
        const stamped = await logs(id, { timestamps: true });
        expect(stamped).toHaveLength(LINES.length);
        for (const { at } of stamped) expect(Date.parse(at!)).not.toBeNaN();
        expect(await logs(id, { since: '2100-01-01T00:00:00Z' })).toEqual([]);
      });

      it('are followed until the container ends', async () => {
        const { id } = await create({ does: 'print', lines: LINES, exitCode: 0 });
        await engine.startContainer(id);
        expect(await logs(id, { follow: true })).toHaveLength(LINES.length);
      });

      it('can be left at any time', async () => {
        const { id } = await run({ does: 'run' });
        const reason = new Error('enough');
        const following = logs(id, { follow: true, signal: aborter.signal });
        aborter.abort(reason);
        await expect(following).rejects.toBe(reason);

        const printed = await run({ does: 'print', lines: LINES, exitCode: 0 });
        for await (const line of engine.streamLogs(printed.id, { follow: true })) {
          expect(line).toBeDefined();
          break;
        }
      });

      it('are not there without a container', async () => {
        await expect(logs('no-such')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
      });
    });

    describe('images', () => {
      it('are inspected, or not there', async () => {
        const image = await engine.inspectImage(subject.image);
        expect(image).toMatchObject({ os: 'linux', id: expect.stringMatching(/^sha256:/) });
        expect(image!.tags).toContain(subject.image);
        expect(image!.sizeBytes).toBeGreaterThan(0);
        expect(await engine.inspectImage('no-such-image:1')).toBeUndefined();
      });

      it('say why they cannot be pulled', async () => {
        await expect(engine.pullImage(subject.unreachableImage)).rejects.toMatchObject({
          code: 'ERR_IMAGE_PULL',
          reason: 'RegistryUnreachable',
          temporary: true,
        });
      });
    });
  });
}

const textOf = ({ data }: LogLine) => data.toString('utf8');

async function eventually(check: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await check())) {
    if (performance.now() > deadline) expect.fail('it did not happen in time');
    await delay(POLL_MS);
  }
}
