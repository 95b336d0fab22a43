import {
  effectiveJob,
  isWanted,
  type StoredTask,
  type StoredTaskStatus,
} from '../../../api/v1/index.js';
import { slotKey } from '../../../pkg/objects/index.js';
import { Folder } from '../../../pkg/store/index.js';
import type { KeyChange, Truth } from './truth.js';
import type { Verdicts } from './verdicts.js';

/** Jobs do no more at once than they may, and nothing again that has ended well. */
export class JobRules {
  /** Slots of runs whose task has ended well. */
  private readonly completed = new Set<string>();

  constructor(
    private readonly truth: Truth,
    private readonly verdicts: Verdicts,
  ) {}

  check(changes: readonly KeyChange[]): void {
    for (const { folder, id, before, after } of changes) {
      if (!after) continue;
      if (folder === Folder.tasks && !before) this.checkTry(after as StoredTask);
      if (folder === Folder.taskStatus) this.note(id, after as StoredTaskStatus);
    }
  }

  private note(id: string, { state }: StoredTaskStatus): void {
    const task = state === 'complete' ? this.truth.tasks.get(id) : undefined;
    if (task) this.completed.add(runKey(task));
  }

  private checkTry(task: StoredTask): void {
    const service = this.truth.serviceOf(task);
    const job = service && effectiveJob(service.spec);
    if (!job) return;
    const { name } = task.metadata;
    const { slot, serviceUid, revision } = task.spec;
    if (this.completed.has(runKey(task))) {
      this.verdicts.broken('jobs', `${name} is tried again, and has ended well`);
    }
    if (job.totalCompletions === undefined) return;
    if (slot > job.totalCompletions) {
      this.verdicts.broken('jobs', `${name} is tried, of ${job.totalCompletions}`);
    }
    const live = [...this.truth.tasks.values()].filter(
      (other) =>
        other.spec.serviceUid === serviceUid &&
        other.spec.revision === revision &&
        isWanted(other.spec.desiredState) &&
        !this.truth.hasEnded(other),
    );
    if (live.length <= job.maxConcurrent) return;
    this.verdicts.broken(
      'jobs',
      `${name} makes ${live.length} at once, and ${job.maxConcurrent} are allowed`,
    );
  }
}

const runKey = ({ spec }: StoredTask): string => `${slotKey(spec)} ${String(spec.revision)}`;
