import { createHash } from 'node:crypto';
import {
  AbortScope,
  AlreadyExistsError,
  NotFoundError,
  SystemClock,
  UnavailableError,
  abortReason,
  orAbort,
} from '../../pkg/base/index.js';
import type { Clock } from '../../pkg/base/index.js';
import {
  CONTAINER_EVENT_ACTIONS,
  EngineRefusedError,
  ImagePullError,
} from '../../pkg/engine/index.js';
import type {
  CallOptions,
  ContainerEvent,
  ContainerEventAction,
  ContainerExit,
  ContainerFilter,
  ContainerInspection,
  ContainerSummary,
  CreateContainerRequest,
  CreatedContainer,
  Engine,
  EngineDescription,
  EnginePing,
  EventsOptions,
  ExecRequest,
  ExecResult,
  ImageInspection,
  ImagePullReason,
  KillOptions,
  LogLine,
  LogOptions,
  PublishedPort,
  PullOptions,
  RemoveOptions,
  StopOptions,
} from '../../pkg/engine/index.js';
import { FakeContainer, signalNumber } from './fake-container.js';
import type { FakeBehaviour } from './fake-container.js';
import { FakeExecs, NOT_FOUND } from './fake-exec.js';

/** What a registry does about one image. */
export interface FakeRegistryImage {
  /** The pull fails so. */
  readonly failure?: ImagePullReason;
  /** How long the pull takes. Default 0. */
  readonly pullMs?: number;
}

/** What decides over a {@link FakeEngine}'s containers and images instead of what tests told it. */
export interface FakeEngineWorld {
  /** Asked once for each container. */
  behaviourOf?(container: FakeContainer): FakeBehaviour;
  /** Asked at each pull. */
  registryOf?(reference: string): FakeRegistryImage;
  /** A container has begun to run, or has ended. */
  onRun?(container: FakeContainer): void;
}

/** The calls of the port. */
export type EngineOperation = Exclude<keyof Engine, 'close'>;

interface Fault {
  readonly operation: EngineOperation;
  readonly error: Error;
  /** Whether the engine did it all the same, and only the answer was lost. */
  readonly done: boolean;
}

interface EventWatcher {
  readonly options: EventsOptions;
  readonly reject: (error: Error) => void;
}

const DIGEST = /^(sha256:)?[0-9a-f]{64}$/;

/** Signal of a stop unless the container or the caller names one. */
const DEFAULT_STOP_SIGNAL = 'SIGTERM';

/**
 * A Docker Engine in memory that does what it is told: which images there are, how their containers
 * behave, which calls fail, when it is away. Passes the conformance suite of the real one.
 */
export class FakeEngine implements Engine {
  /** How often each operation was called, failed calls included. */
  readonly calls = new Map<EngineOperation, number>();
  /** Most starts that were ever under way at once. */
  mostStartsAtOnce = 0;

  description: EngineDescription = fakeDescription();

  private readonly containers = new Map<string, FakeContainer>();
  private readonly images = new Map<string, ImageInspection>();
  private readonly registry = new Map<string, FakeRegistryImage>();
  private readonly behaviours = new Map<string, FakeBehaviour>();
  /** What the world said of each container. */
  private readonly fates = new WeakMap<FakeContainer, FakeBehaviour>();
  private readonly faults: Fault[] = [];
  private readonly events: ContainerEvent[] = [];
  private readonly watchers = new Set<EventWatcher>();
  private readonly execs: FakeExecs;
  /** Aborts when the engine goes away: every stream and long call breaks. */
  private life = new AbortController();
  private available = true;
  private starting = 0;
  private created = 0;
  private eventTimeMs = 0;

  constructor(
    private readonly clock: Clock = new SystemClock(),
    private readonly world: FakeEngineWorld = {},
  ) {
    this.execs = new FakeExecs(clock);
  }

  // --- what tests say ---

  /** Puts an image on the engine's disk, with what its containers do. */
  addImage(reference: string, behaviour: FakeBehaviour = {}): void {
    this.images.set(normalized(reference), fakeImage(reference));
    this.behave(reference, behaviour);
  }

  removeImage(reference: string): void {
    this.images.delete(normalized(reference));
  }

  /** Lets an image be pulled, or fail to be; what no registry was told of is not found. */
  addToRegistry(reference: string, image: FakeRegistryImage = {}): void {
    this.registry.set(normalized(reference), image);
  }

  /** Changes what containers of an image do from their next start on. */
  behave(reference: string, behaviour: FakeBehaviour): void {
    this.behaviours.set(normalized(reference), behaviour);
  }

  /** The next call of `operation` fails; `done` when only its answer is lost. */
  failNext(operation: EngineOperation, error: Error, { done = false } = {}): void {
    this.faults.push({ operation, error, done });
  }

  /** Ends a container as if its process had ended. */
  exitContainer(idOrName: string, exitCode: number, { oomKilled = false } = {}): void {
    this.ended(this.required('exit', idOrName), exitCode, { oomKilled });
  }

  /** As `docker pause` and `docker unpause` do. */
  pauseContainer(idOrName: string): void {
    const container = this.required('pause', idOrName);
    container.state = 'paused';
    this.emit('pause', container);
  }

  unpauseContainer(idOrName: string): void {
    const container = this.required('unpause', idOrName);
    container.state = 'running';
    this.emit('unpause', container);
  }

  /** Gives a verdict of the container's health check. */
  setHealth(idOrName: string, state: 'healthy' | 'unhealthy', output = ''): void {
    this.judged(this.required('set health', idOrName), state, output);
  }

  /** Makes a container print a line. */
  print(idOrName: string, text: string, stream: LogLine['stream'] = 'stdout'): void {
    this.required('print', idOrName).print(stream, text, this.stamp());
  }

  /** The engine goes away: streams break, calls fail. Without live-restore its containers end. */
  goAway({ containersSurvive = true } = {}): void {
    this.available = false;
    this.life.abort(new UnavailableError('the fake engine went away'));
    this.life = new AbortController();
    for (const { reject } of this.watchers) reject(new UnavailableError('the stream was cut'));
    this.watchers.clear();
    this.events.length = 0;
    if (containersSurvive) return;
    for (const container of this.containers.values()) {
      if (!container.isRunning) continue;
      container.end(137, this.stamp());
      this.world.onRun?.(container);
    }
  }

  comeBack(): void {
    this.available = true;
  }

  /** Calls of one operation so far. */
  callsOf(operation: EngineOperation): number {
    return this.calls.get(operation) ?? 0;
  }

  /** The names of all containers, in the order of their creation. */
  get containerNames(): readonly string[] {
    return [...this.containers.values()].map(({ name }) => name);
  }

  /** All containers, in the order of their creation. */
  get all(): readonly FakeContainer[] {
    return [...this.containers.values()];
  }

  /** How a container was created. */
  bodyOf(idOrName: string): FakeContainer['body'] {
    return this.required('look at', idOrName).body;
  }

  // --- the port ---

  ping({ signal }: CallOptions = {}): Promise<EnginePing> {
    const { apiVersion } = this.description;
    return this.call('ping', signal, () => ({ apiVersion, engineApiVersion: apiVersion }));
  }

  describe({ signal }: CallOptions = {}): Promise<EngineDescription> {
    return this.call('describe', signal, () => this.description);
  }

  listContainers(filter: ContainerFilter): Promise<readonly ContainerSummary[]> {
    const { labels = {}, all = false, signal } = filter;
    return this.call('listContainers', signal, () =>
      [...this.containers.values()]
        .filter((container) => all || container.isRunning)
        .filter((container) => matches(container.labels, labels))
        .map((container) => container.summary()),
    );
  }

  inspectContainer(
    idOrName: string,
    { signal }: CallOptions = {},
  ): Promise<ContainerInspection | undefined> {
    return this.call('inspectContainer', signal, () => this.find(idOrName)?.inspect());
  }

  createContainer({ name, body, signal }: CreateContainerRequest): Promise<CreatedContainer> {
    return this.call('createContainer', signal, () => {
      const image = this.images.get(normalized(body.Image));
      if (!image) throw new NotFoundError(`create container: No such image: ${body.Image}`);
      if (this.find(name)) throw new AlreadyExistsError(`create container: ${name} is in use`);
      this.created += 1;
      const id = createHash('sha256')
        .update(`${name} ${String(this.created)}`)
        .digest('hex');
      const birth = { id, name, body, imageId: image.id, createdAt: this.stamp() };
      const container = new FakeContainer(birth);
      this.containers.set(id, container);
      this.emit('create', container);
      return { id, warnings: [] };
    });
  }

  startContainer(id: string, { signal }: CallOptions = {}): Promise<void> {
    return this.call('startContainer', signal, async (cut) => {
      const container = this.required('start container', id);
      if (container.isRunning) return;
      const { startMs = 0, startError } = this.behaviourOf(container);
      this.starting += 1;
      this.mostStartsAtOnce = Math.max(this.mostStartsAtOnce, this.starting);
      try {
        if (startMs > 0) await this.clock.sleep(startMs, cut);
      } finally {
        this.starting -= 1;
      }
      this.required('start container', id);
      if (startError) {
        container.error = startError.message;
        throw startError;
      }
      this.begin(container);
    });
  }

  stopContainer(id: string, { stopSignal, graceMs, signal }: StopOptions): Promise<void> {
    return this.call('stopContainer', signal, async (cut) => {
      const container = this.required('stop container', id);
      const { run } = container;
      if (!run) return;
      this.signalled(container, stopSignal ?? container.body.StopSignal ?? DEFAULT_STOP_SIGNAL);
      if (!container.isRunning) return;
      using over = new AbortScope(run.signal, cut);
      await this.clock.sleep(graceMs, over.signal).catch(() => undefined);
      cut.throwIfAborted();
      this.signalled(container, 'SIGKILL');
    });
  }

  killContainer(id: string, { killSignal = 'SIGKILL', signal }: KillOptions = {}): Promise<void> {
    return this.call('killContainer', signal, () => {
      const container = this.required('kill container', id);
      if (!container.isRunning) throw new EngineRefusedError(`kill: ${id} is not running`);
      this.signalled(container, killSignal);
    });
  }

  removeContainer(id: string, { force = false, signal }: RemoveOptions = {}): Promise<void> {
    return this.call('removeContainer', signal, () => {
      const container = this.find(id);
      if (!container) return;
      if (container.isRunning && !force) {
        throw new EngineRefusedError(`remove container: ${id} is running`);
      }
      if (container.isRunning) this.signalled(container, 'SIGKILL');
      this.containers.delete(container.id);
      this.emit('destroy', container);
      container.changed();
    });
  }

  waitContainer(id: string, signal?: AbortSignal): Promise<ContainerExit> {
    return this.call('waitContainer', signal, async (cut) => {
      const container = this.required('wait for container', id);
      while (container.isRunning) await changeOf(container, cut);
      return { exitCode: container.exitCode ?? 0 };
    });
  }

  execInContainer(id: string, request: ExecRequest): Promise<ExecResult> {
    return this.call('execInContainer', request.signal, async (cut) => {
      const container = this.required('create exec', id);
      const { run, state } = container;
      if (!run || state !== 'running') {
        throw new EngineRefusedError(`create exec: container ${id} is not running`);
      }
      const { exec = () => NOT_FOUND } = this.behaviourOf(container);
      return await orAbort(this.execs.run(request, exec(request.command), run.signal), cut);
    });
  }

  isExecRunning(execId: string, { signal }: CallOptions = {}): Promise<boolean> {
    return this.call('isExecRunning', signal, () => this.execs.isRunning(execId));
  }

  pullImage(reference: string, options: PullOptions = {}): Promise<ImageInspection> {
    return this.call('pullImage', options.signal, async (cut) => {
      const entry = this.world.registryOf?.(reference) ??
        this.registry.get(normalized(reference)) ?? { failure: 'ImageNotFound' };
      const { failure, pullMs = 0 } = entry;
      const sizes = { layersTotal: 1, totalBytes: 1000 };
      options.onProgress?.({ status: 'Downloading', layersDone: 0, downloadedBytes: 0, ...sizes });
      if (pullMs > 0) await this.clock.sleep(pullMs, cut);
      if (failure) throw new ImagePullError(failure, `cannot pull ${reference}: ${failure}`);
      const done = { status: 'Pull complete', layersDone: 1, downloadedBytes: 1000 };
      options.onProgress?.({ ...done, ...sizes });
      const image = fakeImage(reference);
      this.images.set(normalized(reference), image);
      return image;
    });
  }

  inspectImage(
    reference: string,
    { signal }: CallOptions = {},
  ): Promise<ImageInspection | undefined> {
    return this.call('inspectImage', signal, () => this.images.get(normalized(reference)));
  }

  watchEvents(options: EventsOptions): Promise<never> {
    return this.call('watchEvents', options.signal, (cut) => {
      return new Promise<never>((_resolve, reject) => {
        const watcher = { options, reject };
        this.watchers.add(watcher);
        cut.addEventListener('abort', () => {
          this.watchers.delete(watcher);
          reject(abortReason(cut));
        });
        options.onOpen?.();
        const { since } = options;
        if (since === undefined) return;
        for (const event of this.events) {
          if (Number(event.cursor) >= Number(since)) tell(watcher, event);
        }
      });
    });
  }

  async *streamLogs(id: string, options: LogOptions = {}): AsyncGenerator<LogLine> {
    const { follow = false, timestamps = false, signal } = options;
    const container = await this.call('streamLogs', signal, () => this.required('stream logs', id));
    using scope = new AbortScope(this.life.signal, signal);
    const cut = scope.signal;
    let next = firstLine(container, options);
    for (;;) {
      const lines = container.log.slice(next);
      next += lines.length;
      for (const line of lines.filter((candidate) => isWanted(candidate, options))) {
        cut.throwIfAborted();
        yield shown(line, timestamps);
      }
      if (next < container.log.length) continue; // more came while these were read
      if (!follow || !container.isRunning) return;
      await changeOf(container, cut);
    }
  }

  close(): void {
    this.life.abort(new UnavailableError('the engine was closed'));
  }

  // --- inside ---

  private async call<T>(
    operation: EngineOperation,
    signal: AbortSignal | undefined,
    work: (cut: AbortSignal) => T | Promise<T>,
  ): Promise<T> {
    this.calls.set(operation, this.callsOf(operation) + 1);
    signal?.throwIfAborted();
    if (!this.available) throw new UnavailableError(`${operation}: the fake engine is away`);
    const at = this.faults.findIndex((fault) => fault.operation === operation);
    const [fault] = at === -1 ? [] : this.faults.splice(at, 1);
    if (fault && !fault.done) throw fault.error;
    using cut = new AbortScope(this.life.signal, signal);
    const result = await work(cut.signal);
    if (fault) throw fault.error;
    return result;
  }

  private find(idOrName: string): FakeContainer | undefined {
    return (
      this.containers.get(idOrName) ??
      [...this.containers.values()].find(({ name }) => name === idOrName)
    );
  }

  private required(what: string, idOrName: string): FakeContainer {
    const container = this.find(idOrName);
    if (!container) throw new NotFoundError(`${what}: No such container: ${idOrName}`);
    return container;
  }

  private behaviourOf(container: FakeContainer): FakeBehaviour {
    const known = this.fates.get(container);
    if (known) return known;
    const fate =
      this.world.behaviourOf?.(container) ??
      this.behaviours.get(normalized(container.body.Image)) ??
      {};
    if (this.world.behaviourOf) this.fates.set(container, fate);
    return fate;
  }

  private begin(container: FakeContainer): void {
    container.begin(this.nextPid(), this.stamp(), this.bindPorts(container));
    this.world.onRun?.(container);
    this.emit('start', container);
    this.play(container, this.behaviourOf(container));
  }

  /** What the container does from its start on. */
  private play(container: FakeContainer, behaviour: FakeBehaviour): void {
    const { output = [], exitAfterMs, exitCode = 0, ...rest } = behaviour;
    for (const { text, stream = 'stdout', afterMs = 0 } of output) {
      this.later(container, afterMs, () => {
        container.print(stream, text, this.stamp());
      });
    }
    for (const { afterMs, state, output: words = '' } of rest.health ?? []) {
      this.later(container, afterMs, () => {
        this.judged(container, state, words);
      });
    }
    if (exitAfterMs !== undefined) {
      this.later(container, exitAfterMs, () => {
        this.ended(container, exitCode, { oomKilled: rest.oomKilled ?? false });
      });
    }
  }

  /** Does something `ms` from now, unless this run of the container ends before. */
  private later(container: FakeContainer, ms: number, work: () => void): void {
    const { run } = container;
    if (ms <= 0) {
      work();
      return;
    }
    this.clock.sleep(ms, run?.signal).then(work, () => undefined);
  }

  private nextPid(): number {
    this.created += 1;
    return 1000 + this.created;
  }

  private bindPorts(container: FakeContainer): readonly PublishedPort[] {
    const taken = new Set(
      [...this.containers.values()].flatMap(({ ports }) =>
        ports.map(({ protocol, hostPort }) => `${protocol}/${String(hostPort)}`),
      ),
    );
    const wanted = Object.entries(container.body.HostConfig.PortBindings ?? {});
    return wanted.flatMap(([key, bindings]) => {
      const [port, protocol = 'tcp'] = key.split('/');
      return bindings.map(({ HostIp = '', HostPort }) => {
        let hostPort = Number(HostPort) || 32_768;
        while (HostPort === '' && taken.has(`${protocol}/${String(hostPort)}`)) hostPort += 1;
        if (taken.has(`${protocol}/${String(hostPort)}`)) {
          throw new EngineRefusedError(`start container: port ${HostPort} is already allocated`);
        }
        taken.add(`${protocol}/${String(hostPort)}`);
        return {
          containerPort: Number(port),
          protocol: protocol as PublishedPort['protocol'],
          hostIp: HostIp === '' ? '0.0.0.0' : HostIp,
          hostPort,
        };
      });
    });
  }

  private signalled(container: FakeContainer, signal: string): void {
    if (!container.isRunning) return;
    const number = signalNumber(signal);
    this.emit('kill', container, { signalNumber: number });
    const { onSignal = () => 128 + number } = this.behaviourOf(container);
    const exitCode = number === 9 ? 137 : onSignal(signal);
    if (exitCode !== undefined) this.ended(container, exitCode, { oomKilled: false });
  }

  private ended(
    container: FakeContainer,
    exitCode: number,
    { oomKilled }: { readonly oomKilled: boolean },
  ): void {
    if (!container.isRunning) return;
    container.oomKilled = oomKilled;
    container.end(exitCode, this.stamp());
    this.world.onRun?.(container);
    if (oomKilled) this.emit('oom', container);
    this.emit('die', container, { exitCode });
  }

  private judged(
    container: FakeContainer,
    state: 'starting' | 'healthy' | 'unhealthy',
    lastOutput: string,
  ): void {
    const failing = state === 'unhealthy' ? (container.health?.failingStreak ?? 0) + 1 : 0;
    container.health = { state, failingStreak: failing, lastOutput };
    container.changed();
    this.emit('health_status', container, { health: state });
  }

  private emit(
    action: ContainerEventAction,
    container: FakeContainer,
    detail: Partial<ContainerEvent> = {},
  ): void {
    // events of one instant still have an order
    this.eventTimeMs = Math.max(this.eventTimeMs + 1, this.clock.now().getTime());
    const event: ContainerEvent = {
      action,
      containerId: container.id,
      containerName: container.name,
      image: container.body.Image,
      at: new Date(this.eventTimeMs).toISOString(),
      cursor: (this.eventTimeMs / 1000).toFixed(9),
      attributes: { ...container.labels, name: container.name, image: container.body.Image },
      ...detail,
    };
    this.events.push(event);
    for (const watcher of this.watchers) tell(watcher, event);
  }

  private stamp(): string {
    return this.clock.now().toISOString();
  }
}

function tell({ options }: EventWatcher, event: ContainerEvent): void {
  const { labels = {}, actions = CONTAINER_EVENT_ACTIONS, onEvent } = options;
  if (actions.includes(event.action) && matches(event.attributes, labels)) onEvent(event);
}

function matches(
  labels: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted).every(([key, value]) =>
    value === '' ? key in labels : labels[key] === value,
  );
}

/** Resolves when something about the container changes; rejects when `cut` aborts. */
function changeOf(container: FakeContainer, cut: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (cut.aborted) {
      reject(abortReason(cut));
      return;
    }
    const done = () => {
      container.watchers.delete(done);
      cut.removeEventListener('abort', onAbort);
      resolve();
    };
    const onAbort = () => {
      container.watchers.delete(done);
      reject(abortReason(cut));
    };
    container.watchers.add(done);
    cut.addEventListener('abort', onAbort, { once: true });
  });
}

function firstLine({ log }: FakeContainer, { tail, since }: LogOptions): number {
  const bySince = since === undefined ? 0 : log.findIndex(({ at }) => at >= since);
  const byTail = tail === undefined ? 0 : log.length - tail;
  return Math.max(0, bySince === -1 ? log.length : bySince, byTail);
}

function isWanted(line: LogLine & { readonly at: string }, options: LogOptions): boolean {
  const { stdout = true, stderr = true, until } = options;
  if (until !== undefined && line.at > until) return false;
  return line.stream === 'stdout' ? stdout : stderr;
}

function shown({ at, ...line }: LogLine & { readonly at: string }, timestamps: boolean): LogLine {
  return timestamps ? { ...line, at } : line;
}

/** `busybox` is `busybox:latest`. */
function normalized(reference: string): string {
  const hasVersion = reference.includes('@') || /:[^/]+$/.test(reference);
  return hasVersion || DIGEST.test(reference) ? reference : `${reference}:latest`;
}

function fakeImage(reference: string): ImageInspection {
  const digest = `sha256:${createHash('sha256').update(normalized(reference)).digest('hex')}`;
  return {
    id: digest,
    tags: [normalized(reference)],
    digests: [],
    os: 'linux',
    architecture: 'amd64',
    sizeBytes: 1000,
  };
}

function fakeDescription(): EngineDescription {
  return {
    engineId: 'FAKE',
    hostname: 'fake-host',
    os: 'linux',
    architecture: 'amd64',
    cpuNano: 4e9,
    memoryBytes: 8 * 1024 ** 3,
    engineVersion: '20.10.24',
    apiVersion: '1.41',
    labels: {},
    plugins: { volume: ['local'], network: ['bridge', 'host', 'null'], log: ['json-file'] },
    genericResources: [],
    kernelVersion: '6.1.0',
    operatingSystem: 'Fake Linux',
    storageDriver: 'overlay2',
    defaultLogDriver: 'json-file',
    cgroup: { driver: 'cgroupfs', version: '2' },
    runtimes: ['runc'],
    securityOptions: ['name=seccomp,profile=default'],
    liveRestore: false,
    dataDirectory: '/var/lib/docker',
  };
}
