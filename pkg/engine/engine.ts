import type { CallOptions } from './call.js';
import type { ContainerCreateBody } from './container-create.js';
import type {
  ContainerExit,
  ContainerFilter,
  ContainerInspection,
  ContainerSummary,
  CreatedContainer,
} from './container.js';
import type { EngineDescription, EnginePing } from './description.js';
import type { EventsOptions } from './events.js';
import type { ExecRequest, ExecResult } from './exec.js';
import type { ImageInspection, PullOptions } from './image.js';
import type { LogLine, LogOptions } from './logs.js';

/** A container to create. */
export interface CreateContainerRequest extends CallOptions {
  /** Unique for ever: the engine may hold on to a removed container's name for a while. */
  readonly name: string;
  readonly body: ContainerCreateBody;
}

/** How to stop a container. */
export interface StopOptions extends CallOptions {
  /** Signal sent first, such as `SIGQUIT`. Default: the one the container was created with. */
  readonly stopSignal?: string;
  /** How long the process has between that signal and SIGKILL. */
  readonly graceMs: number;
}

/** Which signal to send. */
export interface KillOptions extends CallOptions {
  /** Default SIGKILL. */
  readonly killSignal?: string;
}

/** How much to remove. */
export interface RemoveOptions extends CallOptions {
  /** Kill it first when it runs. Default false: a running container is refused. */
  readonly force?: boolean;
  /** Remove its anonymous volumes too. Default false. */
  readonly volumes?: boolean;
}

/**
 * One Docker Engine. Every call has a deadline and settles by then, also when the engine dies in
 * the middle of an answer. Errors of all calls: UnavailableError (engine away, too slow, or
 * failing by itself; what it did is unknown, so look before doing it again), NotFoundError,
 * InvalidObjectError (it does not accept the request), EngineRefusedError (it understood and
 * will not or cannot do it: wrong state, port taken, device missing).
 */
export interface Engine {
  /** Asks whether the engine answers at all, and which API it speaks. */
  ping(options?: CallOptions): Promise<EnginePing>;

  describe(options?: CallOptions): Promise<EngineDescription>;

  /** Containers that carry all the labels; only running ones unless `all`. */
  listContainers(filter: ContainerFilter): Promise<readonly ContainerSummary[]>;

  /** One container by id or name, undefined when there is none. */
  inspectContainer(
    idOrName: string,
    options?: CallOptions,
  ): Promise<ContainerInspection | undefined>;

  /** Errors: AlreadyExistsError when the name is taken, NotFoundError when the image is missing. */
  createContainer(request: CreateContainerRequest): Promise<CreatedContainer>;

  /** Starts it; one that runs already is fine. Returns when its process was started. */
  startContainer(id: string, options?: CallOptions): Promise<void>;

  /** Stop signal, grace, SIGKILL; returns when it no longer runs. One that is stopped is fine. */
  stopContainer(id: string, options: StopOptions): Promise<void>;

  /** Sends a signal; returns at once. Errors: EngineRefusedError when it does not run. */
  killContainer(id: string, options?: KillOptions): Promise<void>;

  /** Returns when it is gone; one that never was is fine. */
  removeContainer(id: string, options?: RemoveOptions): Promise<void>;

  /**
   * Waits, without a deadline, until the container does not run (at once when it does not now).
   * A container that was created and never started counts as not running.
   */
  waitContainer(id: string, signal?: AbortSignal): Promise<ContainerExit>;

  /**
   * Runs a command inside of a running container and returns when it has ended, or its time is over. One
   * that cannot be found ends with 126 or 127. Errors: EngineRefusedError when the container does not run.
   */
  execInContainer(id: string, request: ExecRequest): Promise<ExecResult>;

  /** Whether a command still runs; one that the engine does not know (any more) does not. */
  isExecRunning(execId: string, options?: CallOptions): Promise<boolean>;

  /** Pulls and then inspects the image. Errors: ImagePullError with a reason. */
  pullImage(reference: string, options?: PullOptions): Promise<ImageInspection>;

  /** A local image by reference or id, undefined when the engine does not have it. */
  inspectImage(reference: string, options?: CallOptions): Promise<ImageInspection | undefined>;

  /**
   * Calls `onEvent` for each container event until the one stream breaks: never resolves, rejects
   * with UnavailableError at the break or with the signal's reason. The caller reconnects and
   * lists: events shorten latency, the list is the truth.
   */
  watchEvents(options: EventsOptions): Promise<never>;

  /**
   * Lines of a container's log, oldest first. Ends at the end of the log, with `follow` when the
   * container ends; leaving the loop or aborting closes the stream.
   */
  streamLogs(id: string, options?: LogOptions): AsyncIterable<LogLine>;

  /** Closes the connections; running streams break with UnavailableError. */
  close(): void;
}
/** Injection token of the {@link Engine}. */
export const Engine = Symbol('Engine');
