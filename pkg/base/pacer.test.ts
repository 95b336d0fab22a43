import { describe, expect, it } from 'vitest';
import { Pacer } from './pacer.js';

const options = { minIntervalMs: 100, costFactor: 10, maxIntervalMs: 2_000 };

describe('Pacer', () => {
  it('lets the first run start at once and spaces those after it', () => {
    const pacer = new Pacer(options);
    expect(pacer.waitMs(5_000)).toBe(0);
    pacer.ran(5_000, 5_001);
    expect(pacer.waitMs(5_030)).toBe(70);
    expect(pacer.waitMs(5_100)).toBe(0);
  });

  it('gives expensive runs a bounded share of the time', () => {
    const pacer = new Pacer(options);
    pacer.ran(0, 50);
    expect(pacer.waitMs(50)).toBe(450);
    pacer.ran(0, 1_000);
    expect(pacer.waitMs(1_000)).toBe(1_000);
  });
});
