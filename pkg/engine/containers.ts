import { NotFoundError, backoffMs, withDeadline } from '../base/index.js';
import type { Clock } from '../base/index.js';
import type { CallOptions } from './call.js';
import type {
  ContainerExit,
  ContainerFilter,
  ContainerInspection,
  ContainerSummary,
  CreatedContainer,
} from './container.js';
import { decodeContainer, decodeSummary } from './decode.js';
import type { CreateContainerRequest, KillOptions, RemoveOptions, StopOptions } from './engine.js';
import { errorOfConnection } from './engine-errors.js';
import { EngineRefusedError } from './errors.js';
import { labelFilter } from './filters.js';
import type { EngineTimeouts } from './timeouts.js';
import type { EngineAnswer, EngineRequest, EngineTransport } from './transport.js';
import type { WireContainer, WireContainerSummary } from './wire.js';

/** How often a removal that somebody else began is looked at. */
const GONE_POLL = { initialMs: 20, maxMs: 500 };
const NOT_MODIFIED = 304;

type ContainerCall = Omit<EngineRequest, 'path' | 'signal' | 'timeoutMs'> & {
  readonly timeoutMs: number;
};

/** Containers of one engine; `Engine` says what each method promises. */
export class EngineContainers {
  constructor(
    private readonly transport: EngineTransport,
    private readonly timeouts: EngineTimeouts,
    private readonly clock: Clock,
  ) {}

  async list(filter: ContainerFilter): Promise<readonly ContainerSummary[]> {
    const { labels, all = false } = filter;
    const { body } = await this.transport.call({
      operation: 'list containers',
      method: 'GET',
      path: '/containers/json',
      query: { all: String(all), ...labelFilter(labels) },
      ...deadline(filter, this.timeouts.listMs),
    });
    return (body as readonly WireContainerSummary[]).map(decodeSummary);
  }

  async inspect(
    idOrName: string,
    options: CallOptions = {},
  ): Promise<ContainerInspection | undefined> {
    try {
      const call = { operation: 'inspect container', method: 'GET' } as const;
      const timeoutMs = this.timeouts.inspectMs;
      const { body } = await this.call(idOrName, '/json', { ...call, timeoutMs }, options);
      return decodeContainer(body as WireContainer);
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  }

  async create(request: CreateContainerRequest): Promise<CreatedContainer> {
    const { name, body } = request;
    const answer = await this.transport.call({
      operation: 'create container',
      method: 'POST',
      path: '/containers/create',
      query: { name },
      body,
      ...deadline(request, this.timeouts.createMs),
    });
    const { Id, Warnings } = answer.body as { Id: string; Warnings?: readonly string[] | null };
    return { id: Id, warnings: Warnings ?? [] };
  }

  async start(id: string, options: CallOptions = {}): Promise<void> {
    const timeoutMs = this.timeouts.startMs;
    const call = { operation: 'start container', method: 'POST', alsoOk: [NOT_MODIFIED] } as const;
    await this.call(id, '/start', { ...call, timeoutMs }, options);
  }

  async stop(id: string, options: StopOptions): Promise<void> {
    const { stopSignal, graceMs } = options;
    const timeoutMs = graceMs + this.timeouts.stopMarginMs;
    if (stopSignal !== undefined) {
      const call = { ...options, ...deadline(options, timeoutMs) };
      await this.stopWith(id, stopSignal, call);
      return;
    }
    const call: ContainerCall = {
      operation: 'stop container',
      method: 'POST',
      query: { t: String(Math.ceil(graceMs / 1000)) },
      alsoOk: [NOT_MODIFIED],
      timeoutMs,
    };
    await this.call(id, '/stop', call, options);
  }

  async kill(id: string, options: KillOptions = {}): Promise<void> {
    const call: ContainerCall = {
      operation: 'kill container',
      method: 'POST',
      query: { signal: options.killSignal ?? 'SIGKILL' },
      timeoutMs: this.timeouts.killMs,
    };
    await this.call(id, '/kill', call, options);
  }

  async remove(id: string, options: RemoveOptions = {}): Promise<void> {
    const { force = false, volumes = false, timeoutMs = this.timeouts.removeMs, signal } = options;
    const call: ContainerCall = {
      operation: 'remove container',
      method: 'DELETE',
      query: { force: String(force), v: String(volumes) },
      timeoutMs,
    };
    const work = async (cut: AbortSignal): Promise<void> => {
      try {
        await this.call(id, '', call, { signal: cut });
      } catch (error) {
        if (error instanceof NotFoundError) return;
        if (!isRemovalInProgress(error)) throw error;
        await this.untilGone(id, cut);
      }
    };
    await withDeadline(call.operation, timeoutMs, work, signal);
  }

  async wait(id: string, signal?: AbortSignal): Promise<ContainerExit> {
    const response = await this.transport.stream({
      operation: 'wait for container',
      method: 'POST',
      path: containerPath(id, '/wait'),
      query: { condition: 'not-running' },
      timeoutMs: this.timeouts.streamOpenMs,
      ...(signal && { signal }),
    });
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
      return decodeExit(Buffer.concat(chunks).toString('utf8'));
    } catch (error) {
      throw errorOfConnection('wait for container', error, signal);
    } finally {
      response.destroy();
    }
  }

  /** API 1.41 cannot stop with another signal than the container's own, so this does it by hand. */
  private async stopWith(
    id: string,
    stopSignal: string,
    options: StopOptions & { readonly timeoutMs: number },
  ): Promise<void> {
    const { graceMs, timeoutMs, signal } = options;
    const work = async (cut: AbortSignal): Promise<void> => {
      // Waits before it kills, so that the exit cannot come in between unseen.
      const over = new AbortController();
      const stop = AbortSignal.any([cut, over.signal]);
      const exited = this.wait(id, stop);
      exited.catch(() => undefined);
      try {
        if (!(await this.killed(id, stopSignal, cut))) return;
        const grace = this.clock.sleep(graceMs, stop).then(() => 'grace is over' as const);
        grace.catch(() => undefined);
        if ((await Promise.race([exited, grace])) !== 'grace is over') return;
        await this.killed(id, 'SIGKILL', cut);
        await exited;
      } finally {
        over.abort();
      }
    };
    await withDeadline('stop container', timeoutMs, work, signal);
  }

  /** False when there was nothing left to kill. */
  private async killed(id: string, killSignal: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.kill(id, { killSignal, signal });
      return true;
    } catch (error) {
      if (error instanceof EngineRefusedError && /is not running/i.test(error.message))
        return false;
      throw error;
    }
  }

  private async untilGone(id: string, signal: AbortSignal): Promise<void> {
    for (let attempt = 1; (await this.inspect(id, { signal })) !== undefined; attempt++) {
      await this.clock.sleep(backoffMs(GONE_POLL, attempt), signal);
    }
  }

  private call(
    id: string,
    path: string,
    call: ContainerCall,
    options: CallOptions,
  ): Promise<EngineAnswer> {
    return this.transport.call({
      ...call,
      path: containerPath(id, path),
      ...deadline(options, call.timeoutMs),
    });
  }
}

function containerPath(id: string, path: string): string {
  return `/containers/${encodeURIComponent(id)}${path}`;
}

function deadline({ signal, timeoutMs }: CallOptions, defaultMs: number) {
  return { timeoutMs: timeoutMs ?? defaultMs, ...(signal && { signal }) };
}

function decodeExit(text: string): ContainerExit {
  const body = JSON.parse(text) as {
    readonly StatusCode: number;
    readonly Error?: { readonly Message?: string } | null;
  };
  const error = body.Error?.Message;
  return { exitCode: body.StatusCode, ...(error && { error }) };
}

function isRemovalInProgress(error: unknown): boolean {
  return error instanceof EngineRefusedError && /already in progress/i.test(error.message);
}
