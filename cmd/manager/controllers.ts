import type { DependencyContainer, InjectionToken } from 'tsyringe';
import { cronJobController, CronJobReconciler } from '../../controllers/cron-job/index.js';
import { jobController, JobReconciler } from '../../controllers/job/index.js';
import { nodeHealthController, NodeHealthReconciler } from '../../controllers/node-health/index.js';
import { serviceController, ServiceReconciler } from '../../controllers/service/index.js';
import {
  enforcementController,
  EnforcementReconciler,
  PlacementReconciler,
  placementController,
  slotController,
  SlotReconciler,
} from '../../controllers/task/index.js';
import { Clock } from '../../pkg/base/index.js';
import {
  ControllerRunner,
  GuardedWriter,
  type LeaderScope,
  type Reconciler,
} from '../../pkg/controller/index.js';
import type { LeaderTerm } from '../../pkg/election/index.js';
import { EventRecorder } from '../../pkg/events/index.js';
import type { ControllersFor } from '../../pkg/forecast/index.js';
import { Logger } from '../../pkg/log/index.js';
import {
  ManagerMetrics,
  observeControllers,
  observeJobs,
  observeRollouts,
} from '../../pkg/metrics/index.js';
import { World } from '../../pkg/objects/index.js';
import { KeysToken } from './tokens.js';

/** What the leader runs. */
const CONTROLLERS = [
  serviceController,
  jobController,
  cronJobController,
  placementController,
  slotController,
  enforcementController,
  nodeHealthController,
] as const;

/** How their reconcilers are made; all of the same parts. */
const RECONCILERS = [
  ServiceReconciler,
  JobReconciler,
  CronJobReconciler,
  PlacementReconciler,
  SlotReconciler,
  EnforcementReconciler,
  NodeHealthReconciler,
] as const;

/**
 * What takes part in forecasts: those who decide about tasks. Whoever judges by the hour, such as the health of
 * nodes, does not, since there it is another one.
 */
export const controllersForForecast: ControllersFor = (parts) => [
  { definition: serviceController, reconciler: new ServiceReconciler(parts) },
  { definition: jobController, reconciler: new JobReconciler(parts) },
  { definition: placementController, reconciler: new PlacementReconciler(parts) },
  { definition: slotController, reconciler: new SlotReconciler(parts) },
  { definition: enforcementController, reconciler: new EnforcementReconciler(parts) },
];

/** Registers every reconciler, to be made anew for each term. */
export function registerReconcilers(container: DependencyContainer): void {
  for (const Kind of RECONCILERS) {
    container.register<Reconciler>(Kind, { useFactory: (scope) => new Kind(partsOf(scope)) });
  }
}

function partsOf(scope: DependencyContainer) {
  const { of: metrics } = scope.resolve<ManagerMetrics>(ManagerMetrics);
  return {
    world: scope.resolve<World>(World),
    keys: scope.resolve(KeysToken),
    writer: scope.resolve<GuardedWriter>(GuardedWriter),
    clock: scope.resolve<Clock>(Clock),
    events: scope.resolve<EventRecorder>(EventRecorder),
    rollouts: observeRollouts(metrics.rollout),
    jobs: observeJobs(metrics.job),
  };
}

/** What the leader runs in each of its terms: a scope of its own, gone when the term is. */
export function controllersOf(container: DependencyContainer): (term: LeaderTerm) => LeaderScope {
  const metrics = container.resolve<ManagerMetrics>(ManagerMetrics);
  const names = CONTROLLERS.map(({ name }) => name);
  const observer = observeControllers(metrics.of.controller, names);
  return (term) => {
    const scope = container.createChildContainer();
    const common = {
      world: scope.resolve<World>(World).cache,
      clock: scope.resolve<Clock>(Clock),
      log: scope.resolve<Logger>(Logger),
      term,
      observer,
    };
    const runnables = CONTROLLERS.map((definition) => {
      // Abstract only in name: a definition may not make its reconciler itself.
      const token = definition.reconciler as InjectionToken<Reconciler>;
      return new ControllerRunner({ ...common, definition, reconciler: scope.resolve(token) });
    });
    return { runnables, dispose: () => scope.dispose() };
  };
}
