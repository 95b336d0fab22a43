import { AbortScope, backoffMs, messageOf, type Clock } from '../base/index.js';
import type {
  ContainerEvent,
  ContainerEventAction,
  Engine,
  EngineDescription,
} from '../engine/index.js';
import type { Logger } from '../log/index.js';

/** What the watch needs, and whom it tells. */
export interface EngineWatchOptions {
  readonly engine: Pick<Engine, 'watchEvents' | 'ping' | 'describe'>;
  /** Of the containers to be told about. */
  readonly labels: Readonly<Record<string, string>>;
  readonly actions: readonly ContainerEventAction[];
  readonly clock: Clock;
  readonly log: Logger;
  onEvent(event: ContainerEvent): void;
  /** The stream stands again, and something may have been missed: list. */
  onOpen(): void;
  /** The engine does or does not answer, or its description changed. */
  onChange(): void;
}

/** Whether the engine answers. */
export interface EngineHealth {
  readonly healthy: boolean;
  readonly message?: string;
}

const RETRY = { initialMs: 100, maxMs: 2_000 };
const PING_TIMEOUT_MS = 3_000;
/** How often the engine is asked whether it answers, and how long it may take. */
const BEAT_MS = 5_000;
/** An engine that is slower than this at the start counts as away until it answers. */
const FIRST_ANSWER_MS = 3_000;

/**
 * Follows the engine's events through its restarts. Events shorten latency; whoever wants the truth lists
 * after each `onOpen`.
 */
export class EngineWatch {
  private state: EngineHealth = { healthy: false, message: 'not asked yet' };
  private lastDescription: EngineDescription | undefined;
  private cursor: string | undefined;
  private attempts = 0;
  private isKnown = false;
  private tellKnown: () => void = () => undefined;
  private readonly firstAnswer = new Promise<void>((resolve) => (this.tellKnown = resolve));

  constructor(private readonly options: EngineWatchOptions) {}

  /**
   * Resolves when it is known whether the engine answers, at the latest after a moment. An agent that
   * spoke to its manager before would vouch for nothing, and its node would be out of service meanwhile.
   * Errors: the signal's reason.
   */
  async known(signal: AbortSignal): Promise<void> {
    const scope = new AbortScope(signal);
    const patience = this.options.clock.sleep(FIRST_ANSWER_MS, scope.signal);
    try {
      await Promise.race([this.firstAnswer, patience]);
    } finally {
      scope.abort();
      scope[Symbol.dispose]();
      await patience.catch(() => undefined);
    }
    signal.throwIfAborted();
  }

  /** As last heard. */
  get health(): EngineHealth {
    return this.state;
  }

  /** As last described; undefined until the engine answered for the first time. */
  get description(): EngineDescription | undefined {
    return this.lastDescription;
  }

  /** A call showed that the engine answers, or does not. */
  heard(health: EngineHealth): void {
    const changed = !this.isKnown || health.healthy !== this.state.healthy;
    this.state = health;
    this.isKnown = true;
    this.tellKnown();
    if (!changed) return;
    const { log } = this.options;
    if (health.healthy) log.info({}, 'engine answers');
    else log.warn({ reason: health.message }, 'engine does not answer');
    this.options.onChange();
  }

  /** Follows until the signal aborts; rejects with its reason. */
  async run(signal: AbortSignal): Promise<never> {
    const [end] = await Promise.all([this.followForEver(signal), this.beat(signal)]);
    return end;
  }

  /** A frozen engine keeps its connections and says nothing: only asking tells. */
  private async beat(signal: AbortSignal): Promise<never> {
    const { clock, engine } = this.options;
    for (;;) {
      await clock.sleep(BEAT_MS, signal);
      try {
        await engine.ping({ timeoutMs: BEAT_MS, signal });
        this.heard({ healthy: true });
      } catch (error) {
        signal.throwIfAborted();
        this.heard({ healthy: false, message: messageOf(error) });
      }
    }
  }

  private async followForEver(signal: AbortSignal): Promise<never> {
    for (;;) {
      try {
        await this.describe(signal);
        await this.follow(signal);
      } catch (error) {
        signal.throwIfAborted();
        this.attempts += 1;
        await this.probe(error, signal);
      }
      await this.options.clock.sleep(backoffMs(RETRY, this.attempts), signal);
    }
  }

  /** Asks the engine what it is. Errors: those of the engine. */
  async describe(signal: AbortSignal): Promise<void> {
    const before = JSON.stringify(this.lastDescription);
    this.lastDescription = await this.options.engine.describe({ signal });
    if (JSON.stringify(this.lastDescription) !== before) this.options.onChange();
  }

  private follow(signal: AbortSignal): Promise<never> {
    const { engine, labels, actions } = this.options;
    return engine.watchEvents({
      labels,
      actions,
      ...(this.cursor !== undefined && { since: this.cursor }),
      onOpen: () => {
        this.attempts = 0;
        this.heard({ healthy: true });
        this.options.onOpen();
      },
      onEvent: (event) => {
        this.cursor = event.cursor;
        this.options.onEvent(event);
      },
      signal,
    });
  }

  /** A broken stream alone does not mean that the engine is away. */
  private async probe(cause: unknown, signal: AbortSignal): Promise<void> {
    try {
      await this.options.engine.ping({ timeoutMs: PING_TIMEOUT_MS, signal });
    } catch {
      signal.throwIfAborted();
      this.heard({ healthy: false, message: messageOf(cause) });
    }
  }
}
