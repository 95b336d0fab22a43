import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from './seeded-random.js';

const some = (seed: number) => {
  const random = new SeededRandom(seed);
  return Array.from({ length: 50 }, () => random.next());
};

describe('SeededRandom', () => {
  it('says the same again for the same seed, and something else for another one', () => {
    expect(some(7)).toEqual(some(7));
    expect(some(7)).not.toEqual(some(8));
  });

  it('reaches both ends of a range, and stays within it', () => {
    const random = new SeededRandom(1);
    const rolls = new Set(Array.from({ length: 500 }, () => random.between(1, 6)));
    expect([...rolls].sort()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('shuffles without losing or doubling anything', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(fc.integer()), (seed, items) => {
        const shuffled = new SeededRandom(seed).shuffled(items);
        expect([...shuffled].sort()).toEqual([...items].sort());
      }),
    );
  });

  it('picks nothing from nothing', () => {
    expect(() => new SeededRandom(1).pick([])).toThrow('nothing');
  });
});
