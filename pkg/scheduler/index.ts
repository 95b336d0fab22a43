/**
 * Where tasks run: pure placement in Swarm's manner (filters, spread, reasons), used by the task
 * controller and by dry-run. No clock, no randomness, no IO: same input, same placements.
 */
export { ClusterState } from './cluster-state.js';
export { findFailingConstraint, matchesConstraint, parseConstraint } from './constraint.js';
export type { Constraint, ConstraintOperator } from './constraint.js';
export { explain } from './explain.js';
export { PlacementBatch } from './placement-batch.js';
export { inQueueOrder, planPlacements, schedule } from './plan.js';
export type { ScheduleInput } from './plan.js';
export { formatPlatform, normaliseArchitecture } from './platform.js';
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
