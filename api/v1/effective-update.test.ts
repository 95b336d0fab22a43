import { describe, expect, it } from 'vitest';
import { amountOf, effectiveUpdatePolicy } from './effective-update.js';

describe('effectiveUpdatePolicy', () => {
  it('has the defaults of Swarm mode, and a deadline (S1)', () => {
    expect(effectiveUpdatePolicy()).toEqual({
      pace: { kind: 'parallelism', parallelism: 1, order: 'stop-first' },
      delayMs: 0,
      monitorMs: 5_000,
      failureAction: 'pause',
      maxFailureRatio: 0,
      progressDeadlineMs: 600_000,
      canary: undefined,
    });
  });

  it.each([
    [{ monitor: '5s', delay: '4s' }, 5_000],
    [{ monitor: '5s', delay: '5s' }, 6_000],
    [{ monitor: '0' }, 1_000],
  ])('2.7.7 watches for longer than the delay: %j', (policy, monitorMs) => {
    expect(effectiveUpdatePolicy(policy).monitorMs).toBe(monitorMs);
  });

  it.each([
    [{ maxSurge: 2 }, { kind: 'surge', maxSurge: 2, maxUnavailable: 0 }],
    [{ maxUnavailable: '10%' }, { kind: 'surge', maxSurge: 0, maxUnavailable: '10%' }],
  ])('reads the other spelling: %j', (policy, pace) => {
    expect(effectiveUpdatePolicy(policy).pace).toEqual(pace);
  });

  it.each([[0], ['0%']])('has no canary with %j', (canary) => {
    expect(effectiveUpdatePolicy({ canary }).canary).toBeUndefined();
  });
});

describe('amountOf', () => {
  it.each([
    [3, 10, 'up', 3],
    ['25%', 10, 'up', 3],
    ['25%', 10, 'down', 2],
    ['100%', 7, 'down', 7],
    ['50%', 0, 'up', 0],
  ] as const)('%j of %i, rounded %s', (amount, total, round, expected) => {
    expect(amountOf(amount, total, round)).toBe(expected);
  });
});
