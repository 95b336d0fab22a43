import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../../test/fakes/fake-clock.js';
import { ProbeScheduler, type ProbeJob } from './probe-scheduler.js';

describe('ProbeScheduler', () => {
  let clock: FakeClock;
  let scheduler: ProbeScheduler;

  beforeEach(() => {
    clock = new FakeClock();
    scheduler = new ProbeScheduler(clock, { network: 2, exec: 1 });
  });

  /** A job that takes `takesMs` and notes when it began. */
  function aJob(begun: number[], { lane = 'network', takesMs = 0, nextMs = 1_000 } = {}): ProbeJob {
    return {
      lane: lane as ProbeJob['lane'],
      attempt: async (signal) => {
        begun.push(clock.monotonicMs());
        if (takesMs > 0) await clock.sleep(takesMs, signal);
        return nextMs;
      },
    };
  }

  it('tries at once, and then again and again', async () => {
    const begun: number[] = [];
    scheduler.schedule(aJob(begun), 0);
    await clock.advance(3_500);
    expect(begun).toEqual([0, 1_000, 2_000, 3_000]);
  });

  it('counts from the begin of a try, and never begins one before the last has ended', async () => {
    const begun: number[] = [];
    scheduler.schedule(aJob(begun, { takesMs: 400 }), 500);
    const slow: number[] = [];
    scheduler.schedule(aJob(slow, { takesMs: 1_500 }), 0);
    await clock.advance(4_000);
    expect(begun).toEqual([500, 1_500, 2_500, 3_500]);
    expect(slow).toEqual([0, 1_500, 3_000]);
  });

  it('lets a bounded number be under way, the earliest first', async () => {
    const begun: [string, number][] = [];
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      const job: ProbeJob = {
        lane: 'network',
        attempt: async (signal) => {
          begun.push([name, clock.monotonicMs()]);
          await clock.sleep(100, signal);
          return undefined;
        },
      };
      scheduler.schedule(job, 0);
    }
    await clock.advance(0);
    expect(scheduler.counts()).toEqual({ scheduled: 5, late: 3 });
    await clock.advance(1_000);
    expect(begun).toEqual([
      ['a', 0],
      ['b', 0],
      ['c', 100],
      ['d', 100],
      ['e', 200],
    ]);
    expect(scheduler.counts()).toEqual({ scheduled: 0, late: 0 });
  });

  it('keeps commands and what goes over the network apart', async () => {
    const [exec, network]: [number[], number[]] = [[], []];
    scheduler.schedule(aJob(exec, { lane: 'exec', takesMs: 60_000 }), 0);
    scheduler.schedule(aJob(exec, { lane: 'exec' }), 0);
    scheduler.schedule(aJob(network), 0);
    await clock.advance(2_000);
    expect(exec).toEqual([0]);
    expect(network).toEqual([0, 1_000, 2_000]);
  });

  it('ends what is disposed of, under way or not, and leaves no timer behind', async () => {
    const begun: number[] = [];
    const underWay = scheduler.schedule(aJob(begun, { takesMs: 10_000 }), 0);
    const waiting = scheduler.schedule(aJob(begun), 5_000);
    await clock.advance(1_000);
    expect(clock.sleeping).toBe(2);
    underWay[Symbol.dispose]();
    waiting[Symbol.dispose]();
    await clock.advance(10_000);
    expect(begun).toEqual([0]);
    expect(scheduler.counts()).toEqual({ scheduled: 0, late: 0 });
    expect(clock.sleeping).toBe(0);
  });

  it('has one timer however many there are', async () => {
    for (let index = 0; index < 300; index += 1) {
      scheduler.schedule(aJob([], { nextMs: 2_000 }), 1 + index * 7);
    }
    await clock.advance(1_000);
    expect(clock.sleeping).toBe(1);
    expect(scheduler.counts().scheduled).toBe(300);
  });

  it('wakes for one that is due sooner than all others', async () => {
    const begun: number[] = [];
    scheduler.schedule(aJob([]), 60_000);
    await clock.advance(10);
    scheduler.schedule(aJob(begun, { nextMs: undefined }), 5);
    await clock.advance(100);
    expect(begun).toEqual([15]);
  });
});
