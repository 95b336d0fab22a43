import type { EffectiveProbe } from '../../../api/v1/index.js';
import type { ProbeOutcome } from './probe-outcome.js';

/** What a probe has come to: `pending` until there were enough of either outcome. */
export type ProbeVerdict = 'pending' | 'passing' | 'failing';

/** The tries of one probe so far. Immutable. */
export interface ProbeTally {
  readonly verdict: ProbeVerdict;
  /** In a row, up to now. */
  readonly successes: number;
  /** In a row, up to now; one per period, however often it was tried. */
  readonly failures: number;
  /** When the try began whose failure was counted last. Monotonic milliseconds. */
  readonly countedAtMs: number;
  /** It was never seen to succeed. */
  readonly isNew: boolean;
  /** What the last failure got to see; empty before the first and after a success. */
  readonly output: string;
}

/** Before the first try, with what is believed until then. */
export function freshTally(verdict: ProbeVerdict): ProbeTally {
  const isNew = verdict === 'pending';
  return { verdict, successes: 0, failures: 0, countedAtMs: -Infinity, isNew, output: '' };
}

/** Timers are not kept to the millisecond. */
const SLACK_MS = 5;

/** The tally after one more try, which began at `beganMs`. */
export function tallied(
  tally: ProbeTally,
  outcome: ProbeOutcome,
  probe: Pick<EffectiveProbe, 'periodMs' | 'failureThreshold' | 'successThreshold'>,
  beganMs: number,
): ProbeTally {
  if (outcome.kind === 'unknown') return tally;
  if (outcome.kind === 'success') {
    const successes = tally.successes + 1;
    const verdict = successes >= probe.successThreshold ? 'passing' : tally.verdict;
    return { ...freshTally(verdict), successes, isNew: false };
  }
  const { output } = outcome;
  const isDue = beganMs - tally.countedAtMs >= probe.periodMs - SLACK_MS;
  if (!isDue) return { ...tally, successes: 0, output };
  const failures = tally.failures + 1;
  const verdict = failures >= probe.failureThreshold ? 'failing' : tally.verdict;
  return { ...tally, verdict, successes: 0, failures, countedAtMs: beganMs, output };
}
