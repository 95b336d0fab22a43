import { isWanted, type StoredTask, type StoredTaskStatus } from '../../../api/v1/index.js';
import { CONTAINER_LABEL } from '../../../pkg/agent/index.js';
import { slotKey } from '../../../pkg/objects/index.js';
import { Folder } from '../../../pkg/store/index.js';
import type { FakeContainer } from '../../fakes/fake-container.js';
import { LASTING, kindOfImage } from '../cluster/images.js';
import type { SimNode } from '../cluster/sim-node.js';
import type { TaskRules } from './task-rules.js';
import type { KeyChange, Truth } from './truth.js';
import type { Verdicts } from './verdicts.js';

/** How containers end that somebody stopped: by the stop signal, by SIGKILL. */
const STOPPED: ReadonlySet<number> = new Set([143, 137]);

/** No container that ends by itself lives longer. */
const LONGEST_LIFE_MS = 45_000;

interface Run {
  readonly node: SimNode;
  readonly name: string;
  readonly image: string;
  readonly startedMs: number;
}

/** What must hold of what really runs, whatever is written down about it. */
export class ContainerRules {
  private readonly running = new Map<string, Run>();
  private readonly slotOf = new Map<string, string>();
  /** Tasks that were given up while nobody could tell whether they ran. */
  private readonly abandoned = new Set<string>();
  /** Tasks whose container somebody removed by hand. */
  readonly removedByHand = new Set<string>();

  constructor(
    private readonly truth: Truth,
    private readonly verdicts: Verdicts,
    private readonly tasks: TaskRules,
    private readonly now: () => number,
  ) {}

  /** What may still end by itself, because of what its image does. */
  get restless(): readonly string[] {
    const sinceMs = this.now() - LONGEST_LIFE_MS;
    return [...this.running.values()].flatMap(({ name, image, startedMs }) =>
      startedMs > sinceMs && !LASTING.includes(kindOfImage(image)) ? [`${name} may end`] : [],
    );
  }

  check(changes: readonly KeyChange[]): void {
    for (const { folder, id, before, after } of changes) {
      if (folder === Folder.tasks) {
        this.noteTask(id, before as StoredTask | undefined, after as StoredTask | undefined);
      }
      if (folder === Folder.taskStatus && after) this.checkEnd(id, after as StoredTaskStatus);
    }
  }

  ran(node: SimNode, container: FakeContainer): void {
    const taskId = container.labels[CONTAINER_LABEL.task];
    if (taskId === undefined) return;
    if (container.isRunning) {
      this.checkStart(taskId, node, container);
      const { name, body } = container;
      this.running.set(taskId, { node, name, image: body.Image, startedMs: this.now() });
    } else {
      this.running.delete(taskId);
      this.checkStop(taskId, node, container);
    }
  }

  private noteTask(
    id: string,
    before: StoredTask | undefined,
    after: StoredTask | undefined,
  ): void {
    if (after) {
      this.slotOf.set(id, slotKey(after.spec));
      return;
    }
    const nodeId = before?.spec.nodeId;
    if (!before || nodeId === undefined) return;
    const isOutOfReach =
      !this.truth.nodes.has(nodeId) || this.truth.nodeHealths.get(nodeId)?.state === 'lost';
    if (isOutOfReach) this.abandoned.add(id);
    else if (this.running.has(id))
      this.verdicts.broken('end-is-true', `${before.metadata.name} was deleted, and runs`);
  }

  private checkStart(taskId: string, node: SimNode, { name }: FakeContainer): void {
    const task = this.truth.tasks.get(taskId);
    if (!this.tasks.mayRun(taskId)) {
      this.verdicts.broken('runs-when-told', `${name} started on ${node.id} before it was told to`);
    }
    if (task && task.spec.nodeId !== node.id) {
      this.verdicts.broken('runs-when-told', `${name} started on ${node.id}, not on its node`);
    }
    if (this.running.has(taskId)) {
      this.verdicts.broken('one-container', `${name} runs twice`);
    }
    const slot = this.slotOf.get(taskId);
    for (const [otherId, { node: where }] of this.running) {
      if (otherId === taskId || this.slotOf.get(otherId) !== slot) continue;
      if (this.isKnownDouble(taskId, otherId) || this.isKnownDouble(otherId, taskId)) continue;
      this.verdicts.broken(
        'one-container',
        `${name} starts on ${node.id} while ${otherId.slice(0, 6)} of its slot runs on ${where.id}`,
      );
    }
  }

  /** The other was given up, or not waited for, because nobody could tell whether it runs. */
  private isKnownDouble(taskId: string, otherId: string): boolean {
    return this.tasks.isExcused(taskId, otherId) || this.abandoned.has(otherId);
  }

  /** A container that is wanted is left alone. */
  private checkStop(taskId: string, node: SimNode, container: FakeContainer): void {
    if (!STOPPED.has(container.exitCode ?? 0) || container.oomKilled) return;
    const isEnginesDoing = node.engine.process.isDead || this.removedByHand.has(taskId);
    const task = this.truth.tasks.get(taskId);
    if (isEnginesDoing || !task || node.hasLeft || !this.truth.nodes.has(node.id)) return;
    if (!this.isToGoOn(task)) return;
    this.verdicts.broken(
      'no-needless-kill',
      `${container.name} was stopped on ${node.id}, and it is wanted: ${task.spec.desiredState}`,
    );
  }

  /** Whoever asks may get a bad answer, or none in time: then it is stopped. Readiness stops nobody. */
  private isToGoOn(task: StoredTask): boolean {
    if (!isWanted(task.spec.desiredState)) return false;
    const { container } = this.truth.revisionOf(task)?.template.task ?? {};
    const { startup, liveness } = container?.probes ?? {};
    return container?.healthcheck === undefined && startup === undefined && liveness === undefined;
  }

  /** What a node says has ended has ended; of what is an orphan nobody knows. */
  private checkEnd(id: string, status: StoredTaskStatus): void {
    if (status.state === 'orphaned') this.abandoned.add(id);
    const isOver = ['complete', 'shutdown', 'failed', 'rejected'].includes(status.state);
    if (!isOver || !this.running.has(id)) return;
    const name = this.truth.tasks.get(id)?.metadata.name ?? id;
    this.verdicts.broken('end-is-true', `${name} is said to be ${status.state}, and runs`);
  }
}
