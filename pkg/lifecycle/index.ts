/**
 * What the halves of stored objects say together: when a task that ended starts again, what its template
 * asks of a node, what a node offers. Pure; shared by controllers, which may not import each other.
 */
export * from './task-view.js';
export * from './availability.js';
export * from './restart.js';
export * from './node-standing.js';
export * from './template-demand.js';
export * from './template-drift.js';
export * from './constraint-matcher.js';
export * from './task-groups.js';
