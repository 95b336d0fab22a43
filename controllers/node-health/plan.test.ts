import { describe, expect, it } from 'vitest';
import { effectiveClusterSpec } from '../../api/v1/index.js';
import { aNodeHealth, aNodeStatus, BUILT_AT } from '../../test/builders/objects.js';
import { planNodeHealth, type NodeHealthSnapshot } from './plan.js';

const NOW = '2026-01-01T01:00:00.000Z';
const settings = effectiveClusterSpec({});
const session = (open: boolean, reason = '') => ({
  epoch: 3,
  managerId: 'm1',
  open,
  reason,
  changedAt: BUILT_AT,
});
const closed = (reason: string) => aNodeStatus('n1', { session: session(false, reason) });
const open = aNodeStatus('n1', { session: session(true) });

const plan = (more: Partial<NodeHealthSnapshot>) =>
  planNodeHealth({
    nodeId: 'n1',
    isMember: true,
    status: open,
    health: aNodeHealth('n1', { epoch: 3, reason: 'session open' }),
    hasManager: true,
    isManagerReborn: false,
    settings,
    silentForMs: 0,
    listeningForMs: 1e9,
    now: NOW,
    ...more,
  });
const verdictOf = (more: Partial<NodeHealthSnapshot>) => {
  const { change } = plan(more);
  return change?.kind === 'set-health' ? change.health : undefined;
};

describe('planNodeHealth', () => {
  it('writes nothing while nothing changes', () => {
    expect(plan({})).toEqual({});
  });

  it('2.11.1 finds a node ready as soon as its session is open', () => {
    expect(verdictOf({ health: undefined })).toEqual({
      nodeId: 'n1',
      state: 'ready',
      reason: 'session open',
      since: NOW,
      epoch: 3,
    });
    const lost = aNodeHealth('n1', { state: 'lost', epoch: 2 });
    expect(verdictOf({ health: lost })).toMatchObject({ state: 'ready', since: NOW });
  });

  it.each([
    ['its session is closed', { status: closed('heartbeat failure') }, 'heartbeat failure'],
    ['its session is closed without a word', { status: closed('') }, 'session closed'],
    ['its manager is gone', { hasManager: false }, 'its manager is gone'],
    ['it never connected', { status: undefined, health: undefined }, 'never connected'],
    [
      'its engine does not answer',
      { status: { ...open, engineHealthy: false, engineMessage: 'no such socket' } },
      'engine: no such socket',
    ],
  ] as const)('finds it unknown at once when %s', (_what, more, reason) => {
    expect(verdictOf(more)).toMatchObject({ state: 'unknown', reason });
  });

  it.each([
    ['the silence before the session was closed counts', closed('heartbeat failure'), 5_000],
    ['a connection that ended was silent for a heartbeat', closed('connection closed'), 8_000],
  ] as const)('2.11.3 finds it lost after a while: %s', (_what, status, lostAfterMs) => {
    expect(plan({ status }).lookAgainAfterMs).toBe(lostAfterMs);
    expect(plan({ status, silentForMs: lostAfterMs - 1 }).lookAgainAfterMs).toBe(1);
    expect(verdictOf({ status, silentForMs: lostAfterMs })).toMatchObject({ state: 'lost' });
  });

  it('gives the whole time when only the manager is gone', () => {
    expect(plan({ hasManager: false }).lookAgainAfterMs).toBe(10_000);
  });

  it('2.11.4 loses nobody before agents could come back after an outage or a change of leader', () => {
    const status = closed('heartbeat failure');
    expect(plan({ status, silentForMs: 9_000, listeningForMs: 9_000 })).toMatchObject({
      change: { health: { state: 'unknown' } },
      lookAgainAfterMs: 7_000,
    });
    expect(verdictOf({ status, silentForMs: 16_000, listeningForMs: 16_000 })).toMatchObject({
      state: 'lost',
    });
  });

  it('lets a lost node stay lost, whoever leads now', () => {
    const health = aNodeHealth('n1', { state: 'lost', reason: 'heartbeat failure', epoch: 3 });
    expect(plan({ health, status: closed('heartbeat failure'), listeningForMs: 0 })).toEqual({});
  });

  it('does not take the session of a manager that was started again for a sign of life', () => {
    const lost = aNodeHealth('n1', { state: 'lost', reason: 'its manager is gone', epoch: 3 });
    const reborn = { isManagerReborn: true, hasManager: true };
    expect(verdictOf({ ...reborn, health: lost })).toMatchObject({
      state: 'lost',
      reason: 'its manager was started again',
    });
    const ready = aNodeHealth('n1', { state: 'ready', reason: 'session open', epoch: 3 });
    expect(verdictOf({ ...reborn, health: ready })?.state ?? 'ready').toBe('ready');
  });

  it('keeps the instant of a state whose reason changes', () => {
    const health = aNodeHealth('n1', { state: 'unknown', reason: 'its manager is gone', epoch: 3 });
    expect(verdictOf({ health, status: closed('heartbeat failure') })).toMatchObject({
      reason: 'heartbeat failure',
      since: BUILT_AT,
    });
  });

  it('forgets what is no member any more', () => {
    expect(plan({ isMember: false })).toEqual({ change: { kind: 'forget-node' } });
    expect(plan({ isMember: false, status: undefined, health: undefined })).toEqual({});
  });
});
