/**
 * The cluster as placement sees it, kept from the world's objects: nodes, what runs on them, who failed where.
 * For the controller that places tasks, and for whoever asks why a task is where it is.
 */
export { ClusterView, type NodeVersions } from './cluster-view.js';
export { demandOf } from './demand-of.js';
export { explainUnplaced } from './explain-unplaced.js';
export { placedTaskOf } from './placed-task.js';
export { placementFacts } from './placement-facts.js';
