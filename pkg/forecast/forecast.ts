import type { PlanAnswer, PlannedService, StoredService } from '../../api/v1/index.js';
import { TimeSlice, type Clock } from '../base/index.js';
import type { GuardedWriter, ReconcileContext } from '../controller/index.js';
import type { LeaderTerm } from '../election/index.js';
import type { EventRecorder } from '../events/index.js';
import type { ForkedWorld } from '../informer/index.js';
import { nullLogger } from '../log/index.js';
import { puts, worldOf, type World } from '../objects/index.js';
import { ClusterView } from '../placement/index.js';
import type { Keys, Operation } from '../store/index.js';
import { ForecastClock } from './forecast-clock.js';
import { ImaginedController, type ForecastController } from './imagined-controller.js';
import { ImaginedNodes } from './imagined-nodes.js';
import { MoveLog } from './move-log.js';
import { quickerPace } from './pace.js';
import { countServices, serviceReport, unplacedOf } from './service-report.js';

/** What controllers of a fork are made of. */
export interface ForecastParts {
  readonly world: World;
  readonly keys: Keys;
  readonly writer: GuardedWriter;
  readonly clock: Clock;
  readonly events: EventRecorder;
}

/** Makes the controllers that take part; those that follow the hours of the day should not. */
export type ControllersFor = (parts: ForecastParts) => readonly ForecastController[];

/** What to try. */
export interface ForecastOptions {
  /** Is used up. */
  readonly fork: ForkedWorld;
  readonly keys: Keys;
  readonly now: Date;
  readonly controllersFor: ControllersFor;
  /** What people write. */
  readonly operations: readonly Operation[];
  /** Names of the services that they write. */
  readonly services: readonly string[];
  readonly signal: AbortSignal;
  /** Default 20 s. */
  readonly budgetMs?: number;
  /** For the budget. */
  readonly clock: Clock;
}

/** What comes of it. */
export type Forecast = Pick<PlanAnswer, 'services' | 'steps' | 'settled'>;

/** So much time of the machine may one forecast take. */
const BUDGET_MS = 20_000;
/** Waits that are followed: a delay between two steps may be long, but a rollout of months is no plan. */
const HORIZON_MS = 30 * 86_400_000;

/**
 * Says what would become of the cluster: real controllers work on a copy of the world, on which every node does
 * at once and well what is asked of it, until nothing is left to do. Nothing is written anywhere else.
 */
export async function forecast(options: ForecastOptions): Promise<Forecast> {
  using run = new ForecastRun(options);
  return await run.run();
}

class ForecastRun implements Disposable {
  private readonly world: World;
  private readonly clock: ForecastClock;
  private readonly log: MoveLog;
  private readonly nodes: ImaginedNodes;
  private readonly view: ClusterView;
  private readonly controllers: readonly ImaginedController[];
  private readonly ended = new AbortController();
  private readonly context: ReconcileContext;

  constructor(private readonly options: ForecastOptions) {
    const { fork, keys, now, controllersFor } = options;
    this.world = worldOf(fork);
    this.clock = new ForecastClock(now.getTime());
    this.log = new MoveLog(this.world, this.clock);
    this.view = new ClusterView(this.world);
    this.nodes = new ImaginedNodes({ fork, keys, world: this.world, clock: this.clock });
    const writer: GuardedWriter = {
      commit: ({ compare, operations }) => Promise.resolve(fork.commit(compare, operations)),
    };
    const parts = { world: this.world, keys, writer, clock: this.clock, events: this.log };
    this.controllers = controllersFor(parts).map(
      (each) => new ImaginedController(each, fork, this.clock),
    );
    this.context = contextOf(fork, this.ended.signal);
  }

  async run(): Promise<Forecast> {
    const { world, view, options } = this;
    await view.refreshInSlices(new TimeSlice());
    const before = countServices(world);
    const nowMs = this.clock.now().getTime();
    const unplacedBefore = unplacedOf(world, view, options.services, nowMs);
    this.write();
    const atOnce = this.quicken();
    for (const task of options.services.flatMap((name) => this.tasksOf(name)))
      this.nodes.touch(task);
    const settled = await this.settle();
    const names = [...new Set([...options.services, ...this.log.services])].sort();
    view.refresh();
    const after = countServices(world);
    const unplacedAfter = unplacedOf(world, view, names, this.clock.now().getTime());
    const services = names.map((name): PlannedService => ({
      ...serviceReport(world, name, { before, after, unplacedBefore, unplacedAfter }),
      ...(atOnce.has(name) && { atOnce: atOnce.get(name) ?? 0 }),
    }));
    return { services, steps: this.log.steps(), settled };
  }

  [Symbol.dispose](): void {
    this.ended.abort();
    for (const controller of this.controllers) controller[Symbol.dispose]();
    this.nodes[Symbol.dispose]();
    this.view[Symbol.dispose]();
    this.log[Symbol.dispose]();
  }

  private write(): void {
    const { fork, operations } = this.options;
    for (const operation of operations) fork.commit([], [operation]);
  }

  /** Services whose update would take too many steps are tried with more slots at a time. */
  private quicken(): ReadonlyMap<string, number> {
    const { fork, keys, services } = this.options;
    const atOnce = new Map<string, number>();
    for (const service of services.flatMap((name) => this.world.services.get(name) ?? [])) {
      const pace = quickerPace(this.world, service);
      if (pace === undefined) continue;
      const quicker: StoredService = { ...service, spec: { ...service.spec, update: pace.policy } };
      fork.commit([], [puts.service(keys, quicker)]);
      atOnce.set(service.metadata.name, pace.atOnce);
    }
    return atOnce;
  }

  private tasksOf(name: string): readonly string[] {
    const service = this.world.services.get(name);
    if (!service) return [];
    const tasks = this.world.tasks.byIndex('service', service.metadata.uid);
    return tasks.map(({ metadata }) => metadata.uid);
  }

  /** False when it was given up: too long for a plan. */
  private async settle(): Promise<boolean> {
    const { clock, signal, budgetMs = BUDGET_MS } = this.options;
    const untilMs = clock.monotonicMs() + budgetMs;
    for (;;) {
      signal.throwIfAborted();
      if (clock.monotonicMs() > untilMs) return false;
      if (await this.reconcile()) continue;
      if (this.nodes.act()) {
        this.log.round += 1;
        continue;
      }
      const nextMs = Math.min(...this.controllers.map(({ nextWakeMs }) => nextWakeMs));
      if (nextMs === Infinity) return true;
      if (nextMs > HORIZON_MS) return false;
      this.clock.advanceTo(nextMs);
      this.log.round += 1;
      for (const controller of this.controllers) controller.wake();
    }
  }

  /** Every controller once; false when none had anything to look at. */
  private async reconcile(): Promise<boolean> {
    let hasRun = false;
    for (const controller of this.controllers) {
      hasRun = (await controller.run(this.context)) || hasRun;
    }
    return hasRun;
  }
}

/** There is only one who writes, so there is nothing to fence and nothing to wait for. */
function contextOf({ revision }: ForkedWorld, signal: AbortSignal): ReconcileContext {
  const term: LeaderTerm = {
    epoch: revision,
    fence: { key: 'leader', createRevision: revision },
    signal,
    deadlineMs: Infinity,
    isValid: true,
    assertValid: () => undefined,
    end: () => undefined,
  };
  return {
    signal,
    log: nullLogger,
    term,
    reconcileId: 'forecast',
    writes: { committed: () => undefined, unresolved: () => undefined },
  };
}
