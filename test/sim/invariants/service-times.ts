import {
  durationMs,
  isWanted,
  type StoredNodeHealth,
  type StoredTask,
  type StoredTaskStatus,
} from '../../../api/v1/index.js';
import { Folder } from '../../../pkg/store/index.js';
import type { KeyChange, Truth } from './truth.js';

/** By true time: since when a task serves, and until when it did. */
interface Service {
  readonly sinceMs: number;
  readonly untilMs?: number;
}

/** When tasks were in service, by true time. */
export class ServiceTimes {
  private readonly times = new Map<string, Service>();
  /** When nodes were lost last, or still are. */
  private readonly lostMs = new Map<string, number>();

  constructor(
    private readonly truth: Truth,
    private readonly now: () => number,
  ) {}

  check(changes: readonly KeyChange[]): void {
    for (const { folder, id, before, after } of changes) {
      if (folder === Folder.nodeHealth && isLost(before)) this.lostMs.set(id, this.now());
      if (folder === Folder.taskStatus) this.note(id, after as StoredTaskStatus | undefined);
      if (folder === Folder.tasks && !after) this.times.delete(id);
    }
  }

  /** True when it has served for at least so long, and still does. */
  hasServedFor(task: StoredTask, ms: number): boolean {
    const service = this.times.get(task.metadata.uid);
    if (!service || service.untilMs !== undefined) return false;
    if (this.isOutOfReachWithin(task, 0)) return false;
    return this.now() - service.sinceMs >= ms + this.minReadyMs(task);
  }

  /** True when it served at some time within the last `ms`, told to stop or not. */
  hasServedWithin(task: StoredTask, ms: number): boolean {
    const service = this.times.get(task.metadata.uid);
    return service !== undefined && this.now() - (service.untilMs ?? this.now()) <= ms;
  }

  /** The node of a task is lost or removed, or was within the last `ms`: a leader may not count on it. */
  isOutOfReachWithin({ spec: { nodeId, forNode } }: StoredTask, ms: number): boolean {
    const id = nodeId ?? forNode;
    if (id === undefined) return false;
    if (!this.truth.nodes.has(id) || isLost(this.truth.nodeHealths.get(id))) return true;
    return this.now() - (this.lostMs.get(id) ?? -Infinity) <= ms;
  }

  private note(id: string, status: StoredTaskStatus | undefined): void {
    const known = this.times.get(id);
    const serves = status?.state === 'running' && status.ready !== false;
    const isServing = known !== undefined && known.untilMs === undefined;
    if (serves === isServing) return;
    const nowMs = this.now();
    this.times.set(
      id,
      serves ? { sinceMs: nowMs } : { sinceMs: known?.sinceMs ?? nowMs, untilMs: nowMs },
    );
  }

  private minReadyMs(task: StoredTask): number {
    return durationMs(this.truth.revisionOf(task)?.template.task.minReady, 0);
  }
}

/** The task may be on its way, or run. */
export const isLive = ({ spec }: StoredTask): boolean => isWanted(spec.desiredState);

const isLost = (health: unknown): boolean =>
  (health as StoredNodeHealth | undefined)?.state === 'lost';
