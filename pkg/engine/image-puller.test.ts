import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/fakes/fake-clock.js';
import { FakeEngine } from '../../test/fakes/fake-engine.js';
import { ImagePuller } from './image-puller.js';

describe('ImagePuller', () => {
  function setUp() {
    const clock = new FakeClock();
    const engine = new FakeEngine(clock);
    engine.addToRegistry('web:1', { pullMs: 1000 });
    engine.addToRegistry('slow:1', { pullMs: 1000, failure: 'RegistryUnreachable' });
    return { clock, engine, puller: new ImagePuller(engine) };
  }

  it('pulls once for all who ask at the same time', async () => {
    const { clock, engine, puller } = setUp();
    const progress: number[][] = [[], []];
    const first = puller.pull('web:1', {
      onProgress: (step) => progress[0]?.push(step.layersDone),
    });
    await clock.advance(500);
    const second = puller.pull('web:1', {
      onProgress: (step) => progress[1]?.push(step.layersDone),
    });
    await clock.advance(500);
    expect(await first).toEqual(await second);
    expect(engine.callsOf('pullImage')).toBe(1);
    expect(progress).toEqual([
      [0, 1],
      [0, 1],
    ]);
    expect(puller.active).toBe(0);
  });

  it('pulls again once the last pull is over', async () => {
    const { clock, engine, puller } = setUp();
    for (let round = 1; round <= 2; round += 1) {
      const pull = puller.pull('web:1');
      await clock.advance(1000);
      await pull;
      expect(engine.callsOf('pullImage')).toBe(round);
    }
  });

  it('fails for all, and leaves nothing', async () => {
    const { clock, engine, puller } = setUp();
    const pulls = [puller.pull('slow:1'), puller.pull('slow:1')].map((pull) =>
      expect(pull).rejects.toMatchObject({ reason: 'RegistryUnreachable' }),
    );
    await clock.advance(1000);
    await Promise.all(pulls);
    expect([engine.callsOf('pullImage'), puller.active]).toEqual([1, 0]);
  });

  it('goes on for the others when one leaves', async () => {
    const { clock, puller } = setUp();
    const aborter = new AbortController();
    const leaver = puller.pull('web:1', { signal: aborter.signal });
    const stayer = puller.pull('web:1');
    const reason = new Error('enough');
    aborter.abort(reason);
    await expect(leaver).rejects.toBe(reason);
    await clock.advance(1000);
    expect(await stayer).toMatchObject({ tags: ['web:1'] });
  });

  it('stops when the last one leaves, and a later one starts anew', async () => {
    const { clock, engine, puller } = setUp();
    const aborter = new AbortController();
    const leaver = puller.pull('web:1', { signal: aborter.signal });
    aborter.abort(new Error('enough'));
    await expect(leaver).rejects.toThrow('enough');
    expect(puller.active).toBe(0);
    await clock.advance(2000);
    expect(await engine.inspectImage('web:1')).toBeUndefined();
    const late = puller.pull('web:1');
    await clock.advance(1000);
    expect(await late).toMatchObject({ tags: ['web:1'] });
  });

  it('does not share between credentials or platforms', async () => {
    const { clock, engine, puller } = setUp();
    const pulls = [
      puller.pull('web:1'),
      puller.pull('web:1', { platform: 'linux/arm64' }),
      puller.pull('web:1', { auth: { username: 'a', password: 'x' } }),
      puller.pull('web:1', { auth: { username: 'b', password: 'x' } }),
      puller.pull('web:1', { auth: { password: 'x', username: 'b' } }),
    ];
    await clock.advance(1000);
    await Promise.all(pulls);
    expect(engine.callsOf('pullImage')).toBe(4);
  });
});
