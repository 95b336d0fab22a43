import { isTerminal, type StoredTask } from '../../api/v1/index.js';
import type { TimeSlice } from '../base/index.js';
import {
  hasFailed,
  instantMs,
  schedulingNodeOf,
  taskView,
  type TaskView,
} from '../lifecycle/index.js';
import type { World } from '../objects/index.js';
import { ClusterState } from '../scheduler/index.js';
import { placedTaskOf } from './placed-task.js';

/** Failures older than this do not count against a node (Swarm's). */
const FAILURE_WINDOW_MS = 300_000;

/** The versions of a node's records when it was last read; 0 for one that does not exist. */
export interface NodeVersions {
  readonly node: number;
  readonly status: number;
  readonly health: number;
}

interface Failure {
  readonly nodeId: string;
  readonly atMs: number;
}

/**
 * The scheduler's state of the cluster, kept from batch to batch: a change costs what it changes. It only
 * moves in `refresh`, so a batch that lets others run in between sees one state. Nothing in it is memory:
 * it is made anew from stored objects for every term of leadership.
 */
export class ClusterView implements Disposable {
  readonly state = new ClusterState();
  private readonly versionsByNode = new Map<string, NodeVersions>();
  /** Failed tasks by service and revision, then by id. */
  private readonly failures = new Map<string, Map<string, Failure>>();
  private readonly failedIn = new Map<string, string>();
  private readonly staleTasks = new Set<string>();
  private readonly staleNodes = new Set<string>();
  private readonly subscriptions: readonly Disposable[];

  constructor(private readonly world: World) {
    const staleTask = (_before: unknown, _after: unknown, { key }: { readonly key: string }) => {
      this.staleTasks.add(key);
    };
    const staleNode = (_before: unknown, _after: unknown, { key }: { readonly key: string }) => {
      this.staleNodes.add(key);
    };
    this.subscriptions = [
      world.tasks.onChange(staleTask),
      world.taskStatuses.onChange(staleTask),
      world.nodes.onChange(staleNode),
      world.nodeStatuses.onChange(staleNode),
      world.nodeHealths.onChange(staleNode),
    ];
    for (const { metadata } of world.tasks.list()) this.staleTasks.add(metadata.uid);
    for (const { metadata } of world.nodes.list()) this.staleNodes.add(metadata.uid);
  }

  /** Brings everything up to the world's revision. */
  refresh(): void {
    for (const id of this.staleNodes) this.refreshNode(id);
    for (const id of this.staleTasks) this.refreshTask(id);
    this.staleNodes.clear();
    this.staleTasks.clear();
  }

  /** The same for those who are in no hurry: lets others run meanwhile, and ends at one revision. */
  async refreshInSlices(slice: TimeSlice): Promise<void> {
    while (this.staleTasks.size > 0) {
      for (const id of this.staleTasks) {
        this.refreshTask(id);
        this.staleTasks.delete(id);
        if (slice.isSpent) break;
      }
      if (slice.isSpent) await slice.yield();
    }
    this.refresh();
  }

  versionsOf(nodeId: string): NodeVersions {
    return this.versionsByNode.get(nodeId) ?? { node: 0, status: 0, health: 0 };
  }

  /** Recent failures of a service revision by node. `now`: milliseconds since 1970. */
  failuresOf(group: string, now: number): ReadonlyMap<string, number> | undefined {
    const failures = this.failures.get(group);
    if (!failures) return undefined;
    const byNode = new Map<string, number>();
    for (const { nodeId, atMs } of failures.values()) {
      if (atMs > now - FAILURE_WINDOW_MS) byNode.set(nodeId, (byNode.get(nodeId) ?? 0) + 1);
    }
    return byNode;
  }

  [Symbol.dispose](): void {
    for (const subscription of this.subscriptions) subscription[Symbol.dispose]();
  }

  private refreshNode(id: string): void {
    const node = this.world.nodes.get(id);
    if (!node) {
      this.state.removeNode(id);
      this.versionsByNode.delete(id);
      return;
    }
    const status = this.world.nodeStatuses.get(id);
    const health = this.world.nodeHealths.get(id);
    this.state.setNode(schedulingNodeOf({ node, status, health }));
    this.versionsByNode.set(id, {
      node: node.metadata.version,
      status: status?.version ?? 0,
      health: health?.version ?? 0,
    });
  }

  private refreshTask(id: string): void {
    const task = this.world.tasks.get(id);
    const view = task && taskView(task, this.world.taskStatuses.get(id));
    this.noteFailure(id, view);
    const nodeId = task?.spec.nodeId;
    if (!task || !view || nodeId === undefined || isTerminal(view.state)) {
      this.state.removeTask(id);
      return;
    }
    this.state.setTask(placedTaskOf(this.world, task, nodeId));
  }

  /** Tasks of global services have no other node to go to: their failures teach nothing. */
  private noteFailure(id: string, view: TaskView | undefined): void {
    const nodeId = view?.task.spec.nodeId;
    if (!view || nodeId === undefined || !hasFailed(view) || view.task.spec.slot === 0) {
      this.forgetFailure(id);
      return;
    }
    const group = groupKey(view.task);
    const failures = this.failures.get(group) ?? new Map<string, Failure>();
    failures.set(id, { nodeId, atMs: instantMs(view.status?.appliedAt) });
    this.failures.set(group, failures);
    this.failedIn.set(id, group);
  }

  private forgetFailure(id: string): void {
    const group = this.failedIn.get(id);
    if (group === undefined) return;
    this.failedIn.delete(id);
    const failures = this.failures.get(group);
    failures?.delete(id);
    if (failures?.size === 0) this.failures.delete(group);
  }
}

const groupKey = ({ spec }: StoredTask): string => `${spec.serviceUid}/${spec.revision}`;
