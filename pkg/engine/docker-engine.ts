import { SystemClock, hasCode, isRecoverable } from '../base/index.js';
import type { Clock } from '../base/index.js';
import type { CallOptions, CallOutcome, EngineObserver } from './call.js';
import type {
  ContainerExit,
  ContainerFilter,
  ContainerInspection,
  ContainerSummary,
  CreatedContainer,
} from './container.js';
import { EngineContainers } from './containers.js';
import { decodeDescription } from './decode.js';
import type { EngineDescription, EnginePing } from './description.js';
import type {
  CreateContainerRequest,
  Engine,
  KillOptions,
  RemoveOptions,
  StopOptions,
} from './engine.js';
import type { EventsOptions } from './events.js';
import { EngineExecs } from './execs.js';
import type { ExecRequest, ExecResult } from './exec.js';
import type { EngineHost } from './host.js';
import type { ImageInspection, PullOptions } from './image.js';
import { EngineImages } from './images.js';
import type { LogLine, LogOptions } from './logs.js';
import { EngineStreams } from './streams.js';
import { DEFAULT_ENGINE_TIMEOUTS } from './timeouts.js';
import type { EngineTimeouts } from './timeouts.js';
import { EngineTransport } from './transport.js';
import type { WireSystem } from './wire.js';

/** How to reach an engine, and who listens. */
export interface DockerEngineOptions {
  /** See `parseDockerHost`. */
  readonly host: EngineHost;
  /** Told of every call; default nobody. */
  readonly observer?: EngineObserver;
  /** Those that differ from {@link DEFAULT_ENGINE_TIMEOUTS}. */
  readonly timeouts?: Partial<EngineTimeouts>;
  /** For pauses between looks; deadlines always run on the machine's own clock. */
  readonly clock?: Clock;
}

/** A real Docker Engine. Connects with the first call; needs `close` at the end. */
export class DockerEngine implements Engine {
  private readonly transport: EngineTransport;
  private readonly containers: EngineContainers;
  private readonly execs: EngineExecs;
  private readonly images: EngineImages;
  private readonly streams: EngineStreams;
  private readonly timeouts: EngineTimeouts;
  private readonly clock: Clock;
  private readonly observer: EngineObserver | undefined;

  constructor({ host, observer, timeouts, clock = new SystemClock() }: DockerEngineOptions) {
    this.timeouts = { ...DEFAULT_ENGINE_TIMEOUTS, ...timeouts };
    this.clock = clock;
    this.observer = observer;
    this.transport = new EngineTransport(host, this.timeouts.pingMs);
    this.containers = new EngineContainers(this.transport, this.timeouts, clock);
    this.execs = new EngineExecs(this.transport, this.timeouts, clock);
    this.images = new EngineImages(this.transport, this.timeouts);
    this.streams = new EngineStreams(this.transport, this.containers, this.timeouts);
  }

  ping({ timeoutMs = this.timeouts.pingMs, signal }: CallOptions = {}): Promise<EnginePing> {
    return this.observed('ping', () => this.transport.ping(timeoutMs, signal));
  }

  describe(options: CallOptions = {}): Promise<EngineDescription> {
    return this.observed('describe', async () => {
      const { timeoutMs = this.timeouts.describeMs, signal } = options;
      const { apiVersion } = await this.transport.ping(this.timeouts.pingMs, signal);
      const { body } = await this.transport.call({
        operation: 'describe engine',
        method: 'GET',
        path: '/info',
        timeoutMs,
        ...(signal && { signal }),
      });
      return decodeDescription(body as WireSystem, apiVersion);
    });
  }

  listContainers(filter: ContainerFilter): Promise<readonly ContainerSummary[]> {
    return this.observed('list_containers', () => this.containers.list(filter));
  }

  inspectContainer(
    idOrName: string,
    options?: CallOptions,
  ): Promise<ContainerInspection | undefined> {
    return this.observed('inspect_container', () => this.containers.inspect(idOrName, options));
  }

  createContainer(request: CreateContainerRequest): Promise<CreatedContainer> {
    return this.observed('create_container', () => this.containers.create(request));
  }

  startContainer(id: string, options?: CallOptions): Promise<void> {
    return this.observed('start_container', () => this.containers.start(id, options));
  }

  stopContainer(id: string, options: StopOptions): Promise<void> {
    return this.observed('stop_container', () => this.containers.stop(id, options));
  }

  killContainer(id: string, options?: KillOptions): Promise<void> {
    return this.observed('kill_container', () => this.containers.kill(id, options));
  }

  removeContainer(id: string, options?: RemoveOptions): Promise<void> {
    return this.observed('remove_container', () => this.containers.remove(id, options));
  }

  waitContainer(id: string, signal?: AbortSignal): Promise<ContainerExit> {
    return this.observed('wait_container', () => this.containers.wait(id, signal));
  }

  execInContainer(id: string, request: ExecRequest): Promise<ExecResult> {
    return this.observed('exec_in_container', () => this.execs.run(id, request));
  }

  isExecRunning(execId: string, options?: CallOptions): Promise<boolean> {
    return this.observed('inspect_exec', () => this.execs.isRunning(execId, options));
  }

  pullImage(reference: string, options?: PullOptions): Promise<ImageInspection> {
    return this.observed('pull_image', () => this.images.pull(reference, options));
  }

  inspectImage(reference: string, options?: CallOptions): Promise<ImageInspection | undefined> {
    return this.observed('inspect_image', () => this.images.inspect(reference, options));
  }

  watchEvents(options: EventsOptions): Promise<never> {
    return this.observed('watch_events', () => this.streams.watchEvents(options));
  }

  async *streamLogs(id: string, options?: LogOptions): AsyncGenerator<LogLine> {
    const startMs = this.clock.monotonicMs();
    let outcome: CallOutcome = 'aborted';
    try {
      yield* this.streams.streamLogs(id, options);
      outcome = 'ok';
    } catch (error) {
      outcome = outcomeOf(error);
      throw error;
    } finally {
      // A reader that leaves early ends here too, with neither `ok` nor an error.
      this.observer?.onCall('stream_logs', this.clock.monotonicMs() - startMs, outcome);
    }
  }

  close(): void {
    this.transport.close();
  }

  private async observed<T>(operation: string, work: () => Promise<T>): Promise<T> {
    const startMs = this.clock.monotonicMs();
    let outcome: CallOutcome = 'ok';
    try {
      return await work();
    } catch (error) {
      outcome = outcomeOf(error);
      throw error;
    } finally {
      this.observer?.onCall(operation, this.clock.monotonicMs() - startMs, outcome);
    }
  }
}

function outcomeOf(error: unknown): CallOutcome {
  if (hasCode(error, 'ERR_UNAVAILABLE')) return 'unavailable';
  if (hasCode(error, 'ERR_IMAGE_PULL')) return isRecoverable(error) ? 'unavailable' : 'refused';
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_')
    ? 'refused'
    : 'aborted';
}
