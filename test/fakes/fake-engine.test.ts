import { describe, expect, it } from 'vitest';
import { InvalidObjectError, UnavailableError } from '../../pkg/base/index.js';
import type { ContainerCreateBody } from '../../pkg/engine/index.js';
import { EXEC, testEngineConformance } from './engine-conformance.js';
import type { ContainerRecipe } from './engine-conformance.js';
import { FakeClock } from './fake-clock.js';
import type { FakeBehaviour } from './fake-container.js';
import { FakeEngine } from './fake-engine.js';
import type { FakeExecution } from './fake-exec.js';

const IMAGE = 'conformance:1';
const HOST_CONFIG = { RestartPolicy: { Name: 'no' } } as const;

const READY: FakeBehaviour = { output: [{ text: 'ready' }] };

/** What a shell would make of the suite's commands. */
const EXECUTIONS: Readonly<Record<string, FakeExecution>> = {
  [EXEC.both]: { output: 'one\ntwo\n', exitCode: 3 },
  [EXEC.much]: { output: 'x'.repeat(10_000) },
  [EXEC.endless]: { output: 'begun\n', takesMs: 3_600_000 },
};

function behaviourFor(recipe: ContainerRecipe): FakeBehaviour {
  switch (recipe.does) {
    case 'print':
      return { output: recipe.lines, exitAfterMs: 5, exitCode: recipe.exitCode };
    case 'run':
      return {
        ...READY,
        onSignal: (signal) => ({ SIGTERM: 0, SIGQUIT: 42 })[signal],
        exec: (command) => EXECUTIONS[command.at(-1) ?? ''] ?? { exitCode: 127 },
      };
    case 'ignore-signals':
      return { ...READY, onSignal: () => undefined };
    case 'become':
      return { health: [{ afterMs: 5, state: recipe.health, output: `it is ${recipe.health}` }] };
    case 'fail-to-start':
      return { startError: new InvalidObjectError('no-such-command: not found') };
  }
}

testEngineConformance('FakeEngine', () => {
  const engine = new FakeEngine();
  engine.addToRegistry('unreachable:1', { failure: 'RegistryUnreachable' });
  engine.addImage(IMAGE);
  return Promise.resolve({
    engine,
    image: IMAGE,
    unreachableImage: 'unreachable:1',
    bodyFor: (recipe): ContainerCreateBody => {
      // tests start what they create before they ask for the next kind
      engine.behave(IMAGE, behaviourFor(recipe));
      return {
        Image: IMAGE,
        HostConfig: HOST_CONFIG,
        ...(recipe.does === 'become' && { Healthcheck: { Test: ['CMD', 'check'] } }),
      };
    },
    dispose: () => Promise.resolve(),
  });
});

describe('FakeEngine', () => {
  const body: ContainerCreateBody = { Image: 'web:1', HostConfig: HOST_CONFIG };

  async function started(engine: FakeEngine, name = 'a'): Promise<string> {
    const { id } = await engine.createContainer({ name, body });
    await engine.startContainer(id);
    return id;
  }

  it('lets time pass only by its clock', async () => {
    const clock = new FakeClock();
    const engine = new FakeEngine(clock);
    engine.addImage('web:1', { exitAfterMs: 5000, exitCode: 3 });
    const id = await started(engine);
    await clock.advance(4999);
    expect(await engine.inspectContainer(id)).toMatchObject({ state: 'running' });
    await clock.advance(1);
    expect(await engine.inspectContainer(id)).toMatchObject({ state: 'exited', exitCode: 3 });
  });

  it('does a call whose answer is lost', async () => {
    const engine = new FakeEngine();
    engine.addImage('web:1');
    const lost = new UnavailableError('lost');
    engine.failNext('createContainer', lost, { done: true });
    await expect(engine.createContainer({ name: 'a', body })).rejects.toBe(lost);
    expect(engine.containerNames).toEqual(['a']);
    engine.failNext('createContainer', lost);
    await expect(engine.createContainer({ name: 'b', body })).rejects.toBe(lost);
    expect(engine.containerNames).toEqual(['a']);
    expect(engine.callsOf('createContainer')).toBe(2);
  });

  it('goes away and comes back', async () => {
    const engine = new FakeEngine();
    engine.addImage('web:1');
    const id = await started(engine);
    const waiting = engine.waitContainer(id);
    const watching = engine.watchEvents({ onEvent: () => undefined });
    engine.goAway({ containersSurvive: false });
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
    await expect(watching).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
    await expect(engine.ping()).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
    engine.comeBack();
    expect(await engine.inspectContainer(id)).toMatchObject({ state: 'exited', exitCode: 137 });
  });

  it('pulls what a registry has, and takes its time', async () => {
    const clock = new FakeClock();
    const engine = new FakeEngine(clock);
    engine.addToRegistry('web:1', { pullMs: 1000 });
    const seen: number[] = [];
    const pull = engine.pullImage('web:1', {
      onProgress: ({ layersDone }) => seen.push(layersDone),
    });
    await clock.advance(999);
    expect(await engine.inspectImage('web:1')).toBeUndefined();
    await clock.advance(1);
    expect(await pull).toMatchObject({ tags: ['web:1'] });
    expect(seen).toEqual([0, 1]);
    await expect(engine.pullImage('other:1')).rejects.toMatchObject({ reason: 'ImageNotFound' });
  });

  it('ends the commands inside of a container with it', async () => {
    const clock = new FakeClock();
    const engine = new FakeEngine(clock);
    engine.addImage('web:1', { exec: () => ({ takesMs: 60_000 }) });
    const id = await started(engine);
    const running = engine.execInContainer(id, { command: ['long'], timeoutMs: 90_000 });
    await clock.advance(1000);
    engine.exitContainer(id, 0);
    expect(await running).toMatchObject({ exitCode: 137 });
    expect(clock.sleeping).toBe(0);
  });

  it('gives a host port once', async () => {
    const engine = new FakeEngine();
    engine.addImage('web:1');
    const published = (HostPort: string): ContainerCreateBody => ({
      ...body,
      HostConfig: { ...HOST_CONFIG, PortBindings: { '80/tcp': [{ HostPort }] } },
    });
    const start = async (name: string, port: string) => {
      const { id } = await engine.createContainer({ name, body: published(port) });
      await engine.startContainer(id);
      return (await engine.inspectContainer(id))!.ports;
    };
    expect(await start('a', '8080')).toEqual([
      { containerPort: 80, protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 8080 },
    ]);
    await expect(start('b', '8080')).rejects.toMatchObject({ code: 'ERR_ENGINE_REFUSED' });
    const chosen = [await start('c', ''), await start('d', '')].map(([port]) => port!.hostPort);
    expect(new Set(chosen).size).toBe(2);
  });
});
