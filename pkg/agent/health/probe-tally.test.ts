import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SUCCESS, failure, type ProbeOutcome } from './probe-outcome.js';
import { freshTally, tallied, type ProbeTally } from './probe-tally.js';

const probe = { periodMs: 1_000, failureThreshold: 3, successThreshold: 2 };
const FAILURE = failure('no');
const UNKNOWN: ProbeOutcome = { kind: 'unknown', why: 'the engine is away' };

/** The tally after outcomes that come `stepMs` apart. */
function after(outcomes: readonly ProbeOutcome[], start: ProbeTally, stepMs = 1_000): ProbeTally {
  return outcomes.reduce(
    (tally, outcome, index) => tallied(tally, outcome, probe, index * stepMs),
    start,
  );
}

describe('tallied', () => {
  it('fails after so many failures in a row, and passes after so many successes', () => {
    const passing = freshTally('passing');
    expect(after([FAILURE, FAILURE], passing).verdict).toBe('passing');
    const failing = after([FAILURE, FAILURE, FAILURE], passing);
    expect(failing).toMatchObject({ verdict: 'failing', output: 'no' });
    expect(after([SUCCESS], failing).verdict).toBe('failing');
    expect(after([SUCCESS, FAILURE, SUCCESS], failing).verdict).toBe('failing');
    expect(after([SUCCESS, SUCCESS], failing)).toMatchObject({ verdict: 'passing', output: '' });
  });

  it('begins to count again after a success', () => {
    const outcomes = [FAILURE, FAILURE, SUCCESS, FAILURE, FAILURE];
    expect(after(outcomes, freshTally('passing')).verdict).toBe('passing');
  });

  it('counts one failure per period, however often it is tried', () => {
    const eager = after(Array<ProbeOutcome>(20).fill(FAILURE), freshTally('pending'), 100);
    expect(eager).toMatchObject({ verdict: 'pending', failures: 2 });
    const lazy = after(Array<ProbeOutcome>(21).fill(FAILURE), freshTally('pending'), 100);
    expect(lazy).toMatchObject({ verdict: 'failing', failures: 3 });
  });

  it('makes nothing of what nobody could ask', () => {
    const tally = after([FAILURE, FAILURE], freshTally('passing'));
    expect(tallied(tally, UNKNOWN, probe, 99_000)).toBe(tally);
  });

  it('knows whether it ever succeeded', () => {
    expect(after([FAILURE], freshTally('pending')).isNew).toBe(true);
    expect(after([SUCCESS, FAILURE], freshTally('pending')).isNew).toBe(false);
    expect(freshTally('failing').isNew).toBe(false);
  });

  it('changes its verdict only for a row of its threshold (property)', () => {
    const outcome = fc.constantFrom(SUCCESS, FAILURE, UNKNOWN);
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 40 }), (outcomes) => {
        const counted: string[] = [];
        let tally = freshTally('passing');
        for (const [index, next] of outcomes.entries()) {
          const before = tally.verdict;
          tally = tallied(tally, next, probe, index * 1_000);
          if (next.kind !== 'unknown') counted.push(next.kind);
          if (tally.verdict === before) continue;
          const [row, kind] = tally.verdict === 'failing' ? [3, 'failure'] : [2, 'success'];
          expect(counted.slice(-row)).toEqual(Array<string>(row).fill(kind));
        }
      }),
    );
  });
});
