import { describe, expect, it } from 'vitest';
import { effectiveJob, isJob, jobOutcomeOf, modeNameOf } from './job.js';
import type { Condition } from './common.js';

const NONE = { backoffLimit: 6, deadlineMs: Infinity, ttlAfterFinishedMs: undefined };

describe('effectiveJob', () => {
  it.each([
    [{}, 1, 1],
    [{ totalCompletions: 5 }, 5, 5],
    [{ maxConcurrent: 2 }, 2, 2],
    [{ totalCompletions: 5, maxConcurrent: 2 }, 5, 2],
  ])("has Docker's defaults: %j", (replicatedJob, totalCompletions, maxConcurrent) => {
    const mode = { replicatedJob };
    expect(effectiveJob({ mode })).toEqual({ totalCompletions, maxConcurrent, ...NONE });
  });

  it('reads limits, and 0 as no deadline', () => {
    const globalJob = { backoffLimit: 0, deadline: '0s', ttlAfterFinished: '0s' };
    expect(effectiveJob({ mode: { globalJob } })).toEqual({
      maxConcurrent: Infinity,
      backoffLimit: 0,
      deadlineMs: Infinity,
      ttlAfterFinishedMs: 0,
    });
    const mode = { replicatedJob: { deadline: '1m30s' } };
    expect(effectiveJob({ mode })?.deadlineMs).toBe(90_000);
  });

  it('is not for services that run for ever', () => {
    expect(effectiveJob({})).toBeUndefined();
    expect(effectiveJob({ mode: { global: {} } })).toBeUndefined();
  });
});

describe('modeNameOf', () => {
  it.each([
    [undefined, 'replicated', false],
    [{ replicated: {} }, 'replicated', false],
    [{ global: {} }, 'global', false],
    [{ replicatedJob: {} }, 'replicated-job', true],
    [{ globalJob: {} }, 'global-job', true],
  ] as const)('%j is %s', (mode, name, job) => {
    const spec = mode === undefined ? {} : { mode };
    expect(modeNameOf(spec)).toBe(name);
    expect(isJob(spec)).toBe(job);
  });
});

describe('jobOutcomeOf', () => {
  const condition = (type: string, status: Condition['status']): Condition => ({
    type,
    status,
    reason: 'X',
    message: '',
    changedAt: '2026-01-01T00:00:00.000Z',
  });

  it.each([
    [[condition('Complete', 'true'), condition('Failed', 'false')], 'complete'],
    [[condition('Complete', 'false'), condition('Failed', 'true')], 'failed'],
    [[condition('Complete', 'false'), condition('Failed', 'false')], undefined],
    [[], undefined],
  ])('reads it from conditions', (conditions, expected) => {
    expect(jobOutcomeOf({ conditions })).toBe(expected);
  });
});
