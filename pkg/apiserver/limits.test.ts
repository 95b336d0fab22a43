import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/fakes/fake-clock.js';
import { CallerLimits } from './http/caller-limits.js';
import { JoinLimits } from './join/join-limits.js';
import { Admission } from './sessions/admission.js';

const busy = (retryAfterMs: number): unknown =>
  expect.objectContaining({ code: 'ERR_BUSY', retryAfterMs });

function refusal(enter: () => unknown): unknown {
  try {
    enter();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('CallerLimits', () => {
  it('bounds each caller apart, calls apart from streams', () => {
    const limits = new CallerLimits({ calls: 1, streams: 1 });
    const call = limits.enter('a', 'call');
    limits.enter('a', 'stream');
    limits.enter('b', 'call');
    expect(refusal(() => limits.enter('a', 'call'))).toEqual(busy(1_000));
    call[Symbol.dispose]();
    call[Symbol.dispose](); // once is enough
    limits.enter('a', 'call');
    expect(refusal(() => limits.enter('a', 'call'))).toEqual(busy(1_000));
  });
});

describe('Admission', () => {
  it('tells those who come too many to come back at different moments', () => {
    const waits = [0, 0.5, 1].map((random) => {
      const admission = new Admission('sessions', 1, () => random);
      admission.enter();
      return refusal(() => admission.enter());
    });
    expect(waits).toEqual([busy(1_000), busy(3_000), busy(5_000)]);
  });

  it('lets the next in when one is through', () => {
    const admission = new Admission('sessions', 1);
    admission.enter()[Symbol.dispose]();
    expect(refusal(() => admission.enter())).toBeUndefined();
  });
});

describe('JoinLimits', () => {
  it('keeps an address out for a minute after too many wrong tokens, and no other', async () => {
    const clock = new FakeClock();
    const limits = new JoinLimits(clock, { failuresPerMinute: 2 });
    limits.refused('1.1.1.1');
    limits.enter('1.1.1.1')[Symbol.dispose]();
    limits.refused('1.1.1.1');
    expect(refusal(() => limits.enter('1.1.1.1'))).toEqual(busy(60_000));
    expect(refusal(() => limits.enter('2.2.2.2'))).toBeUndefined();
    await clock.advance(60_001);
    expect(refusal(() => limits.enter('1.1.1.1'))).toBeUndefined();
  });

  it('bounds joins under way', () => {
    const limits = new JoinLimits(new FakeClock(), { concurrent: 1 });
    limits.enter('1.1.1.1');
    expect(refusal(() => limits.enter('2.2.2.2'))).toEqual(busy(1_000));
  });
});
