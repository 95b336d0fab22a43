import {
  amountOf,
  effectiveUpdatePolicy,
  replicasOf,
  type EffectiveUpdatePolicy,
  type StoredService,
  type StoredTask,
} from '../../../api/v1/index.js';
import { slotKey } from '../../../pkg/objects/index.js';
import { Folder } from '../../../pkg/store/index.js';
import { failingConstraint } from './fitness.js';
import { isLive, type ServiceTimes } from './service-times.js';
import type { KeyChange, Truth } from './truth.js';
import type { Verdicts } from './verdicts.js';

/**
 * By how much a leader's picture may be out of date: its lease would have ended, or its watch broken. What was
 * true all that time it knows.
 */
const STALE_MS = 8_000;

/** Managers' clocks differ by so much: how long a task has been ready is a matter of opinion. */
const CLOCKS_DIFFER_MS = 4_000;

type Pace<K> = Extract<EffectiveUpdatePolicy['pace'], { kind: K }>;

/** A slot that an update gives a new task in this write. */
interface Begun {
  readonly task: StoredTask;
  readonly slot: string;
  /** Serving tasks of the slot that are told to stop in the same write. */
  readonly stopped: readonly StoredTask[];
  /** Something in the slot has served for so long that the leader knows. */
  readonly wasServing: boolean;
}

/** Updates do no more at once than their policy allows, and nothing while they are told to stand still. */
export class UpdateRules {
  /** New tasks that took the turn of a slot that served, until they serve themselves. */
  private readonly moving = new Map<string, StoredTask>();

  constructor(
    private readonly truth: Truth,
    private readonly verdicts: Verdicts,
    private readonly times: ServiceTimes,
  ) {}

  check(changes: readonly KeyChange[]): void {
    this.forgetSettled();
    const begun = changes.flatMap((change) => this.begunBy(change, changes));
    const byService = new Map<string, Begun[]>();
    for (const each of begun) {
      const { service } = each.task.spec;
      byService.set(service, [...(byService.get(service) ?? []), each]);
      if (each.wasServing) this.moving.set(each.task.metadata.uid, each.task);
    }
    for (const [name, own] of byService) this.checkService(name, own);
  }

  private begunBy({ folder, before, after }: KeyChange, all: readonly KeyChange[]): Begun[] {
    const task = after as StoredTask | undefined;
    if (folder !== Folder.tasks || before || task?.spec.updates === undefined) return [];
    if (task.spec.replaces !== undefined) return []; // moved elsewhere, as its node drains or is lost
    const slot = slotKey(task.spec);
    const others = this.truth
      .tasksOfSlot(slot)
      .filter(({ metadata }) => metadata.uid !== task.metadata.uid);
    const served = others.filter((other) => this.times.hasServedFor(other, STALE_MS));
    const stopped = served.filter((other) => isStoppedIn(all, other));
    const wasServing = stopped.length > 0 || served.some(isLive);
    return [{ task, slot, stopped, wasServing }];
  }

  private checkService(name: string, begun: readonly Begun[]): void {
    const service = this.truth.services.get(name);
    const status = this.truth.serviceStatuses.get(name);
    if (!service || status?.serviceUid !== service.metadata.uid || !status.update) return;
    if (service.rollout?.paused) {
      this.verdicts.broken('updates', `${name} was told to stand still, and updates`);
    }
    const isBack = status.update.state.startsWith('rollback');
    const { pace } = effectiveUpdatePolicy(isBack ? service.spec.rollback : service.spec.update);
    const desired = replicasOf(service.spec) ?? this.slotsOf(service.metadata.uid).length;
    if (pace.kind === 'parallelism') this.checkWork(service, pace, desired);
    else this.checkTasks(service, pace, { desired, begun });
  }

  private checkWork(
    { metadata }: StoredService,
    { parallelism }: Pace<'parallelism'>,
    desired: number,
  ): void {
    const limit = amountOf(parallelism, desired, 'up');
    const moving = [...this.moving.values()].filter(
      (task) => task.spec.serviceUid === metadata.uid && !this.isAbsent(task),
    );
    if (limit === 0 || moving.length <= limit) return;
    const names = moving.map((task) => task.metadata.name).join(', ');
    this.verdicts.broken('updates', `${names} are replaced at once, and ${limit} are allowed`);
  }

  private checkTasks(
    { metadata }: StoredService,
    { maxSurge, maxUnavailable }: Pace<'surge'>,
    { desired, begun }: { readonly desired: number; readonly begun: readonly Begun[] },
  ): void {
    const surge = amountOf(maxSurge, desired, 'up');
    const unavailable = amountOf(maxUnavailable, desired, 'down') || (surge === 0 ? 1 : 0);
    const slots = this.slotsOf(metadata.uid);
    const extra = slots.reduce(
      (sum, tasks) => sum + Math.max(0, tasks.filter((task) => this.isCounted(task)).length - 1),
      0,
    );
    const besides = begun.filter(({ stopped, wasServing }) => wasServing && stopped.length === 0);
    if (besides.length > 0 && extra > surge) {
      this.verdicts.broken('updates', `${metadata.name} has ${extra} tasks too many of ${surge}`);
    }
    if (!begun.some(({ stopped, wasServing }) => wasServing && stopped.length > 0)) return;
    const serving = slots.filter((tasks) => tasks.some((task) => this.mayServe(task))).length;
    if (serving >= desired - unavailable) return;
    this.verdicts.broken(
      'updates',
      `${metadata.name} is left with ${serving} of ${desired} tasks, and may miss ${unavailable}`,
    );
  }

  /** Beside what is lost another may be there already, which no update made. */
  private isCounted(task: StoredTask): boolean {
    return isLive(task) && !this.times.isOutOfReachWithin(task, STALE_MS);
  }

  /** For all that a leader may know. */
  private mayServe(task: StoredTask): boolean {
    return isLive(task) && this.times.hasServedWithin(task, STALE_MS);
  }

  private slotsOf(serviceUid: string): readonly (readonly StoredTask[])[] {
    const slots = new Map<string, StoredTask[]>();
    for (const task of this.truth.tasks.values()) {
      if (task.spec.serviceUid !== serviceUid || this.isAbsent(task)) continue;
      const key = slotKey(task.spec);
      slots.set(key, [...(slots.get(key) ?? []), task]);
    }
    return [...slots.values()];
  }

  /** A global service does without nodes that are lost, take nothing or do not match: nobody waits for them. */
  private isAbsent(task: StoredTask): boolean {
    const { forNode } = task.spec;
    if (forNode === undefined) return false;
    const node = this.truth.nodes.get(forNode);
    const template = this.truth.serviceOf(task)?.spec.task;
    if (node?.spec.availability !== 'active' || !template) return true;
    if (failingConstraint(this.truth, node, template) !== undefined) return true;
    return this.times.isOutOfReachWithin(task, STALE_MS);
  }

  private forgetSettled(): void {
    for (const id of this.moving.keys()) {
      const task = this.truth.tasks.get(id);
      const isOver = !task || !isLive(task) || this.truth.hasEnded(task);
      if (isOver || this.times.hasServedFor(task, -CLOCKS_DIFFER_MS)) this.moving.delete(id);
    }
  }
}

/** It was live before this write, and is not any more. */
function isStoppedIn(changes: readonly KeyChange[], task: StoredTask): boolean {
  const change = changes.find(
    ({ folder, id }) => folder === Folder.tasks && id === task.metadata.uid,
  );
  const before = change?.before as StoredTask | undefined;
  return before !== undefined && isLive(before) && !isLive(task);
}
