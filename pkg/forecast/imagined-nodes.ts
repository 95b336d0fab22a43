import { isTerminal, isWanted, type StoredTask, type TaskState } from '../../api/v1/index.js';
import { taskView } from '../lifecycle/index.js';
import { atVersion, puts, type World } from '../objects/index.js';
import { packTransactions, type Keys, type TxnPart } from '../store/index.js';
import type { Clock } from '../base/index.js';
import type { ForkedWorld } from '../informer/index.js';

/** What {@link ImaginedNodes} are made of. */
export interface ImaginedNodesOptions {
  readonly world: World;
  readonly fork: ForkedWorld;
  readonly keys: Keys;
  readonly clock: Clock;
}

/**
 * All nodes of a fork, as they would like to be: what is asked of them they do at once and well. Nodes that are
 * not ready do nothing.
 */
export class ImaginedNodes implements Disposable {
  private readonly touched = new Set<string>();
  private readonly subscription: Disposable;

  constructor(private readonly options: ImaginedNodesOptions) {
    this.subscription = options.world.tasks.onChange((_before, _after, { key }) => {
      this.touched.add(key);
    });
  }

  /** Something may be to be done about a task. */
  touch(taskId: string): void {
    this.touched.add(taskId);
  }

  /** Lets every task that something happened to take one step; false when none had one to take. */
  act(): boolean {
    const parts: TxnPart[] = [];
    for (const id of [...this.touched]) {
      const part = this.stepOf(id);
      if (part) parts.push(part);
      else this.touched.delete(id);
    }
    for (const { compare, operations } of packTransactions(parts)) {
      this.options.fork.commit(compare, operations);
    }
    return parts.length > 0;
  }

  [Symbol.dispose](): void {
    this.subscription[Symbol.dispose]();
  }

  private stepOf(taskId: string): TxnPart | undefined {
    const { world, keys, clock } = this.options;
    const task = world.tasks.get(taskId);
    const nodeId = task?.spec.nodeId;
    if (!task || nodeId === undefined || !this.isReady(nodeId)) return undefined;
    const before = world.taskStatuses.get(taskId);
    const state = nextState(task, taskView(task, before).state);
    if (state === undefined) return undefined;
    const report = reportOf(state, clock.now().toISOString());
    const { version = 0, epoch = 0, runningAt } = before ?? {};
    const status = { taskId, nodeId, epoch, ...report, ...(runningAt && { runningAt }) };
    return {
      compare: [atVersion(keys.taskStatus(taskId), version)],
      operations: [puts.taskStatus(keys, status)],
    };
  }

  private isReady(nodeId: string): boolean {
    return this.options.world.nodeHealths.get(nodeId)?.state === 'ready';
  }
}

function reportOf(state: TaskState, at: string) {
  return {
    state,
    at,
    appliedAt: at,
    message: 'forecast',
    ...(state === 'running' && { startedAt: at, ready: true, readySince: at, readyAt: at }),
    ...(isTerminal(state) && { finishedAt: at }),
  };
}

/** The next state of a task all of whose steps go well; undefined when it has to take none. */
function nextState({ spec }: StoredTask, state: TaskState): TaskState | undefined {
  if (isTerminal(state)) return undefined;
  switch (spec.desiredState) {
    case 'ready':
      return state === 'ready' || state === 'running' ? undefined : 'ready';
    case 'running':
      return state === 'running' ? undefined : 'running';
    case 'complete':
      return state === 'running' ? 'complete' : 'running';
    default:
      return isWanted(spec.desiredState) ? undefined : 'shutdown';
  }
}
