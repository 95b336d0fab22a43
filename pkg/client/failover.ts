import {
  BusyError,
  spreadRetryMs,
  SystemClock,
  UnavailableError,
  backoffMs,
  hasCode,
  isRecoverable,
  messageOf,
  withDeadline,
  type Clock,
} from '../base/index.js';
import { ConnectionError } from './connection-error.js';

/** How one call may be tried again. */
export interface AttemptOptions {
  /** Named in the error: `list services`. */
  readonly what: string;
  /** Deadline over all attempts. */
  readonly timeoutMs: number;
  /** True when doing it twice is as good as once; then it is also tried again when its outcome is unknown. */
  readonly idempotent: boolean;
  /** This manager is not tried. */
  readonly except?: string | undefined;
  /** This one is tried last, whatever it was good for before. */
  readonly last?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const BACKOFF = { initialMs: 100, maxMs: 2_000 };
/** How often all managers are tried before a call fails, as long as the deadline allows. */
const ROUNDS = 3;
/**
 * A manager that hangs keeps its connections and answers nothing: with others to go to it gets its share of the
 * time and no more, but at least this much.
 */
const MIN_SHARE_MS = 2_000;

/** Finds a manager that answers: the last good one first, then the others in random order. */
export class Failover {
  private managers: readonly string[] = [];
  private good: string | undefined;

  constructor(
    managers: readonly string[],
    private readonly clock: Clock = new SystemClock(),
    private readonly random: () => number = Math.random,
  ) {
    this.use(managers);
  }

  /** Replaces the list of managers; an empty one is ignored. */
  use(managers: readonly string[]): void {
    if (managers.length > 0) this.managers = [...new Set(managers)];
  }

  /** Addresses that are tried. */
  get addresses(): readonly string[] {
    return this.managers;
  }

  /**
   * Runs `attempt` until one succeeds. Errors: what a manager answered; UnavailableError, which names
   * every manager and its fault, when none could be reached in time.
   */
  run<T>(
    options: AttemptOptions,
    attempt: (manager: string, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return withDeadline(
      options.what,
      options.timeoutMs,
      (signal) => this.tryAll(options, attempt, signal),
      options.signal,
    );
  }

  private async tryAll<T>(
    options: AttemptOptions,
    attempt: (manager: string, signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const faults = new Map<string, unknown>();
    const untilMs = this.clock.monotonicMs() + options.timeoutMs;
    for (let round = 1; round <= ROUNDS; round += 1) {
      const order = this.order(options);
      if (order.length === 0) throw new UnavailableError('there is no other manager');
      for (const manager of order) {
        const leftMs = untilMs - this.clock.monotonicMs();
        const timeoutMs = shareOf(leftMs, order.length, options);
        const outcome = await tryOne(
          () => withDeadline(manager, timeoutMs, (share) => attempt(manager, share), signal),
          options,
        );
        this.good = 'result' in outcome ? manager : undefined;
        if ('result' in outcome) return outcome.result;
        faults.set(manager, outcome.fault);
      }
      if (round < ROUNDS) await this.clock.sleep(this.pauseMs(faults, round), signal);
    }
    throw giveUp(faults);
  }

  private order({ except, last }: AttemptOptions): readonly string[] {
    const all = this.managers.filter((manager) => manager !== except);
    const candidates = all.filter((manager) => manager !== last);
    const others = candidates.filter((manager) => manager !== this.good);
    const shuffled = others
      .map((manager) => ({ manager, at: this.random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ manager }) => manager);
    const known = this.good !== undefined && candidates.includes(this.good);
    return [
      ...(known ? [this.good ?? ''] : []),
      ...shuffled,
      ...all.filter((manager) => manager === last),
    ];
  }

  private pauseMs(faults: ReadonlyMap<string, unknown>, round: number): number {
    const asked = [...faults.values()].map((error) =>
      error instanceof BusyError ? spreadRetryMs(error, this.random) : 0,
    );
    return Math.max(backoffMs(BACKOFF, round, this.random), ...asked);
  }
}

/** What must not be done twice gets all the time there is: its answer is waited for. */
function shareOf(leftMs: number, managers: number, { idempotent }: AttemptOptions): number {
  if (!idempotent || managers === 1) return leftMs;
  return Math.min(leftMs, Math.max(MIN_SHARE_MS, leftMs / managers));
}

type Outcome<T> = { readonly result: T } | { readonly fault: unknown };

/** Errors: those after which another try is of no use, or not safe. */
async function tryOne<T>(attempt: () => Promise<T>, options: AttemptOptions): Promise<Outcome<T>> {
  try {
    return { result: await attempt() };
  } catch (error) {
    if (!mayTryAgain(error, options)) throw error;
    return { fault: error };
  }
}

function mayTryAgain(error: unknown, { idempotent }: AttemptOptions): boolean {
  if (error instanceof BusyError) return true;
  if (error instanceof ConnectionError) return !error.sent || idempotent;
  return idempotent && isRecoverable(error) && hasCode(error, 'ERR_UNAVAILABLE');
}

/** One fault is told as it is; several are listed. */
function giveUp(faults: ReadonlyMap<string, unknown>): unknown {
  const all = [...faults.values()];
  const [only] = all;
  if (all.length === 1 && !(only instanceof ConnectionError)) return only;
  const reasons = [...new Set(all.map(messageOf))].join('; ');
  return new UnavailableError(`cannot reach any manager: ${reasons}`, { cause: only });
}
