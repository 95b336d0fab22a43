import { describe, expect, it } from 'vitest';
import {
  isTerminal,
  stateRank,
  type StoredTaskStatus,
  type TaskReport,
  type TaskState,
} from '../../../api/v1/index.js';
import { aTask } from '../../../test/builders/objects.js';
import { eventOfReport } from './report-events.js';
import { judgeReport, statusOf } from './report-rules.js';

/** Of the node's clock, which is an hour slow. */
const AT = '2026-01-01T00:00:10.000Z';
const NOW = '2026-01-01T01:00:20.000Z';

const stamp = { taskId: 't1', nodeId: 'n1', epoch: 1, now: NOW };
const report = (more: Partial<TaskReport> = {}): TaskReport => ({
  state: 'running',
  at: AT,
  message: 'running',
  ready: true,
  readySince: AT,
  ...more,
});
const unready = { reason: 'ReadinessFailed', message: 'HTTP 503', since: AT };
const outOfService: TaskReport = { state: 'running', at: AT, message: '', ready: false, unready };

const stored = (
  of: TaskReport,
  more: Partial<StoredTaskStatus> = {},
  previous?: StoredTaskStatus,
): StoredTaskStatus => ({ ...statusOf(stamp, of, previous), version: 1, ...more });

describe('statusOf', () => {
  it('says since when a task is in service by the managers’ clock', () => {
    expect(statusOf(stamp, report(), undefined).readyAt).toBe(NOW);
  });

  it('takes from the node how long that had been so when it was reported', () => {
    const late = report({ readySince: '2026-01-01T00:00:03.000Z' });
    expect(statusOf(stamp, late, undefined).readyAt).toBe('2026-01-01T01:00:13.000Z');
  });

  it('keeps the instant while the task stays in service', () => {
    const before = stored(report(), { readyAt: '2026-01-01T01:00:01.000Z' });
    const again = report({ at: '2026-01-01T00:59:00.000Z', message: 'running on' });
    expect(statusOf(stamp, again, before).readyAt).toBe(before.readyAt);
  });

  it('forgets it with every absence from service', () => {
    const before = stored(report(), { readyAt: '2026-01-01T01:00:01.000Z' });
    const out = stored(outOfService, {}, before);
    expect(out).not.toHaveProperty('readyAt');
    expect(statusOf(stamp, report(), out).readyAt).toBe(NOW);
    expect(statusOf(stamp, report({ state: 'failed' }), before)).not.toHaveProperty('readyAt');
  });

  it('remembers when it first came into service, whatever becomes of it', () => {
    const servedAt = '2026-01-01T01:00:01.000Z';
    const before = stored(report(), { readyAt: servedAt, servedAt });
    const out = stored(outOfService, {}, before);
    const back = stored(report(), {}, out);
    expect([out, back].map((status) => status.servedAt)).toEqual([servedAt, servedAt]);
    expect(statusOf(stamp, report({ state: 'failed' }), out).servedAt).toBe(servedAt);
    expect(statusOf(stamp, report({ state: 'failed' }), undefined)).not.toHaveProperty('servedAt');
  });

  it('takes over from a manager that did not remember that', () => {
    const { servedAt, ...before } = stored(report());
    expect(servedAt).toBeDefined();
    expect(statusOf(stamp, report({ state: 'failed' }), before).servedAt).toBe(before.readyAt);
  });

  it('does not believe a clock that was moved meanwhile', () => {
    const before = stored(outOfService, { appliedAt: '2026-01-01T01:00:18.000Z' });
    const odd = report({ readySince: '2025-01-01T00:00:00.000Z' });
    expect(statusOf(stamp, odd, before).readyAt).toBe('2026-01-01T01:00:18.000Z');
  });

  it('takes one of whom nothing is said to be in service', () => {
    const { ready: _ready, readySince: _since, ...silent } = report();
    expect(statusOf(stamp, silent, undefined).readyAt).toBe(NOW);
  });
});

describe('judgeReport', () => {
  it('stores what is new about the service of a task, and nothing that is not', () => {
    const { task } = aTask({ id: 't1', state: 'running' });
    const facts = { task, status: stored(report()) };
    expect(judgeReport(report({ at: NOW }), facts, 'n1').kind).toBe('known');
    expect(judgeReport(outOfService, facts, 'n1').kind).toBe('store');
  });

  const REPORTED: readonly TaskState[] = [
    ...(['accepted', 'preparing', 'ready', 'starting', 'running'] as const),
    ...(['complete', 'shutdown', 'failed', 'rejected'] as const),
  ];
  it.each(REPORTED)(
    '2.1.1 lets a task that is %s go forward only, and an end be final',
    (state) => {
      const { task } = aTask({ id: 't1', state });
      const facts = { task, status: stored(report({ state })) };
      const others = REPORTED.filter((other) => other !== state);
      const taken = others.filter(
        (other) => judgeReport(report({ state: other }), facts, 'n1').kind === 'store',
      );
      const ahead = others.filter((other) => stateRank(other) > stateRank(state));
      expect(taken).toEqual(isTerminal(state) ? [] : ahead);
    },
  );
});

describe('eventOfReport', () => {
  const { task } = aTask({ id: 't1', state: 'running' });
  const said = (of: TaskReport, previous: StoredTaskStatus) => {
    const event = eventOfReport(task, of, previous);
    return event && [event.type, event.reason, event.message];
  };

  it('tells that a task goes out of service and back into it', () => {
    expect(said(outOfService, stored(report()))).toEqual([
      'warning',
      'TaskUnready',
      'out of service: HTTP 503',
    ]);
    expect(said(report(), stored(outOfService))).toEqual(['normal', 'TaskReady', 'in service']);
    expect(said(report({ message: 'x' }), stored(report()))).toBeUndefined();
  });

  it('has other words for one that is being stopped', () => {
    const stopping = { ...outOfService, unready: { ...unready, reason: 'Stopping' } };
    expect(said(stopping, stored(report()))).toBeUndefined();
    const trouble = { ...stopping, reason: 'PreStopFailed', error: 'preStop hook failed: exit 1' };
    expect(said(trouble, stored(stopping))).toEqual([
      'warning',
      'PreStopFailed',
      'preStop hook failed: exit 1',
    ]);
  });
});
