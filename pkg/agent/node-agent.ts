import { isTerminal, isWanted, type TaskReport } from '../../api/v1/index.js';
import {
  AbortScope,
  NodeRemovedError,
  UnavailableError,
  backoffMs,
  messageOf,
  type Clock,
} from '../base/index.js';
import type { SwarmClient } from '../client/index.js';
import type { Engine, ImagePuller } from '../engine/index.js';
import type { Logger } from '../log/index.js';
import type { AgentMetrics, HealthReport } from '../metrics/index.js';
import { AssignmentBook } from './assignment-book.js';
import { AssignmentCache } from './assignment-cache.js';
import { CertificateKeeper } from './certificate-keeper.js';
import { CONTAINER_LABEL, type NodeFacts } from './container-body.js';
import { EngineWatch } from './engine-watch.js';
import { nodeNetwork, type NetworkActions } from './health/network-actions.js';
import type { ProbeSurroundings } from './health/probe-run.js';
import { ProbeScheduler } from './health/probe-scheduler.js';
import { ImageSupply } from './image-supply.js';
import { KnownHistory } from './known-history.js';
import { LogStreams, type LogSource } from './log-streams.js';
import { describeNode } from './node-description.js';
import type { NodeCredentials, NodeIdentity, NodeState } from './node-state.js';
import { Reconciler } from './reconciler.js';
import { SessionKeeper, type Managers } from './session-keeper.js';
import { StartPool } from './start-pool.js';
import { StatusReporter, type Vouched } from './status-reporter.js';
import { TELLING, TaskSet } from './task-set.js';
import { noEndpoints } from './withdrawal.js';

/** What an agent keeps over its restarts. */
export type AgentState = Pick<
  NodeState,
  | 'loadAssignments'
  | 'saveAssignments'
  | 'saveIdentity'
  | 'saveNextKey'
  | 'saveCertificate'
  | 'wipe'
>;

/** What an agent works with. */
export interface NodeAgentOptions {
  readonly state: AgentState;
  readonly identity: NodeIdentity;
  readonly credentials: NodeCredentials;
  readonly managers: Managers & Pick<SwarmClient, 'renew' | 'useCredentials'>;
  readonly engine: Engine;
  readonly images: Pick<ImagePuller, 'pull'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: AgentMetrics;
  readonly version: string;
  /** How many containers are created or started at once. */
  readonly startConcurrency: number;
  /** How probes and hooks reach containers. Default: over the machine's own network. */
  readonly network?: NetworkActions;
}

/** Why an agent ended: it was told to, or its node was removed from the cluster. */
export type AgentEnd = 'stopped' | 'removed';

/** How long an engine may go on with a container whose creation its agent does not wait for any more. */
const LATE_CREATION_MS = 2_000;
const CLEAN_RETRY = { initialMs: 200, maxMs: 5_000 };

/** One node's agent: makes its engine run what managers assign to the node, and tells how it went. */
export class NodeAgent {
  private readonly history: KnownHistory;
  private readonly book: AssignmentBook;
  private readonly starts: StartPool;
  private readonly reporter: StatusReporter;
  private readonly watch: EngineWatch;
  private readonly probes: ProbeScheduler;
  private readonly tasks: TaskSet;
  private readonly reconciler: Reconciler;
  private readonly logs: LogStreams;
  private readonly session: SessionKeeper;
  private readonly cache: AssignmentCache;
  private readonly certificates: CertificateKeeper;
  private pastReports: ReadonlyMap<string, TaskReport> = new Map();
  private knownManagers: readonly string[];
  /** The writes of {@link rememberManagers}, one after another; never rejects. */
  private remembering: Promise<void> = Promise.resolve();

  constructor(private readonly options: NodeAgentOptions) {
    this.knownManagers = options.identity.managers;
    this.history = new KnownHistory(options.log);
    this.book = new AssignmentBook(this.history, () => {
      this.cache.changed();
      this.reconciler.nudge();
    });
    this.starts = new StartPool(options.startConcurrency);
    this.reporter = this.makeReporter();
    this.watch = this.makeWatch();
    this.probes = new ProbeScheduler(options.clock);
    this.tasks = this.makeTasks();
    this.reconciler = this.makeReconciler();
    this.logs = this.makeLogs();
    this.session = this.makeSession();
    this.cache = this.makeCache();
    this.certificates = this.makeCertificates();
    this.exposeMetrics();
  }

  /**
   * Works until the signal aborts; containers go on. When the node was removed from the cluster its
   * containers and its state are removed. Errors: only bugs.
   */
  async run(signal: AbortSignal): Promise<AgentEnd> {
    await this.recall();
    try {
      await this.work(signal);
      return 'stopped';
    } catch (error) {
      if (!(error instanceof NodeRemovedError)) throw error;
    }
    try {
      await this.leaveCluster(signal);
      return 'removed';
    } catch (error) {
      if (signal.aborted) return 'stopped';
      throw error;
    }
  }

  /** Until the signal aborts. Errors: NodeRemovedError; anything else is a bug. */
  private async work(signal: AbortSignal): Promise<void> {
    const scope = new AbortScope(signal);
    const parts = [this.watch, this.reconciler, this.cache, this.certificates];
    const work = [...parts.map((part) => part.run(scope.signal)), this.holdSession(scope.signal)];
    try {
      await Promise.race(work);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      scope.abort(new Error('the agent stops'));
      scope[Symbol.dispose]();
      await Promise.allSettled(work);
      await this.tasks.release();
      await this.cache.save();
      await this.remembering;
    }
  }

  private async holdSession(signal: AbortSignal): Promise<never> {
    await this.watch.known(signal);
    return this.session.run(signal);
  }

  /** Why the agent is not ready, from memory. */
  health(): HealthReport {
    const { health } = this.watch;
    const { connected, message } = this.session.state;
    const { lost } = this.history;
    return {
      unhealthy: [],
      notReady: [
        ...(health.healthy ? [] : [`engine does not answer: ${health.message ?? 'unknown'}`]),
        ...(connected ? [] : [`no session with a manager: ${message}`]),
        ...(lost ? [`frozen, the store lost history: ${lost.reason}`] : []),
      ],
    };
  }

  /** Containers of this node and no other. */
  private get labels(): Readonly<Record<string, string>> {
    const { clusterId, nodeId } = this.options.identity;
    return { [CONTAINER_LABEL.cluster]: clusterId, [CONTAINER_LABEL.node]: nodeId };
  }

  private async recall(): Promise<void> {
    const known = await this.cache.load();
    if (!known) return;
    this.pastReports = known.reports;
    if (known.history) this.history.restore(known.history);
    this.book.restore(known);
  }

  /** Removes all containers of this node and who it was. A stop meanwhile lets the next start go on. */
  private async leaveCluster(signal: AbortSignal): Promise<void> {
    const { log, clock, state } = this.options;
    log.warn({}, 'this node was removed from the cluster, cleaning up');
    await this.tasks.release();
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.removeContainers(signal);
        if (this.tasks.letGoTooSoon) {
          await clock.sleep(LATE_CREATION_MS, signal);
          await this.removeContainers(signal);
        }
        break;
      } catch (error) {
        signal.throwIfAborted();
        log.warn({ reason: messageOf(error) }, 'containers not removed yet');
        await clock.sleep(backoffMs(CLEAN_RETRY, attempt), signal);
      }
    }
    await state.wipe();
    log.warn({}, 'this node belongs to no cluster any more');
  }

  private async removeContainers(signal: AbortSignal): Promise<void> {
    const { engine } = this.options;
    const ours = await engine.listContainers({ labels: this.labels, all: true, signal });
    for (const { id } of ours) {
      await engine.removeContainer(id, { force: true, volumes: true, signal });
    }
  }

  private vouch(): Vouched {
    const { identity, version } = this.options;
    const { health, description } = this.watch;
    const { lost } = this.history;
    const facts = { hostname: identity.hostname, agentVersion: version };
    return {
      engineHealthy: health.healthy,
      ...(health.message !== undefined && { engineMessage: health.message }),
      ...(lost && { historyLost: lost }),
      description: describeNode(facts, description),
    };
  }

  private nodeFacts(): NodeFacts {
    const { description } = this.watch;
    if (!description) throw new UnavailableError('the engine has not answered yet');
    const { clusterId, nodeId, hostname } = this.options.identity;
    const { os, architecture, apiVersion } = description;
    return { clusterId, nodeId, hostname, os, architecture, engineApiVersion: apiVersion };
  }

  private makeReporter(): StatusReporter {
    const { clock, log, metrics } = this.options;
    return new StatusReporter({
      clock,
      log,
      vouch: () => this.vouch(),
      isStarting: () => this.starts.queued > 0,
      onFlush: (outcome) => {
        metrics.of.agent.statusFlushes.inc({ outcome });
      },
    });
  }

  private makeWatch(): EngineWatch {
    const { engine, clock, log } = this.options;
    return new EngineWatch({
      engine,
      labels: this.labels,
      actions: TELLING,
      clock,
      log,
      onEvent: (event) => {
        this.tasks.onEvent(event);
      },
      onOpen: () => {
        this.reconciler.requestList();
      },
      onChange: () => {
        this.reporter.nudge();
      },
    });
  }

  private makeTasks(): TaskSet {
    const { engine, images, clock, log, startConcurrency } = this.options;
    return new TaskSet({
      around: {
        engine,
        images: new ImageSupply({ engine, images, clock }),
        starts: this.starts,
        clock,
        log,
        nodeFacts: () => this.nodeFacts(),
        probes: this.probeSurroundings(),
        withdrawal: noEndpoints,
        report: (taskId, report) => {
          const before = this.reporter.reports.get(taskId);
          this.reporter.report(taskId, report);
          const isWorthKeeping = report.state !== before?.state || report.ready !== before.ready;
          if (isWorthKeeping) this.cache.changed();
        },
      },
      removals: new StartPool(startConcurrency),
      pastReport: (taskId) => this.pastReports.get(taskId),
      onGone: (taskId) => {
        this.reporter.forget(taskId);
        this.cache.changed();
      },
    });
  }

  private probeSurroundings(): ProbeSurroundings {
    const { engine, network = nodeNetwork, clock, metrics } = this.options;
    const { probes, probeDuration } = metrics.of.agent;
    return {
      engine,
      network,
      clock,
      scheduler: this.probes,
      random: Math.random,
      onTry: (probe, outcome, durationMs) => {
        probes.inc({ probe, outcome });
        probeDuration.observe({ probe }, durationMs / 1000);
      },
    };
  }

  private makeReconciler(): Reconciler {
    const { engine, clock, log, metrics } = this.options;
    const { labels, tasks, book } = this;
    return new Reconciler({
      engine,
      labels,
      tasks,
      book,
      clock,
      log,
      onHeard: (health) => {
        this.watch.heard(health);
      },
      onPass: (outcome) => {
        metrics.of.agent.reconcilePasses.inc({ outcome });
      },
    });
  }

  private makeLogs(): LogStreams {
    const { engine, clock, log } = this.options;
    return new LogStreams({ engine, clock, log, sourceOf: (taskId) => this.logSource(taskId) });
  }

  private logSource(taskId: string): LogSource | undefined {
    const runner = this.tasks.get(taskId);
    if (!runner) {
      // Assigned a moment ago.
      return this.book.wanted.assignments.has(taskId) ? { isAwaited: true } : undefined;
    }
    const { containerId, report, assignment } = runner;
    const hasBegun = report.state === 'running' || isTerminal(report.state);
    return { containerId, isAwaited: !hasBegun && isWanted(assignment.desiredState) };
  }

  private makeSession(): SessionKeeper {
    const { identity, managers, clock, log } = this.options;
    const { book, history, reporter, logs } = this;
    return new SessionKeeper({
      identity,
      managers,
      book,
      history,
      reporter,
      logs,
      clock,
      log,
      vouch: () => this.vouch(),
      onManagers: (addresses) => {
        this.remembering = this.remembering.then(() => this.rememberManagers(addresses));
      },
    });
  }

  /** A manager that this node joined with may be gone one day: those of today are kept, too. */
  private async rememberManagers(addresses: readonly string[]): Promise<void> {
    const { identity, state, log } = this.options;
    const managers = [...new Set([...addresses, ...identity.managers])];
    if (managers.join() === this.knownManagers.join()) return;
    this.knownManagers = managers;
    try {
      await state.saveIdentity({ ...identity, managers });
    } catch (error) {
      log.error({ error }, 'cannot keep the addresses of the managers');
    }
  }

  private makeCache(): AssignmentCache {
    const { state, identity, clock, log } = this.options;
    return new AssignmentCache({
      state,
      clusterId: identity.clusterId,
      nodeId: identity.nodeId,
      clock,
      log,
      content: () => ({
        ...this.book.wanted,
        // Tasks that wait for a manager's first words have not reported anything yet.
        reports: new Map([...this.pastReports, ...this.reporter.reports]),
        history: this.history.seen,
      }),
    });
  }

  private makeCertificates(): CertificateKeeper {
    const { credentials, managers, state, clock, log, metrics } = this.options;
    return new CertificateKeeper(credentials, {
      client: managers,
      state,
      clock,
      log,
      onRenewal: (outcome) => {
        metrics.of.certificate.renewals.inc({ outcome });
      },
    });
  }

  private exposeMetrics(): void {
    const { agent, certificate } = this.options.metrics.of;
    agent.tasks.onCollect(() =>
      [...this.tasks.counts()].map(([state, count]) => [{ state }, count] as const),
    );
    agent.unreadyTasks.onCollect(() => [[{}, this.tasks.unready]]);
    agent.probesScheduled.onCollect(() => [[{}, this.probes.counts().scheduled]]);
    agent.probesLate.onCollect(() => [[{}, this.probes.counts().late]]);
    agent.historyLost.onCollect(() => [[{}, this.history.lost ? 1 : 0]]);
    agent.sessionConnected.onCollect(() => [[{}, this.session.state.connected ? 1 : 0]]);
    agent.reconnects.onCollect(() => [[{}, this.session.reconnects]]);
    certificate.expiry.onCollect(() => [[{}, this.certificates.expiresAt.getTime() / 1000]]);
  }
}
