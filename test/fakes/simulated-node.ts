import { setMaxListeners } from 'node:events';
import {
  isTerminal,
  isWanted,
  type NodeDescription,
  type StoredNode,
  type StoredTask,
  type StoredTaskStatus,
  type TaskState,
} from '../../api/v1/index.js';
import { ConflictError, isRecoverable } from '../../pkg/base/index.js';
import type { Clock } from '../../pkg/base/index.js';
import { pastOf, taskView } from '../../pkg/lifecycle/index.js';
import { atVersion, puts, type World } from '../../pkg/objects/index.js';
import { packTransactions, type Keys, type Store, type TxnPart } from '../../pkg/store/index.js';
import { aNode, aNodeStatus, type NodeOptions } from '../builders/objects.js';

/** What becomes of a task on a simulated node. Times default to 0. */
export interface TaskFate {
  /** Until the container is ready: image pull and creation. */
  readonly prepareMs?: number;
  /** From the start until it runs. */
  readonly startMs?: number;
  /** From the wish to stop it until it has stopped. */
  readonly stopMs?: number;
  /** It ends in this way instead of running for ever: `rejected` before it starts, the others after `runMs`. */
  readonly ends?: 'rejected' | 'failed' | 'complete';
  readonly runMs?: number;
}

/** What a {@link SimulatedNode} is made of. */
export interface SimulatedNodeOptions {
  readonly id: string;
  readonly store: Store;
  readonly keys: Keys;
  readonly world: World;
  readonly clock: Clock;
  /** Manager that holds its session. Default `m1`. */
  readonly managerId?: string;
  /** Asked once per task. Default: it runs for ever, and everything takes no time. */
  readonly fateOf?: (task: StoredTask) => TaskFate;
  readonly node?: NodeOptions;
  /** What it says of itself beside what {@link aNodeStatus} does. */
  readonly description?: Partial<NodeDescription>;
}

/** A container, so to speak. */
interface Container {
  readonly fate: TaskFate;
  /** When its present step began, in monotonic milliseconds. */
  sinceMs: number;
  stoppingSinceMs?: number;
  startedAt?: string;
}

/**
 * A node with its agent and the manager of its session in one: it does what tasks ask and reports it to the
 * store, as the session's manager would. Its containers go on while it is disconnected.
 */
export class SimulatedNode {
  readonly id: string;
  private readonly containers = new Map<string, Container>();
  private readonly dirty = new Set<string>();
  private readonly subscriptions: Disposable[] = [];
  private readonly stopped = new AbortController();
  private description: Partial<NodeDescription>;
  private pumping = false;
  private connected = false;
  private epoch = 0;

  constructor(private readonly options: SimulatedNodeOptions) {
    this.id = options.id;
    this.description = options.description ?? {};
    setMaxListeners(0, this.stopped.signal); // one for each container that waits
  }

  /** Becomes a member of the cluster and opens its session. */
  async join(): Promise<void> {
    const { store, keys, world, node } = this.options;
    const member: StoredNode = aNode(this.id, node);
    await store.commit({ compare: [], operations: [puts.node(keys, member)] });
    this.subscriptions.push(
      world.tasks.onChange((before, after, { key }) => {
        if ((after ?? before)?.spec.nodeId === this.id) this.touch(key);
      }),
    );
    for (const task of world.tasks.byIndex('node', this.id)) this.touch(task.metadata.uid);
    await this.connect();
  }

  /** Opens a session, and reports what happened meanwhile. */
  async connect(
    managerId = this.options.managerId ?? 'm1',
    managerStartedAt?: string,
  ): Promise<void> {
    this.epoch += 1;
    this.connected = true;
    const run = managerStartedAt === undefined ? {} : { managerStartedAt };
    await this.writeSession({ open: true, reason: '', managerId, ...run });
    for (const task of this.options.world.tasks.byIndex('node', this.id)) {
      this.touch(task.metadata.uid);
    }
  }

  /** Its engine is another one now, so to speak. */
  async describe(description: Partial<NodeDescription>): Promise<void> {
    this.description = description;
    await this.connect();
  }

  /** Its session is closed; what runs goes on running. */
  async disconnect(reason = 'heartbeat failure'): Promise<void> {
    this.connected = false;
    await this.writeSession({ open: false, reason, managerId: this.options.managerId ?? 'm1' });
  }

  /** A container ends by itself. */
  async end(taskId: string, state: 'failed' | 'complete' = 'failed'): Promise<void> {
    await this.report([{ taskId, state, exitCode: state === 'failed' ? 1 : 0 }]);
  }

  /** The readiness probe of a running container passes, or fails. */
  async stand(taskId: string, ready: boolean): Promise<void> {
    await this.report([{ taskId, state: 'running', ready }]);
  }

  /** Stops everything at once, like a power cut. */
  stop(): void {
    this.stopped.abort();
    for (const subscription of this.subscriptions) subscription[Symbol.dispose]();
  }

  private async writeSession(session: {
    readonly open: boolean;
    readonly reason: string;
    readonly managerId: string;
    readonly managerStartedAt?: string;
  }): Promise<void> {
    const { store, keys, clock } = this.options;
    const changedAt = clock.now().toISOString();
    const { description } = aNodeStatus(this.id);
    const status = aNodeStatus(this.id, {
      session: { ...session, epoch: this.epoch, changedAt },
      description: { ...description, ...this.description },
    });
    await store.commit({ compare: [], operations: [puts.nodeStatus(keys, status)] });
  }

  private touch(taskId: string): void {
    this.dirty.add(taskId);
    if (this.pumping || !this.connected || this.stopped.signal.aborted) return;
    this.pumping = true;
    setImmediate(() => void this.pump());
  }

  private async pump(): Promise<void> {
    while (this.dirty.size > 0 && this.connected && !this.stopped.signal.aborted) {
      const ids = [...this.dirty];
      this.dirty.clear();
      const reports = ids.flatMap((id) => this.nextReport(id));
      if (reports.length > 0) await this.report(reports);
    }
    this.pumping = false;
  }

  private nextReport(taskId: string): readonly Report[] {
    const { world, clock } = this.options;
    const task = world.tasks.get(taskId);
    if (task?.spec.nodeId !== this.id) {
      this.containers.delete(taskId);
      return [];
    }
    const { state } = taskView(task, world.taskStatuses.get(taskId));
    if (isTerminal(state)) return [];
    const nowMs = clock.monotonicMs();
    const container = this.containerOf(task, nowMs);
    const step = stepOf(task, state, container, nowMs);
    if (!step) return [];
    if (step.dueMs > nowMs) {
      void clock.sleep(step.dueMs - nowMs, this.stopped.signal).then(
        () => {
          this.touch(taskId);
        },
        () => undefined,
      );
      return [];
    }
    container.sinceMs = nowMs;
    if (step.state === 'running') container.startedAt = clock.now().toISOString();
    return [{ taskId, state: step.state }];
  }

  private containerOf(task: StoredTask, nowMs: number): Container {
    const known = this.containers.get(task.metadata.uid);
    if (known) return known;
    const fate = this.options.fateOf?.(task) ?? {};
    const container = { fate, sinceMs: nowMs };
    this.containers.set(task.metadata.uid, container);
    return container;
  }

  private async report(reports: readonly Report[]): Promise<void> {
    const { world, store } = this.options;
    const parts = reports.flatMap((report) => this.partOf(report));
    for (const txn of packTransactions(parts)) {
      try {
        const revision = await store.commit(txn);
        await world.cache.waitForRevision(revision, { signal: this.stopped.signal });
      } catch (error) {
        if (this.stopped.signal.aborted) return;
        if (!(error instanceof ConflictError) && !isRecoverable(error)) throw error;
        await this.options.clock.sleep(1, this.stopped.signal).catch(() => undefined);
      }
    }
    for (const { taskId } of reports) this.touch(taskId);
  }

  /** A manager refuses reports of tasks that are gone and of states that were passed. */
  private partOf(report: Report): readonly TxnPart[] {
    const { taskId, state, exitCode } = report;
    const { world, keys, clock } = this.options;
    const task = world.tasks.get(taskId);
    const before = world.taskStatuses.get(taskId);
    if (!task || (before && isTerminal(before.state))) return [];
    const at = clock.now().toISOString();
    const startedAt = this.containers.get(taskId)?.startedAt;
    const status: StoredTaskStatus = {
      taskId,
      nodeId: this.id,
      epoch: this.epoch,
      state,
      at,
      appliedAt: at,
      message: state,
      version: 0,
      ...(startedAt !== undefined && { startedAt }),
      ...(isTerminal(state) && { finishedAt: at }),
      ...endOf(state, exitCode),
      ...standingOf(report, at),
      ...pastOf(before),
    };
    return [
      {
        compare: [
          atVersion(keys.task(taskId), task.metadata.version),
          atVersion(keys.taskStatus(taskId), before?.version ?? 0),
        ],
        operations: [puts.taskStatus(keys, status)],
      },
    ];
  }
}

interface Report {
  readonly taskId: string;
  readonly state: TaskState;
  readonly exitCode?: number;
  /** While it runs. Default true. */
  readonly ready?: boolean;
}

/** How an agent and the manager of its session describe whether a task is in service. */
function standingOf({ state, ready = true }: Report, at: string): Partial<StoredTaskStatus> {
  if (state !== 'running') return {};
  if (ready) return { ready, readySince: at, readyAt: at, servedAt: at, runningAt: at };
  return { ready, unready: { reason: 'ReadinessFailed', message: 'HTTP 503', since: at } };
}

/** How an agent describes an end that was not asked for. */
function endOf(state: TaskState, exitCode = 1): Partial<StoredTaskStatus> {
  if (state === 'failed') return { error: `exit code ${String(exitCode)}`, exitCode };
  return state === 'rejected' ? { error: 'no such image', reason: 'ImageNotFound' } : {};
}

interface Step {
  readonly state: TaskState;
  readonly dueMs: number;
}

/** The next state of a task, and when it comes; undefined when nothing comes by itself. */
function stepOf(
  task: StoredTask,
  state: TaskState,
  container: Container,
  nowMs: number,
): Step | undefined {
  const { fate, sinceMs } = container;
  const { desiredState } = task.spec;
  if (!isWanted(desiredState)) {
    container.stoppingSinceMs ??= nowMs;
    return { state: 'shutdown', dueMs: container.stoppingSinceMs + (fate.stopMs ?? 0) };
  }
  if (state === 'running') return endAfter(fate, sinceMs);
  if (state === 'assigned') {
    const isRejected = fate.ends === 'rejected';
    return { state: isRejected ? 'rejected' : 'ready', dueMs: sinceMs + (fate.prepareMs ?? 0) };
  }
  if (desiredState === 'ready') return undefined;
  return { state: 'running', dueMs: sinceMs + (fate.startMs ?? 0) };
}

function endAfter({ ends, runMs = 0 }: TaskFate, sinceMs: number): Step | undefined {
  if (ends === undefined || ends === 'rejected') return undefined;
  return { state: ends, dueMs: sinceMs + runMs };
}
