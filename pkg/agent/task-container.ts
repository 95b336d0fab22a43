import type { Assignment, RevisionTemplate } from '../../api/v1/index.js';
import {
  AlreadyExistsError,
  NotFoundError,
  TerminalError,
  UnavailableError,
} from '../base/index.js';
import type { ContainerInspection, Engine } from '../engine/index.js';
import type { Logger } from '../log/index.js';
import { CONTAINER_LABEL, containerBody, containerName, type NodeFacts } from './container-body.js';
import type { ImageOptions, ImageSupply } from './image-supply.js';
import type { StartPool } from './start-pool.js';

/** What the containers of all tasks of a node share. */
export interface ContainerSurroundings {
  readonly engine: Engine;
  readonly images: ImageSupply;
  readonly starts: StartPool;
  readonly log: Logger;
  nodeFacts(): NodeFacts;
}

/** How long one step may go on. */
export interface StepSignals {
  /** Aborts when the step is not wanted any more: waiting and pulling end. */
  readonly step: AbortSignal;
  /** Aborts when the agent leaves: calls that change a container are cut by nothing less. */
  readonly life: AbortSignal;
}

/** The one container of a task, and what is done to it. Each method is one step that may be repeated. */
export class TaskContainer {
  private id: string | undefined;

  constructor(
    private readonly around: ContainerSurroundings,
    private readonly assignment: Assignment,
    private readonly template: RevisionTemplate,
    found?: string,
  ) {
    this.id = found;
  }

  /** Its id, once it is known. */
  get knownId(): string | undefined {
    return this.id;
  }

  /**
   * Gets the image and creates the container; when an earlier try got so far, that one is taken over and
   * returned. Errors: those of ImageSupply and of the engine; TerminalError ContainerNameTaken.
   */
  async create(
    { step, life }: StepSignals,
    onProgress: ImageOptions['onProgress'],
  ): Promise<ContainerInspection | undefined> {
    const { container } = this.template.task;
    const body = containerBody(this.assignment, this.template, this.around.nodeFacts());
    const { engine, images, starts } = this.around;
    const name = containerName(this.assignment);
    await images.ensure(container, { signal: step, onProgress });
    try {
      const created = await starts.run(() => engine.createContainer({ name, body, signal: life }), {
        signal: step,
      });
      this.id = created.id;
      this.tellWarnings(created.warnings);
      return undefined;
    } catch (error) {
      if (error instanceof NotFoundError) throw this.imageVanished(error);
      if (!(error instanceof AlreadyExistsError)) throw error;
      return await this.takeOver(name, step); // the answer to an earlier try was lost
    }
  }

  /** Starts it. One that runs already is fine. Errors: those of the engine. */
  async start({ step, life }: StepSignals): Promise<void> {
    const id = this.required();
    const { engine, starts } = this.around;
    try {
      await starts.run(() => engine.startContainer(id, { signal: life }), {
        urgent: true,
        signal: step,
      });
    } catch (error) {
      throw error instanceof NotFoundError ? removedByOthers() : error;
    }
  }

  /** How it stands. Errors: TerminalError ContainerRemoved. */
  async inspect(signal: AbortSignal): Promise<ContainerInspection> {
    const found = await this.around.engine.inspectContainer(this.required(), { signal });
    if (found) return found;
    throw removedByOthers();
  }

  /** How it stands, undefined when there is none; looks by name when its id is not known. */
  async find(signal: AbortSignal): Promise<ContainerInspection | undefined> {
    const found = await this.around.engine.inspectContainer(this.idOrName, { signal });
    if (!found || !this.isOurs(found)) return undefined;
    this.id = found.id;
    return found;
  }

  /** Stop signal, grace, SIGKILL. One that does not run or exist is fine. */
  async stop(signal: AbortSignal, graceMs: number): Promise<void> {
    try {
      await this.around.engine.stopContainer(this.required(), { graceMs, signal });
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
    }
  }

  /** Removes it with its anonymous volumes, running or not. Never touches one of somebody else. */
  async remove(signal: AbortSignal): Promise<void> {
    const found = await this.find(signal);
    if (!found) return;
    await this.around.engine.removeContainer(found.id, { force: true, volumes: true, signal });
  }

  private get idOrName(): string {
    return this.id ?? containerName(this.assignment);
  }

  private required(): string {
    if (this.id !== undefined) return this.id;
    throw removedByOthers();
  }

  private async takeOver(name: string, signal: AbortSignal): Promise<ContainerInspection> {
    const found = await this.around.engine.inspectContainer(name, { signal });
    if (!found) throw new UnavailableError(`the container name ${name} is being freed`);
    if (!this.isOurs(found)) {
      const text = `the container name ${name} is taken by a container of somebody else`;
      throw new TerminalError('ContainerNameTaken', text);
    }
    this.id = found.id;
    return found;
  }

  private isOurs({ labels }: ContainerInspection): boolean {
    const { clusterId, nodeId } = this.around.nodeFacts();
    return (
      labels[CONTAINER_LABEL.task] === this.assignment.taskId &&
      labels[CONTAINER_LABEL.cluster] === clusterId &&
      labels[CONTAINER_LABEL.node] === nodeId
    );
  }

  /** Somebody pruned it between our look and the creation. */
  private imageVanished(cause: NotFoundError): UnavailableError {
    this.around.images.forget(this.template.task.container);
    return new UnavailableError(cause.message, { cause });
  }

  private tellWarnings(warnings: readonly string[]): void {
    if (warnings.length === 0) return;
    const { taskId } = this.assignment;
    this.around.log.warn({ taskId, warnings }, 'the engine warned about a container');
  }
}

const removedByOthers = () =>
  new TerminalError('ContainerRemoved', 'the container was removed, and not by this agent');
