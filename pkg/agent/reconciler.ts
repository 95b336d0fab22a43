import { backoffMs, messageOf, type Clock } from '../base/index.js';
import type { Engine } from '../engine/index.js';
import type { Logger } from '../log/index.js';
import type { AssignmentBook } from './assignment-book.js';
import type { EngineHealth } from './engine-watch.js';
import { byTask, type FoundContainers, type TaskSet } from './task-set.js';
import { Wake } from './wake.js';

/** What is compared, and who is told. */
export interface ReconcilerOptions {
  readonly engine: Pick<Engine, 'listContainers'>;
  /** Labels of the containers that are ours. */
  readonly labels: Readonly<Record<string, string>>;
  readonly tasks: Pick<TaskSet, 'apply' | 'compare' | 'removeUnwanted'>;
  readonly book: Pick<AssignmentBook, 'wanted'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** A list showed that the engine answers, or does not. */
  readonly onHeard: (health: EngineHealth) => void;
  readonly onPass?: (outcome: 'success' | 'error') => void;
}

/** Between lists, give or take a fifth. Events are faster, but a list is the truth. */
const LIST_MS = 15_000;
const JITTER = 0.2;
const LIST_TIMEOUT_MS = 10_000;
const RETRY = { initialMs: 200, maxMs: 2_000 };
/** An agent that starts waits so long for a manager before it believes its own copy. */
const OFFLINE_AFTER_MS = 10_000;

/** Makes the containers of this node what is assigned to it, again and again. */
export class Reconciler {
  private found: FoundContainers | undefined;
  private isListDue = false;
  private wasAuthoritative = false;
  private heardManager = false;
  private failures = 0;
  private listAtMs = Infinity;
  private readonly startedMs: number;
  private readonly wake = new Wake();

  constructor(private readonly options: ReconcilerOptions) {
    this.startedMs = options.clock.monotonicMs();
  }

  /** What is wanted has changed. */
  nudge(): void {
    this.wake.notify();
  }

  /** Something may have been missed: list the containers now. */
  requestList(): void {
    this.isListDue = true;
    this.wake.notify();
  }

  /** Reconciles until the signal aborts; rejects with its reason. */
  async run(signal: AbortSignal): Promise<never> {
    const { clock, log, onPass } = this.options;
    for (;;) {
      try {
        await this.pass(signal);
        this.failures = 0;
        onPass?.('success');
      } catch (error) {
        signal.throwIfAborted();
        this.failures += 1;
        onPass?.('error');
        log.warn({ reason: messageOf(error) }, 'containers not compared');
      }
      await this.wake.waitAtMost(this.restMs(), clock, signal);
    }
  }

  private async pass(signal: AbortSignal): Promise<void> {
    const { tasks, book } = this.options;
    const { authoritative } = book.wanted;
    // The first set of a session may miss tasks whose containers no list has shown as unwanted yet.
    if (authoritative && !this.wasAuthoritative) this.isListDue ||= this.found !== undefined;
    this.wasAuthoritative = authoritative;
    this.heardManager ||= authoritative;
    const isListed = await this.listWhenDue(signal);
    if (!this.found || this.isHeld) return;
    const { wanted } = book;
    await tasks.apply(wanted, this.found, signal);
    if (!isListed) return;
    tasks.compare(this.found);
    if (wanted.authoritative) tasks.removeUnwanted(wanted, this.found, signal);
  }

  /** The first words of a manager are worth a short wait: they may be newer than our own copy. */
  private get isHeld(): boolean {
    return !this.heardManager && this.sinceStartMs < OFFLINE_AFTER_MS;
  }

  private get sinceStartMs(): number {
    return this.options.clock.monotonicMs() - this.startedMs;
  }

  private async listWhenDue(signal: AbortSignal): Promise<boolean> {
    const { engine, labels, clock, onHeard } = this.options;
    if (!this.isListDue && clock.monotonicMs() < this.listAtMs) return false;
    try {
      const filter = { labels, all: true, timeoutMs: LIST_TIMEOUT_MS, signal };
      this.isListDue = false;
      this.found = byTask(await engine.listContainers(filter));
    } catch (error) {
      signal.throwIfAborted();
      this.isListDue = true;
      onHeard({ healthy: false, message: messageOf(error) });
      throw error;
    }
    onHeard({ healthy: true });
    this.listAtMs = clock.monotonicMs() + LIST_MS * (1 + JITTER * (2 * Math.random() - 1));
    return true;
  }

  private restMs(): number {
    if (this.failures > 0) return backoffMs(RETRY, this.failures);
    const untilListMs = Math.min(LIST_MS, this.listAtMs - this.options.clock.monotonicMs());
    const heldMs = this.isHeld ? OFFLINE_AFTER_MS - this.sinceStartMs : Infinity;
    return Math.max(0, Math.min(untilListMs, heldMs));
  }
}
