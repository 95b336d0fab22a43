import {
  effectiveClusterSpec,
  type EffectiveClusterSpec,
  type SessionMessage,
  type StatusReport,
  type StatusResponse,
  type StoredNodeStatus,
} from '../../../api/v1/index.js';
import {
  NodeRemovedError,
  NotFoundError,
  UnavailableError,
  messageOf,
  newUid,
  type Clock,
} from '../../base/index.js';
import type { EventRecorder } from '../../events/index.js';
import type { Logger } from '../../log/index.js';
import { clusterOf, type World } from '../../objects/index.js';
import type { Keys, Store } from '../../store/index.js';
import type { StreamOptions } from '../http/ndjson-stream.js';
import { Admission } from './admission.js';
import { isAuthoritative } from './assignments.js';
import { LiveSession, type NodeStatusValue, type SessionStream } from './live-session.js';
import { LostHistory } from './lost-history.js';
import { claimSession, type SessionClaim, type SessionClaimRequest } from './session-claim.js';
import { isOf } from './session-fence.js';
import { StatusWriter } from './status-writer.js';

/** What sessions are made of. */
export interface NodeSessionsOptions {
  readonly world: World;
  readonly store: Store;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: EventRecorder;
  readonly managerId: string;
  /** When this manager was started, as its record in the store says: tells its runs apart. ISO 8601. */
  readonly startedAt: string;
  readonly clusterId: string;
  /** Sessions that may be opening at once. Default 50. */
  readonly admission?: Admission;
}

const GOODBYE: SessionMessage = { type: 'close', reason: 'manager stops', removed: false };
/** Why a session ends that is over in etcd already, or whose node shall come back at once. */
const ENDS = {
  replaced: 'replaced by a newer session',
  removed: 'node removed',
  behind: 'this manager is behind the store',
  history: 'the store lost history',
  accepted: 'the history of the store was accepted',
} as const;
const PING_MS = 10_000;
/** A manager that has not heard the store for so long sends its nodes elsewhere. */
const DEAF_AFTER_MS = 2_000;
const MAX_SWEEP_MS = 1_000;

/**
 * The sessions that this manager holds. It watches their heartbeats itself and writes only what changed:
 * a quiet cluster writes nothing, however many nodes it has.
 */
export class NodeSessions {
  readonly name = 'node-sessions';
  /** By node; the one heard of longest ago comes first. */
  private readonly sessions = new Map<string, LiveSession>();
  private readonly writer: StatusWriter;
  private readonly admission: Admission;
  private readonly log: Logger;
  /** What nodes say of a store that lost history. */
  readonly history: LostHistory;
  /** Nodes whose stored session is ours and open, although we hold none: which epoch, since when. */
  private readonly stale = new Map<string, { readonly epoch: number; readonly sinceMs: number }>();
  private changedTasks = new Map<LiveSession, Set<string>>();
  private flush: NodeJS.Immediate | undefined;
  private lastPingMs = 0;
  private historyWasBroken = false;

  constructor(private readonly options: NodeSessionsOptions) {
    this.log = options.log.child({ component: this.name });
    this.admission = options.admission ?? new Admission('sessions', options);
    this.history = new LostHistory({ ...options, log: this.log });
    this.writer = new StatusWriter({
      ...options,
      log: this.log,
      onFenced: (session, reason) => {
        this.drop(session, reason);
      },
    });
  }

  /** Sessions held now. */
  get size(): number {
    return this.sessions.size;
  }

  /** The session of a node, if this manager holds it. */
  get(nodeId: string): LiveSession | undefined {
    return this.sessions.get(nodeId);
  }

  /** Watches heartbeats and changes until the signal aborts. Never rejects. */
  async run(signal: AbortSignal, ready: () => void = () => undefined): Promise<void> {
    const { world, clock } = this.options;
    using _tasks = world.tasks.onChange((previous, current, { key }) => {
      this.taskChanged(key, previous?.spec.nodeId, current?.spec.nodeId);
    });
    using _templates = world.serviceRevisions.onChange(() => {
      this.templatesChanged();
    });
    using _nodes = world.nodes.onChange((_previous, current, { key }) => {
      if (!current) this.nodeVanished(key);
    });
    using _statuses = world.nodeStatuses.onChange((_previous, current) => {
      if (current) this.statusChanged(current);
    });
    using _accepted = this.history.followAcceptance();
    using _broken = world.cache.onHistoryBroken(() => {
      this.historyWasBroken = true;
      // Each node judges by itself, by what it is told when it comes back.
      for (const session of this.sessions.values()) this.drop(session, 'history');
    });
    ready();
    while (!signal.aborted) {
      const periodMs = Math.min(MAX_SWEEP_MS, this.settings().nodeHeartbeatMs / 2);
      await clock.sleep(periodMs, signal).catch(() => undefined);
      if (!isOver(signal)) this.sweep();
    }
    clearImmediate(this.flush);
  }

  /**
   * Opens a session; resolves when the node was told what is assigned to it. `signal` aborts when the node goes away.
   * Errors, before the stream began: BusyError, NodeRemovedError, UnavailableError; the signal's reason.
   */
  async open(
    request: SessionClaimRequest,
    openStream: (options: StreamOptions) => SessionStream,
    signal: AbortSignal,
  ): Promise<void> {
    this.requireHearing();
    using _admitted = await this.admission.enter(signal);
    this.requireHearing();
    const claim = await this.claim(request);
    const session = this.begin(claim, openStream({ goodbye: () => GOODBYE }));
    if (!session) return;
    try {
      // Whatever was assigned before this moment is in the cache then: the set is complete and fresh.
      await this.options.world.cache.waitForRevision(claim.revision);
    } catch (error) {
      this.log.warn({ nodeId: session.nodeId, reason: messageOf(error) }, 'cache is behind');
      this.drop(session, 'behind');
      return;
    }
    this.sendCompleteSet(session);
    this.log.info({ nodeId: session.nodeId, epoch: session.epoch }, 'session opened');
  }

  private async claim(request: SessionClaimRequest): Promise<SessionClaim> {
    try {
      return await claimSession(this.options, request);
    } catch (error) {
      if (error instanceof NodeRemovedError) this.history.refused(request);
      throw error;
    }
  }

  /**
   * Takes a heartbeat with its reports; resolves when they are stored.
   * Errors: NotFoundError when this manager holds no such session; NodeRemovedError, UnavailableError.
   */
  async report(nodeId: string, report: StatusReport): Promise<StatusResponse> {
    const session = this.sessions.get(nodeId);
    if (session?.id !== report.sessionId || session.isClosed) {
      throw new NotFoundError('this manager does not hold that session; open another one');
    }
    this.heardOf(session);
    const { historyLost } = session.status;
    const changed = applyChanges(session, report);
    this.history.changed(session, historyLost);
    const refused = await this.writer.submit(session, report.tasks, changed);
    const { nodeHeartbeatMs: heartbeatMs } = this.settings();
    return { heartbeatMs, refused, ...(this.isDeaf && { leave: true }) };
  }

  private requireHearing(): void {
    if (this.isDeaf) throw new UnavailableError('this manager does not hear the store');
  }

  /** What is assigned to our nodes meanwhile does not reach us, and other managers may hear it. */
  private get isDeaf(): boolean {
    return this.options.world.cache.disconnectedMs > DEAF_AFTER_MS;
  }

  /** Tells every node that this manager stops. Nothing is written: they will be elsewhere in a moment. */
  closeAll(): void {
    for (const session of this.sessions.values()) session.close('manager stops');
    this.sessions.clear();
  }

  private settings(): EffectiveClusterSpec {
    return effectiveClusterSpec(clusterOf(this.options.world)?.spec ?? {});
  }

  private begin(
    { status, revision, facts }: SessionClaim,
    stream: SessionStream,
  ): LiveSession | undefined {
    const { clock, world, clusterId } = this.options;
    const session = new LiveSession({
      id: newUid(),
      status,
      version: revision,
      stream,
      world,
      nowMs: clock.monotonicMs(),
    });
    const previous = this.sessions.get(session.nodeId);
    if (previous && previous.epoch > session.epoch) {
      session.close('replaced by a newer session');
      return undefined;
    }
    previous?.close('replaced by a newer session');
    this.heardOf(session);
    stream.signal.addEventListener('abort', () => {
      session.streamLostAtMs = clock.monotonicMs();
    });
    const managers = this.managers();
    session.toldManagers = managers.join();
    session.send({
      type: 'open',
      sessionId: session.id,
      epoch: session.epoch,
      clusterId,
      nodeId: session.nodeId,
      heartbeatMs: this.settings().nodeHeartbeatMs,
      managers,
      store: facts,
    });
    return session;
  }

  /** Keeps the order of the map: the first is the one heard of longest ago. */
  private heardOf(session: LiveSession): void {
    session.lastSeenMs = this.options.clock.monotonicMs();
    this.sessions.delete(session.nodeId);
    this.sessions.set(session.nodeId, session);
  }

  private sendCompleteSet(session: LiveSession): void {
    const { world, keys } = this.options;
    const complete = isAuthoritative(world, keys.task(''));
    if (!complete) this.log.warn({ nodeId: session.nodeId }, 'assignments may be incomplete');
    session.send(session.feed.completeSet(complete));
  }

  private taskChanged(taskId: string, ...nodeIds: readonly (string | undefined)[]): void {
    for (const nodeId of new Set(nodeIds)) {
      const session = nodeId === undefined ? undefined : this.sessions.get(nodeId);
      if (session) this.markChanged(session, taskId);
    }
  }

  private templatesChanged(): void {
    for (const session of this.sessions.values()) {
      for (const taskId of session.feed.awaitingTemplates) this.markChanged(session, taskId);
    }
  }

  /** One message tells all changes of a tick: a controller places many tasks at once. */
  private markChanged(session: LiveSession, taskId: string): void {
    const changed = this.changedTasks.get(session) ?? new Set<string>();
    this.changedTasks.set(session, changed);
    changed.add(taskId);
    this.flush ??= setImmediate(() => {
      this.flush = undefined;
      this.sendChanges();
    });
  }

  private sendChanges(): void {
    const changed = this.changedTasks;
    this.changedTasks = new Map();
    for (const [session, taskIds] of changed) {
      const message = session.isClosed ? undefined : session.feed.changes(taskIds);
      if (message) session.send(message);
    }
  }

  private nodeVanished(nodeId: string): void {
    const { world } = this.options;
    const session = this.sessions.get(nodeId);
    // Unreadable is not removed, and lost history is no removal either.
    if (!session || world.nodes.isInvalid(nodeId) || world.cache.historyBreak) return;
    this.drop(session, 'removed');
  }

  private statusChanged(status: StoredNodeStatus): void {
    const session = this.sessions.get(status.nodeId);
    if (!session || status.version <= session.version) return;
    if (!isOf(session, status)) this.drop(session, 'replaced');
    // Whoever took it for dead was wrong: it is here.
    else if (!status.session.open) this.store(session);
  }

  /** Ends a session that is over in etcd already: nothing is left to write. */
  private drop(session: LiveSession, why: keyof typeof ENDS): void {
    const reason = ENDS[why];
    this.forget(session);
    session.close(reason, why === 'removed');
    this.log.info({ nodeId: session.nodeId, epoch: session.epoch, reason }, 'session ended');
  }

  private forget(session: LiveSession): void {
    if (this.sessions.get(session.nodeId) === session) this.sessions.delete(session.nodeId);
    this.changedTasks.delete(session);
  }

  private sweep(): void {
    const nowMs = this.options.clock.monotonicMs();
    this.expireSilent(nowMs);
    this.expireStreamless(nowMs);
    this.closeStale(nowMs);
    this.afterHistoryBreak();
    this.endAccepted();
    this.tellManagers();
    if (nowMs - this.lastPingMs >= PING_MS) this.ping(nowMs);
  }

  private expireSilent(nowMs: number): void {
    const { nodeUnknownAfterMs } = this.settings();
    for (const session of this.sessions.values()) {
      if (nowMs - session.lastSeenMs <= nodeUnknownAfterMs) return; // the rest was heard of later
      this.expire(session, 'heartbeat failure');
    }
  }

  /** A stream that broke may be a blip: the node has one heartbeat period to open another one. */
  private expireStreamless(nowMs: number): void {
    const { nodeHeartbeatMs } = this.settings();
    for (const session of this.sessions.values()) {
      const lostAt = session.streamLostAtMs;
      if (lostAt !== undefined && nowMs - lostAt > nodeHeartbeatMs) {
        this.expire(session, 'connection lost');
      }
    }
  }

  private expire(session: LiveSession, reason: string): void {
    this.forget(session);
    session.close(reason);
    this.log.warn({ nodeId: session.nodeId, epoch: session.epoch, reason }, 'session lost');
    session.status = closedStatus(session.status, reason, this.options.clock);
    this.store(session);
  }

  private store(session: LiveSession): void {
    this.writer.submit(session, [], true).catch((error: unknown) => {
      // Not lost: the sweep finds a session that is stored as open, and writes again.
      const { nodeId } = session;
      this.log.warn({ nodeId, reason: messageOf(error) }, 'node status was not stored');
    });
  }

  /**
   * Sessions that are stored as open here although none is held: of a manager that was killed and came
   * back under the same id, or whose end could not be stored. The node has the usual time to come back.
   */
  private closeStale(nowMs: number): void {
    const { world, managerId } = this.options;
    const found = new Set<string>();
    for (const status of world.nodeStatuses.byIndex('manager', managerId)) {
      if (!status.session.open || this.sessions.has(status.nodeId)) continue;
      found.add(status.nodeId);
      const { epoch } = status.session;
      const known = this.stale.get(status.nodeId);
      if (known?.epoch !== epoch) this.stale.set(status.nodeId, { epoch, sinceMs: nowMs });
      else if (nowMs - known.sinceMs > this.settings().nodeUnknownAfterMs) this.closeStored(status);
    }
    for (const nodeId of this.stale.keys()) if (!found.has(nodeId)) this.stale.delete(nodeId);
  }

  private closeStored(stored: StoredNodeStatus): void {
    const { clock, keys, store } = this.options;
    const { version, ...status } = stored;
    this.stale.delete(status.nodeId);
    const value = closedStatus(status, 'the manager has lost the session', clock);
    store
      .commit({
        compare: [{ key: keys.nodeStatus(status.nodeId), modRevision: version }],
        operations: [{ kind: 'put', key: keys.nodeStatus(status.nodeId), value }],
      })
      .catch((error: unknown) => {
        this.log.debug({ nodeId: status.nodeId, reason: messageOf(error) }, 'stale session stays');
      });
  }

  /** When a person has accepted the lost history, nodes get sets that they may clean up by. */
  private afterHistoryBreak(): void {
    const isBroken = this.options.world.cache.historyBreak !== undefined;
    if (this.historyWasBroken && !isBroken) {
      for (const session of this.sessions.values()) this.sendCompleteSet(session);
    }
    this.historyWasBroken = isBroken;
  }

  /** Nodes that are frozen hear of a person's acceptance when they open a session. */
  private endAccepted(): void {
    for (const session of this.sessions.values()) {
      if (this.history.isAcceptedFor(session)) this.drop(session, 'accepted');
    }
  }

  /** In one order, so that two lists can be compared. */
  private managers(): string[] {
    return [...new Set(this.options.world.managers.list().map(({ address }) => address))].sort();
  }

  /** A node that knows only the managers of the day it connected has nobody to go to when they are gone. */
  private tellManagers(): void {
    const managers = this.managers();
    // None at all: etcd was away for longer than our own presence lasts. Nodes learn nothing from that.
    if (managers.length === 0) return;
    const list = managers.join();
    for (const session of this.sessions.values()) {
      if (session.toldManagers === list) continue;
      session.toldManagers = list;
      session.send({ type: 'managers', managers });
    }
  }

  private ping(nowMs: number): void {
    this.lastPingMs = nowMs;
    const { revision, historyMark: mark } = this.options.world.cache;
    const message = { type: 'ping', revision, ...(mark && { mark }) } as const;
    for (const session of this.sessions.values()) session.send(message);
  }
}

function closedStatus(status: NodeStatusValue, reason: string, clock: Clock): NodeStatusValue {
  const changedAt = clock.now().toISOString();
  return { ...status, session: { ...status.session, open: false, reason, changedAt } };
}

/** Takes over what a heartbeat says of the node; true when it has to be stored. */
function applyChanges(session: LiveSession, report: StatusReport): boolean {
  const { engineMessage: _message, historyLost: _lost, ...before } = session.status;
  const { engineHealthy, engineMessage, historyLost, description = before.description } = report;
  const status = {
    ...before,
    description,
    engineHealthy,
    ...(engineMessage !== undefined && { engineMessage }),
    ...(historyLost && { historyLost }),
  };
  if (saidOf(status) === saidOf(session.status)) return false;
  session.status = status;
  return true;
}

/** What a node says of itself, to be compared. */
function saidOf(status: NodeStatusValue): string {
  const { description, engineHealthy, engineMessage, historyLost } = status;
  return JSON.stringify([description, engineHealthy, engineMessage, historyLost]);
}

/** A function, because the compiler believes that a signal it has seen once never changes. */
function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}
