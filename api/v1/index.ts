/** Version 1 of the API: one schema per kind gives the type, the validator and the OpenAPI part. */
export * from './common.js';
export * from './container.js';
export * from './service.js';
export * from './task.js';
export * from './node.js';
export * from './cluster.js';
export * from './event.js';
export * from './errors.js';
export * from './session.js';
export * from './paths.js';
export * from './kinds.js';
export * from './list.js';
export * from './quantities.js';
export * from './normalise.js';
export * from './problems.js';
export * from './validate.js';
