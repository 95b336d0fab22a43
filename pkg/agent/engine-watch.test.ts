import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UnavailableError } from '../base/index.js';
import type { EngineDescription, EventsOptions } from '../engine/index.js';
import { FakeClock } from '../../test/fakes/fake-clock.js';
import { recordingLogger } from '../../test/fakes/recording-logger.js';
import { EngineWatch } from './engine-watch.js';

describe('EngineWatch', () => {
  let clock: FakeClock;
  let stop: AbortController;
  let running: Promise<unknown>;
  let watch: EngineWatch;
  let changes: number;
  /** What the engine does when it is asked. */
  let engine: { isFrozen: boolean; isAway: boolean };

  const untilAborted = (signal: AbortSignal | undefined) =>
    new Promise<never>((_resolve, reject) => {
      signal?.addEventListener('abort', () => {
        reject(signal.reason as Error);
      });
    });

  const start = () => {
    watch = new EngineWatch({
      engine: {
        describe: ({ signal } = {}) =>
          engine.isFrozen ? untilAborted(signal) : Promise.resolve({} as EngineDescription),
        ping: async ({ timeoutMs = 0, signal } = {}) => {
          if (engine.isFrozen) await clock.sleep(timeoutMs, signal);
          if (engine.isFrozen || engine.isAway) throw new UnavailableError('ping: no answer');
          return { apiVersion: '1.41', engineApiVersion: '1.41' };
        },
        watchEvents: ({ onOpen, signal }: EventsOptions) => {
          onOpen?.();
          return untilAborted(signal);
        },
      },
      labels: {},
      actions: ['die'],
      clock,
      log: recordingLogger(),
      onEvent: () => undefined,
      onOpen: () => undefined,
      onChange: () => (changes += 1),
    });
    running = watch.run(stop.signal).catch((error: unknown) => error);
  };

  beforeEach(() => {
    clock = new FakeClock();
    stop = new AbortController();
    changes = 0;
    engine = { isFrozen: false, isAway: false };
  });
  afterEach(async () => {
    stop.abort(new Error('over'));
    await running;
  });

  it('notices an engine that is frozen with its streams open, and that it thaws', async () => {
    start();
    await clock.advance(1);
    expect(watch.health).toEqual({ healthy: true });
    engine.isFrozen = true;
    await clock.advance(10_000);
    expect(watch.health).toEqual({ healthy: false, message: 'ping: no answer' });
    engine.isFrozen = false;
    await clock.advance(5_000);
    expect(watch.health.healthy).toBe(true);
  });

  it('knows at once whether an engine answers that does', async () => {
    start();
    await watch.known(stop.signal);
    expect(watch.health.healthy).toBe(true);
    expect(changes).toBeGreaterThan(0);
  });

  it('waits a moment and not longer for an engine that says nothing', async () => {
    engine.isFrozen = true;
    start();
    let isKnown = false;
    const known = watch.known(stop.signal).then(() => (isKnown = true));
    await clock.advance(2_999);
    expect(isKnown).toBe(false);
    await clock.advance(1);
    await known;
    expect(watch.health.healthy).toBe(false);
  });
});
