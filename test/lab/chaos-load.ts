import { setTimeout as delay } from 'node:timers/promises';
import { hasCode, isRecoverable, messageOf } from '../../pkg/base/index.js';
import type { SwarmClient } from '../../pkg/client/index.js';
import type { ChaosLog } from './chaos-log.js';
import { aLabService, type ServiceWishes } from './scenario.js';
import type { SeededRandom } from './seeded-random.js';

const MAX_SERVICES = 5;
const MAX_REPLICAS = 8;
const PAUSE_MS = { min: 200, max: 1_500 };
const RETRY_MS = 500;
/** Without an accepted write for so long something is wrong that no fault explains. */
const PATIENCE_MS = 120_000;

/** One thing that somebody asks for. */
interface Wish {
  readonly name: string;
  /** Undefined: the service shall go. */
  readonly wishes: ServiceWishes | undefined;
}

/**
 * People at work: services come, are scaled, updated, and go. What they want is remembered, and said again until a
 * manager has taken it.
 */
export class ChaosLoad {
  /** Everything that was asked for and accepted, by name of the service. */
  readonly wanted = new Map<string, ServiceWishes>();
  private count = 0;
  private accepted = 0;
  private life = new AbortController();
  private working: Promise<void> = Promise.resolve();

  constructor(
    private readonly client: SwarmClient,
    private readonly random: SeededRandom,
    private readonly log: ChaosLog,
  ) {}

  /** Writes that were accepted. */
  get writes(): number {
    return this.accepted;
  }

  /** Begins, or goes on. */
  start(): void {
    this.life = new AbortController();
    this.working = this.work(this.life.signal);
  }

  /** Resolves when the wish that is under way was accepted. Errors: when it never was. */
  async pause(): Promise<void> {
    this.life.abort();
    await this.working;
  }

  private async work(signal: AbortSignal): Promise<void> {
    while (!isOver(signal)) {
      await this.fulfil(this.nextWish());
      const { min, max } = PAUSE_MS;
      await delay(this.random.between(min, max), undefined, { signal }).catch(() => undefined);
    }
  }

  private nextWish(): Wish {
    const names = [...this.wanted.keys()];
    const dice = this.random.next();
    if (names.length === 0 || (dice < 0.2 && names.length < MAX_SERVICES)) return this.newService();
    const name = this.random.pick(names);
    if (dice > 0.93 && names.length > 1) return { name, wishes: undefined };
    const before = this.wanted.get(name);
    if (dice < 0.6) return { name, wishes: { ...before, replicas: this.replicas() } };
    this.count += 1;
    return { name, wishes: { ...before, version: String(this.count) } };
  }

  private newService(): Wish {
    this.count += 1;
    const order = this.random.pick(['start-first', 'stop-first'] as const);
    const update = {
      parallelism: this.random.between(1, 3),
      order,
      failureAction: 'continue',
    } as const;
    const global = this.random.next() < 0.2;
    const wishes = { replicas: this.replicas(), global, version: String(this.count), update };
    return { name: `s${String(this.count)}`, wishes };
  }

  private replicas(): number {
    return this.random.between(0, MAX_REPLICAS);
  }

  /** Asks until it is accepted: what was not heard of may have been done, and to ask twice does no harm. */
  private async fulfil(wish: Wish): Promise<void> {
    const untilMs = performance.now() + PATIENCE_MS;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.ask(wish);
        this.accepted += 1;
        this.log.write('accepted', { ...wish, attempt });
        return;
      } catch (error) {
        this.log.write('refused', { name: wish.name, attempt, reason: messageOf(error) });
        if (!isRecoverable(error) || performance.now() > untilMs) throw error;
        await delay(RETRY_MS);
      }
    }
  }

  private async ask({ name, wishes }: Wish): Promise<void> {
    if (wishes) {
      await this.client.apply('services', aLabService(name, wishes));
      this.wanted.set(name, wishes);
      return;
    }
    await this.client.delete('services', name).catch((error: unknown) => {
      if (!hasCode(error, 'ERR_NOT_FOUND')) throw error;
    });
    this.wanted.delete(name);
  }
}

/** A function, because the compiler believes that a signal it has seen once never changes. */
function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}
