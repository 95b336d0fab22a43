import { UnavailableError } from '../../../pkg/base/index.js';
import type { Revision, StampedTxn } from '../../../pkg/store/index.js';
import { MemoryEtcd, type Change } from '../../fakes/memory-etcd.js';
import type { Network } from '../machines/network.js';
import { Random } from '../machines/random.js';
import type { SimHost } from '../machines/sim-host.js';
import { SimProcess } from '../machines/sim-process.js';
import type { Timeline } from '../machines/timeline.js';

/** A transaction that etcd has applied. */
export interface Committed {
  /** Name of the process that wrote. */
  readonly writer: string;
  readonly txn: StampedTxn;
  readonly revision: Revision;
}

/** Who hears of everything that etcd does, at the instant it does it. */
export interface EtcdObserver {
  /** Before `changed`, for transactions that changed something. */
  committed(commit: Committed): void;
  /** One revision: by a transaction, a lease that ended, or a restored backup. */
  changed(change: Change): void;
}

/** What came of a request. */
export type Reply<T> = { readonly value: T } | { readonly error: Error };

/** Part of the requests under way in an outage that is refused at once; the rest is not answered. */
const REFUSED = 0.4;
/** Part of the proposals of an outage that are committed when it ends, whatever their clients were told. */
const COMMITTED_LATE = 0.5;
/** etcd gives up a proposal after this; what is older when it comes back is lost. */
const PROPOSAL_MS = 7_000;

interface Proposal {
  readonly atMs: number;
  readonly serve: () => void;
}

/** An etcd cluster, seen as one: its clients meet it over the network, and it may be away. */
export class SimEtcd {
  readonly process: SimProcess;
  readonly memory: MemoryEtcd;
  private readonly random: Random;
  private isAway = false;
  private waiting: Proposal[] = [];
  private readonly breakListeners = new Set<() => void>();
  private readonly lags = new Map<string, number>();

  constructor(
    host: SimHost,
    readonly network: Network,
    private readonly timeline: Timeline,
    seed: number,
  ) {
    this.process = new SimProcess('etcd', host, timeline);
    this.memory = new MemoryEtcd(this.process.clock);
    this.random = Random.of(seed, 'etcd');
  }

  get away(): boolean {
    return this.isAway;
  }

  /** No quorum: nothing is answered, leases stand still, watches break or have nothing to say. */
  goAway(watches: 'broken' | 'silent' = 'silent'): void {
    if (this.isAway) return;
    this.isAway = true;
    this.memory.stop();
    if (watches === 'broken') this.breakWatches();
  }

  /** A new leader: leases get their whole time again, and proposals of the outage may come true. */
  comeBack(): void {
    if (!this.isAway) return;
    this.isAway = false;
    this.memory.renewLeases();
    const fresh = this.waiting.filter(({ atMs }) => this.timeline.nowMs - atMs < PROPOSAL_MS);
    this.waiting = [];
    for (const { serve } of fresh) if (this.random.chance(COMMITTED_LATE)) serve();
  }

  /** Changes reach the watches of this process so much later, from now on. */
  delayWatches(of: SimHost, mostMs: number): void {
    if (mostMs === 0) this.lags.delete(of.name);
    else this.lags.set(of.name, mostMs);
  }

  watchLagMs(of: SimProcess): number {
    const most = this.lags.get(of.host.name);
    return most === undefined ? 0 : this.random.between(0, most);
  }

  /** Ends all watches of all clients, as the restart of a member does. */
  breakWatches(): void {
    for (const listener of [...this.breakListeners]) listener();
  }

  onBreak(listener: () => void): () => void {
    this.breakListeners.add(listener);
    return () => this.breakListeners.delete(listener);
  }

  /** Asks etcd over the network; `reply` runs in the client's process, or never. */
  request<T>(client: SimProcess, apply: () => T, reply: (reply: Reply<T>) => void): void {
    const { network } = this;
    const answer = (outcome: Reply<T>) => {
      const work = () => {
        reply(outcome);
      };
      network.send({ from: this.process.host, to: client, work });
    };
    const serve = () => {
      answer(outcomeOf(apply));
    };
    const work = () => {
      if (!this.isAway) serve();
      else if (this.random.chance(REFUSED))
        answer({ error: new UnavailableError('etcd: no leader') });
      else this.waiting.push({ atMs: this.timeline.nowMs, serve });
    };
    network.send({ from: client.host, to: this.process, work });
  }
}

function outcomeOf<T>(apply: () => T): Reply<T> {
  try {
    return { value: apply() };
  } catch (error) {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }
}
