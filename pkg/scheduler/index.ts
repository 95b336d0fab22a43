/**
 * Where tasks run: pure placement in Swarm's manner (filters, spread, reasons), used by the task
 * controller and by dry-run. No clock, no randomness, no IO: same input, same placements.
 */
export { ClusterState } from './cluster-state.js';
export { findFailingConstraint, parseConstraint } from './constraint/constraint.js';
export type { Constraint, ConstraintTest } from './constraint/constraint.js';
export type { ConstraintOperator } from './constraint/syntax.js';
export { avoidancesOf } from './demand.js';
export { explain } from './explain.js';
export { PlacementBatch } from './placement-batch.js';
export { placeInOrder, planPlacements } from './plan.js';
export { planPreemption } from './preemption.js';
export type { Occupant, Preemption, PreemptionInput } from './preemption.js';
export { parsePreference, parseTopology } from './preference.js';
export type {
  AffinityTerm,
  AssignedResources,
  Avoidance,
  FilterCount,
  FilterName,
  HostPort,
  MaxPer,
  NodeVerdict,
  PendingTask,
  PlacedTask,
  Placement,
  Platform,
  Plugin,
  PluginType,
  PortProtocol,
  Resources,
  ScheduleResult,
  SchedulingNode,
  SoftConstraint,
  SpreadPreference,
  Strategy,
  TaskGroup,
  UnplacedTask,
} from './types.js';
