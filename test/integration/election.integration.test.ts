import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { ConflictError, newWriteId, SystemClock } from '../../pkg/base/index.js';
import { LeaseElection, LeasePresence } from '../../pkg/election/index.js';
import type { LeaderTerm } from '../../pkg/election/index.js';
import { EtcdStore } from '../../pkg/store/index.js';
import type { Operation } from '../../pkg/store/index.js';
import { describeWithEtcd, EtcdFixture } from '../fixtures/etcd.js';
import { FaultProxy } from '../fixtures/fault-proxy.js';

const WAIT = { timeout: 20_000, interval: 5 };
const TTL_SECONDS = 2;

/** A term's end and when its work could last have acted. */
interface Tenure {
  readonly term: LeaderTerm;
  readonly startedMs: number;
  abortedMs?: number;
}

/** A manager behind a proxy of its own. */
class Candidate {
  readonly tenures: Tenure[] = [];
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>;

  private constructor(
    readonly proxy: FaultProxy,
    readonly store: EtcdStore,
    election: LeaseElection,
  ) {
    this.running = election.run((term) => this.lead(term), this.stopping.signal);
  }

  static async start(etcd: EtcdFixture, key: string, managerId: string, ttlSeconds: number) {
    const proxy = await FaultProxy.start({ port: etcd.port });
    const store = new EtcdStore({ endpoints: [`http://${proxy.address}`] });
    const election = new LeaseElection({
      store,
      key,
      identity: { managerId, address: `${managerId}:4433` },
      clock: new SystemClock(),
      ttlSeconds,
    });
    return new Candidate(proxy, store, election);
  }

  get leading(): Tenure | undefined {
    return this.tenures.find(({ term }) => term.isValid);
  }

  async resign(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  async dispose(): Promise<void> {
    this.proxy.restore();
    this.stopping.abort();
    await this.running;
    await this.store.close();
    await this.proxy.close();
  }

  private lead(term: LeaderTerm): Promise<void> {
    const tenure: Tenure = { term, startedMs: performance.now() };
    this.tenures.push(tenure);
    return new Promise((resolve) => {
      term.signal.addEventListener('abort', () => {
        tenure.abortedMs = performance.now();
        resolve();
      });
    });
  }
}

describeWithEtcd('LeaseElection on a real etcd', () => {
  let etcd: EtcdFixture;
  let direct: EtcdStore;
  let key = '';
  const candidates: Candidate[] = [];

  beforeAll(async () => {
    etcd = await EtcdFixture.start();
    direct = new EtcdStore({ endpoints: [etcd.endpoint] });
  });
  afterAll(async () => {
    await direct.close();
    await etcd.dispose();
  });
  beforeEach(() => {
    key = `/election/${newWriteId()}/leader`;
  });
  afterEach(async () => {
    await Promise.all(candidates.splice(0).map((one) => one.dispose()));
  });

  async function candidate(managerId: string, ttlSeconds = TTL_SECONDS): Promise<Candidate> {
    const one = await Candidate.start(etcd, key, managerId, ttlSeconds);
    candidates.push(one);
    return one;
  }
  async function leadingTenure(one: Candidate): Promise<Tenure> {
    await vi.waitFor(() => {
      expect(one.leading).toBeDefined();
    }, WAIT);
    return one.leading!;
  }
  const put = (name: string): Operation => ({
    kind: 'put',
    key: `${key}-${name}`,
    value: { name },
  });

  it('elects exactly one of three, and another at once when it resigns', async () => {
    const longTtl = 60; // far longer than this test waits: a lease that is not given up would show
    const standing = await Promise.all(['a', 'b', 'c'].map((id) => candidate(id, longTtl)));
    const epochs: number[] = [];
    while (standing.length > 0) {
      await vi.waitFor(() => {
        expect(standing.filter((one) => one.leading)).toHaveLength(1);
      }, WAIT);
      const leader = standing.findIndex((one) => one.leading);
      const [resigning] = standing.splice(leader, 1);
      epochs.push(resigning!.leading!.term.epoch);
      await resigning!.resign();
    }
    expect(epochs).toEqual([...epochs].sort((x, y) => x - y));
    expect(new Set(epochs).size).toBe(3);
    expect(await direct.get(key)).toBeUndefined();
  });

  it('a leader that is blackholed stops before another starts, and its write in flight is refused', async () => {
    const a = await candidate('a');
    const first = await leadingTenure(a);
    const b = await candidate('b');
    await direct.commit({ compare: [], operations: [put('witness')] });

    // what it writes from now on hangs in the network, sent and not arrived
    a.proxy.blackhole();
    const txn = { compare: [first.term.fence], operations: [put('late')] };
    const inFlight = a.store.commit(txn, { timeoutMs: 30_000 });
    inFlight.catch(() => undefined);

    const second = await leadingTenure(b);
    expect(first.abortedMs).toBeDefined();
    expect(first.abortedMs).toBeLessThan(second.startedMs);
    expect(first.term.isValid).toBe(false);
    expect(second.term.epoch).toBeGreaterThan(first.term.epoch);

    a.proxy.restore(); // now it arrives
    await expect(inFlight).rejects.toThrow(ConflictError);
    expect(await direct.get(`${key}-late`)).toBeUndefined();
    await b.store.commit({ compare: [second.term.fence], operations: [put('mine')] });
    expect(a.tenures).toHaveLength(1);
  });

  it('replaces a leader that died within its lease', async () => {
    const a = await candidate('a');
    await leadingTenure(a);
    const b = await candidate('b');
    a.proxy.blackhole(); // dead, as others see it
    const sinceMs = performance.now();
    const { startedMs } = await leadingTenure(b);
    // etcd looks for expired leases twice a second
    expect(startedMs - sinceMs).toBeLessThan(TTL_SECONDS * 1000 + 1500);
  });

  it('goes on through cuts and a short pause of etcd without a new election', async () => {
    const a = await candidate('a');
    const { term } = await leadingTenure(a);
    for (let i = 0; i < 5; i += 1) {
      a.proxy.cut();
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    etcd.pause();
    await new Promise((resolve) => setTimeout(resolve, 500));
    etcd.resume();
    await new Promise((resolve) => setTimeout(resolve, TTL_SECONDS * 1000));
    expect(term.isValid).toBe(true);
    expect(a.tenures).toHaveLength(1);
  });

  it('stands again when an operator deletes the leader key', async () => {
    const a = await candidate('a');
    const first = await leadingTenure(a);
    await direct.commit({ compare: [], operations: [{ kind: 'delete', key }] });
    await vi.waitFor(() => {
      expect(a.tenures.length).toBe(2);
    }, WAIT);
    expect(first.term.isValid).toBe(false);
    expect((await leadingTenure(a)).term.epoch).toBeGreaterThan(first.term.epoch);
  });

  it('is present again after its lease ran out', async () => {
    const proxy = await FaultProxy.start({ port: etcd.port });
    const store = new EtcdStore({ endpoints: [`http://${proxy.address}`] });
    const own = `${key}-manager`;
    const presence = new LeasePresence({
      store,
      key: own,
      value: { id: 'm1' },
      clock: new SystemClock(),
      ttlSeconds: 2,
    });
    const stopping = new AbortController();
    const running = presence.run(stopping.signal);
    const exists = (wanted: boolean) =>
      vi.waitFor(async () => {
        expect((await direct.get(own)) !== undefined).toBe(wanted);
      }, WAIT);
    await exists(true);
    proxy.blackhole();
    await exists(false);
    proxy.restore();
    await exists(true);
    stopping.abort();
    await running;
    expect(await direct.get(own)).toBeUndefined();
    await store.close();
    await proxy.close();
  });
});
