import { stateRank, type Assignment, type TaskState } from '../../api/v1/index.js';
import type { ContainerEvent, ContainerSummary } from '../engine/index.js';
import type { WantedTasks } from './assignment-book.js';
import { CONTAINER_LABEL } from './container-body.js';
import { isRunning } from './container-report.js';
import type { StartPool } from './start-pool.js';
import { TaskRunner, type TaskPast, type TaskSurroundings } from './task-runner.js';

/** What a set of tasks needs. */
export interface TaskSetOptions {
  readonly around: TaskSurroundings;
  /** How many containers are removed at once. */
  readonly removals: StartPool;
  /** What was last reported of a task, if anything. */
  pastReport(taskId: string): TaskPast['report'];
  /** The task and its container are gone from this node. */
  onGone(taskId: string): void;
}

/** Events after which a container may stand otherwise than its task believes. */
export const TELLING = ['die', 'oom', 'health_status', 'destroy', 'pause', 'unpause'] as const;
/** Containers that are looked at together when many are taken over. */
const ADOPT_WIDTH = 8;

/** Containers of this node, by the id of their task. */
export type FoundContainers = ReadonlyMap<string, ContainerSummary>;

/** Indexes a list by task. */
export function byTask(containers: readonly ContainerSummary[]): FoundContainers {
  return new Map(
    containers.map((container) => [container.labels[CONTAINER_LABEL.task] ?? '', container]),
  );
}

/** The runners of all tasks of this node. */
export class TaskSet {
  private readonly runners = new Map<string, TaskRunner>();
  private readonly leaving = new Map<string, Promise<void>>();
  /** A task was let go of while its container may have been on its way: it may come to be later. */
  letGoTooSoon = false;

  constructor(private readonly options: TaskSetOptions) {}

  /** The runner of a task. */
  get(taskId: string): TaskRunner | undefined {
    return this.runners.get(taskId);
  }

  /** Tasks by observed state. */
  counts(): ReadonlyMap<TaskState, number> {
    const counts = new Map<TaskState, number>();
    for (const { report } of this.runners.values()) {
      counts.set(report.state, (counts.get(report.state) ?? 0) + 1);
    }
    return counts;
  }

  /** How many tasks run and are not in service. */
  get unready(): number {
    const runners = [...this.runners.values()];
    return runners.filter(({ report }) => report.state === 'running' && report.ready === false)
      .length;
  }

  /** One of {@link TELLING} happened to a container. */
  onEvent({ attributes }: Pick<ContainerEvent, 'attributes'>): void {
    this.get(attributes[CONTAINER_LABEL.task] ?? '')?.lookAgain();
  }

  /**
   * Makes the runners what is wanted; `found` are the containers of the latest list. Errors: those of the
   * engine when a container cannot be taken over now; the rest is done, call again.
   */
  async apply(wanted: WantedTasks, found: FoundContainers, signal: AbortSignal): Promise<void> {
    for (const [taskId, runner] of this.runners) {
      if (!wanted.assignments.has(taskId)) this.dismiss(taskId, runner, signal);
    }
    const fresh: Assignment[] = [];
    for (const assignment of wanted.assignments.values()) {
      const runner = this.runners.get(assignment.taskId);
      if (runner) runner.setDesired(assignment.desiredState);
      else if (!this.leaving.has(assignment.taskId)) fresh.push(assignment);
    }
    const known = fresh.filter(({ taskId }) => found.has(taskId));
    for (const one of fresh) if (!found.has(one.taskId)) this.add(wanted, one, {});
    await this.adoptAll(wanted, known, { found, signal });
  }

  /** Wakes the tasks whose container is not as they believe. */
  compare(found: FoundContainers): void {
    for (const [taskId, runner] of this.runners) {
      const container = found.get(taskId);
      const believed = runner.report.state === 'running';
      if (believed !== (container !== undefined && isRunning(container))) runner.lookAgain();
      // A verdict on its health may have been missed; a list does not show it.
      else if (runner.report.health !== undefined) runner.lookAgain();
    }
  }

  /**
   * Begins to remove the containers whose task is not wanted; only ever call it with an authoritative set.
   * What cannot be removed now is in the next list again.
   */
  removeUnwanted({ assignments }: WantedTasks, found: FoundContainers, signal: AbortSignal): void {
    for (const [taskId, { id }] of found) {
      if (assignments.has(taskId) || this.runners.has(taskId) || this.leaving.has(taskId)) continue;
      const { engine, log } = this.options.around;
      log.info({ taskId, containerId: id }, 'removing a container whose task is gone');
      this.leave(taskId, signal, () =>
        engine.removeContainer(id, { force: true, volumes: true, signal }),
      );
    }
  }

  /** Lets go of all tasks; their containers go on. */
  async release(): Promise<void> {
    const runners = [...this.runners.values()];
    this.letGoTooSoon ||= runners.some(({ report }) => isBefore(report.state, 'ready'));
    await Promise.all(runners.map((runner) => runner.release()));
    await Promise.all(this.leaving.values());
    this.runners.clear();
  }

  private async adoptAll(
    wanted: WantedTasks,
    tasks: readonly Assignment[],
    { found, signal }: { readonly found: FoundContainers; readonly signal: AbortSignal },
  ): Promise<void> {
    const queue = [...tasks];
    const worker = async () => {
      for (let one = queue.shift(); one; one = queue.shift()) {
        const id = found.get(one.taskId)?.id ?? '';
        const container = await this.options.around.engine.inspectContainer(id, { signal });
        this.add(wanted, one, { container });
      }
    };
    await Promise.all(Array.from({ length: ADOPT_WIDTH }, worker));
  }

  private add({ templates }: WantedTasks, assignment: Assignment, past: TaskPast): void {
    const template = templates.get(assignment.template);
    if (!template) return;
    const { taskId } = assignment;
    const report = this.options.pastReport(taskId);
    const order = { assignment, template };
    const runner = new TaskRunner(this.options.around, order, { ...past, report });
    this.runners.set(taskId, runner);
    runner.start();
  }

  private dismiss(taskId: string, runner: TaskRunner, signal: AbortSignal): void {
    this.runners.delete(taskId);
    this.leave(taskId, signal, () => runner.remove(signal));
  }

  private leave(taskId: string, signal: AbortSignal, remove: () => Promise<void>): void {
    const { removals, around } = this.options;
    const gone = removals
      .run(remove, { signal })
      .catch((error: unknown) => {
        if (!signal.aborted) around.log.warn({ taskId, error }, 'container not removed yet');
      })
      .finally(() => {
        this.leaving.delete(taskId);
        this.options.onGone(taskId);
      });
    this.leaving.set(taskId, gone);
  }
}

const isBefore = (state: TaskState, other: TaskState): boolean =>
  stateRank(state) < stateRank(other);
