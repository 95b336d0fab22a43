import { AbortScope, NotFoundError, UnavailableError, backoffMs } from '../base/index.js';
import type { Clock } from '../base/index.js';
import type { CallOptions } from './call.js';
import { errorOfConnection } from './engine-errors.js';
import { MAX_EXEC_OUTPUT_BYTES } from './exec.js';
import type { ExecRequest, ExecResult } from './exec.js';
import { LimitedText } from './limited-text.js';
import { LogFrameDecoder } from './log-frames.js';
import type { EngineTimeouts } from './timeouts.js';
import type { EngineTransport } from './transport.js';
import type { WireExec } from './wire.js';

/** The output may end a moment before the engine knows the exit code. */
const EXIT_POLL = { initialMs: 5, maxMs: 100 };

/** Commands inside of containers; `Engine` says what each method promises. */
export class EngineExecs {
  constructor(
    private readonly transport: EngineTransport,
    private readonly timeouts: EngineTimeouts,
    private readonly clock: Clock,
  ) {}

  async run(id: string, request: ExecRequest): Promise<ExecResult> {
    const { timeoutMs, maxOutputBytes = MAX_EXEC_OUTPUT_BYTES, signal } = request;
    const execId = await this.create(id, request);
    const output = new LimitedText(maxOutputBytes);
    const scope = new AbortScope(signal);
    const timeIsUp = new Error('the command took too long');
    const timer = setTimeout(() => {
      scope.abort(timeIsUp);
    }, timeoutMs);
    try {
      await this.read(execId, output, scope.signal);
      const exitCode = await this.exitCode(execId, scope.signal);
      return { execId, exitCode, output: output.text };
    } catch (error) {
      if (scope.signal.reason !== timeIsUp) throw error;
      return { execId, output: output.text };
    } finally {
      clearTimeout(timer);
      scope[Symbol.dispose]();
    }
  }

  async isRunning(execId: string, options?: CallOptions): Promise<boolean> {
    try {
      return (await this.inspect(execId, options)).Running === true;
    } catch (error) {
      if (error instanceof NotFoundError) return false;
      throw error;
    }
  }

  private async inspect(
    execId: string,
    { signal, timeoutMs }: CallOptions = {},
  ): Promise<WireExec> {
    const { body } = await this.transport.call({
      operation: 'inspect exec',
      method: 'GET',
      path: execPath(execId, '/json'),
      timeoutMs: timeoutMs ?? this.timeouts.inspectMs,
      ...(signal && { signal }),
    });
    return body as WireExec;
  }

  private async create(id: string, { command, signal }: ExecRequest): Promise<string> {
    const { body } = await this.transport.call({
      operation: 'create exec',
      method: 'POST',
      path: `/containers/${encodeURIComponent(id)}/exec`,
      body: { Cmd: command, AttachStdout: true, AttachStderr: true },
      timeoutMs: this.timeouts.execCreateMs,
      ...(signal && { signal }),
    });
    return (body as { readonly Id: string }).Id;
  }

  /** To the end of the output, which is the end of the command and of all that inherited its streams. */
  private async read(execId: string, output: LimitedText, signal: AbortSignal): Promise<void> {
    const response = await this.transport.stream({
      operation: 'start exec',
      method: 'POST',
      path: execPath(execId, '/start'),
      body: { Detach: false, Tty: false },
      timeoutMs: this.timeouts.streamOpenMs,
      signal,
    });
    const decoder = new LogFrameDecoder();
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        for (const { data } of decoder.push(chunk)) output.append(data);
      }
    } catch (error) {
      throw errorOfConnection('start exec', error, signal);
    } finally {
      response.destroy();
    }
  }

  private async exitCode(execId: string, signal: AbortSignal): Promise<number> {
    for (let attempt = 1; ; attempt += 1) {
      const { Running, ExitCode } = await this.inspect(execId, { signal });
      if (Running !== true) {
        if (typeof ExitCode === 'number') return ExitCode;
        throw new UnavailableError('inspect exec: the engine does not tell the exit code');
      }
      await this.clock.sleep(backoffMs(EXIT_POLL, attempt), signal);
    }
  }
}

const execPath = (execId: string, path: string) => `/exec/${encodeURIComponent(execId)}${path}`;
