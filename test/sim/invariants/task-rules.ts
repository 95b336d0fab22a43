import {
  desiredRank,
  isTerminal,
  isWanted,
  stateRank,
  type StoredService,
  type StoredTask,
  type StoredTaskStatus,
} from '../../../api/v1/index.js';
import { slotKey } from '../../../pkg/objects/index.js';
import { Folder } from '../../../pkg/store/index.js';
import type { KeyChange, Truth } from './truth.js';
import type { Verdicts } from './verdicts.js';

/** How long a successor waits at most for the task it replaces (swarm-semantics 2.6). */
const MOST_STOP_WAIT_MS = 60_000;
/** Machines' clocks differ by so much of it. */
const CLOCK_ERROR = 0.02;

const WRITTEN_ONCE = [
  'service',
  'serviceUid',
  'revision',
  'slot',
  'forNode',
  'restarts',
  'failures',
  'replaces',
  'moves',
] as const;

/** What must hold of tasks at every revision (DESIGN 4). */
export class TaskRules {
  /** When each task was created, by true time. */
  private readonly createdMs = new Map<string, number>();
  /** Tasks that a task was started in spite of, because they could not be waited for. */
  private readonly excused = new Map<string, ReadonlySet<string>>();
  /** Tasks that were ever meant to run. */
  private readonly everStarted = new Set<string>();
  /** Services that ever let a new task run beside the old one. */
  private readonly overlapping = new Set<string>();

  constructor(
    private readonly truth: Truth,
    private readonly verdicts: Verdicts,
    private readonly now: () => number,
  ) {}

  check(changes: readonly KeyChange[]): void {
    for (const { folder, id, before, after } of changes) {
      if (folder === Folder.tasks) {
        this.checkTask(id, before as StoredTask | undefined, after as StoredTask | undefined);
      }
      if (folder === Folder.services && after) this.noteService(after as StoredService);
      if (folder === Folder.taskStatus) {
        this.checkStatus(
          id,
          before as StoredTaskStatus | undefined,
          after as StoredTaskStatus | undefined,
        );
      }
    }
  }

  /** True when the task was told to run at some time. */
  mayRun(taskId: string): boolean {
    return this.everStarted.has(taskId);
  }

  /** True when `taskId` was started although `otherId` might still run. */
  isExcused(taskId: string, otherId: string): boolean {
    return this.excused.get(taskId)?.has(otherId) ?? false;
  }

  private noteService({ metadata, spec }: StoredService): void {
    const policies = [spec.update ?? {}, spec.rollback ?? {}];
    const isOverlapping = policies.some(
      ({ order, maxSurge = 0 }) => order === 'start-first' || maxSurge !== 0,
    );
    if (isOverlapping) this.overlapping.add(metadata.uid);
  }

  private checkTask(id: string, before: StoredTask | undefined, after: StoredTask | undefined) {
    if (!before) this.createdMs.set(id, this.now());
    if (before && after) this.checkForward(before, after);
    if (!after) return;
    if (isWanted(after.spec.desiredState)) this.checkSlot(after);
    if (isToldToRun(after) && !(before && isToldToRun(before))) this.noteStart(after);
  }

  private checkForward(before: StoredTask, after: StoredTask): void {
    const [old, now] = [before.spec, after.spec];
    const { name } = after.metadata;
    if (before.metadata.uid !== after.metadata.uid) {
      this.verdicts.broken('written-once', `${name}: another task under the same key`);
    }
    if (desiredRank(now.desiredState) < desiredRank(old.desiredState)) {
      this.verdicts.broken(
        'forward-only',
        `${name}: desired ${old.desiredState} became ${now.desiredState}`,
      );
    }
    if (old.nodeId !== undefined && old.nodeId !== now.nodeId) {
      this.verdicts.broken('written-once', `${name}: moved from ${old.nodeId}`);
    }
    for (const field of WRITTEN_ONCE) {
      if (old[field] === now[field]) continue;
      this.verdicts.broken(
        'written-once',
        `${name}: ${field} ${String(old[field])} became ${String(now[field])}`,
      );
    }
  }

  private checkSlot(task: StoredTask): void {
    const live = this.truth
      .tasksOfSlot(slotKey(task.spec))
      .filter((other) => isWanted(other.spec.desiredState) && !this.isDone(other))
      .filter(({ spec }) => spec.nodeId === undefined || !this.isOutOfReach(spec.nodeId));
    const isMove = live.some(({ spec }) => spec.moves !== undefined);
    if (live.length <= (isMove || this.overlapping.has(task.spec.serviceUid) ? 2 : 1)) return;
    const ids = live.map(({ metadata }) => metadata.uid.slice(0, 6)).join(' and ');
    this.verdicts.broken('one-live-task', `${task.metadata.name} has ${live.length}: ${ids}`);
  }

  /** What was to end has ended, well or not; nobody has to tell it to. */
  private isDone(task: StoredTask): boolean {
    return task.spec.desiredState === 'complete' && this.truth.hasEnded(task);
  }

  /** Whoever starts has waited for what ran in its place, or could not. */
  private noteStart(task: StoredTask): void {
    const { uid, name } = task.metadata;
    this.everStarted.add(uid);
    const others = this.truth
      .tasksOfSlot(slotKey(task.spec))
      .filter((other) => other.metadata.uid !== uid && this.mayStillRun(other));
    this.excused.set(uid, new Set(others.map(({ metadata }) => metadata.uid)));
    const waitedMs = this.now() - (this.createdMs.get(uid) ?? 0);
    if (waitedMs >= MOST_STOP_WAIT_MS * (1 - CLOCK_ERROR)) return;
    for (const other of others) {
      if (!this.mustWaitFor(other, task)) continue;
      const state = `${other.metadata.uid.slice(0, 6)} is ${this.truth.stateOf(other)} on ${other.spec.nodeId ?? ''}`;
      this.verdicts.broken('start-waits', `${name} ${uid.slice(0, 6)} starts while ${state}`);
    }
  }

  private mustWaitFor(other: StoredTask, task: StoredTask): boolean {
    if (this.truth.hasEnded(other) || this.isOutOfReach(other.spec.nodeId ?? '')) return false;
    const takesItsPlace = task.spec.moves === other.metadata.uid;
    const mayRunBeside = takesItsPlace || this.overlapping.has(task.spec.serviceUid);
    return !(mayRunBeside && isWanted(other.spec.desiredState));
  }

  /** Also when it is given up as orphaned: its node was removed, and may not have heard of it yet. */
  private mayStillRun(task: StoredTask): boolean {
    if (task.spec.nodeId === undefined) return false;
    return !this.truth.hasEnded(task) || this.truth.stateOf(task) === 'orphaned';
  }

  private isOutOfReach(nodeId: string): boolean {
    return !this.truth.nodes.has(nodeId) || this.truth.nodeHealths.get(nodeId)?.state === 'lost';
  }

  private checkStatus(
    id: string,
    before: StoredTaskStatus | undefined,
    after: StoredTaskStatus | undefined,
  ): void {
    if (!before || !after) return;
    const name = this.truth.tasks.get(id)?.metadata.name ?? id;
    const step = `${name} ${id.slice(0, 6)}: observed ${before.state} became ${after.state}`;
    if (stateRank(after.state) < stateRank(before.state)) {
      this.verdicts.broken('forward-only', step);
    } else if (isTerminal(before.state) && after.state !== before.state) {
      this.verdicts.broken('forward-only', `${step}, which was an end already`);
    }
    if (before.nodeId !== after.nodeId) {
      this.verdicts.broken('written-once', `${step}: reported by another node`);
    }
  }
}

/** For ever, or to its end. */
function isToldToRun({ spec: { desiredState } }: StoredTask): boolean {
  return desiredState === 'running' || desiredState === 'complete';
}
