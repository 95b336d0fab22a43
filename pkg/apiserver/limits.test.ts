import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/fakes/fake-clock.js';
import { BusyError } from '../base/index.js';
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
  const NEVER = new AbortController().signal;
  const admissionOf = (limit = 1, random = () => 0.5) => {
    const clock = new FakeClock();
    return { clock, admission: new Admission('sessions', { clock, limit, random }) };
  };
  /** One takes 20 ms as far as is known: a hundred wait for two seconds. */
  const fill = async (admission: Admission) => {
    await admission.enter(NEVER);
    for (let count = 0; count < 100; count += 1) void admission.enter(NEVER);
  };
  const away = async (admission: Admission): Promise<number> => {
    const error: unknown = await admission.enter(NEVER).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(BusyError);
    return (error as BusyError).retryAfterMs;
  };

  it('lets in a few at once, and the others in the order in which they came', async () => {
    const { admission } = admissionOf(2);
    const first = await admission.enter(NEVER);
    await admission.enter(NEVER);
    const entered: number[] = [];
    const turns = [1, 2, 3].map((each) =>
      admission.enter(NEVER).then((turn) => {
        entered.push(each);
        return turn;
      }),
    );
    expect(admission.waiting).toBe(3);
    first[Symbol.dispose]();
    first[Symbol.dispose](); // once is enough
    const second = await turns[0];
    expect(entered).toEqual([1]);
    second?.[Symbol.dispose]();
    await turns[1];
    expect(entered).toEqual([1, 2]);
    expect(admission.waiting).toBe(1);
  });

  it('gives nobody the turn of one that waits', async () => {
    const { admission } = admissionOf();
    const first = await admission.enter(NEVER);
    const second = admission.enter(NEVER);
    first[Symbol.dispose]();
    const third = admission.enter(NEVER);
    expect(admission.waiting).toBe(1);
    (await second)[Symbol.dispose]();
    await third;
  });

  it('forgets those who go away while they wait', async () => {
    const { admission } = admissionOf();
    const first = await admission.enter(NEVER);
    const leaving = new AbortController();
    const left = admission.enter(leaving.signal);
    const stays = admission.enter(NEVER);
    leaving.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    await expect(admission.enter(leaving.signal)).rejects.toThrow('gone');
    first[Symbol.dispose]();
    await stays;
  });

  it('tells all who are too many when it will be their turn, and nobody to stay away for long', async () => {
    const { admission } = admissionOf();
    await fill(admission);
    const waits: number[] = [];
    for (let count = 0; count < 400; count += 1) waits.push(await away(admission));
    expect(waits.slice(0, 3)).toEqual([2_040, 2_060, 2_080]);
    expect(waits.at(-1)).toBe(8_000);
    expect([...waits].sort((a, b) => a - b)).toEqual(waits);
  });

  it.each([
    [0, 1_836],
    [1, 2_244],
  ])('spreads them by chance, too (%d)', async (random, wait) => {
    const { admission } = admissionOf(1, () => random);
    await fill(admission);
    expect(await away(admission)).toBeCloseTo(wait);
  });

  it('learns how long one takes', async () => {
    const { admission, clock } = admissionOf();
    for (let count = 0; count < 50; count += 1) {
      const turn = await admission.enter(NEVER);
      await clock.advance(1_000);
      turn[Symbol.dispose]();
    }
    await admission.enter(NEVER);
    void admission.enter(NEVER); // a second or so is not too long
    void admission.enter(NEVER);
    expect(admission.waiting).toBe(2);
    expect(await away(admission)).toBeGreaterThan(2_500);
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
