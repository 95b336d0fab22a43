import type { FrozenNode, HistoryLost } from '../../../api/v1/index.js';
import { UnavailableError, type Clock } from '../../base/index.js';
import type { EventRecorder } from '../../events/index.js';
import type { Logger } from '../../log/index.js';
import { clusterOf, type World } from '../../objects/index.js';
import type { LiveSession } from './live-session.js';
import type { SessionClaimRequest } from './session-claim.js';
import { isAccepted } from './store-facts.js';

/** What is needed to tell people and nodes of a store that lost history. */
export interface LostHistoryOptions {
  readonly world: World;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: EventRecorder;
  readonly clusterId: string;
}

/** A node that the store does not know, although it was one of the cluster. */
interface Stranger {
  readonly nodeId: string;
  readonly hostname: string;
  readonly lost: HistoryLost;
  readonly atMs: number;
}

/** Whoever waits calls again every few seconds; one that is silent for longer has gone. */
const STRANGER_MS = 60_000;
const MAX_STRANGERS = 1_000;

/** What nodes say of a store that lost history, and what people say to that. */
export class LostHistory {
  private readonly strangers = new Map<string, Stranger>();

  constructor(private readonly options: LostHistoryOptions) {}

  /** Nodes that wait for a person; those that the store does not know as far as they called here lately. */
  get frozen(): readonly FrozenNode[] {
    const { world } = this.options;
    const known = world.nodeStatuses
      .list()
      .flatMap(({ nodeId, description, historyLost: lost }) => {
        return lost
          ? [{ nodeId, hostname: description.hostname, reason: lost.reason, known: true }]
          : [];
      });
    this.forgetGone();
    const unknown = [...this.strangers.values()].map(({ nodeId, hostname, lost }) => {
      return { nodeId, hostname, reason: lost.reason, known: false };
    });
    return [...known, ...unknown];
  }

  /** The latest acceptance that any node knows of: the next one has to be later, whatever clocks say. */
  get latestKnownAcceptanceMs(): number {
    const told = this.options.world.nodeStatuses.list().map(({ historyLost }) => historyLost);
    const all = [...told, ...[...this.strangers.values()].map(({ lost }) => lost)];
    return Math.max(0, ...all.map((lost) => (lost ? Date.parse(lost.acceptedAt) : 0)));
  }

  /** Lets our own cache go on when a person accepts what the store holds. Dispose to stop. */
  followAcceptance(): Disposable {
    const { world, log } = this.options;
    return world.clusters.onChange((previous, current) => {
      const acceptedAt = current?.history?.acceptedAt;
      if (acceptedAt === undefined) return;
      const before = previous?.history?.acceptedAt;
      if (before !== undefined && Date.parse(before) >= Date.parse(acceptedAt)) return;
      if (world.cache.historyBreak)
        log.warn({ acceptedAt }, 'the history of the store is accepted');
      world.cache.acknowledgeHistoryBreak();
    });
  }

  /** Whether a person has accepted the store since the node froze: it has to hear of that. */
  isAcceptedFor({ status }: LiveSession): boolean {
    const { historyLost } = status;
    const acceptedAt = clusterOf(this.options.world)?.history?.acceptedAt;
    if (!historyLost || acceptedAt === undefined) return false;
    return isAccepted(historyLost, acceptedAt);
  }

  /**
   * The store does not know the node. It judges by itself whether that is a removal; errors: UnavailableError
   * when it has nothing to judge by, and we have lost history.
   */
  refused({ nodeId, request }: SessionClaimRequest): void {
    const { historyLost, historyMark, description } = request;
    if (historyLost) {
      this.noteStranger({ nodeId, hostname: description.hostname, lost: historyLost });
    } else if (!historyMark && this.options.world.cache.historyBreak) {
      throw new UnavailableError(
        'the store lost history; nodes are not told that they are removed',
      );
    }
  }

  /** Takes note of what a report says about history. */
  changed(session: LiveSession, before: HistoryLost | undefined): void {
    const { historyLost } = session.status;
    if (historyLost?.reason === before?.reason) return;
    const { nodeId } = session;
    const { events, log, world } = this.options;
    const name = world.nodes.get(nodeId)?.metadata.name ?? nodeId;
    if (historyLost) log.error({ nodeId, reason: historyLost.reason }, 'a node has lost history');
    events.record({
      type: historyLost ? 'warning' : 'normal',
      reason: historyLost ? 'HistoryLost' : 'HistoryKept',
      message: historyLost
        ? `the node keeps what it runs and changes nothing: ${historyLost.reason}`
        : 'the node goes on with the store as it is',
      regarding: { kind: 'Node', name, uid: nodeId },
      source: `agent/${nodeId}`,
    });
  }

  private noteStranger(stranger: Omit<Stranger, 'atMs'>): void {
    const { clock, clusterId, events, log } = this.options;
    const { nodeId, hostname } = stranger;
    const { reason } = stranger.lost;
    this.strangers.delete(nodeId);
    this.strangers.set(nodeId, { ...stranger, atMs: clock.monotonicMs() });
    this.forgetGone();
    log.error({ nodeId, hostname, reason }, 'a node that the store does not know');
    events.record({
      type: 'warning',
      reason: 'HistoryLost',
      message: `the store does not know node ${hostname} (${nodeId}), which keeps what it runs: ${reason}`,
      regarding: { kind: 'Cluster', name: 'default', uid: clusterId },
      source: `agent/${nodeId}`,
    });
  }

  private forgetGone(): void {
    const nowMs = this.options.clock.monotonicMs();
    for (const [nodeId, { atMs }] of this.strangers) {
      if (nowMs - atMs <= STRANGER_MS && this.strangers.size <= MAX_STRANGERS) return;
      this.strangers.delete(nodeId);
    }
  }
}
