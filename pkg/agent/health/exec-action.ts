import { NotFoundError, messageOf } from '../../base/index.js';
import { EngineRefusedError, type Engine } from '../../engine/index.js';
import { SUCCESS, failure, noAnswer, type ProbeOutcome, type TryOptions } from './probe-outcome.js';

/** The calls of the engine that a command needs. */
export type ExecEngine = Pick<Engine, 'execInContainer' | 'isExecRunning'>;

/**
 * A command that is run again and again inside of one container. The engine cannot end one that takes too
 * long, so that a new one waits until the last is over: they would pile up in the container.
 */
export class ExecAction {
  private lingering: string | undefined;

  constructor(
    private readonly engine: ExecEngine,
    private readonly command: readonly string[],
  ) {}

  /** Makes one try. Errors: the signal's reason, and nothing else. */
  async run(containerId: string, { timeoutMs, signal }: TryOptions): Promise<ProbeOutcome> {
    const { engine, command } = this;
    try {
      if (await this.lingers(signal)) return failure('the command of an earlier try still runs');
      const result = await engine.execInContainer(containerId, { command, timeoutMs, signal });
      const { execId, exitCode } = result;
      const output = result.output.trim();
      if (exitCode === 0) return SUCCESS;
      if (exitCode === undefined) this.lingering = execId;
      const end = exitCode === undefined ? noAnswer(timeoutMs) : `exit code ${String(exitCode)}`;
      return failure(output === '' ? end : `${end}: ${output}`);
    } catch (error) {
      signal.throwIfAborted();
      return { kind: 'unknown', why: whyNot(error) };
    }
  }

  private async lingers(signal: AbortSignal): Promise<boolean> {
    if (this.lingering === undefined) return false;
    if (await this.engine.isExecRunning(this.lingering, { signal })) return true;
    this.lingering = undefined;
    return false;
  }
}

/** Whoever looks after the container learns by other ways that it is gone or paused. */
function whyNot(error: unknown): string {
  const isGone = error instanceof NotFoundError || error instanceof EngineRefusedError;
  return isGone ? 'the container does not run' : messageOf(error);
}
