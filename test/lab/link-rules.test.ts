import { describe, expect, it } from 'vitest';
import { cutBetween, linkRules, oneWay, type LinkFault } from './link-rules.js';

const ADDRESSES: Readonly<Record<string, string>> = {
  h1: '10.0.0.1',
  h2: '10.0.0.2',
  m1: '10.0.0.9',
};
const drops = (faults: readonly LinkFault[]) =>
  linkRules(faults, (name) => ADDRESSES[name] ?? 'unknown')
    .split('\n')
    .filter((line) => line.includes('drop'))
    .map((line) => line.trim());

describe('linkRules', () => {
  it('lets everything through when nothing is wrong, and forgets what was', () => {
    const text = linkRules([], () => '');
    expect(text).toContain('delete table bridge lab');
    expect(text).toContain('policy accept;');
    expect(drops([])).toEqual([]);
  });

  it('cuts a machine off from some, both ways', () => {
    expect(drops(cutBetween(['h1'], ['h2', 'm1']))).toEqual([
      'ip saddr { 10.0.0.1 } ip daddr { 10.0.0.2, 10.0.0.9 } counter drop',
      'ip saddr { 10.0.0.2, 10.0.0.9 } ip daddr { 10.0.0.1 } counter drop',
    ]);
  });

  it('cuts a machine off from everybody', () => {
    expect(drops(cutBetween(['h1'], undefined))).toEqual([
      'ip saddr { 10.0.0.1 } counter drop',
      'ip daddr { 10.0.0.1 } counter drop',
    ]);
  });

  it('cuts one way only', () => {
    expect(drops([oneWay(['m1'], ['h1'])])).toEqual([
      'ip saddr { 10.0.0.9 } ip daddr { 10.0.0.1 } counter drop',
    ]);
  });

  it('loses a share of all packets', () => {
    expect(drops([oneWay(undefined, undefined, 0.2)])).toEqual([
      'ether type ip numgen random mod 1000 < 200 counter drop',
    ]);
  });

  it('loses nothing at a loss of zero, and nothing from or to nobody', () => {
    const faults = [oneWay(['h1'], undefined, 0), ...cutBetween(['h1'], [])];
    expect(drops(faults)).toEqual([]);
  });
});
