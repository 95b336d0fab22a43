import {
  AbortScope,
  ConflictError,
  InvalidObjectError,
  isRecoverable,
  messageOf,
  TerminalError,
  TimeSlice,
  unreachable,
  UnavailableError,
} from '../base/index.js';
import type { Clock } from '../base/index.js';
import { LeadershipLostError } from '../election/index.js';
import type { LeaderTerm } from '../election/index.js';
import type { CollectionDefinition, WorldCache } from '../informer/index.js';
import type { Logger } from '../log/index.js';
import { WorkQueue } from '../queue/index.js';
import type { Revision } from '../store/index.js';
import type { ControllerObserver, ReconcileOutcome } from './controller-observer.js';
import type { ControllerDefinition, ControllerWatch } from './define-controller.js';
import type { ReconcileResult, Reconciler, ResourceKey } from './reconciler.js';
import type { Runnable } from './runnable-groups.js';
import { WriteMemory } from './write-memory.js';

/** What a {@link ControllerRunner} is made of. */
export interface ControllerRunnerOptions {
  readonly definition: ControllerDefinition;
  /** An instance of `definition.reconciler`. */
  readonly reconciler: Reconciler;
  readonly world: WorldCache;
  /** The term it runs in. A new term gets a new runner. */
  readonly term: LeaderTerm;
  readonly clock: Clock;
  readonly log: Logger;
  readonly observer?: ControllerObserver;
  /** Default Math.random. */
  readonly random?: () => number;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_RESYNC_MS = 600_000;

/** How often the queue's depth is told while nothing else happens. */
const SAMPLE_MS = 5000;

/** A lost compare means that the cache is behind; usually it catches up well within this. */
const CATCH_UP_MS = 100;

type Ending =
  | { readonly kind: 'success'; readonly result: ReconcileResult }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'failure'; readonly error: unknown }
  | { readonly kind: 'invalid'; readonly message: string };

/**
 * Runs one controller for one term. Level-triggered: it starts by looking at every key there is, so it
 * does not matter what happened before, or to whom.
 */
export class ControllerRunner implements Runnable {
  readonly name: string;
  private readonly log: Logger;
  private readonly queue: WorkQueue;
  private readonly writes: WriteMemory;
  /** Keys with the last complaint about them, so that each is made once. */
  private readonly complaints = new Map<ResourceKey, string>();
  private stopping: AbortSignal = new AbortController().signal;
  private runs = 0;
  private toldDepth: number | undefined;

  constructor(private readonly options: ControllerRunnerOptions) {
    const { definition, clock, log, world, random } = options;
    this.name = definition.name;
    this.log = log.child({ controller: definition.name });
    this.writes = new WriteMemory(world);
    this.queue = new WorkQueue({
      concurrency: definition.concurrency,
      clock,
      run: (key) => this.runKey(key),
      ...(definition.backoff && { backoff: definition.backoff }),
      ...(random && { random }),
    });
  }

  /**
   * Until the signal aborts or the term ends; resolves when the last run has ended.
   * Errors: RangeError when the world lacks a collection of the definition.
   */
  async run(signal: AbortSignal, ready: () => void = () => undefined): Promise<void> {
    const subscriptions = this.subscribe();
    const scope = new AbortScope(signal, this.options.term.signal);
    this.stopping = scope.signal;
    try {
      await this.addEverything();
      ready();
      await Promise.all([this.resyncNowAndThen(), this.sampleNowAndThen()]);
    } finally {
      for (const subscription of subscriptions) subscription[Symbol.dispose]();
      await this.queue.stop();
      scope[Symbol.dispose]();
      this.options.observer?.onQueueDepth?.(this.name, 0, 0);
    }
  }

  private subscribe(): readonly Disposable[] {
    const { definition, world } = this.options;
    const own = world.collection(definition.for).onChange((_previous, _current, { key }) => {
      this.queue.add(key);
    });
    const others = definition.watches.map((watch) =>
      world.collection(watch.collection).onChange((previous, current, { key }) => {
        if (watch.matters?.(previous, current) === false) return;
        if (previous !== undefined) this.addMapped(watch, previous, key);
        if (current !== undefined) this.addMapped(watch, current, key);
      }),
    );
    return [own, ...others];
  }

  private addMapped(watch: ControllerWatch, object: unknown, key: string): void {
    for (const mapped of watch.keysOf(object, key, this.options.world)) this.queue.add(mapped);
  }

  /** Every key that exists, and every key that something existing maps to. */
  private async addEverything(): Promise<void> {
    const { definition, world } = this.options;
    await this.addAllOf(definition.for, (_object, key) => {
      this.queue.add(key);
    });
    for (const watch of definition.watches) {
      await this.addAllOf(watch.collection, (object, key) => {
        try {
          this.addMapped(watch, object, key);
        } catch (error) {
          this.log.error({ error, collection: watch.collection.name }, 'mapping to keys failed');
        }
      });
    }
    this.log.debug({ keys: this.queue.depth, revision: world.revision }, 'queued every key');
  }

  private async addAllOf(
    collection: CollectionDefinition<unknown>,
    add: (object: unknown, key: string) => void,
  ): Promise<void> {
    const slice = new TimeSlice();
    for (const [key, object] of this.options.world.collection(collection).entries()) {
      if (this.stopping.aborted) return;
      add(object, key);
      if (slice.isSpent) await slice.yield();
    }
  }

  private async resyncNowAndThen(): Promise<void> {
    const { definition, random = Math.random } = this.options;
    const everyMs = definition.resyncMs ?? DEFAULT_RESYNC_MS;
    if (everyMs === 0) return;
    while (await this.pause(everyMs * (0.8 + 0.4 * random()))) await this.addEverything();
  }

  private async sampleNowAndThen(): Promise<void> {
    do this.sampleQueue();
    while (await this.pause(SAMPLE_MS));
  }

  /** An empty queue is told once. */
  private sampleQueue(): void {
    const { depth, oldestAgeMs } = this.queue;
    if (depth === 0 && this.toldDepth === 0) return;
    this.toldDepth = depth;
    this.options.observer?.onQueueDepth?.(this.name, depth, oldestAgeMs);
  }

  /** False when it was cut short by the end. */
  private async pause(ms: number): Promise<boolean> {
    await this.options.clock.sleep(ms, this.stopping).catch(() => undefined);
    return !this.stopping.aborted;
  }

  private async runKey(key: ResourceKey): Promise<void> {
    const { clock, world } = this.options;
    const startedMs = clock.monotonicMs();
    const startRevision = world.revision;
    this.runs += 1;
    const reconcileId = `${this.options.term.epoch}-${this.runs}`;
    const log = this.log.child({ key, reconcileId });
    const ending = await this.reconcile(key, reconcileId, log);
    if (ending.kind === 'aborted') return;
    const durationMs = clock.monotonicMs() - startedMs;
    const outcome = this.conclude(key, ending, log);
    this.options.observer?.onReconcile?.(this.name, outcome, durationMs);
    if (outcome === 'conflict') await this.untilWorldMovesOn(startRevision);
    if (this.queue.depth === 0) this.sampleQueue();
  }

  private async reconcile(key: ResourceKey, reconcileId: string, log: Logger): Promise<Ending> {
    const { reconciler, term, world, definition } = this.options;
    const scope = new AbortScope(this.stopping);
    const { signal } = scope;
    const deadline = this.enforceDeadline(scope, log);
    try {
      term.assertValid();
      await this.writes.settle(key, signal);
      if (world.collection(definition.for).isInvalid(key)) {
        return { kind: 'invalid', message: 'the stored object cannot be read' };
      }
      const writes = this.writes.logOf(key);
      const result = await reconciler.reconcile(key, { signal, log, term, reconcileId, writes });
      return { kind: 'success', result };
    } catch (error) {
      const isOver = this.stopping.aborted || error instanceof LeadershipLostError;
      return isOver ? { kind: 'aborted' } : { kind: 'failure', error };
    } finally {
      scope.abort();
      scope[Symbol.dispose]();
      await deadline;
    }
  }

  /**
   * Aborts the run at its deadline. The run's real end is waited for all the same: a key whose last run
   * may still be writing must not run again.
   */
  private async enforceDeadline(scope: AbortScope, log: Logger): Promise<void> {
    const { clock, definition } = this.options;
    const timeoutMs = definition.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    try {
      await clock.sleep(timeoutMs, scope.signal);
    } catch {
      return; // it ended in time
    }
    log.warn({ timeoutMs }, 'reconcile took too long');
    scope.abort(new UnavailableError(`reconcile took longer than ${timeoutMs} ms`));
  }

  /** Decides, and says, what comes next for the key. */
  private conclude(key: ResourceKey, ending: Exclude<Ending, { kind: 'aborted' }>, log: Logger) {
    switch (ending.kind) {
      case 'success':
        return this.concludeSuccess(key, ending.result);
      case 'invalid':
        return this.complain(key, 'invalid', { reason: ending.message }, log);
      case 'failure':
        return this.concludeFailure(key, ending.error, log);
      default:
        return unreachable(ending);
    }
  }

  private concludeSuccess(key: ResourceKey, { requeueAfterMs }: ReconcileResult): ReconcileOutcome {
    this.queue.forget(key);
    this.complaints.delete(key);
    if (requeueAfterMs === undefined) return 'success';
    this.queue.addAfter(key, requeueAfterMs);
    return 'requeue';
  }

  private concludeFailure(key: ResourceKey, error: unknown, log: Logger): ReconcileOutcome {
    if (error instanceof ConflictError) {
      log.debug({ reason: error.message }, 'reconcile lost a compare');
      this.queue.add(key);
      return 'conflict';
    }
    if (error instanceof TerminalError) {
      return this.complain(key, 'terminal', { reason: error.reason, error }, log);
    }
    if (error instanceof InvalidObjectError) {
      return this.complain(key, 'invalid', { reason: error.message, error }, log);
    }
    const retryMs = this.queue.retry(key);
    if (isRecoverable(error)) {
      log.warn({ reason: messageOf(error), retryMs }, 'reconcile failed for now');
      return 'unavailable';
    }
    log.error({ error, retryMs }, 'reconcile failed by a bug');
    return 'error';
  }

  /** Nothing to try again until something changes; said once per key and reason. */
  private complain(
    key: ResourceKey,
    outcome: 'terminal' | 'invalid',
    fields: { readonly reason: string; readonly error?: Error },
    log: Logger,
  ): ReconcileOutcome {
    this.queue.forget(key);
    const complaint = `${outcome}: ${fields.reason}: ${messageOf(fields.error)}`;
    if (this.complaints.get(key) !== complaint) {
      this.complaints.set(key, complaint);
      log.warn(fields, outcome === 'terminal' ? 'reconcile cannot succeed' : 'object is invalid');
    }
    return outcome;
  }

  /** A lost compare means that etcd knows better than the cache: running before it catches up is idle. */
  private async untilWorldMovesOn(from: Revision): Promise<void> {
    const wait = { signal: this.stopping, timeoutMs: CATCH_UP_MS };
    await this.options.world.waitForRevision(from + 1, wait).catch(() => undefined);
  }
}
