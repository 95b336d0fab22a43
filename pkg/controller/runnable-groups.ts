import { AbortScope, abortReason, messageOf, UnavailableError } from '../base/index.js';
import type { Clock } from '../base/index.js';
import type { Logger } from '../log/index.js';

/** Something that runs until it is told to stop. */
export interface Runnable {
  readonly name: string;
  /**
   * Runs until the signal aborts and resolves when nothing of it runs any more. Calls `ready` once, when
   * others may build on it. Ending before the abort is a failure, whether it rejects or not.
   */
  run(signal: AbortSignal, ready: () => void): Promise<void>;
}

/** Things that start together. */
export interface RunnableGroup {
  readonly name: string;
  readonly runnables: readonly Runnable[];
  /** How long they may take to be ready. Default: for ever, because etcd may be away for so long. */
  readonly startTimeoutMs?: number;
  /** How long they may take to end; then the next group is stopped all the same. Default 10 s. */
  readonly stopTimeoutMs?: number;
}

/** What {@link RunnableGroups} is made of. */
export interface RunnableGroupsOptions {
  /** In order of start; they are stopped in reverse. */
  readonly groups: readonly RunnableGroup[];
  readonly clock: Clock;
  readonly log: Logger;
}

const DEFAULT_STOP_TIMEOUT_MS = 10_000;

/** Starts groups one after the other, each when the one before is ready, and stops them in reverse. */
export class RunnableGroups implements Runnable {
  readonly name = 'groups';

  constructor(private readonly options: RunnableGroupsOptions) {}

  /**
   * Runs everything until the signal aborts, then resolves. When something fails, everything else is
   * stopped in order and the failure is thrown.
   */
  async run(signal: AbortSignal, ready: () => void = () => undefined): Promise<void> {
    const failure = new AbortController();
    const scope = new AbortScope(signal, failure.signal);
    const running: RunningGroup[] = [];
    try {
      for (const group of this.options.groups) {
        const started = new RunningGroup(group, this.options, (error) => failure.abort(error));
        running.push(started);
        await started.untilReady(scope.signal);
      }
      ready();
      await aborted(scope.signal);
    } catch (error) {
      if (!signal.aborted && !failure.signal.aborted) failure.abort(error);
    } finally {
      for (const group of running.reverse()) await group.stop();
      scope[Symbol.dispose]();
    }
    if (failure.signal.aborted && !signal.aborted) throw abortReason(failure.signal);
  }
}

/** One group that was started. */
class RunningGroup {
  private readonly stopping = new AbortController();
  private readonly unready = new Set<Runnable>();
  private readonly unended = new Set<Runnable>();
  private readonly ended: Promise<unknown>;
  private markReady: () => void = () => undefined;
  private readonly ready = new Promise<void>((resolve) => (this.markReady = resolve));

  constructor(
    private readonly group: RunnableGroup,
    private readonly options: RunnableGroupsOptions,
    private readonly onFailure: (error: Error) => void,
  ) {
    for (const runnable of group.runnables) {
      this.unready.add(runnable);
      this.unended.add(runnable);
    }
    this.ended = Promise.all(group.runnables.map((runnable) => this.supervise(runnable)));
    if (this.unready.size === 0) this.markReady();
  }

  /** Errors: UnavailableError after the group's start time, the signal's reason. */
  async untilReady(signal: AbortSignal): Promise<void> {
    const { startTimeoutMs } = this.group;
    const scope = new AbortScope(signal);
    const limit =
      startTimeoutMs === undefined
        ? aborted(scope.signal).then(() => scope.signal.throwIfAborted())
        : this.options.clock.sleep(startTimeoutMs, scope.signal);
    try {
      const isReady = await Promise.race([this.ready.then(() => true), limit.then(() => false)]);
      if (isReady) return;
      const late = namesOf(this.unready);
      throw new UnavailableError(`${late} did not start within ${startTimeoutMs ?? 0} ms`);
    } finally {
      limit.catch(() => undefined);
      scope.abort();
      scope[Symbol.dispose]();
    }
  }

  /** Ends the group, or gives up after its stop time. Never rejects. */
  async stop(): Promise<void> {
    const { name, stopTimeoutMs = DEFAULT_STOP_TIMEOUT_MS } = this.group;
    this.stopping.abort(new Error(`${name} is stopped`));
    const scope = new AbortScope();
    const limit = this.options.clock.sleep(stopTimeoutMs, scope.signal).then(
      () => {
        const fields = { group: name, late: namesOf(this.unended), stopTimeoutMs };
        this.options.log.error(fields, 'did not stop in time');
      },
      () => undefined, // stopped in time
    );
    await Promise.race([this.ended, limit]);
    scope.abort();
  }

  /** Never rejects. */
  private async supervise(runnable: Runnable): Promise<void> {
    const { signal } = this.stopping;
    try {
      await runnable.run(signal, () => this.noteReady(runnable));
      if (!signal.aborted) this.onFailure(new Error(`${runnable.name} ended by itself`));
    } catch (error) {
      if (signal.aborted) this.logLateFailure(runnable, error);
      else this.onFailure(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.unended.delete(runnable);
    }
  }

  private logLateFailure(runnable: Runnable, error: unknown): void {
    if (error === this.stopping.signal.reason) return;
    const fields = { runnable: runnable.name, reason: messageOf(error) };
    this.options.log.warn(fields, 'failed while it was stopped');
  }

  private noteReady(runnable: Runnable): void {
    this.unready.delete(runnable);
    if (this.unready.size === 0) this.markReady();
  }
}

function namesOf(runnables: Iterable<Runnable>): string {
  return [...runnables].map(({ name }) => name).join(', ');
}

/** Resolves when the signal aborts. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
