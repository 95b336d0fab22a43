import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/fakes/fake-clock.js';
import { MemoryStore } from '../../test/fakes/memory-store.js';
import { ConflictError, UnavailableError } from '../base/index.js';
import { LeaseElection } from './lease-election.js';
import type { LeaseElectionOptions } from './lease-election.js';
import { LeadershipLostError } from './leader-term.js';
import type { LeaderTerm } from './leader-term.js';

const KEY = '/test/leader';
const TTL_MS = 5000;
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function aCluster() {
  const clock = new FakeClock();
  const etcd = new MemoryStore({ clock });
  stops.push(() => etcd.close());
  return { clock, etcd };
}

/** A manager that stands for election and remembers its terms. */
class Candidate {
  readonly store: MemoryStore;
  readonly election: LeaseElection;
  readonly terms: LeaderTerm[] = [];
  readonly ended: string[] = [];
  work: (term: LeaderTerm) => Promise<void> = untilOver;
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly cluster: ReturnType<typeof aCluster>,
    managerId: string,
    options: Partial<LeaseElectionOptions> = {},
  ) {
    const { clock, etcd } = cluster;
    this.store = etcd.connect();
    this.election = new LeaseElection({
      store: this.store,
      key: KEY,
      identity: { managerId, address: `${managerId}:4433` },
      clock,
      random: () => 1,
      observer: { termEnded: (_epoch, reason) => this.ended.push(reason) },
      ...options,
    });
  }

  start(): this {
    this.running = this.election.run((term) => {
      this.terms.push(term);
      return this.work(term);
    }, this.stopping.signal);
    // calls of a cut-off store end at their deadline, which only the clock brings
    stops.unshift(async () => {
      await Promise.all([this.stop(), this.cluster.clock.advance(10_000)]);
    });
    return this;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.store.partition(false);
    await this.running;
  }

  get last(): LeaderTerm | undefined {
    return this.terms.at(-1);
  }
}

function untilOver({ signal }: LeaderTerm): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
}

describe('LeaseElection', () => {
  it('elects one of several, whose epoch is the create revision of the key', async () => {
    const cluster = aCluster();
    const [a, b] = [new Candidate(cluster, 'a').start(), new Candidate(cluster, 'b').start()];
    await cluster.clock.advance(60_000);
    expect([a.terms.length, b.terms.length]).toEqual([1, 0]);
    expect([a.election.isLeader(), b.election.isLeader()]).toEqual([true, false]);
    const entry = await cluster.etcd.get(KEY);
    expect(JSON.parse(entry!.value)).toMatchObject({ managerId: 'a', address: 'a:4433' });
    expect(a.last?.epoch).toBe(entry?.createRevision);
    expect(a.last?.fence).toEqual({ key: KEY, createRevision: entry?.createRevision });
    expect(b.election.term).toBeUndefined();
  });

  it('hands over at once when the leader resigns, once its work has ended', async () => {
    const cluster = aCluster();
    const a = new Candidate(cluster, 'a');
    a.work = async (term) => {
      await untilOver(term);
      await cluster.clock.sleep(300);
    };
    a.start();
    await cluster.clock.advance(10);
    const b = new Candidate(cluster, 'b').start();
    await cluster.clock.advance(1000);
    const stopped = a.stop();
    await cluster.clock.advance(299);
    expect(a.last?.signal.aborted).toBe(true);
    expect(b.terms).toHaveLength(0);
    await cluster.clock.advance(2);
    await stopped;
    expect(b.terms).toHaveLength(1);
    expect(b.last!.epoch).toBeGreaterThan(a.last!.epoch);
  });

  it('a leader that is cut off stops before another one starts', async () => {
    const cluster = aCluster();
    const a = new Candidate(cluster, 'a').start();
    await cluster.clock.advance(10);
    const b = new Candidate(cluster, 'b').start();
    await cluster.clock.advance(10_000);
    const startedMs = cluster.clock.monotonicMs();
    a.store.partition(true);
    let aEndedMs = 0;
    a.last?.signal.addEventListener('abort', () => (aEndedMs = cluster.clock.monotonicMs()));
    for (let ms = 0; b.terms.length === 0 && ms < 20_000; ms += 10) {
      await cluster.clock.advance(10);
      expect(a.election.isLeader() && b.election.isLeader()).toBe(false);
    }
    const bElectedMs = cluster.clock.monotonicMs();
    expect(aEndedMs).toBeGreaterThan(startedMs);
    expect(bElectedMs - aEndedMs).toBeGreaterThanOrEqual(1000); // the margin
    expect(bElectedMs - startedMs).toBeLessThanOrEqual(TTL_MS + 100);
    expect(() => a.last?.fence).toThrow(LeadershipLostError);
  });

  it('knows by the clock alone that time is up, before any timer ran', async () => {
    const cluster = aCluster();
    let lateMs = 0;
    const clock = Object.assign(Object.create(cluster.clock) as FakeClock, {
      monotonicMs: () => cluster.clock.monotonicMs() + lateMs,
    });
    const a = new Candidate(cluster, 'a', { clock }).start();
    await cluster.clock.advance(10);
    expect(a.last?.isValid).toBe(true);
    lateMs = TTL_MS; // the event loop was blocked; nothing of ours has run since
    expect(a.last?.signal.aborted).toBe(false);
    expect(a.election.isLeader()).toBe(false);
    expect(() => a.last?.fence).toThrow(LeadershipLostError);
    expect(a.last?.signal.aborted).toBe(true);
  });

  it("refuses a deposed leader's write", async () => {
    const cluster = aCluster();
    const a = new Candidate(cluster, 'a').start();
    await cluster.clock.advance(10);
    const fence = a.last!.fence;
    const b = new Candidate(cluster, 'b').start();
    a.store.partition(true);
    await cluster.clock.advance(10_000);
    expect(b.terms).toHaveLength(1);
    a.store.partition(false);
    const write = a.store.commit({
      compare: [fence],
      operations: [{ kind: 'put', key: '/test/x', value: {} }],
    });
    await expect(write).rejects.toThrow(ConflictError);
  });

  it('survives failed keep-alives as long as the lease lasts', async () => {
    const cluster = aCluster();
    const failures: number[] = [];
    const observer = {
      keepAliveFailed: (_error: unknown, leftMs: number) => failures.push(leftMs),
    };
    const a = new Candidate(cluster, 'a', { observer }).start();
    await cluster.clock.advance(10);
    for (let i = 0; i < 4; i += 1) {
      a.store.failNext(new UnavailableError('away'), 'keep-alive');
    }
    await cluster.clock.advance(30_000);
    expect(failures).toHaveLength(4);
    expect(a.terms).toHaveLength(1);
    expect(a.election.isLeader()).toBe(true);
  });

  it('ends the term when the key is taken away, and stands again', async () => {
    const cluster = aCluster();
    const a = new Candidate(cluster, 'a').start();
    await cluster.clock.advance(10);
    await cluster.etcd.commit({ compare: [], operations: [{ kind: 'delete', key: KEY }] });
    await cluster.clock.advance(10);
    expect(a.ended[0]).toContain('taken away');
    await cluster.clock.advance(1000);
    expect(a.terms).toHaveLength(2);
    expect(a.terms[1]!.epoch).toBeGreaterThan(a.terms[0]!.epoch);
  });

  it('is ended by whoever learns that another leads', async () => {
    const cluster = aCluster();
    const a = new Candidate(cluster, 'a').start();
    await cluster.clock.advance(10);
    const [first] = a.terms;
    first!.end('a fence was lost');
    first!.end('twice');
    expect(a.election.isLeader()).toBe(false);
    await cluster.clock.advance(10_000);
    expect(a.ended).toEqual([expect.stringContaining('a fence was lost')]);
    expect(a.terms).toHaveLength(2);
  });

  it('recognises its key when the reply to its creation was lost', async () => {
    const cluster = aCluster();
    const a = new Candidate(cluster, 'a', { store: commitsWithLostReply(cluster.etcd) }).start();
    await cluster.clock.advance(100);
    expect(a.terms).toHaveLength(1);
    expect(a.election.isLeader()).toBe(true);
  });

  it('tries again when the store is away, without leaving leases behind', async () => {
    const cluster = aCluster();
    const a = new Candidate(cluster, 'a');
    a.store.failNext(new UnavailableError('away'), 'list');
    a.store.failNext(new UnavailableError('away'), 'grant-lease');
    a.store.failNext(new UnavailableError('away'), 'commit');
    a.start();
    await cluster.clock.advance(10_000);
    expect(a.terms).toHaveLength(1);
    expect(cluster.clock.sleeping).toBeLessThan(6); // one lease, its keeper and the poll
  });

  it('lets another try when its own work fails', async () => {
    const cluster = aCluster();
    const a = new Candidate(cluster, 'a');
    a.work = () => Promise.reject(new Error('cannot start'));
    a.start();
    const b = new Candidate(cluster, 'b').start();
    await cluster.clock.advance(10_000);
    expect(b.terms).toHaveLength(1);
    expect(b.election.isLeader()).toBe(true);
  });

  it('elects by polling when no watch works', async () => {
    const cluster = aCluster();
    const a = new Candidate(cluster, 'a').start();
    await cluster.clock.advance(10);
    const b = new Candidate(cluster, 'b', { store: deafStore(cluster.etcd) }).start();
    await cluster.clock.advance(10_000);
    const stopped = a.stop();
    await cluster.clock.advance(TTL_MS);
    await stopped;
    expect(b.terms).toHaveLength(1);
  });

  it('never has two leaders, whoever is cut off and when, and has one in the end', async () => {
    const who = fc.integer({ min: 0, max: 2 });
    const step = fc.oneof(
      fc.record({ kind: fc.constant('cut-off' as const), who, on: fc.boolean() }),
      fc.record({ kind: fc.constant('cut-watches' as const), who }),
      fc.record({ kind: fc.constant('lose-reply' as const), who }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 500, max: 4000 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25, size: 'max' }), async (steps) => {
        const cluster = aCluster();
        const all = ['a', 'b', 'c'].map((id) => new Candidate(cluster, id).start());
        const leaders = () => all.filter(({ election }) => election.isLeader());
        const wait = async (ms: number) => {
          for (let left = ms; left > 0; left -= 100) {
            await cluster.clock.advance(Math.min(100, left));
            expect(leaders().length).toBeLessThanOrEqual(1);
          }
        };
        for (const it of steps) {
          if (it.kind === 'wait') await wait(it.ms);
          else disturb(all[it.who]!.store, it);
          expect(leaders().length).toBeLessThanOrEqual(1);
        }
        for (const { store } of all) store.partition(false);
        await wait(20_000);
        expect(leaders()).toHaveLength(1);
        const epochs = all.flatMap(({ terms }) => terms.map(({ epoch }) => epoch));
        expect(new Set(epochs).size).toBe(epochs.length);
        for (const stop of stops.splice(0)) await stop();
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});

function disturb(
  store: MemoryStore,
  it: { readonly kind: 'cut-off' | 'cut-watches' | 'lose-reply'; readonly on?: boolean },
): void {
  if (it.kind === 'cut-off') store.partition(it.on ?? false);
  if (it.kind === 'cut-watches') store.cutWatches();
  if (it.kind === 'lose-reply') store.loseNextReply();
}

/** Applies the first commit and reports failure, even to the store's own read-back. */
function commitsWithLostReply(etcd: MemoryStore): MemoryStore {
  const store = etcd.connect();
  const commit = store.commit.bind(store);
  let lost = false;
  store.commit = async (txn, options) => {
    const revision = await commit(txn, options);
    if (lost) return revision;
    lost = true;
    throw new UnavailableError('the reply was lost');
  };
  return store;
}

/** Its watches never say anything. */
function deafStore(etcd: MemoryStore): MemoryStore {
  const store = etcd.connect();
  const watch = store.watch.bind(store);
  store.watch = (prefix, from, options) =>
    watch(prefix, from, { ...options, onBatch: () => undefined });
  return store;
}
