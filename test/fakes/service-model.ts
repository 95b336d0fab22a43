import {
  effectiveRestartPolicy,
  revisionTemplateOf,
  type ServiceRollout,
  type ServiceSpec,
  type StoredService,
  type StoredServiceRevision,
  type StoredServiceStatus,
  type StoredTask,
  type StoredTaskStatus,
  type TaskState,
} from '../../api/v1/index.js';
import {
  planService,
  type ServicePlan,
  type ServiceSnapshot,
} from '../../controllers/service/plan.js';
import type { NewTask, ServiceChange } from '../../controllers/service/plan-changes.js';
import type { GlobalNode } from '../../controllers/service/plan-global.js';
import type { Departure } from '../../controllers/service/plan-moves.js';
import { planSlot } from '../../controllers/task/plan-slot.js';
import { Waits } from '../../controllers/task/waits.js';
import { unreachable } from '../../pkg/base/index.js';
import {
  hasEnded,
  isLive,
  schedulingNodeOf,
  taskView,
  type TaskView,
} from '../../pkg/lifecycle/index.js';
import { slotKey, templateHash } from '../../pkg/objects/index.js';
import {
  aNode,
  aNodeHealth,
  aNodeStatus,
  aRevision,
  aService,
  type ServiceOptions,
} from '../builders/objects.js';

/** What a new task comes to when it may. */
export type Fate = 'runs' | 'unready' | 'fails' | 'rejected' | 'unplaced' | 'stays';

/** What a {@link ServiceModel} is made of. */
export interface ServiceModelOptions {
  readonly service?: ServiceOptions;
  readonly spec?: Partial<ServiceSpec>;
  /** What becomes of tasks of an image. Default: they run. */
  readonly fateOf?: (task: StoredTask, image: string) => Fate;
  /** Nodes of a global service. */
  readonly nodes?: readonly string[];
}

const STARTED_AT = Date.parse('2026-01-01T00:00:00.000Z');

/**
 * One service with the plans of both its controllers and nodes that do at once what they are told, without a store
 * and without waiting: a world small enough to be tried a thousand times. Time passes only when told.
 */
export class ServiceModel {
  nowMs = STARTED_AT;
  service: StoredService;
  revisions: StoredServiceRevision[] = [];
  status: StoredServiceStatus | undefined;
  tasks: TaskView[] = [];
  nodes: GlobalNode[];
  leadingSince = STARTED_AT;
  /** Nodes that tasks have to leave. */
  readonly departures = new Map<string, Departure>();
  /** Told of each change before it is made. */
  onChange: (change: ServiceChange, plan: ServicePlan) => void = () => undefined;
  private readonly waits = new Waits();
  private ids = 0;
  /** Counts whatever changes in the store. */
  private writes = 0;

  constructor(private readonly options: ServiceModelOptions = {}) {
    const service = aService(options.service);
    this.service = { ...service, spec: { ...service.spec, ...options.spec } };
    this.nodes = (options.nodes ?? []).map((id) => aGlobalNode(id));
  }

  /** Changes the spec, as the API does. */
  apply(
    change: Partial<ServiceSpec> & { readonly image?: string; readonly replicas?: number },
  ): void {
    const { image, replicas, ...spec } = change;
    const before = this.service.spec;
    const container = image === undefined ? {} : { image };
    this.write({
      spec: {
        ...before,
        ...(replicas !== undefined && { mode: { replicated: { replicas } } }),
        task: { ...before.task, container: { ...before.task.container, ...container } },
        ...spec,
      },
    });
  }

  /** Gives an order about the rollout, as the API does. */
  order(order: Partial<ServiceRollout>): void {
    const changedAt = this.now;
    this.write({ rollout: { ...this.service.rollout, ...order, changedAt } });
  }

  /** One look of the service controller; with `crashAfter` only so many of its writes are made. */
  look(crashAfter = Infinity): ServicePlan {
    const plan = planService(this.snapshot());
    if (crashAfter <= 0) return plan;
    this.status = { ...plan.status, serviceUid: this.service.metadata.uid, version: 1 };
    for (const change of plan.changes.slice(0, crashAfter)) {
      this.onChange(change, plan);
      this.make(change);
    }
    return plan;
  }

  /** What the service controller would read now. */
  snapshot(): ServiceSnapshot {
    return {
      service: this.service,
      templateHash: templateHash(revisionTemplateOf(this.service.spec)),
      revisions: this.revisions,
      freeRevision: Math.max(0, ...this.revisions.map(({ revision }) => revision)) + 1,
      tasks: this.tasks,
      nodes: this.nodes,
      placedNodes: new Map(this.nodes.map(({ node }) => [node.id, node])),
      lostNodes: new Set(
        [...this.departures].flatMap(([id, { kind }]) => (kind === 'lost' ? [id] : [])),
      ),
      departures: this.departures,
      status: this.status,
      leadingSince: this.leadingSince,
      now: this.now,
    };
  }

  /** One look of the task controller at every slot. */
  lookAtSlots(): void {
    const places = new Set(this.tasks.map(({ task }) => slotKey(task.spec)));
    for (const place of places) {
      this.lookAtSlot(
        place,
        this.tasks.filter(({ task }) => slotKey(task.spec) === place),
      );
    }
  }

  /** Nodes do what they are told, each task one step; `only` narrows it to some. */
  nodesAct(only: (view: TaskView) => boolean = () => true): void {
    for (const view of [...this.tasks].filter(only)) this.advance(view);
  }

  /** Everybody acts until nothing changes any more; time passes only as far as somebody waits for it. */
  settle({ rounds = 200, untilMs = Infinity } = {}): void {
    const end = this.nowMs + untilMs;
    for (let round = 0; round < rounds; round += 1) {
      const before = this.state();
      const { lookAgainAt } = this.look();
      this.lookAtSlots();
      this.nodesAct();
      const next = Math.min(lookAgainAt ?? Infinity, this.nextStart());
      if (this.state() !== before) continue;
      if (!Number.isFinite(next) || next > end) return;
      this.nowMs = Math.max(this.nowMs + 1, next);
    }
    throw new Error('never settles');
  }

  private state(): string {
    return `${String(this.writes)} ${JSON.stringify(this.status)}`;
  }

  /** A task ends by itself. */
  end(view: TaskView, state: 'failed' | 'complete' | 'rejected' = 'failed'): void {
    this.report(view, state, { error: 'it broke' });
  }

  /** The readiness probe of a running task passes, or fails. */
  setReady(view: TaskView, ready: boolean): void {
    const standing = ready
      ? { ready, readyAt: this.now }
      : { ready, unready: { reason: 'ReadinessFailed', message: 'HTTP 503', since: this.now } };
    const { appliedAt = this.now } = view.status ?? {};
    this.report(view, 'running', { ...standing, appliedAt });
  }

  /** Placement says why it found no node for tasks that wait for one. */
  explainPending(message: string): void {
    const pending = { message, filters: [], since: this.now };
    for (const view of this.live) {
      if (view.task.spec.nodeId === undefined) this.change(view, { pending });
    }
  }

  /** Live tasks. */
  get live(): readonly TaskView[] {
    return this.tasks.filter(isLive);
  }

  /** Live tasks that run. */
  get running(): readonly TaskView[] {
    return this.live.filter(({ state }) => state === 'running');
  }

  /** Images of the tasks that run, with how many. */
  get images(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { task } of this.running) {
      const image = this.imageOf(task);
      counts[image] = (counts[image] ?? 0) + 1;
    }
    return counts;
  }

  /** The latest update. */
  get update() {
    return this.status?.update;
  }

  get now(): string {
    return new Date(this.nowMs).toISOString();
  }

  /** The image that a task runs. */
  imageOf({ spec }: StoredTask): string {
    return (
      this.revisions.find(({ revision }) => revision === spec.revision)?.template.task.container
        .image ?? ''
    );
  }

  private write(change: Partial<StoredService>): void {
    const { metadata } = this.service;
    this.service = {
      ...this.service,
      ...change,
      metadata: { ...metadata, generation: metadata.generation + 1, updatedAt: this.now },
    };
  }

  private make(change: ServiceChange): void {
    this.writes += 1;
    switch (change.kind) {
      case 'create-revision': {
        const { revision, hash, template } = change;
        const stored = aRevision(this.service, revision);
        this.revisions.push({ ...stored, hash, template });
        return;
      }
      case 'create-task':
        this.create(change.task);
        return;
      case 'replace-task':
      case 'move-task':
        for (const view of change.stopped) this.desire(view, 'shutdown');
        this.create(change.task);
        return;
      case 'set-desired-state':
        this.desire(change.task, change.desiredState);
        return;
      case 'delete-revision':
        this.revisions = this.revisions.filter((stored) => stored !== change.revision);
        return;
      case 'delete-service':
        return;
      default:
        unreachable(change);
    }
  }

  private create({
    retry,
    slot,
    forNode,
    revision,
    desiredState,
    updates,
    moves,
    attempt,
  }: NewTask): void {
    this.writes += 1;
    this.ids += 1;
    const id = `task${String(this.ids).padStart(5, '0')}`;
    const task: StoredTask = {
      apiVersion: 'swarm/v1',
      kind: 'Task',
      metadata: {
        name: `web.${forNode ?? String(slot)}`,
        uid: id,
        version: 1,
        generation: 1,
        createdAt: this.now,
        updatedAt: this.now,
        labels: {},
      },
      spec: {
        service: this.service.metadata.name,
        serviceUid: this.service.metadata.uid,
        revision,
        slot,
        desiredState,
        restarts: 0,
        failures: 0,
        ...retry,
        ...(forNode !== undefined && { forNode }),
        ...(updates !== undefined && { updates }),
        ...(moves !== undefined && { moves }),
        ...(attempt !== undefined && { attempt }),
      },
    };
    this.tasks.push(taskView(task, undefined));
  }

  private desire(view: TaskView, desiredState: StoredTask['spec']['desiredState']): void {
    this.change(view, { desiredState });
  }

  private change(view: TaskView, spec: Partial<StoredTask['spec']>): void {
    this.writes += 1;
    this.tasks = this.tasks.map((known) => {
      if (known.task.metadata.uid !== view.task.metadata.uid) return known;
      const task = { ...known.task, spec: { ...known.task.spec, ...spec } };
      return taskView(task, known.status);
    });
  }

  private report(view: TaskView, state: TaskState, more: Partial<StoredTaskStatus> = {}): void {
    this.writes += 1;
    const runningAt = state === 'running' ? this.now : view.status?.runningAt;
    const servedAt = view.status?.servedAt ?? more.readyAt;
    const status: StoredTaskStatus = {
      taskId: view.task.metadata.uid,
      nodeId: view.task.spec.nodeId ?? 'n1',
      epoch: 1,
      state,
      at: this.now,
      appliedAt: this.now,
      message: state,
      version: 1,
      ...(runningAt !== undefined && { runningAt, startedAt: runningAt }),
      ...(servedAt !== undefined && { servedAt }),
      ...more,
    };
    this.tasks = this.tasks.map((known) =>
      known.task.metadata.uid === view.task.metadata.uid ? taskView(known.task, status) : known,
    );
  }

  private lookAtSlot(place: string, tasks: readonly TaskView[]): void {
    const waiting = tasks.filter(({ task }) => task.spec.desiredState === 'ready');
    const ids = waiting.map(({ task }) => task.metadata.uid);
    const since = this.waits.note(place, ids, this.nowMs);
    const { changes } = planSlot({
      service: 'present',
      tasks: tasks.map((view) => ({
        ...view,
        policy: this.policyOf(view),
        waitedMs: this.nowMs - (since.get(view.task.metadata.uid) ?? this.nowMs),
      })),
      historyLimit: 5,
      now: this.nowMs,
    });
    for (const change of changes) {
      const { task } = change;
      if (change.kind === 'start-task') this.desire(task, 'running');
      if (change.kind === 'delete-task') this.forget(task);
      if (change.kind !== 'end-task') continue;
      this.desire(task, 'shutdown');
      if (!change.successor) continue;
      const { startAt, ...successor } = change.successor;
      const { slot, forNode, revision, attempt } = task.task.spec;
      this.create({ slot, forNode, revision, attempt, desiredState: successor.desiredState });
      const created = this.tasks.at(-1);
      if (created) {
        this.change(created, {
          ...successor,
          replaces: task.task.metadata.uid,
          ...(startAt !== undefined && { startAt }),
        });
      }
    }
  }

  private forget({ task }: TaskView): void {
    this.writes += 1;
    this.tasks = this.tasks.filter((known) => known.task.metadata.uid !== task.metadata.uid);
  }

  private policyOf({ task }: TaskView) {
    const revision = this.revisions.find((stored) => stored.revision === task.spec.revision);
    return effectiveRestartPolicy(revision?.template ?? { task: { container: { image: '' } } });
  }

  private advance(view: TaskView): void {
    const { nodeId } = view.task.spec;
    if (hasEnded(view)) return;
    if (isLive(view)) this.advanceLive(view);
    else if (nodeId !== undefined) this.report(view, 'shutdown');
  }

  private advanceLive(view: TaskView): void {
    const { desiredState, nodeId, startAt } = view.task.spec;
    const fate = this.options.fateOf?.(view.task, this.imageOf(view.task)) ?? 'runs';
    if (fate === 'unplaced' || fate === 'stays') return;
    // Placement holds back what was held back, or a bad image would be pulled without a pause.
    if (Date.parse(startAt ?? this.now) > this.nowMs) return;
    if (nodeId === undefined) this.change(view, { nodeId: view.task.spec.forNode ?? this.home });
    else if (fate === 'rejected') this.report(view, 'rejected', { error: 'no such image' });
    else this.runOn(view, desiredState, fate);
  }

  private runOn(view: TaskView, desiredState: string, fate: Fate): void {
    if (view.state === 'running') {
      if (fate === 'fails') this.report(view, 'failed', { error: 'exit code 1' });
    } else if (desiredState === 'running') {
      this.setReady(view, fate !== 'unready');
    } else if (view.state === 'assigned') {
      this.report(view, 'ready');
    }
  }

  /** Where tasks go: the first node that none has to leave. */
  private get home(): string {
    return ['n1', 'n2', 'n3'].find((id) => !this.departures.has(id)) ?? 'n4';
  }

  private nextStart(): number {
    const held = this.live.flatMap(({ task }) =>
      task.spec.desiredState === 'ready' && task.spec.startAt !== undefined
        ? [Date.parse(task.spec.startAt)]
        : [],
    );
    return Math.min(Infinity, ...held.filter((at) => at > this.nowMs));
  }
}

/** A node as a global service looks at it. */
export function aGlobalNode(
  id: string,
  standing: GlobalNode['standing'] = 'available',
): GlobalNode {
  const parts = { node: aNode(id), status: aNodeStatus(id), health: aNodeHealth(id) };
  return { node: schedulingNodeOf(parts), standing };
}
