import type { Clock } from '../../pkg/base/index.js';
import { LimitedText, MAX_EXEC_OUTPUT_BYTES } from '../../pkg/engine/index.js';
import type { ExecRequest, ExecResult } from '../../pkg/engine/index.js';

/** What a command does inside of a fake container. */
export interface FakeExecution {
  /** Default 0. */
  readonly exitCode?: number;
  readonly output?: string;
  /** How long it takes. Default 0. */
  readonly takesMs?: number;
}

/** SIGKILL, which the end of a container is to all that runs in it. */
const KILLED = 137;
/** What becomes of a command that is not there. */
export const NOT_FOUND: FakeExecution = {
  exitCode: 127,
  output: 'executable file not found in $PATH',
};

/** The commands inside of the containers of one fake engine. */
export class FakeExecs {
  private readonly running = new Set<string>();
  private count = 0;

  constructor(private readonly clock: Clock) {}

  isRunning(execId: string): boolean {
    return this.running.has(execId);
  }

  /** Runs a command until `life` aborts; it goes on after its time is over, as the engine's do. */
  async run(
    { timeoutMs, maxOutputBytes = MAX_EXEC_OUTPUT_BYTES }: ExecRequest,
    { exitCode = 0, output = '', takesMs = 0 }: FakeExecution,
    life: AbortSignal,
  ): Promise<ExecResult> {
    const execId = `exec${String((this.count += 1))}`;
    const text = new LimitedText(maxOutputBytes);
    text.append(Buffer.from(output));
    const ended = this.end(execId, takesMs, life);
    const inTime = takesMs <= timeoutMs;
    const wasKilled = await (inTime ? ended : this.killedWithin(timeoutMs, life));
    if (wasKilled) return { execId, exitCode: KILLED, output: text.text };
    return { execId, output: text.text, ...(inTime && { exitCode }) };
  }

  /** True when it was killed with its container. */
  private async end(execId: string, takesMs: number, life: AbortSignal): Promise<boolean> {
    this.running.add(execId);
    const wasKilled = takesMs > 0 && (await this.killedWithin(takesMs, life));
    this.running.delete(execId);
    return wasKilled;
  }

  private killedWithin(ms: number, life: AbortSignal): Promise<boolean> {
    return this.clock.sleep(ms, life).then(
      () => false,
      () => true,
    );
  }
}
