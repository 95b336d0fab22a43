import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/fakes/fake-clock.js';
import { DelayedKeys } from './delayed-keys.js';

function delayedKeys() {
  const clock = new FakeClock();
  const fired: string[] = [];
  const keys = new DelayedKeys(clock, (key) => fired.push(`${key}@${String(clock.monotonicMs())}`));
  return { clock, fired, keys };
}

describe('DelayedKeys', () => {
  it('fires each key once, at its earliest wish, in order of time', async () => {
    const wish = fc.tuple(
      fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      fc.integer({ min: 1, max: 99 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(wish, { maxLength: 300 }), async (wishes) => {
        const { clock, fired, keys } = delayedKeys();
        const earliest = new Map<string, number>();
        for (const [key, ms] of wishes) {
          keys.set(key, ms);
          earliest.set(key, Math.min(ms, earliest.get(key) ?? Infinity));
        }
        await clock.advance(100);
        expect([...fired].sort()).toEqual(
          [...earliest].map(([k, ms]) => `${k}@${String(ms)}`).sort(),
        );
        const times = fired.map((it) => Number(it.split('@')[1]));
        expect(times).toEqual([...times].sort((a, b) => a - b));
        expect(clock.sleeping).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it('forgets deleted keys, also when they are set again for later', async () => {
    const { clock, fired, keys } = delayedKeys();
    keys.set('a', 10);
    keys.delete('a');
    keys.set('a', 20);
    await clock.advance(15);
    expect(fired).toEqual([]);
    await clock.advance(5);
    expect(fired).toEqual(['a@20']);
  });

  it('keeps one timer for all keys and none when cleared', () => {
    const { clock, keys } = delayedKeys();
    for (let i = 0; i < 1000; i += 1) keys.set(`key-${String(i)}`, 1000 - i);
    expect(clock.sleeping).toBe(1);
    keys.clear();
    expect(clock.sleeping).toBe(0);
    expect(keys.size).toBe(0);
  });

  it('sleeps longer than a timer can', async () => {
    const { clock, fired, keys } = delayedKeys();
    const days = 40 * 24 * 3_600_000;
    keys.set('a', days);
    await clock.advance(days - 1);
    expect(fired).toEqual([]);
    await clock.advance(1);
    expect(fired).toHaveLength(1);
  });
});
