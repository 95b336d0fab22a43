import { UnavailableError } from '../../../pkg/base/index.js';
import type { Revision, StampedTxn } from '../../../pkg/store/index.js';
import { MemoryEtcd, type Change } from '../../fakes/memory-etcd.js';
import type { Network } from '../machines/network.js';
import { Random } from '../machines/random.js';
import { SimHost } from '../machines/sim-host.js';
import { SimProcess } from '../machines/sim-process.js';
import type { Happening, Timeline } from '../machines/timeline.js';
import { SimMember } from './sim-member.js';

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

/** How long members take to agree on another leader. */
const ELECTION_MS: readonly [least: number, most: number] = [800, 2_500];

interface Proposal {
  readonly atMs: number;
  readonly serve: () => void;
}

/**
 * An etcd cluster of some members. What it holds is one history, whoever serves it: a member that cannot reach
 * the leader, or has none, answers nothing and hears of nothing.
 */
export class SimEtcd {
  readonly memory: MemoryEtcd;
  readonly members: readonly SimMember[];
  private readonly random: Random;
  private readonly kernel: SimProcess;
  private leader: SimMember | undefined;
  private election: Happening | undefined;
  private isHeldBack = false;
  private waiting: Proposal[] = [];
  private readonly breakListeners = new Set<() => void>();
  private readonly backListeners = new Set<() => void>();
  private readonly lags = new Map<string, number>();
  /** Which member each client talks to. */
  private readonly endpoints = new Map<string, number>();

  constructor(
    hosts: readonly SimHost[],
    readonly network: Network,
    private readonly timeline: Timeline,
    seed: number,
  ) {
    // Its time is nobody's in particular.
    this.kernel = new SimProcess('etcd', new SimHost('etcd'), timeline);
    this.memory = new MemoryEtcd(this.kernel.clock);
    this.random = Random.of(seed, 'etcd');
    this.members = hosts.map((host, index) => {
      const name = `etcd${String(index + 1)}`;
      return new SimMember(name, host, timeline, () => {
        this.reconsider();
      });
    });
    [this.leader] = this.members;
    network.onChange(() => {
      this.reconsider();
    });
  }

  get hosts(): readonly SimHost[] {
    return this.members.map(({ host }) => host);
  }

  /** The member answers: it hears a leader that has a majority. */
  serves(member: SimMember): boolean {
    const { leader } = this;
    if (this.isHeldBack || !leader || !member.isUp) return false;
    return this.isLinked(leader, member);
  }

  /** No leader: nothing is answered, leases stand still, watches break or have nothing to say. */
  goAway(watches: 'broken' | 'silent' = 'silent'): void {
    if (this.isHeldBack) return;
    this.isHeldBack = true;
    this.memory.stop();
    if (watches === 'broken') this.breakWatches();
  }

  comeBack(): void {
    if (!this.isHeldBack) return;
    this.isHeldBack = false;
    if (this.leader) this.led();
  }

  /** The client's member does not answer: from now on it talks to the next. */
  avoid(client: SimProcess): void {
    const at = this.endpointOf(client);
    this.endpoints.set(client.name, (at + 1) % this.members.length);
  }

  memberOf(client: SimProcess): SimMember {
    const member = this.members[this.endpointOf(client)];
    if (!member) throw new RangeError('etcd has no members');
    return member;
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

  /** Ends all watches of all clients, as the restart of all members does. */
  breakWatches(): void {
    for (const listener of [...this.breakListeners]) listener();
  }

  onBreak(listener: () => void): () => void {
    this.breakListeners.add(listener);
    return () => this.breakListeners.delete(listener);
  }

  /** Called whenever members may have begun to serve again. */
  onBack(listener: () => void): () => void {
    this.backListeners.add(listener);
    return () => this.backListeners.delete(listener);
  }

  /** Asks a member over the network; `reply` runs in the client's process, or never. */
  request<T>(client: SimProcess, apply: () => T, reply: (reply: Reply<T>) => void): void {
    const { network } = this;
    const member = this.memberOf(client);
    let isOver = false;
    const answer = (outcome: Reply<T>) => {
      if (isOver) return;
      isOver = true;
      forget();
      const work = () => {
        reply(outcome);
      };
      network.send({ from: member.host, to: client, work });
    };
    const fail = (why: string) => {
      answer({ error: new UnavailableError(`${member.name}: ${why}`) });
    };
    const forget = member.process.onDeath(() => {
      fail('the connection was cut');
    });
    if (member.process.isDead) {
      fail('connection refused');
      return;
    }
    const serve = () => {
      answer(outcomeOf(apply));
    };
    const work = () => {
      if (this.serves(member)) serve();
      else if (this.random.chance(REFUSED)) fail('no leader');
      else this.waiting.push({ atMs: this.timeline.nowMs, serve });
    };
    network.send({ from: client.host, to: member.process, work });
  }

  private endpointOf(client: SimProcess): number {
    const known = this.endpoints.get(client.name);
    if (known !== undefined) return known;
    const chosen = this.members.length === 1 ? 0 : this.random.below(this.members.length);
    this.endpoints.set(client.name, chosen);
    return chosen;
  }

  /** Members or links have changed: does the leader still have a majority, could another one have it? */
  private reconsider(): void {
    if (this.leader && this.hasMajority(this.leader)) {
      this.tellBack();
      return;
    }
    if (this.leader) this.memory.stop();
    this.leader = undefined;
    if (this.election) return;
    const [least, most] = ELECTION_MS;
    this.election = this.kernel.after(this.random.between(least, most), () => {
      this.election = undefined;
      this.leader = this.members.find((member) => this.hasMajority(member));
      if (this.leader && !this.isHeldBack) this.led();
    });
  }

  /** A new leader: leases get their whole time again, and proposals of the outage may come true. */
  private led(): void {
    this.memory.renewLeases();
    const fresh = this.waiting.filter(({ atMs }) => this.timeline.nowMs - atMs < PROPOSAL_MS);
    this.waiting = [];
    for (const { serve } of fresh) if (this.random.chance(COMMITTED_LATE)) serve();
    this.tellBack();
  }

  private tellBack(): void {
    for (const listener of [...this.backListeners]) listener();
  }

  private hasMajority(candidate: SimMember): boolean {
    if (!candidate.isUp) return false;
    const followers = this.members.filter((each) => each.isUp && this.isLinked(candidate, each));
    return followers.length > this.members.length / 2;
  }

  private isLinked(one: SimMember, other: SimMember): boolean {
    const { network } = this;
    return !network.isCut(one.host, other.host) && !network.isCut(other.host, one.host);
  }
}

function outcomeOf<T>(apply: () => T): Reply<T> {
  try {
    return { value: apply() };
  } catch (error) {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }
}
