import { describe, expect, it } from 'vitest';
import { FakeClock } from './fake-clock.js';

describe('FakeClock', () => {
  it('wakes sleepers in order, each at its own instant', async () => {
    const clock = new FakeClock();
    const woken: string[] = [];
    const sleep = async (name: string, ms: number) => {
      await clock.sleep(ms);
      woken.push(`${name}@${String(clock.monotonicMs())}`);
    };
    const all = [sleep('late', 30), sleep('early', 10), sleep('early-too', 10)];
    await clock.advance(29);
    expect(woken).toEqual(['early@10', 'early-too@10']);
    expect(clock.monotonicMs()).toBe(29);
    await clock.advance(1);
    await Promise.all(all);
    expect(woken).toHaveLength(3);
  });

  it('also runs sleeps that fall due while it advances', async () => {
    const clock = new FakeClock(new Date(0));
    let ticks = 0;
    const tick = async () => {
      for (; ticks < 5; ticks += 1) await clock.sleep(10);
    };
    const ticking = tick();
    await clock.advance(50);
    await ticking;
    expect(ticks).toBe(5);
    expect(clock.now()).toEqual(new Date(50));
  });

  it('rejects an aborted sleep with the reason and forgets it', async () => {
    const clock = new FakeClock();
    const controller = new AbortController();
    const sleeping = clock.sleep(10, controller.signal);
    controller.abort(new Error('enough'));
    await expect(sleeping).rejects.toThrow('enough');
    expect(clock.sleeping).toBe(0);
    await expect(clock.sleep(10, controller.signal)).rejects.toThrow('enough');
  });
});
