import { UnavailableError, abortReason } from '../../../pkg/base/index.js';
import {
  DEFAULT_ENGINE_TIMEOUTS,
  type CallOptions,
  type ContainerExit,
  type ContainerFilter,
  type ContainerInspection,
  type ContainerSummary,
  type CreateContainerRequest,
  type CreatedContainer,
  type Engine,
  type EngineDescription,
  type EnginePing,
  type EventsOptions,
  type ExecRequest,
  type ExecResult,
  type ImageInspection,
  type KillOptions,
  type LogLine,
  type PullOptions,
  type RemoveOptions,
  type StopOptions,
} from '../../../pkg/engine/index.js';
import { connect } from '../machines/connection.js';
import { exchange } from '../machines/exchange.js';
import type { Network } from '../machines/network.js';
import type { SimProcess } from '../machines/sim-process.js';
import type { SimEngine } from './sim-engine.js';

const TIMEOUTS = DEFAULT_ENGINE_TIMEOUTS;

/** How long the engine works on a call, in milliseconds. */
const WORK_MS: Readonly<Record<string, readonly [least: number, most: number]>> = {
  createContainer: [10, 90],
  startContainer: [30, 250],
  removeContainer: [10, 120],
  listContainers: [1, 5],
};
const QUICK: readonly [number, number] = [0.2, 2];

/** Part of the calls of a bad engine whose answer is lost although it did what it was asked for. */
const ANSWER_LOST = 0.15;

/** An agent's line to the engine of its host: the socket between two processes of one machine. */
export class EngineLine implements Engine {
  constructor(
    private readonly agent: SimProcess,
    private readonly engine: SimEngine,
    private readonly network: Network,
    /** True while answers of the engine get lost now and then. */
    private readonly isBad: () => boolean,
  ) {}

  ping(options: CallOptions = {}): Promise<EnginePing> {
    return this.call('ping', options, TIMEOUTS.pingMs, () => this.fake.ping());
  }

  describe(options: CallOptions = {}): Promise<EngineDescription> {
    return this.call('describe', options, TIMEOUTS.describeMs, () => this.fake.describe());
  }

  listContainers(filter: ContainerFilter): Promise<readonly ContainerSummary[]> {
    const { signal: _signal, timeoutMs: _timeoutMs, ...wanted } = filter;
    return this.call('listContainers', filter, TIMEOUTS.listMs, () =>
      this.fake.listContainers(wanted),
    );
  }

  inspectContainer(
    id: string,
    options: CallOptions = {},
  ): Promise<ContainerInspection | undefined> {
    return this.call('inspectContainer', options, TIMEOUTS.inspectMs, () =>
      this.fake.inspectContainer(id),
    );
  }

  createContainer({ name, body, ...options }: CreateContainerRequest): Promise<CreatedContainer> {
    return this.call('createContainer', options, TIMEOUTS.createMs, () =>
      this.fake.createContainer({ name, body }),
    );
  }

  startContainer(id: string, options: CallOptions = {}): Promise<void> {
    return this.call('startContainer', options, TIMEOUTS.startMs, () =>
      this.fake.startContainer(id),
    );
  }

  stopContainer(id: string, options: StopOptions): Promise<void> {
    const { graceMs, stopSignal } = options;
    return this.call('stopContainer', options, graceMs + TIMEOUTS.stopMarginMs, () =>
      this.fake.stopContainer(id, { graceMs, ...(stopSignal !== undefined && { stopSignal }) }),
    );
  }

  killContainer(id: string, options: KillOptions = {}): Promise<void> {
    const { killSignal } = options;
    return this.call('killContainer', options, TIMEOUTS.killMs, () =>
      this.fake.killContainer(id, { ...(killSignal !== undefined && { killSignal }) }),
    );
  }

  removeContainer(id: string, options: RemoveOptions = {}): Promise<void> {
    const { force = false, volumes = false } = options;
    return this.call('removeContainer', options, TIMEOUTS.removeMs, () =>
      this.fake.removeContainer(id, { force, volumes }),
    );
  }

  waitContainer(id: string, signal?: AbortSignal): Promise<ContainerExit> {
    return this.call('waitContainer', signal ? { signal } : {}, undefined, (hungUp) =>
      this.fake.waitContainer(id, hungUp),
    );
  }

  execInContainer(id: string, request: ExecRequest): Promise<ExecResult> {
    const { signal, timeoutMs, ...rest } = request;
    const limitMs = timeoutMs + TIMEOUTS.execCreateMs;
    return this.call('execInContainer', signal ? { signal } : {}, limitMs, () =>
      this.fake.execInContainer(id, { ...rest, timeoutMs }),
    );
  }

  isExecRunning(execId: string, options: CallOptions = {}): Promise<boolean> {
    return this.call('isExecRunning', options, TIMEOUTS.inspectMs, () =>
      this.fake.isExecRunning(execId),
    );
  }

  pullImage(reference: string, { signal }: PullOptions = {}): Promise<ImageInspection> {
    const options = signal ? { signal } : {};
    return this.call('pullImage', options, TIMEOUTS.pullIdleMs, (hungUp) =>
      this.fake.pullImage(reference, { signal: hungUp }),
    );
  }

  inspectImage(reference: string, options: CallOptions = {}): Promise<ImageInspection | undefined> {
    return this.call('inspectImage', options, TIMEOUTS.inspectMs, () =>
      this.fake.inspectImage(reference),
    );
  }

  watchEvents({ signal, onOpen, onEvent, ...wanted }: EventsOptions): Promise<never> {
    return new Promise<never>((_resolve, reject) => {
      const daemon = this.engine.process;
      const ends = connect(this.network, this.agent, daemon);
      const stop = new AbortController();
      const onAbort = () => {
        ends.client.close();
        reject(abortReason(signal));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      ends.client.onClosed = () => {
        signal?.removeEventListener('abort', onAbort);
        reject(new UnavailableError('the stream of events was cut'));
      };
      ends.server.onClosed = () => {
        stop.abort();
      };
      const tell = (work: () => void) => {
        daemon.after(0, () => {
          ends.server.send(work);
        });
      };
      if (daemon.isDead) {
        this.agent.after(1, () => {
          ends.client.onClosed();
        });
        return;
      }
      ends.client.send(() => {
        this.fake
          .watchEvents({
            ...wanted,
            signal: stop.signal,
            onOpen: () => {
              tell(() => onOpen?.());
            },
            onEvent: (event) => {
              tell(() => {
                onEvent(event);
              });
            },
          })
          .catch(() => {
            ends.server.close();
          });
      });
    });
  }

  async *streamLogs(): AsyncGenerator<LogLine> {
    throw new UnavailableError('there are no logs in this world');
  }

  close(): void {
    // nothing is kept open for it
  }

  private get fake() {
    return this.engine.fake;
  }

  private call<T>(
    operation: string,
    { signal, timeoutMs }: CallOptions,
    limitMs: number | undefined,
    work: (hungUp: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { random } = this.engine;
    const [least, most] = WORK_MS[operation] ?? QUICK;
    const isLost = this.isBad() && random.chance(ANSWER_LOST);
    const options = {
      network: this.network,
      client: this.agent,
      server: this.engine.process,
      signal,
      timeoutMs: timeoutMs ?? limitMs,
      requestMs: random.between(least, most) / 2,
      answerMs: random.between(least, most) / 2,
    };
    return exchange(options, async (hungUp) => {
      const result = await work(hungUp);
      if (isLost) throw new UnavailableError(`${operation}: the answer was lost`);
      return result;
    });
  }
}
