import { constants } from 'node:os';
import type {
  ContainerCreateBody,
  ContainerHealth,
  ContainerInspection,
  ContainerState,
  ContainerSummary,
  HealthState,
  LogLine,
  PublishedPort,
} from '../../pkg/engine/index.js';
import type { FakeExecution } from './fake-exec.js';

/** A line that a fake container prints. */
export interface FakeOutput {
  readonly stream?: 'stdout' | 'stderr';
  readonly text: string;
  /** After the start; default at once. */
  readonly afterMs?: number;
}

/** What containers of an image do. By default they run until a signal, and any signal ends them. */
export interface FakeBehaviour {
  /** Starting fails with it. */
  readonly startError?: Error;
  /** How long the start call takes. Default 0. */
  readonly startMs?: number;
  /** Ends by itself so long after its start; default never. */
  readonly exitAfterMs?: number;
  /** With which code it ends by itself. Default 0. */
  readonly exitCode?: number;
  /** The end is the kernel's doing: out of memory. */
  readonly oomKilled?: boolean;
  readonly output?: readonly FakeOutput[];
  /** Exit code on a signal, undefined to ignore it; SIGKILL always ends it. Default 128 + number. */
  readonly onSignal?: (signal: string) => number | undefined;
  /** What commands run inside of it do. Default: none is found. */
  readonly exec?: (command: readonly string[]) => FakeExecution;
  /** Verdicts of the health check; it needs one in its create body. */
  readonly health?: readonly {
    readonly afterMs: number;
    readonly state: HealthState;
    readonly output?: string;
  }[];
}

/** What a container has from its creation on. */
export interface FakeBirth {
  readonly id: string;
  readonly name: string;
  readonly body: ContainerCreateBody;
  readonly imageId: string;
  readonly createdAt: string;
}

/** State of one container of the FakeEngine; changes only by its methods. */
export class FakeContainer {
  state: ContainerState = 'created';
  pid: number | undefined;
  exitCode: number | undefined;
  oomKilled = false;
  error: string | undefined;
  startedAt: string | undefined;
  finishedAt: string | undefined;
  health: ContainerHealth | undefined;
  ports: readonly PublishedPort[] = [];
  /** Aborts with the end of the present run; undefined while it does not run. */
  run: AbortController | undefined;
  readonly log: (LogLine & { readonly at: string })[] = [];
  /** Called when the log or the state has changed. */
  readonly watchers = new Set<() => void>();

  readonly id: string;
  readonly name: string;
  readonly body: ContainerCreateBody;

  constructor(private readonly birth: FakeBirth) {
    this.id = birth.id;
    this.name = birth.name;
    this.body = birth.body;
  }

  get labels(): Readonly<Record<string, string>> {
    return this.body.Labels ?? {};
  }

  get isRunning(): boolean {
    return this.state === 'running' || this.state === 'paused';
  }

  /** Made of its id: any two of a test differ. */
  private get address(): string | undefined {
    const ownNetwork = !['host', 'none'].includes(this.body.HostConfig.NetworkMode ?? 'default');
    if (!ownNetwork || !this.isRunning) return undefined;
    const [high, low] = Buffer.from(this.id, 'hex');
    return `172.17.${String(high)}.${String(low)}`;
  }

  get hasHealthcheck(): boolean {
    const test = this.body.Healthcheck?.Test ?? [];
    return test.length > 0 && test[0] !== 'NONE';
  }

  begin(pid: number, at: string, ports: readonly PublishedPort[]): void {
    this.state = 'running';
    this.pid = pid;
    this.startedAt = at;
    this.error = undefined;
    this.ports = ports;
    this.run = new AbortController();
    this.health = this.hasHealthcheck ? { state: 'starting', failingStreak: 0 } : undefined;
    this.changed();
  }

  end(exitCode: number, at: string): void {
    this.state = 'exited';
    this.pid = undefined;
    this.exitCode = exitCode;
    this.finishedAt = at;
    this.ports = [];
    this.run?.abort(new Error('the container ended'));
    this.run = undefined;
    this.changed();
  }

  print(stream: LogLine['stream'], text: string, at: string): void {
    this.log.push({ stream, at, data: Buffer.from(text), partial: false });
    this.changed();
  }

  changed(): void {
    for (const watcher of this.watchers) watcher();
  }

  inspect(): ContainerInspection {
    const optional = {
      pid: this.pid,
      exitCode: this.exitCode,
      error: this.error,
      startedAt: this.startedAt,
      finishedAt: this.finishedAt,
      health: this.health,
      stopSignal: this.body.StopSignal,
      address: this.address,
    };
    return {
      id: this.id,
      name: this.name,
      state: this.state,
      oomKilled: this.oomKilled,
      createdAt: this.birth.createdAt,
      labels: this.labels,
      ports: this.ports,
      usesHostNetwork: this.body.HostConfig.NetworkMode === 'host',
      image: this.body.Image,
      imageId: this.birth.imageId,
      tty: this.body.Tty ?? false,
      ...withoutUndefined(optional),
    };
  }

  summary(): ContainerSummary {
    return {
      id: this.id,
      names: [this.name],
      image: this.body.Image,
      state: this.state,
      labels: this.labels,
      createdAt: this.birth.createdAt,
      ...(this.state === 'exited' && this.exitCode !== undefined
        ? { exitCodeHint: this.exitCode }
        : {}),
    };
  }
}

/** `SIGTERM`, `TERM` or `15` as a number. */
export function signalNumber(signal: string): number {
  const name = signal.startsWith('SIG') ? signal : `SIG${signal}`;
  const numbers: Readonly<Record<string, number>> = constants.signals;
  return numbers[name] ?? Number(signal);
}

type Defined<T> = { readonly [Key in keyof T]?: Exclude<T[Key], undefined> };

function withoutUndefined<T extends object>(object: T): Defined<T> {
  return Object.fromEntries(
    Object.entries(object).filter(([, value]) => value !== undefined),
  ) as Defined<T>;
}
