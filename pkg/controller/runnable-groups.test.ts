import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/fakes/fake-clock.js';
import { FakeTerm } from '../../test/fakes/fake-term.js';
import { recordingLogger } from '../../test/fakes/recording-logger.js';
import type { LeaderElection, LeaderTerm } from '../election/index.js';
import { leaderOnly } from './leader-only.js';
import { RunnableGroups } from './runnable-groups.js';
import type { Runnable, RunnableGroup } from './runnable-groups.js';

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => {
      resolve();
    });
  });

function aBench() {
  const clock = new FakeClock();
  const log = recordingLogger();
  const events: string[] = [];
  const stopping = new AbortController();
  /** Takes its time to be ready and to end. */
  const runnable = (name: string, readyMs = 0, endMs = 0): Runnable => ({
    name,
    run: async (signal, ready) => {
      events.push(`${name} starts`);
      await clock.sleep(readyMs);
      ready();
      await aborted(signal);
      await clock.sleep(endMs);
      events.push(`${name} ended`);
    },
  });
  const run = (groups: readonly RunnableGroup[]) => {
    const state = { settled: false };
    const ended = new RunnableGroups({ groups, clock, log }).run(stopping.signal, () =>
      events.push('ready'),
    );
    const settle = () => (state.settled = true);
    ended.then(settle, settle);
    return { ended, state };
  };
  return { clock, log, events, stopping, runnable, run };
}

describe('RunnableGroups', () => {
  it('starts each group when the one before is ready, and stops in reverse', async () => {
    const { clock, events, stopping, runnable, run } = aBench();
    const { ended } = run([
      { name: 'servers', runnables: [runnable('http'), runnable('metrics', 20)] },
      { name: 'caches', runnables: [runnable('world', 10, 5)] },
      { name: 'always-on', runnables: [] },
    ]);
    await clock.advance(19);
    expect(events).toEqual(['http starts', 'metrics starts']);
    await clock.advance(11);
    expect(events.slice(2)).toEqual(['world starts', 'ready']);
    events.length = 0;
    stopping.abort();
    await clock.advance(10);
    await ended;
    expect(events).toEqual(['world ended', 'http ended', 'metrics ended']);
  });

  it.each([
    ['throws', () => Promise.reject(new Error('port in use'))],
    ['ends by itself', () => Promise.resolve()],
  ])('stops everything when something %s, and says why', async (_name, run) => {
    const bench = aBench();
    const { ended } = bench.run([
      { name: 'servers', runnables: [bench.runnable('http')] },
      { name: 'always-on', runnables: [{ name: 'broken', run }, bench.runnable('other')] },
    ]);
    const failed = expect(ended).rejects.toThrow(/port in use|broken ended by itself/);
    await bench.clock.advance(10);
    await failed;
    expect(bench.events).toContain('http ended');
    expect(bench.events).toContain('other ended');
  });

  it('stops everything when something fails later', async () => {
    const { clock, events, runnable, run } = aBench();
    const late: Runnable = {
      name: 'late',
      run: async (_signal, ready) => {
        ready();
        await clock.sleep(100);
        throw new Error('late failure');
      },
    };
    const { ended } = run([{ name: 'all', runnables: [runnable('http'), late] }]);
    const failed = expect(ended).rejects.toThrow('late failure');
    await clock.advance(101);
    await failed;
    expect(events).toEqual(['http starts', 'ready', 'http ended']);
  });

  it('gives up a start that takes too long, and names who is late', async () => {
    const { clock, runnable, run } = aBench();
    const { ended } = run([
      {
        name: 'caches',
        runnables: [runnable('quick'), runnable('slow', 5000)],
        startTimeoutMs: 100,
      },
    ]);
    const failed = expect(ended).rejects.toThrow('slow did not start within 100 ms');
    await clock.advance(6000);
    await failed;
  });

  it('goes on stopping when something does not end, and names it', async () => {
    const { clock, events, log, stopping, runnable, run } = aBench();
    const { ended, state } = run([
      { name: 'servers', runnables: [runnable('http')] },
      { name: 'work', runnables: [runnable('stuck', 0, 1_000_000)], stopTimeoutMs: 3000 },
    ]);
    await clock.advance(1);
    stopping.abort();
    await clock.advance(2999);
    expect(state.settled).toBe(false);
    await clock.advance(1);
    await ended;
    expect(events).toContain('http ended');
    expect(log.linesOf('did not stop in time')[0]?.fields).toMatchObject({ late: 'stuck' });
  });

  it('resolves when it is told to stop before it is ready', async () => {
    const { clock, stopping, runnable, run, events } = aBench();
    const { ended } = run([{ name: 'caches', runnables: [runnable('world', 1000)] }]);
    await clock.advance(1);
    stopping.abort();
    await clock.advance(2000);
    await ended;
    expect(events).toEqual(['world starts', 'world ended']);
  });
});

describe('leaderOnly', () => {
  /** Elects when the test says so. */
  class ManualElection implements LeaderElection {
    term: LeaderTerm | undefined;
    onElected: (term: LeaderTerm) => Promise<void> = () => Promise.resolve();
    isLeader = () => this.term !== undefined;
    run(onElected: (term: LeaderTerm) => Promise<void>, signal: AbortSignal): Promise<void> {
      this.onElected = onElected;
      return aborted(signal);
    }
  }

  it('runs a fresh scope per term and lets go of it when everything in it has ended', async () => {
    const { clock, events, log, stopping, runnable, run } = aBench();
    const election = new ManualElection();
    const { ended } = run([
      {
        name: 'always-on',
        runnables: [
          leaderOnly({
            election,
            clock,
            log,
            scopeOf: ({ epoch }) => ({
              runnables: [runnable(`controllers-${String(epoch)}`, 0, 10)],
              dispose: () => {
                events.push(`disposed ${String(epoch)}`);
              },
            }),
          }),
        ],
      },
    ]);
    await clock.advance(1);
    expect(events).toEqual(['ready']); // a follower is ready, too
    for (const epoch of [7, 9]) {
      events.length = 0;
      const term = new FakeTerm(epoch);
      const working = election.onElected(term);
      await clock.advance(1);
      term.end('lost');
      await clock.advance(20);
      await working;
      const name = `controllers-${String(epoch)}`;
      expect(events).toEqual([`${name} starts`, `${name} ended`, `disposed ${String(epoch)}`]);
    }
    stopping.abort();
    await ended;
  });

  it('gives leadership up when its work fails', async () => {
    const { clock, log, run } = aBench();
    const election = new ManualElection();
    const broken: Runnable = { name: 'broken', run: () => Promise.reject(new Error('cannot')) };
    const scopeOf = () => ({ runnables: [broken] });
    run([{ name: 'a', runnables: [leaderOnly({ election, clock, log, scopeOf })] }]);
    await clock.advance(1);
    const working = expect(election.onElected(new FakeTerm(7))).rejects.toThrow('cannot');
    await clock.advance(1);
    await working;
  });
});
