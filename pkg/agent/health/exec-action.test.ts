import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../../test/fakes/fake-clock.js';
import { FakeEngine } from '../../../test/fakes/fake-engine.js';
import type { FakeExecution } from '../../../test/fakes/fake-exec.js';
import { UnavailableError } from '../../base/index.js';
import { ExecAction } from './exec-action.js';

describe('ExecAction', () => {
  let clock: FakeClock;
  let engine: FakeEngine;
  let action: ExecAction;
  let id: string;
  const commands: (readonly string[])[] = [];
  let execution: FakeExecution;
  const { signal } = new AbortController();

  beforeEach(async () => {
    clock = new FakeClock();
    engine = new FakeEngine(clock);
    execution = {};
    commands.length = 0;
    const exec = (command: readonly string[]) => {
      commands.push(command);
      return execution;
    };
    engine.addImage('web:1', { exec });
    const body = { Image: 'web:1', HostConfig: { RestartPolicy: { Name: 'no' } } } as const;
    ({ id } = await engine.createContainer({ name: 'a', body }));
    await engine.startContainer(id);
    action = new ExecAction(engine, ['check', '--all']);
  });

  const run = () => action.run(id, { timeoutMs: 1_000, signal });

  it('is a success with exit code 0, and only then', async () => {
    expect(await run()).toEqual({ kind: 'success' });
    expect(commands).toEqual([['check', '--all']]);
    execution = { exitCode: 3, output: 'no room\n' };
    expect(await run()).toEqual({ kind: 'failure', output: 'exit code 3: no room' });
    execution = { exitCode: 1 };
    expect(await run()).toEqual({ kind: 'failure', output: 'exit code 1' });
  });

  it('fails when it takes too long, and is not begun again while it goes on', async () => {
    execution = { takesMs: 5_000, output: 'still at it' };
    const slow = run();
    await clock.advance(1_000);
    expect(await slow).toMatchObject({ output: 'no answer within 1000ms: still at it' });
    expect(await run()).toMatchObject({ output: 'the command of an earlier try still runs' });
    expect(commands).toHaveLength(1);
    await clock.advance(4_000);
    execution = {};
    expect(await run()).toEqual({ kind: 'success' });
    expect(commands).toHaveLength(2);
  });

  it('says nothing of a container that nobody could ask', async () => {
    engine.failNext('execInContainer', new UnavailableError('the engine is away'));
    expect(await run()).toEqual({ kind: 'unknown', why: 'the engine is away' });
    engine.exitContainer(id, 0);
    expect(await run()).toEqual({ kind: 'unknown', why: 'the container does not run' });
    await engine.removeContainer(id);
    expect(await run()).toEqual({ kind: 'unknown', why: 'the container does not run' });
  });

  it('ends with the reason of an abort', async () => {
    execution = { takesMs: 5_000 };
    const controller = new AbortController();
    const reason = new Error('enough');
    const running = action.run(id, { timeoutMs: 1_000, signal: controller.signal });
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
  });
});
