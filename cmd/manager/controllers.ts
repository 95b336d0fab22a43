import { nodeHealthController, NodeHealthReconciler } from '../../controllers/node-health/index.js';
import { serviceController, ServiceReconciler } from '../../controllers/service/index.js';
import {
  enforcementController,
  EnforcementReconciler,
  placementController,
  PlacementReconciler,
  slotController,
  SlotReconciler,
} from '../../controllers/task/index.js';
import type { Clock } from '../../pkg/base/index.js';
import {
  ControllerRunner,
  FencedWriter,
  type ControllerDefinition,
  type LeaderScope,
  type Reconciler,
} from '../../pkg/controller/index.js';
import type { LeaderTerm } from '../../pkg/election/index.js';
import type { EventRecorder } from '../../pkg/events/index.js';
import type { Logger } from '../../pkg/log/index.js';
import { observeControllers, type ManagerMetrics } from '../../pkg/metrics/index.js';
import type { World } from '../../pkg/objects/index.js';
import type { Keys, Store } from '../../pkg/store/index.js';

/** What controllers are made of. */
export interface ControllersOptions {
  readonly store: Store;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly log: Logger;
  readonly world: World;
  readonly events: EventRecorder;
  readonly metrics: ManagerMetrics;
}

/** What a reconciler is made of. */
type Parts = Pick<ControllersOptions, 'keys' | 'clock' | 'world' | 'events'> & {
  readonly writer: FencedWriter;
};

/** Every controller with how to make its reconciler; a new term gets new ones. */
const CONTROLLERS: readonly (readonly [ControllerDefinition, (parts: Parts) => Reconciler])[] = [
  [serviceController, (parts) => new ServiceReconciler(parts)],
  [placementController, (parts) => new PlacementReconciler(parts)],
  [slotController, (parts) => new SlotReconciler(parts)],
  [enforcementController, (parts) => new EnforcementReconciler(parts)],
  [nodeHealthController, (parts) => new NodeHealthReconciler(parts)],
];

/** What the leader runs in each of its terms. */
export function controllersOf(options: ControllersOptions): (term: LeaderTerm) => LeaderScope {
  const { store, world, clock, log, metrics } = options;
  const names = CONTROLLERS.map(([{ name }]) => name);
  const observer = observeControllers(metrics.of.controller, names);
  return (term) => {
    const parts: Parts = { ...options, writer: new FencedWriter(store) };
    const runnables = CONTROLLERS.map(
      ([definition, reconcilerOf]) =>
        new ControllerRunner({
          definition,
          reconciler: reconcilerOf(parts),
          world: world.cache,
          term,
          clock,
          log,
          observer,
        }),
    );
    return { runnables };
  };
}
