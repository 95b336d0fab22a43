import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/fakes/fake-clock.js';
import { FakeTerm } from '../../test/fakes/fake-term.js';
import { MemoryStore } from '../../test/fakes/memory-store.js';
import { recordingLogger } from '../../test/fakes/recording-logger.js';
import {
  ConflictError,
  InvalidObjectError,
  TerminalError,
  UnavailableError,
} from '../base/index.js';
import { WatchedWorldCache } from '../informer/index.js';
import type { CollectionDefinition } from '../informer/index.js';
import { ControllerRunner } from './controller-runner.js';
import { defineController, mapsTo, owns } from './define-controller.js';
import type { ControllerDefinition } from './define-controller.js';
import { FencedWriter } from './guarded-writer.js';
import type { ReconcileContext, Reconciler, ReconcileResult } from './reconciler.js';

interface Herd {
  readonly size: number;
}
interface Sheep {
  readonly herd: string;
}

const herds: CollectionDefinition<Herd> = {
  name: 'herds',
  decode(value) {
    const { size } = value as Partial<Herd>;
    if (size === undefined) throw new InvalidObjectError('no herd');
    return { size };
  },
};
const sheep: CollectionDefinition<Sheep> = {
  name: 'sheep',
  decode: (value) => ({ herd: (value as Sheep).herd }),
  indexes: { herd: ({ herd }) => herd },
};
const weather: CollectionDefinition<{ readonly rain: boolean }> = {
  name: 'weather',
  decode: (value) => ({ rain: (value as { rain: boolean }).rain }),
};

const LEADER = '/test/leader';
const ROOT = '/test/';

/** Does what the test says and remembers what it was asked. */
class ScriptedReconciler implements Reconciler {
  readonly runs: string[] = [];
  readonly contexts: ReconcileContext[] = [];
  script: (key: string, context: ReconcileContext) => Promise<ReconcileResult> = async () => ({});

  reconcile(key: string, context: ReconcileContext): Promise<ReconcileResult> {
    this.runs.push(key);
    this.contexts.push(context);
    return this.script(key, context);
  }
}

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function aBench(changes: Partial<ControllerDefinition> = {}) {
  const clock = new FakeClock();
  const etcd = new MemoryStore({ clock });
  const store = etcd.connect();
  const worldStore = etcd.connect();
  const log = recordingLogger();
  const epoch = await put(LEADER, { managerId: 'm1' });
  const term = new FakeTerm(epoch, LEADER);
  const world = new WatchedWorldCache({
    store: worldStore,
    root: ROOT,
    collections: [herds, sheep, weather],
    clock,
    random: () => 0.5,
  });
  const reconciler = new ScriptedReconciler();
  const outcomes: string[] = [];
  const depths: number[] = [];
  const runner = new ControllerRunner({
    definition: defineController({
      name: 'herd',
      for: herds,
      watches: [
        owns(sheep, ({ herd }) => herd),
        mapsTo(
          weather,
          (_object, _key, reader) => [...reader.collection(herds).entries()].map(([key]) => key),
          { when: (previous, current) => previous?.rain !== current?.rain },
        ),
      ],
      reconciler: ScriptedReconciler,
      concurrency: 2,
      backoff: { initialMs: 100, maxMs: 1000 },
      ...changes,
    }),
    reconciler,
    world,
    term,
    clock,
    log,
    random: () => 0.5,
    observer: {
      onReconcile: (controller, outcome) => outcomes.push(`${controller}:${outcome}`),
      onQueueDepth: (_controller, depth) => depths.push(depth),
    },
  });
  const stopping = new AbortController();
  stops.push(async () => {
    stopping.abort();
    term.end('test over');
    await etcd.close();
  });

  async function put(key: string, value: object) {
    return etcd.commit({ compare: [], operations: [{ kind: 'put', key, value }] });
  }

  return {
    clock,
    etcd,
    store,
    worldStore,
    log,
    term,
    world,
    reconciler,
    outcomes,
    depths,
    writer: new FencedWriter(store),
    put: (key: string, value: object) => put(ROOT + key, value),
    remove: (key: string) =>
      etcd.commit({ compare: [], operations: [{ kind: 'delete', key: ROOT + key }] }),
    /** Resolves when the runner has begun; to a promise of its end. */
    async start(): Promise<{ readonly ended: Promise<void> }> {
      const following = world.run(stopping.signal);
      await world.synced;
      await nextTurn();
      let ended: Promise<void> = Promise.resolve();
      await new Promise<void>((ready) => {
        ended = runner.run(stopping.signal, ready);
      });
      stops.push(async () => {
        stopping.abort();
        await Promise.all([ended, following]);
      });
      await clock.advance(1);
      return { ended };
    },
  };
}

type Bench = Awaited<ReturnType<typeof aBench>>;

/** A started bench on which exactly one herd, `white`, was reconciled once. */
async function aQuietBench(changes: Partial<ControllerDefinition> = {}): Promise<Bench> {
  const bench = await aBench(changes);
  await bench.put('herds/white', { size: 1 });
  await bench.start();
  expect(bench.reconciler.runs).toEqual(['white']);
  bench.reconciler.runs.length = 0;
  bench.outcomes.length = 0;
  return bench;
}

describe('ControllerRunner', () => {
  it('begins with every key there is, and every key something existing maps to', async () => {
    const bench = await aBench();
    await bench.put('herds/white', { size: 1 });
    await bench.put('herds/black', { size: 1 });
    await bench.put('sheep/dolly', { herd: 'deleted-long-ago' });
    await bench.start();
    expect([...bench.reconciler.runs].sort()).toEqual(['black', 'deleted-long-ago', 'white']);
    expect(bench.outcomes).toEqual(Array(3).fill('herd:success'));
    expect(bench.depths.at(-1)).toBe(0);
  });

  it('runs for changes of the object, of owned ones (old owner and new) and of mapped ones', async () => {
    const bench = await aQuietBench();
    const { put, remove, clock, reconciler } = bench;
    const runsOf = async (change: Promise<unknown>) => {
      reconciler.runs.length = 0;
      await change;
      await clock.advance(10);
      return [...reconciler.runs].sort();
    };
    expect(await runsOf(put('herds/white', { size: 2 }))).toEqual(['white']);
    expect(await runsOf(put('sheep/dolly', { herd: 'white' }))).toEqual(['white']);
    expect(await runsOf(put('sheep/dolly', { herd: 'black' }))).toEqual(['black', 'white']);
    expect(await runsOf(remove('sheep/dolly'))).toEqual(['black']);
    expect(await runsOf(put('weather/today', { rain: true }))).toEqual(['white']);
    expect(await runsOf(put('weather/today', { rain: true }))).toEqual([]); // does not matter
    expect(await runsOf(remove('herds/white'))).toEqual(['white']);
  });

  it('gives every run an id in its logger, and the term', async () => {
    const bench = await aQuietBench();
    bench.reconciler.script = async (_key, { log }) => {
      log.info({}, 'hello');
      return {};
    };
    await bench.put('herds/white', { size: 2 });
    await bench.clock.advance(10);
    const [, context] = bench.reconciler.contexts;
    const [line] = bench.log.linesOf('hello');
    expect(line?.fields).toMatchObject({ controller: 'herd', key: 'white' });
    expect(line?.fields['reconcileId']).toBe(context?.reconcileId);
    expect(context?.reconcileId).not.toBe(bench.reconciler.contexts[0]?.reconcileId);
    expect(context?.term).toBe(bench.term);
  });

  it('looks again after the time the result names', async () => {
    const bench = await aQuietBench();
    bench.reconciler.script = async () => ({ requeueAfterMs: 5000 });
    await bench.put('herds/white', { size: 2 });
    await bench.clock.advance(10);
    bench.reconciler.script = async () => ({});
    await bench.clock.advance(4900);
    expect(bench.reconciler.runs).toHaveLength(1);
    await bench.clock.advance(200);
    expect(bench.outcomes).toEqual(['herd:requeue', 'herd:success']);
  });

  it('runs again at once after a conflict, without back-off or alarm', async () => {
    const bench = await aQuietBench();
    let left = 3;
    bench.reconciler.script = async () => {
      left -= 1;
      if (left >= 0) throw new ConflictError('moved on');
      return {};
    };
    await bench.put('herds/white', { size: 2 });
    await bench.clock.advance(400);
    expect(bench.outcomes).toEqual([...Array<string>(3).fill('herd:conflict'), 'herd:success']);
    expect(bench.log.lines.filter(({ level }) => level !== 'debug')).toEqual([]);
  });

  it('after a conflict waits for the cache to show what it was lost to', async () => {
    const bench = await aQuietBench();
    bench.reconciler.script = async () => {
      if (bench.reconciler.runs.length > 1) return {};
      await bench.clock.sleep(10);
      throw new ConflictError('moved on');
    };
    await bench.put('herds/white', { size: 2 });
    await bench.clock.advance(50);
    expect(bench.reconciler.runs).toHaveLength(1); // the cache has nothing new yet
    await bench.put('weather/today', { rain: false });
    await bench.clock.advance(1);
    expect(bench.reconciler.runs).toHaveLength(2);
  });

  it.each([
    ['unavailable', new UnavailableError('etcd is away'), 'warn'],
    ['error', new TypeError('undefined is not a function'), 'error'],
  ] as const)('backs off per key after: %s', async (outcome, error, level) => {
    const bench = await aQuietBench();
    bench.reconciler.script = () => Promise.reject(error);
    await bench.put('herds/white', { size: 2 });
    await bench.clock.advance(10_000);
    const runs = bench.reconciler.runs.length;
    expect(runs).toBeGreaterThan(8); // 75, 150, 300, 600, 750, 750 ... ms apart
    expect(runs).toBeLessThan(20);
    expect(new Set(bench.outcomes)).toEqual(new Set([`herd:${outcome}`]));
    const lines = bench.log.lines.filter((line) => line.level === level);
    expect(lines).toHaveLength(runs);
    if (outcome === 'error') expect(lines[0]?.fields['error']).toBe(error); // stack and all
    bench.reconciler.script = async () => ({});
    await bench.put('herds/black', { size: 1 });
    await bench.clock.advance(1);
    expect(bench.outcomes.at(-1)).toBe('herd:success'); // another key does not wait
  });

  it.each([
    ['terminal', new TerminalError('NoWool', 'cannot work')],
    ['invalid', new InvalidObjectError('broken')],
  ] as const)('says once, and does not try again: %s', async (outcome, error) => {
    const bench = await aQuietBench();
    bench.reconciler.script = () => Promise.reject(error);
    await bench.put('herds/white', { size: 2 });
    await bench.clock.advance(60_000);
    await bench.put('herds/white', { size: 3 });
    await bench.clock.advance(60_000);
    expect(bench.outcomes).toEqual([`herd:${outcome}`, `herd:${outcome}`]);
    expect(bench.log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('leaves objects alone that it cannot read: unreadable is not deleted', async () => {
    const bench = await aQuietBench();
    await bench.put('herds/white', { nonsense: true });
    await bench.clock.advance(10);
    expect(bench.reconciler.runs).toEqual([]);
    expect(bench.outcomes).toEqual(['herd:invalid']);
    await bench.put('herds/white', { size: 2 });
    await bench.clock.advance(10);
    expect(bench.reconciler.runs).toEqual(['white']);
  });

  it('cuts a run off at its deadline, and waits for its real end before the next', async () => {
    const bench = await aQuietBench({ timeoutMs: 1000 });
    let seen: unknown;
    bench.reconciler.script = async (_key, { signal }) => {
      await bench.clock.sleep(5000); // does not listen
      seen = signal.reason;
      signal.throwIfAborted();
      return {};
    };
    await bench.put('herds/white', { size: 2 });
    await bench.clock.advance(2000);
    await bench.put('herds/white', { size: 3 });
    await bench.clock.advance(2900);
    expect(bench.reconciler.runs).toHaveLength(1);
    expect(bench.log.linesOf('reconcile took too long')).toHaveLength(1);
    await bench.clock.advance(200);
    expect(seen).toBeInstanceOf(UnavailableError);
    expect(bench.outcomes).toEqual(['herd:unavailable']);
    expect(bench.reconciler.runs).toHaveLength(2);
    bench.reconciler.script = async () => ({});
    await bench.clock.advance(10_000); // the second run ends as the first did
  });

  it('looks at every key again from time to time', async () => {
    const bench = await aQuietBench({ resyncMs: 60_000 });
    await bench.clock.advance(61_000);
    expect(bench.reconciler.runs).toEqual(['white']);
    await bench.clock.advance(60_000);
    expect(bench.reconciler.runs).toEqual(['white', 'white']);
  });

  it('ends with the term: nothing starts any more, and what runs is waited for', async () => {
    const bench = await aBench();
    await bench.put('herds/white', { size: 1 });
    const reasons: unknown[] = [];
    bench.reconciler.script = async (_key, { signal }) => {
      await bench.clock.sleep(1000, signal).catch(() => reasons.push(signal.reason));
      await bench.clock.sleep(50);
      throw new Error('whatever happens in the end');
    };
    let ended = false;
    const started = await bench.start();
    void started.ended.then(() => (ended = true));
    bench.term.end('deposed');
    await bench.put('herds/black', { size: 1 });
    await bench.clock.advance(45);
    expect(ended).toBe(false);
    await bench.clock.advance(10);
    expect(ended).toBe(true);
    expect(reasons).toEqual([expect.objectContaining({ code: 'ERR_LEADERSHIP_LOST' })]);
    expect(bench.reconciler.runs).toEqual(['white']);
    expect(bench.outcomes).toEqual([]); // not counted
  });
});

describe('FencedWriter under a ControllerRunner', () => {
  const sheepPut = (name: string) => ({
    kind: 'put' as const,
    key: `${ROOT}sheep/${name}`,
    value: { herd: 'white' },
  });

  /** Creates sheep until the cache shows enough of them: the classic way to create too many. */
  function growingScript(bench: Bench) {
    let made = 0;
    return async (_key: string, context: ReconcileContext) => {
      const missing = 3 - bench.world.collection(sheep).byIndex('herd', 'white').length;
      if (missing <= 0) return {};
      made += 1;
      await bench.writer.commit(
        { compare: [], operations: [sheepPut(`number-${String(made)}`)] },
        context,
      );
      return { requeueAfterMs: 1 };
    };
  }

  it('does not run a key again before the cache shows its last write', async () => {
    const bench = await aQuietBench();
    const script = growingScript(bench);
    bench.reconciler.script = (key, context) => {
      bench.worldStore.partition(true); // the watch says nothing any more
      return script(key, context);
    };
    await bench.put('herds/white', { size: 3 });
    await bench.clock.advance(3000);
    expect(bench.reconciler.runs).toHaveLength(1);
    expect(await listSheep(bench)).toHaveLength(1);
    bench.reconciler.script = script;
    bench.worldStore.partition(false);
    await bench.clock.advance(1000);
    expect(await listSheep(bench)).toHaveLength(3);
  });

  it('finds out that a write has happened although its reply was lost, and waits for it', async () => {
    const bench = await aQuietBench();
    const script = growingScript(bench);
    bench.reconciler.script = (key, context) => {
      bench.worldStore.partition(true);
      bench.store.loseNextReply();
      return script(key, context);
    };
    await bench.put('herds/white', { size: 3 });
    await bench.clock.advance(3000); // many back-offs long
    expect(bench.outcomes).toEqual(['herd:unavailable']);
    expect(await listSheep(bench)).toHaveLength(1);
    bench.reconciler.script = script;
    bench.worldStore.partition(false);
    await bench.clock.advance(1000);
    expect(await listSheep(bench)).toHaveLength(3);
  });

  it('gives a lost compare back as a conflict, and the term goes on', async () => {
    const bench = await aQuietBench();
    const lost: unknown[] = [];
    bench.reconciler.script = async (_key, context) => {
      const compare = [{ key: `${ROOT}herds/white`, modRevision: 1 }];
      await bench.writer
        .commit({ compare, operations: [sheepPut('dolly')] }, context)
        .catch((error: unknown) => lost.push(error));
      return {};
    };
    await bench.put('herds/white', { size: 3 });
    await bench.clock.advance(10);
    expect(lost).toEqual([expect.any(ConflictError)]);
    expect(bench.term.isValid).toBe(true);
    expect(await listSheep(bench)).toEqual([]);
  });

  it.each([
    ['another leads', (bench: Bench) => bench.put('leader', { managerId: 'm2' })],
    ['nobody leads', () => Promise.resolve()],
  ])('ends the term when the fence was lost: %s', async (_name, takeOver) => {
    const bench = await aQuietBench();
    bench.reconciler.script = async (_key, context) => {
      await bench.writer.commit({ compare: [], operations: [sheepPut('dolly')] }, context);
      return {};
    };
    await bench.remove('leader');
    await takeOver(bench);
    await bench.put('herds/white', { size: 3 });
    await bench.clock.advance(10);
    expect(bench.term.isValid).toBe(false);
    expect(await listSheep(bench)).toEqual([]);
    expect(bench.outcomes).toEqual([]);
  });

  it('writes nothing once the term is over', async () => {
    const bench = await aQuietBench();
    const context = bench.reconciler.contexts[0]!;
    bench.term.end('over');
    const write = bench.writer.commit({ compare: [], operations: [sheepPut('dolly')] }, context);
    await expect(write).rejects.toMatchObject({ code: 'ERR_LEADERSHIP_LOST' });
    expect(await listSheep(bench)).toEqual([]);
  });
});

async function listSheep({ etcd }: Bench): Promise<string[]> {
  const keys: string[] = [];
  for await (const page of etcd.list(`${ROOT}sheep/`)) {
    keys.push(...page.entries.map(({ key }) => key));
  }
  return keys;
}
