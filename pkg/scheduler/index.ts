/**
 * Where tasks run: pure placement in Swarm's manner (filters, spread, reasons), used by the task
 * controller and by dry-run. No clock, no randomness, no IO: same input, same placements.
 */
export { ClusterState } from './cluster-state.js';
export { findFailingConstraint, parseConstraint } from './constraint/constraint.js';
export type { Constraint, ConstraintTest } from './constraint/constraint.js';
export { CONSTRAINT_OPERATORS, type ConstraintOperator } from './constraint/syntax.js';
export { PlacementBatch } from './placement-batch.js';
export { inQueueOrder, planPlacements } from './plan.js';
export { parsePreference } from './preference.js';
export type {
  FilterCount,
  FilterName,
  HostPort,
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
  SpreadPreference,
  TaskGroup,
  UnplacedTask,
} from './types.js';
