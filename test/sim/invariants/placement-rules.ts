import type { StoredTask } from '../../../api/v1/index.js';
import { Folder } from '../../../pkg/store/index.js';
import { whyUnfit } from './fitness.js';
import type { KeyChange, Truth } from './truth.js';
import type { Verdicts } from './verdicts.js';

/** No task is ever put where it may not be. */
export class PlacementRules {
  constructor(
    private readonly truth: Truth,
    private readonly verdicts: Verdicts,
  ) {}

  check(changes: readonly KeyChange[]): void {
    const placed = changes.flatMap((change) => newlyPlaced(change) ?? []);
    const together = new Set(placed.map(({ metadata }) => metadata.uid));
    for (const task of placed) {
      const { nodeId = '' } = task.spec;
      const why = whyUnfit(this.truth, nodeId, task, together);
      if (why === undefined) continue;
      this.verdicts.broken('placement', `${task.metadata.name} was put on ${nodeId}: ${why}`);
    }
  }
}

/** The task, when it has got its node now. */
function newlyPlaced({ folder, before, after }: KeyChange): StoredTask | undefined {
  if (folder !== Folder.tasks || !after) return undefined;
  const task = after as StoredTask;
  const wasPlaced = (before as StoredTask | undefined)?.spec.nodeId !== undefined;
  return task.spec.nodeId === undefined || wasPlaced ? undefined : task;
}
