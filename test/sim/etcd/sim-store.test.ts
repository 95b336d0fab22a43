import { setImmediate as turn } from 'node:timers/promises';
import { UnavailableError } from '../../../pkg/base/index.js';
import { describe, expect, it } from 'vitest';
import { describeStore } from '../../fakes/store-conformance.js';
import { Network } from '../machines/network.js';
import { SimHost } from '../machines/sim-host.js';
import { SimProcess } from '../machines/sim-process.js';
import { Timeline } from '../machines/timeline.js';
import { SimEtcd } from './sim-etcd.js';
import { SimStore } from './sim-store.js';

/** Time that passes by itself for as long as somebody waits, as fast as the machine can. */
const STEP_MS = 0.5;

/** An etcd and one client of it, in a world of their own. */
class Bench {
  readonly timeline = new Timeline(() => turn());
  readonly network = new Network(this.timeline, 1, { leastMs: 0.1, mostMs: 0.4 });
  readonly etcd = new SimEtcd([new SimHost('etcd')], this.network, this.timeline, 1);
  readonly client = new SimProcess('client', new SimHost('client'), this.timeline);
  readonly store: SimStore;
  readonly written: string[] = [];
  private isOver = false;

  constructor() {
    const observer = {
      committed: ({ writer }: { readonly writer: string }) => void this.written.push(writer),
    };
    this.store = new SimStore({ etcd: this.etcd, process: this.client, observer });
    void this.live();
  }

  /** Lets time pass faster than it does by itself. */
  async pass(ms: number): Promise<void> {
    const end = this.timeline.nowMs + ms;
    this.fastUntil = end;
    while (this.timeline.nowMs < end) await turn();
  }

  end(): Promise<void> {
    this.isOver = true;
    return this.store.close();
  }

  put(key: string) {
    return this.store.commit({ compare: [], operations: [{ kind: 'put', key, value: {} }] });
  }

  private fastUntil = 0;

  private async live(): Promise<void> {
    while (!this.isOver) {
      const { nowMs } = this.timeline;
      await this.timeline.run(Math.max(nowMs + STEP_MS, Math.min(nowMs + 50, this.fastUntil)));
      await turn();
    }
  }
}

describeStore('SimStore', () => {
  const bench = new Bench();
  return Promise.resolve({
    store: bench.store,
    compact: (revision) => {
      bench.etcd.memory.compact(revision);
      return Promise.resolve();
    },
    passTime: (ms) => bench.pass(ms),
    dispose: () => bench.end(),
  });
});

describe('faults of SimStore', () => {
  const withBench = (work: (bench: Bench) => Promise<void>) => async () => {
    const bench = new Bench();
    try {
      await work(bench);
    } finally {
      await bench.end();
    }
  };

  it(
    'may apply a write after its client was told that it is unavailable',
    withBench(async (bench) => {
      const { client, etcd, network } = bench;
      const outcomes: boolean[] = [];
      for (let round = 0; round < 12; round += 1) {
        const key = `late/${String(round)}`;
        network.cut(client.host, etcd.memberOf(client).host);
        const refused = expect(bench.put(key)).rejects.toThrow(UnavailableError);
        await bench.pass(5_100);
        await refused;
        expect(etcd.memory.get(key)).toBeUndefined();
        network.mend(client.host, etcd.memberOf(client).host);
        await bench.pass(10);
        outcomes.push(etcd.memory.get(key) !== undefined);
      }
      expect(new Set(outcomes)).toEqual(new Set([true, false]));
    }),
  );

  it(
    'recognises its own write when only the reply was lost',
    withBench(async (bench) => {
      const { client, etcd, network } = bench;
      network.cut(etcd.memberOf(client).host, client.host);
      const write = bench.put('a');
      await bench.pass(3_500); // longer than a reply is waited for, shorter than the call may take
      network.mend(etcd.memberOf(client).host, client.host);
      expect(await write).toBe(etcd.memory.get('a')?.modRevision);
      expect(bench.written).toEqual(['client']);
    }),
  );

  it(
    'keeps leases over an outage, and lets them run out after it',
    withBench(async (bench) => {
      const { etcd, store } = bench;
      const lease = await store.grantLease(5);
      const operation = { kind: 'put', key: 'a', value: {}, leaseId: lease.id } as const;
      await store.commit({ compare: [], operations: [operation] });
      etcd.goAway();
      await bench.pass(60_000);
      expect(etcd.memory.get('a')).toBeDefined();
      etcd.comeBack();
      await bench.pass(4_500);
      expect(etcd.memory.get('a')).toBeDefined();
      await bench.pass(1_000);
      expect(etcd.memory.get('a')).toBeUndefined();
    }),
  );
});
