import { describe, expect, it } from 'vitest';
import { FAULTS, breakLab, requireFault, type Fault } from './faults.js';
import type { Lab } from './lab.js';
import type { Member } from './member.js';
import { SeededRandom } from './seeded-random.js';

const random = new SeededRandom(1);
const lab = {} as unknown as Lab;

/** Befalls one of h1 and h2, and says which. */
function aFault(): Fault & { readonly befell: readonly string[] } {
  const befell: string[] = [];
  return {
    name: 'test',
    summary: 'nothing happens',
    candidates: async () => [{ name: 'h1' }, { name: 'h2' }] as unknown as readonly Member[],
    inject: async (_lab, target) => void befell.push(target),
    befell,
  };
}

describe('faults', () => {
  it('have names of their own', () => {
    const names = FAULTS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(requireFault('worker-killed').summary).toContain('power');
    expect(() => requireFault('worker-kiled')).toThrow(/worker-kiled.*worker-killed/);
  });

  it('befall the machine that was asked for', async () => {
    const fault = aFault();
    expect(await breakLab(lab, { fault, target: 'h2', random })).toBe('h2');
    expect(fault.befell).toEqual(['h2']);
  });

  it('befall any of those they can', async () => {
    const fault = aFault();
    for (let time = 0; time < 20; time += 1) await breakLab(lab, { fault, random });
    expect(new Set(fault.befell)).toEqual(new Set(['h1', 'h2']));
  });

  it('refuse a machine that they cannot befall', async () => {
    const fault = aFault();
    await expect(breakLab(lab, { fault, target: 'm1', random })).rejects.toThrow('h1, h2, not m1');
    const { candidates: _none, ...everywhere } = fault;
    await expect(breakLab(lab, { fault: everywhere, target: 'h1', random })).rejects.toThrow(
      'no single machine',
    );
    expect(await breakLab(lab, { fault: everywhere, random })).toBeUndefined();
  });
});
